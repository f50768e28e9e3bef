// Passing errors on.
#ifndef QLITE_PASSES_STATUS_MACROS_H_
#define QLITE_PASSES_STATUS_MACROS_H_

#include "absl/status/status.h"

#ifndef QLITE_RETURN_IF_ERROR
#define QLITE_RETURN_IF_ERROR(expression)                                   \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)
#endif

#endif  // QLITE_PASSES_STATUS_MACROS_H_
