#include "kernels/cast.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include "kernels/float16.h"

namespace qlite::kernels {
namespace {

// Storage types that C++ has no arithmetic for.
struct Float16 {
  uint16_t bits;
};
struct Bfloat16 {
  uint16_t bits;
};
struct Bool {
  uint8_t byte;
};

float ToFloat(Float16 h) { return Float16ToFloat(h.bits); }
float ToFloat(Bfloat16 b) { return std::bit_cast<float>(static_cast<uint32_t>(b.bits) << 16); }

// The value as float with the sticky last bit of round-to-odd, so that rounding it again to fewer than 23 bits of
// fraction is the same as rounding the double.
float RoundToOdd(double value) {
  const float nearest = static_cast<float>(value);
  if (std::isnan(value) || std::isinf(nearest) || static_cast<double>(nearest) == value) return nearest;
  const uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if ((bits & 1u) != 0) return nearest;
  // The odd neighbour on the other side of the value.
  const bool away = std::fabs(value) > std::fabs(static_cast<double>(nearest));
  return std::bit_cast<float>(away ? bits + 1u : bits - 1u);
}

Float16 ToFloat16(float value) { return {FloatToFloat16(value)}; }

Bfloat16 ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>(bits >> 16 | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16)};
}

// Float32 to integer: truncation, saturation, 0 for NaN.
template <typename To, typename From>
To Saturate(From value) {
  using Limits = std::numeric_limits<To>;
  // 2^bits is a power of two, so exact; the highest integer itself may not be.
  const From above = std::ldexp(From{1}, Limits::digits);
  if (std::isnan(value)) return 0;
  if (value >= above) return Limits::max();
  if (value < static_cast<From>(Limits::min())) return Limits::min();
  return static_cast<To>(value);
}

// An integer of 64 bits rounded once to a 16-bit float: through double by round-to-odd would need more bits than double
// has, so the bits below the leading 24 are folded into a sticky one first.
template <typename From>
float IntegerToOddFloat(From value) {
  const bool negative = value < From{0};
  uint64_t magnitude = negative ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const int excess = 64 - std::countl_zero(magnitude) - 24;
  if (excess > 0) {
    const uint64_t mask = (uint64_t{1} << excess) - 1;
    const uint64_t sticky = (magnitude & mask) != 0 ? uint64_t{1} << excess : 0;
    magnitude = (magnitude & ~mask) | sticky;
  }
  const float result = static_cast<float>(magnitude);
  return negative ? -result : result;
}

template <typename T>
constexpr bool kIsShortFloat = std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>;

// A float that rounds to a 16-bit float as `value` itself would.
template <typename From>
float ForShortFloat(From value) {
  if constexpr (std::is_same_v<From, double>) return RoundToOdd(value);
  if constexpr (std::is_same_v<From, float>) return value;
  if constexpr (std::is_integral_v<From>) return IntegerToOddFloat(value);
}

template <typename To, typename From>
To Convert(From value) {
  if constexpr (std::is_same_v<From, Bool>) {
    return Convert<To>(static_cast<uint8_t>(value.byte != 0));
  } else if constexpr (kIsShortFloat<From>) {
    return Convert<To>(ToFloat(value));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return {static_cast<uint8_t>(value != From{0})};
  } else if constexpr (std::is_same_v<To, Float16>) {
    return ToFloat16(ForShortFloat(value));
  } else if constexpr (std::is_same_v<To, Bfloat16>) {
    return ToBfloat16(ForShortFloat(value));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return Saturate<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <typename From, typename To>
void Run(const void* in, void* out, int64_t count) {
  const From* source = static_cast<const From*>(in);
  To* target = static_cast<To*>(out);
  for (int64_t i = 0; i < count; ++i) target[i] = Convert<To>(source[i]);
}

template <typename... Types>
struct TypeList {};
// In the order of CastType.
using CastTypes = TypeList<float, double, Float16, Bfloat16, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t,
                           int64_t, uint64_t, Bool>;

struct CastRow {
  CastFunction to[kCastTypeCount];
};

template <typename From, typename... To>
constexpr CastRow MakeRow(TypeList<To...>) {
  return {{Run<From, To>...}};
}

struct CastTable {
  CastRow from[kCastTypeCount];
  int size[kCastTypeCount];
};

template <typename... From>
constexpr CastTable MakeTable(TypeList<From...>) {
  static_assert(sizeof...(From) == kCastTypeCount);
  return {{MakeRow<From>(CastTypes{})...}, {static_cast<int>(sizeof(From))...}};
}

constexpr CastTable kTable = MakeTable(CastTypes{});

}  // namespace

int CastTypeSize(CastType type) { return kTable.size[static_cast<int>(type)]; }

CastFunction Cast(CastType from, CastType to) { return kTable.from[static_cast<int>(from)].to[static_cast<int>(to)]; }

}  // namespace qlite::kernels
