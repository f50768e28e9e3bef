#include "common/input_shape.h"

#include <cstdint>

#include "common/text.h"

namespace qlite::cli {

absl::StatusOr<std::map<std::string, std::vector<int64_t>>> ParseInputShapes(std::string_view text) {
  std::map<std::string, std::vector<int64_t>> shapes;
  if (Trim(text).empty()) return shapes;
  for (const std::string& part : Split(text, ';')) {
    if (Trim(part).empty()) continue;
    const size_t colon = part.rfind(':');
    const std::string name(Trim(std::string_view(part).substr(0, colon == std::string::npos ? 0 : colon)));
    if (name.empty()) {
      return absl::InvalidArgumentError(Join({"inputShape: '", part, "' does not look like name:d0,d1,..."}));
    }
    std::vector<int64_t> dims;
    for (const std::string& dim : Split(std::string_view(part).substr(colon + 1), ',')) {
      const std::optional<int64_t> extent = ParseInteger(Trim(dim));
      if (!extent || *extent == 0 || *extent < -1) {
        return absl::InvalidArgumentError(
            Join({"inputShape: '", dim, "' of input '", name, "' is not a dimension (an integer from 1, or -1)"}));
      }
      dims.push_back(*extent);
    }
    if (!shapes.emplace(name, std::move(dims)).second) {
      return absl::InvalidArgumentError(Join({"inputShape: input '", name, "' stands twice"}));
    }
  }
  return shapes;
}

}  // namespace qlite::cli
