// The --inputShape flag: "name:1,3,224,224;other:1,10".
#ifndef QLITE_EXAMPLES_COMMON_INPUT_SHAPE_H_
#define QLITE_EXAMPLES_COMMON_INPUT_SHAPE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite::cli {

// A name may hold ':' (the last one splits) and '/'. Dimensions are integers from 1, or -1 for one that stays open. An
// input that stands twice is an error.
absl::StatusOr<std::map<std::string, std::vector<int64_t>>> ParseInputShapes(std::string_view text);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_INPUT_SHAPE_H_
