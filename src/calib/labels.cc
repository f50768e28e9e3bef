#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "calib/files.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"

namespace qlite {

absl::StatusOr<LabelledImages> ReadLabels(const std::string& label_file, const std::string& root, int64_t offset) {
  constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  constexpr int64_t kMaxLabel = int64_t{1} << 40;
  if (offset > kMaxLabel || offset < -kMaxLabel) {
    return absl::InvalidArgumentError(StrCat("a label offset of ", offset, " is out of range"));
  }
  absl::StatusOr<std::string> text = calib::ReadWholeFile(label_file, kMaxBytes);
  if (!text.ok()) return text.status();
  LabelledImages labelled;
  int64_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++line_number;
    line = absl::StripSuffix(line, "\r");
    if (line.empty()) continue;
    const std::vector<absl::string_view> columns = absl::StrSplit(line, absl::MaxSplits('\t', 2));
    int64_t label = 0;
    if (columns.size() < 2 || columns[0].empty() || !absl::SimpleAtoi(columns[1], &label) || label > kMaxLabel ||
        label < 0) {
      return AtFile(
          absl::InvalidArgumentError(StrCat(label_file, ":", line_number,
                                            ": expected \"path<TAB>class index\", found \"", line.substr(0, 80), "\"")),
          label_file);
    }
    labelled.files.push_back(StrCat(root, root.empty() || root.back() == '/' ? "" : "/", columns[0]));
    labelled.labels.push_back(label + offset);
    if (label + offset < 0) {
      return AtFile(absl::InvalidArgumentError(StrCat(label_file, ":", line_number, ": class index ", label,
                                                      " with offset ", offset, " is negative")),
                    label_file);
    }
  }
  if (labelled.files.empty())
    return AtFile(absl::InvalidArgumentError(StrCat(label_file, ": no labelled pictures")), label_file);
  return labelled;
}

}  // namespace qlite
