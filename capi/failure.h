// Failures inside this room travel as exceptions, because those of callbacks have to cross code that knows nothing of
// them, and because memory that cannot be had is one in any case. None leaves a function of qlite.h: see call.h.
#ifndef QLITE_CAPI_FAILURE_H_
#define QLITE_CAPI_FAILURE_H_

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "capi/qlite.h"
#include "qlite/error_details.h"

namespace qlite::capi {

class Failure : public std::exception {
 public:
  explicit Failure(absl::Status status) : status_(std::move(status)) {}
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

inline void Check(const absl::Status& status) {
  if (!status.ok()) throw Failure(status);
}

template <class T>
T Take(absl::StatusOr<T> value) {
  if (!value.ok()) throw Failure(value.status());
  return *std::move(value);
}

[[noreturn]] inline void Refuse(const std::string& message) { throw Failure(absl::InvalidArgumentError(message)); }

// The same where a value of a graph is at fault.
[[noreturn]] inline void RefuseValue(std::string_view value, const std::string& message) {
  throw Failure(AtValue(absl::InvalidArgumentError(message), value));
}

// A pointer argument, which must not be null.
template <class T>
T* Needed(T* pointer, std::string_view what) {
  if (pointer == nullptr) Refuse(std::string(what) + " is NULL");
  return pointer;
}

// An optional text: null is empty.
inline std::string Text(const char* text) { return text == nullptr ? std::string() : std::string(text); }

// The index of an element of something that has `size` of them.
template <class Index>
size_t Checked(Index index, size_t size, std::string_view what) {
  if (std::cmp_less(index, 0) || std::cmp_greater_equal(index, size)) {
    throw Failure(
        absl::OutOfRangeError(std::string(what) + " " + std::to_string(index) + " of " + std::to_string(size)));
  }
  return static_cast<size_t>(index);
}

// What a callback of the host returned, as an error of `what` ("read of sample 3"), with what the callback said of it.
absl::Status CallbackStatus(qlite_status status, const std::string& what);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_FAILURE_H_
