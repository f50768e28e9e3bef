// float32 to the floats of 16 bits, in integers alone.
#ifndef QLITE_CORE_HALF_H_
#define QLITE_CORE_HALF_H_

#include <bit>
#include <cstdint>

namespace qlite {

inline constexpr float kLargestHalf = 65504.0f;

// The bits of the half that is nearest to `value`, ties to even. Beyond kLargestHalf by half a step or more: infinity.
// NaN becomes the quiet NaN of its sign.
inline uint16_t FloatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65520 and more
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return sign;  // below 2^-25, half of the least subnormal
  // The significand with its leading one, and how many of its bits a half has no room for.
  const uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const uint32_t dropped = exponent >= 113 ? 13 : 126 - exponent;
  const uint32_t kept = significand >> dropped, rest = significand & ((1u << dropped) - 1), tie = 1u << (dropped - 1);
  const uint32_t rounded = kept + (rest > tie || (rest == tie && (kept & 1) != 0) ? 1 : 0);
  // A carry out of the significand moves on to the exponent; the leading one counts as an exponent of 1.
  const uint32_t biased = exponent >= 113 ? (exponent - 113) << 10 : 0;
  return static_cast<uint16_t>(sign | (biased + rounded));
}

// The largest finite bfloat16.
inline constexpr float kLargestBFloat = 0x1.fep127f;

// The bits of the bfloat16, the upper half of a float32, that is nearest to `value`, ties to even. NaN stays NaN.
inline uint16_t FloatToBFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace qlite

#endif  // QLITE_CORE_HALF_H_
