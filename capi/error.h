// The details of a failure, as a host sees them.
#ifndef QLITE_CAPI_ERROR_H_
#define QLITE_CAPI_ERROR_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "capi/handle_table.h"
#include "capi/qlite.h"

namespace qlite::capi {

struct Error {
  static constexpr Kind kKind = Kind::kError;
  using Handle = qlite_error;

  qlite_status code = QLITE_OK;
  std::string message, file, node, value;
};

// The library's messages name nodes as "node 'x'" and values as "value 'x'" ("input 'x'", "output 'x'"), from which
// those members are filled. `path` is the file or folder that the failing call was given, empty for none: where the
// message speaks of it or of a file in it, that is the file at fault.
Error Describe(const absl::Status& status, std::string_view path);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_ERROR_H_
