// Where a failure happened. The message of a status says it in words; a host that wants to point at the place in its
// own way asks here.
#ifndef QLITE_ERROR_DETAILS_H_
#define QLITE_ERROR_DETAILS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace qlite {

// Each is empty where the failure has no such place, or where it is not known.
struct ErrorDetails {
  std::string file;   // the path of the file at fault
  std::string node;   // the node at fault, by name
  std::string value;  // the value (tensor) at fault, by name
};

// The details that travel with a status of this library.
ErrorDetails DetailsOf(const absl::Status& status);

// The status with a place added, unless it has one of that kind: the innermost knows best. OK stays as it is. For data
// sets, observers and other parts of a host, too.
absl::Status AtFile(absl::Status status, std::string_view path);
absl::Status AtNode(absl::Status status, std::string_view name);
absl::Status AtValue(absl::Status status, std::string_view name);

}  // namespace qlite

#endif  // QLITE_ERROR_DETAILS_H_
