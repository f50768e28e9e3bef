// Passing errors on.
#ifndef QLITE_CORE_STATUS_MACROS_H_
#define QLITE_CORE_STATUS_MACROS_H_

#include "absl/status/status.h"

#define QLITE_RETURN_IF_ERROR(expression)                                   \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#endif  // QLITE_CORE_STATUS_MACROS_H_
