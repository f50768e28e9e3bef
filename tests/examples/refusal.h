// What a refused operation says.
#ifndef QLITE_TESTS_EXAMPLES_REFUSAL_H_
#define QLITE_TESTS_EXAMPLES_REFUSAL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace qlite::cli {

inline std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

template <class T>
std::string MessageOf(const absl::StatusOr<T>& result) {
  return MessageOf(result.status());
}

}  // namespace qlite::cli

#endif  // QLITE_TESTS_EXAMPLES_REFUSAL_H_
