// IEEE binary16 numbers as their bits, one at a time. Static, for *.isa.cc sources share no inline function.
#ifndef QLITE_KERNELS_FLOAT16_H_
#define QLITE_KERNELS_FLOAT16_H_

#include <cstdint>

namespace qlite::kernels {

// Exact.
[[maybe_unused]] static float Float16ToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return __builtin_bit_cast(float, sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  // Placed in a float's fields the exponent is 112 too low; the product corrects that, for subnormals too, exactly.
  const float scaled = __builtin_bit_cast(float, magnitude << 13) * 0x1p112f;
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(uint32_t, scaled));
}

// Rounded to nearest, halves to even; what is too large becomes infinity.
[[maybe_unused]] static uint16_t FloatToFloat16(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u;
  } else if (magnitude >= 0x477ff000u) {  // 65520, half way to 2^16: infinity
    half = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 1/2 leaves the multiple of 2^-24 in the low bits, rounded to nearest even by the addition.
    half = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) + 0.5f) - 0x3f000000u;
  } else {
    half = (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_FLOAT16_H_
