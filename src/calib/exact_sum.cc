#include "calib/exact_sum.h"

#include <bit>
#include <cmath>

namespace qlite::calib {
namespace {

constexpr int kLowestExponent = -149;

template <size_t kLimbs>
void Accumulate(const std::array<uint32_t, kLimbs>& from, std::array<uint32_t, kLimbs>* into) {
  uint64_t carry = 0;
  for (size_t i = 0; i < kLimbs; ++i) {
    carry += uint64_t{(*into)[i]} + from[i];
    (*into)[i] = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
}

template <size_t kLimbs>
void Negate(std::array<uint32_t, kLimbs>* limbs) {
  uint64_t carry = 1;
  for (uint32_t& limb : *limbs) {
    carry += static_cast<uint32_t>(~limb);
    limb = static_cast<uint32_t>(carry);
    carry >>= 32;
  }
}

}  // namespace

void ExactSum::Add(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t exponent = bits >> 23 & 0xFF;
  // A denormal has the exponent of the smallest normal float and no hidden bit.
  const uint64_t mantissa = (bits & 0x7FFFFF) | (exponent > 0 ? 0x800000u : 0u);
  const uint32_t shift = exponent > 0 ? exponent - 1 : 0;
  ExactSum one;
  const uint64_t shifted = mantissa << (shift % 32);
  one.limbs_[shift / 32] = static_cast<uint32_t>(shifted);
  one.limbs_[shift / 32 + 1] = static_cast<uint32_t>(shifted >> 32);
  if (bits >> 31 != 0) Negate(&one.limbs_);
  Accumulate(one.limbs_, &limbs_);
}

void ExactSum::Add(const ExactSum& other) { Accumulate(other.limbs_, &limbs_); }

float ExactSum::Mean(uint64_t count) const {
  std::array<uint32_t, kLimbs> magnitude = limbs_;
  const bool negative = magnitude.back() >> 31 != 0;
  if (negative) Negate(&magnitude);
  size_t top = kLimbs;
  while (top > 0 && magnitude[top - 1] == 0) --top;
  double sum = 0;
  for (size_t i = top; i-- > 0 && i + 3 >= top;) {
    sum += std::ldexp(static_cast<double>(magnitude[i]), static_cast<int>(i) * 32 + kLowestExponent);
  }
  const double mean = sum / static_cast<double>(count);
  return static_cast<float>(negative ? -mean : mean);
}

void ExactSum::Save(ByteWriter* out) const {
  for (uint32_t limb : limbs_) out->U32(limb);
}

void ExactSum::Load(ByteReader* in) {
  for (uint32_t& limb : limbs_) limb = in->U32();
}

}  // namespace qlite::calib
