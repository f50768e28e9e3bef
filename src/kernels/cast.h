// Conversion between element types.
#ifndef QLITE_KERNELS_CAST_H_
#define QLITE_KERNELS_CAST_H_

#include <cstdint>

namespace qlite::kernels {

enum class CastType : int {
  kFloat32,
  kFloat64,
  kFloat16,   // IEEE binary16
  kBfloat16,  // the upper half of a float
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBool,  // a byte; any value but 0 reads as 1
};
inline constexpr int kCastTypeCount = static_cast<int>(CastType::kBool) + 1;

int CastTypeSize(CastType type);

// out[i] = to(in[i]). Defined for every value:
// - float to integer truncates toward zero and saturates; NaN gives 0;
// - integer to a narrower integer keeps the low bits;
// - to float, float16 and bfloat16 rounds to nearest, halves to even; what is too large becomes infinity;
// - anything but 0 is true, NaN included.
// in and out do not overlap, except that they may be the same memory where the sizes are equal.
using CastFunction = void (*)(const void* in, void* out, int64_t count);
CastFunction Cast(CastType from, CastType to);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_CAST_H_
