#include "capi/error.h"

#include <utility>

#include "capi/call.h"
#include "qlite/error_details.h"

namespace qlite::capi {

Error Describe(const absl::Status& status) {
  ErrorDetails details = DetailsOf(status);
  return {.code = static_cast<qlite_status>(status.code()),
          .message = std::string(status.message()),
          .file = std::move(details.file),
          .node = std::move(details.node),
          .value = std::move(details.value)};
}

}  // namespace qlite::capi

using namespace qlite::capi;

const char* qlite_status_name(qlite_status status) {
  static constexpr const char* kNames[] = {"QLITE_OK",
                                           "QLITE_CANCELLED",
                                           "QLITE_UNKNOWN",
                                           "QLITE_INVALID_ARGUMENT",
                                           "QLITE_DEADLINE_EXCEEDED",
                                           "QLITE_NOT_FOUND",
                                           "QLITE_ALREADY_EXISTS",
                                           "QLITE_PERMISSION_DENIED",
                                           "QLITE_RESOURCE_EXHAUSTED",
                                           "QLITE_FAILED_PRECONDITION",
                                           "QLITE_ABORTED",
                                           "QLITE_OUT_OF_RANGE",
                                           "QLITE_UNIMPLEMENTED",
                                           "QLITE_INTERNAL",
                                           "QLITE_UNAVAILABLE",
                                           "QLITE_DATA_LOSS",
                                           "QLITE_UNAUTHENTICATED",
                                           "QLITE_OUT_OF_MEMORY"};
  return status >= 0 && status <= QLITE_OUT_OF_MEMORY ? kNames[status] : "unknown status";
}

qlite_status qlite_error_get(const qlite_error* error, qlite_error_info* info) {
  return Call<Error>(error, [&](Error& e) {
    WriteStruct(info, {.message = e.message.c_str(),
                       .file = e.file.c_str(),
                       .node = e.node.c_str(),
                       .value = e.value.c_str(),
                       .code = e.code});
  });
}

qlite_status qlite_error_release(qlite_error* error) { return Release<Error>(error); }
