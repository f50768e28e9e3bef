#include "common/exit_status.h"

namespace qlite::cli {

ExitCode CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kUnimplemented:
      return ExitCode::kNotSupported;
    case absl::StatusCode::kResourceExhausted:
      return ExitCode::kMemoryFailed;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return ExitCode::kParamInvalid;
    default:
      return ExitCode::kError;
  }
}

const char* TextOf(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return "No error occurs.";
    case ExitCode::kError:
      return "Common error code.";
    case ExitCode::kParamInvalid:
      return "Invalid parameter.";
    case ExitCode::kMemoryFailed:
      return "Fail to create memory.";
    case ExitCode::kNotSupported:
      return "Fail to support.";
    case ExitCode::kInputParamInvalid:
      return "Invalid input param by user.";
  }
  return "";
}

int ProcessStatus(ExitCode code) { return static_cast<int>(static_cast<unsigned>(code) & 0xFFu); }

}  // namespace qlite::cli
