#include "capi/call.h"

namespace qlite::capi {

void LastError::Set(const absl::Status& status) noexcept {
  try {
    auto error = std::make_shared<Error>(Describe(status));
    const std::lock_guard lock(mutex_);
    error_.swap(error);
    out_of_memory_ = false;
  } catch (...) {
    SetOutOfMemory();
  }
}

void LastError::SetOutOfMemory() noexcept {
  const std::lock_guard lock(mutex_);
  out_of_memory_ = true;
}

std::shared_ptr<Error> LastError::Get() const {
  const std::lock_guard lock(mutex_);
  if (!out_of_memory_) return error_;
  auto error = std::make_shared<Error>();
  error->code = QLITE_OUT_OF_MEMORY;
  error->message = "out of memory";
  return error;
}

}  // namespace qlite::capi
