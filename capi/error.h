// The details of a failure, as a host sees them.
#ifndef QLITE_CAPI_ERROR_H_
#define QLITE_CAPI_ERROR_H_

#include <string>

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

// What a status of the library tells.
Error Describe(const absl::Status& status);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_ERROR_H_
