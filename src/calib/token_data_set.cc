#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "calib/files.h"
#include "calib/sample_buffers.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"
#include "qlite/error_details.h"

namespace qlite {
namespace {

// Appends the first `wanted` numbers of a line.
template <class T>
absl::Status AppendTokens(absl::string_view line, size_t wanted, std::vector<T>& tokens) {
  size_t found = 0;
  for (const absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty())) {
    T token = 0;
    if (!absl::SimpleAtoi(word, &token)) {
      return absl::InvalidArgumentError(StrCat("expected integers, found \"", word.substr(0, 40), "\""));
    }
    tokens.push_back(token);
    if (++found == wanted) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(StrCat("expected at least ", wanted, " tokens, found ", found));
}

template <class T>
absl::StatusOr<std::unique_ptr<DataSet>> ReadTokens(const InputSpec& input, const std::string& file,
                                                    const std::string& text, int64_t first_line, int64_t count) {
  const absl::StatusOr<size_t> bytes = calib::InputBytes(input);
  if (!bytes.ok()) return bytes.status();
  const size_t wanted = *bytes / sizeof(T);
  if (wanted == 0) return absl::InvalidArgumentError(StrCat("input '", input.name, "' has no elements"));
  std::vector<T> tokens;
  int64_t line_number = 0, taken = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (++line_number < first_line || line.empty()) continue;
    if (count > 0 && taken == count) break;
    if (absl::Status status = AppendTokens(line, wanted, tokens); !status.ok()) {
      return absl::Status(status.code(), StrCat(file, ":", line_number, ": ", std::string(status.message())));
    }
    ++taken;
  }
  if (taken < std::max<int64_t>(count, 1)) {
    return absl::InvalidArgumentError(StrCat(file, ": expected ", std::max<int64_t>(count, 1), " lines from line ",
                                             first_line, " on, found ", taken));
  }
  return MakeMemoryDataSet({input}, {Buffer::Own(std::move(tokens))});
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> OpenTokenDataSet(const InputSpec& input, const std::string& file,
                                                          int64_t first_line, int64_t count) {
  constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  if (first_line < 1 || count < 0) {
    return AtFile(absl::InvalidArgumentError(StrCat(file, ": ", count, " lines from line ", first_line,
                                                    " on cannot be read; lines count from 1")),
                  file);
  }
  const absl::StatusOr<std::string> text = calib::ReadWholeFile(file, kMaxBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::unique_ptr<DataSet>> data;
  if (input.type == ElementType::kInt64) {
    data = ReadTokens<int64_t>(input, file, *text, first_line, count);
  } else if (input.type == ElementType::kInt32) {
    data = ReadTokens<int32_t>(input, file, *text, first_line, count);
  } else {
    return AtValue(absl::InvalidArgumentError(StrCat("input '", input.name, "' has element type ",
                                                     ElementTypeName(input.type), ", but tokens are int64 or int32")),
                   input.name);
  }
  if (!data.ok()) return AtFile(data.status(), file);
  return data;
}

}  // namespace qlite
