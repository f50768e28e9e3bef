// Integer arithmetic that notices overflow, for sizes that come from files.
#ifndef QLITE_CORE_CHECKED_MATH_H_
#define QLITE_CORE_CHECKED_MATH_H_

#include <cstdint>
#include <optional>

namespace qlite {

inline std::optional<int64_t> CheckedAdd(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

inline std::optional<int64_t> CheckedSub(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) return std::nullopt;
  return result;
}

inline std::optional<int64_t> CheckedMul(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

// The least integer not below a / b; a >= 0, b > 0. Does not overflow.
inline int64_t CeilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// The greatest integer not above a / b, for any a and b > 0.
inline int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace qlite

#endif  // QLITE_CORE_CHECKED_MATH_H_
