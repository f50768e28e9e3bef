// Passing errors on with the places that are attached to them, see qlite/error_details.h.
#ifndef QLITE_CORE_ERROR_SITE_H_
#define QLITE_CORE_ERROR_SITE_H_

#include <string_view>

#include "absl/status/status.h"
#include "qlite/error_details.h"

namespace qlite {

// The status with the file replaced: where what failed was a temporary one that was to become `path`.
absl::Status AtFileInstead(absl::Status status, std::string_view path);

// The same failure at the same places, as "<prefix>: <message>".
absl::Status Prefixed(const absl::Status& status, std::string_view prefix);

}  // namespace qlite

#endif  // QLITE_CORE_ERROR_SITE_H_
