// What the tests of the float kernels share: deterministic data, comparison by bits, distance in units in the last
// place.
#ifndef QLITE_TESTS_KERNELS_KERNEL_TEST_UTIL_H_
#define QLITE_TESTS_KERNELS_KERNEL_TEST_UTIL_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace qlite::kernels {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A multiplicative congruential sequence: the same on every platform.
class Sequence {
 public:
  explicit Sequence(uint64_t seed) : state_(seed * 2654435761u + 12345u) {}
  uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  float Uniform(float low, float high) { return low + (high - low) * (static_cast<float>(Next() >> 8) * 0x1p-24f); }
  std::vector<float> Floats(int64_t count, float low = -3.0f, float high = 3.0f) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& v : values) v = Uniform(low, high);
    return values;
  }

 private:
  uint64_t state_;
};

// Equal bits, or both NaN (which NaN is not promised).
inline bool SameFloat(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

template <class Floats>
bool SameFloats(const Floats& a, const Floats& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameFloat(a[i], b[i])) return false;
  }
  return true;
}

// |value - exact| in units in the last place of the float nearest to `exact`. Infinite when only one is NaN, or when
// the infinities differ.
inline double UlpError(float value, double exact) {
  const float rounded = static_cast<float>(exact);
  if (std::isnan(value) || std::isnan(rounded)) return std::isnan(value) == std::isnan(rounded) ? 0.0 : HUGE_VAL;
  if (value == rounded) return 0.0;
  const float largest = std::numeric_limits<float>::max();
  // An overflow that misses by a rounding counts as one that misses by its distance to the next float.
  const double v = std::isinf(value) ? std::copysign(0x1p128, static_cast<double>(value)) : static_cast<double>(value);
  const double e = std::abs(exact) > 0x1p129 ? std::copysign(0x1p129, exact) : exact;
  const float magnitude = std::fmin(std::fabs(rounded), largest);
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const double ulp = std::ldexp(1.0, magnitude < 0x1p-126f ? -149 : exponent - 24);
  return std::fabs(v - e) / ulp;
}

// The 16-lane tree sum, as kernels/reduce_f32.h defines it.
inline float TreeSum(const std::vector<float>& values) {
  float lanes[16] = {};
  for (size_t i = 0; i < values.size(); ++i) lanes[i % 16] += values[i];
  for (int half = 8; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

}  // namespace qlite::kernels

#endif  // QLITE_TESTS_KERNELS_KERNEL_TEST_UTIL_H_
