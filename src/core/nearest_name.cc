#include "qlite/nearest_name.h"

#include <algorithm>
#include <cctype>

#include "core/str_cat.h"

namespace qlite {
namespace {

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Optimal string alignment distance, O(|a| |b|).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) && Lower(a[i - 2]) == Lower(b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view wanted, std::span<const std::string_view> known) {
  constexpr size_t kLongestName = 256;  // beyond it nothing is near, and the search would take long
  if (wanted.size() > kLongestName) return {};
  std::string_view nearest;
  size_t least = std::max<size_t>(1, wanted.size() / 3) + 1;
  for (const std::string_view name : known) {
    if (name.size() > kLongestName) continue;
    const size_t distance = EditDistance(wanted, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view wanted, std::span<const std::string_view> known) {
  constexpr size_t kLongestList = 40;
  std::string text;
  if (const std::string_view nearest = NearestName(wanted, known); !nearest.empty()) {
    text = StrCat("did you mean '", nearest, "'? ");
  }
  if (known.size() > kLongestList) return text + StrCat("There are ", known.size(), " names");
  text += "Known:";
  for (const std::string_view name : known) text += StrCat(name == known.front() ? " " : ", ", name);
  return text;
}

std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& known) {
  return DidYouMean(wanted, std::vector<std::string_view>(known.begin(), known.end()));
}

}  // namespace qlite
