// Exit statuses as the reference programs give them.
#ifndef QLITE_EXAMPLES_COMMON_EXIT_STATUS_H_
#define QLITE_EXAMPLES_COMMON_EXIT_STATUS_H_

#include "absl/status/status.h"

namespace qlite::cli {

// The reference's codes; a process exits with the low byte.
enum class ExitCode : int {
  kOk = 0,
  kError = -1,
  kParamInvalid = -3,
  kMemoryFailed = -6,
  kNotSupported = -7,
  kInputParamInvalid = -600,
};

// The code for a failed operation.
ExitCode CodeOf(const absl::Status& status);
// What the code means, in the words of the reference.
const char* TextOf(ExitCode code);
// What main returns: the low byte.
int ProcessStatus(ExitCode code);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_EXIT_STATUS_H_
