#include "kernels/cast.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

template <typename To, typename From>
To CastOne(CastType from, CastType to, From value) {
  To out;
  REQUIRE(CastTypeSize(from) == static_cast<int>(sizeof(From)));
  REQUIRE(CastTypeSize(to) == static_cast<int>(sizeof(To)));
  Cast(from, to)(&value, &out, 1);
  return out;
}

uint16_t ToHalf(double value) { return CastOne<uint16_t>(CastType::kFloat64, CastType::kFloat16, value); }
uint16_t ToHalf(float value) { return CastOne<uint16_t>(CastType::kFloat32, CastType::kFloat16, value); }
float FromHalf(uint16_t bits) { return CastOne<float>(CastType::kFloat16, CastType::kFloat32, bits); }

TEST_CASE("Float to integer truncates, saturates, and takes NaN for 0") {
  const auto to_int8 = [](float x) { return CastOne<int8_t>(CastType::kFloat32, CastType::kInt8, x); };
  CHECK(to_int8(1.9f) == 1);
  CHECK(to_int8(-1.9f) == -1);
  CHECK(to_int8(1000.0f) == 127);
  CHECK(to_int8(-128.9f) == -128);
  CHECK(to_int8(kNan) == 0);
  CHECK(CastOne<uint8_t>(CastType::kFloat32, CastType::kUint8, -0.5f) == 0);
  CHECK(CastOne<uint8_t>(CastType::kFloat32, CastType::kUint8, -5.0f) == 0);
  CHECK(CastOne<int32_t>(CastType::kFloat32, CastType::kInt32, 2147483648.0f) == INT32_MAX);
  CHECK(CastOne<int32_t>(CastType::kFloat32, CastType::kInt32, 2147483520.0f) == 2147483520);
  CHECK(CastOne<int64_t>(CastType::kFloat32, CastType::kInt64, kInf) == INT64_MAX);
  CHECK(CastOne<int64_t>(CastType::kFloat64, CastType::kInt64, -1e300) == INT64_MIN);
  CHECK(CastOne<uint64_t>(CastType::kFloat64, CastType::kUint64, 1e300) == UINT64_MAX);
}

TEST_CASE("Integers narrow by their low bits; booleans are 0 and 1") {
  CHECK(CastOne<int8_t>(CastType::kInt64, CastType::kInt8, int64_t{0x1ff}) == -1);
  CHECK(CastOne<uint8_t>(CastType::kInt32, CastType::kUint8, int32_t{-1}) == 255);
  CHECK(CastOne<int64_t>(CastType::kInt8, CastType::kInt64, int8_t{-5}) == -5);
  CHECK(CastOne<uint8_t>(CastType::kFloat32, CastType::kBool, 0.25f) == 1);
  CHECK(CastOne<uint8_t>(CastType::kFloat32, CastType::kBool, -0.0f) == 0);
  CHECK(CastOne<uint8_t>(CastType::kFloat32, CastType::kBool, kNan) == 1);
  CHECK(CastOne<uint8_t>(CastType::kInt64, CastType::kBool, int64_t{256}) == 1);
  CHECK(CastOne<float>(CastType::kBool, CastType::kFloat32, uint8_t{7}) == 1.0f);
  CHECK(CastOne<float>(CastType::kInt64, CastType::kFloat32, int64_t{16777217}) == 16777216.0f);
}

TEST_CASE("Every 16-bit float survives the way through float, and rounding to it is to nearest even") {
  double previous = 0;
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float value = FromHalf(static_cast<uint16_t>(bits));
    REQUIRE(ToHalf(value) == bits);
    REQUIRE(ToHalf(-value) == (bits | 0x8000));
    if (bits == 0) continue;
    // The half-way point goes to the even neighbour; a hair beside it, below float's reach, to the nearer.
    const double middle = (previous + value) / 2;
    const uint32_t even = bits % 2 == 0 ? bits : bits - 1;
    REQUIRE(ToHalf(middle) == even);
    REQUIRE(ToHalf(static_cast<float>(middle)) == even);
    REQUIRE(ToHalf(std::nextafter(middle, 1e9)) == bits);
    REQUIRE(ToHalf(std::nextafter(middle, 0.0)) == bits - 1);
    previous = value;
  }
  CHECK(ToHalf(65519.0f) == 0x7bff);
  CHECK(ToHalf(65520.0f) == 0x7c00);
  CHECK(ToHalf(-1e10f) == 0xfc00);
  CHECK(FromHalf(0x7c00) == kInf);
  CHECK(std::isnan(FromHalf(ToHalf(kNan))));
  CHECK(std::isnan(FromHalf(0x7c01)));
}

TEST_CASE("Bfloat16 is the upper half of a float, rounded to nearest even") {
  const auto to = [](float x) { return CastOne<uint16_t>(CastType::kFloat32, CastType::kBfloat16, x); };
  CHECK(to(1.0f) == 0x3f80);
  CHECK(to(std::bit_cast<float>(0x3f808000u)) == 0x3f80);
  CHECK(to(std::bit_cast<float>(0x3f808001u)) == 0x3f81);
  CHECK(to(std::bit_cast<float>(0x3f818000u)) == 0x3f82);
  CHECK(to(3.4e38f) == 0x7f80);
  CHECK(to(-kInf) == 0xff80);
  CHECK(std::isnan(CastOne<float>(CastType::kBfloat16, CastType::kFloat32, to(std::bit_cast<float>(0x7f800001u)))));
}

TEST_CASE("Integers of 64 bits are rounded once to 16-bit floats") {
  // Half way between 1 and 1 + 2^-7 at the scale 2^40, plus one: float alone would round to the half-way point first.
  const int64_t middle = (int64_t{1} << 40) + (int64_t{1} << 32);
  CHECK(CastOne<uint16_t>(CastType::kInt64, CastType::kBfloat16, middle) == 0x5380);
  CHECK(CastOne<uint16_t>(CastType::kInt64, CastType::kBfloat16, middle + 1) == 0x5381);
  CHECK(CastOne<uint16_t>(CastType::kInt64, CastType::kBfloat16, -middle - 1) == 0xd381);
  CHECK(CastOne<uint16_t>(CastType::kInt64, CastType::kFloat16, int64_t{INT64_MIN}) == 0xfc00);
  CHECK(CastOne<uint16_t>(CastType::kInt32, CastType::kFloat16, int32_t{-3}) == 0xc200);
  CHECK(CastOne<uint16_t>(CastType::kUint64, CastType::kFloat16, uint64_t{0}) == 0);
}

}  // namespace
}  // namespace qlite::kernels
