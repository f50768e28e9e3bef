// How the integers of a value stand for real numbers. Quantization is data on a value: every exporter derives its own
// dialect from it.
#ifndef QLITE_QUANT_PARAMS_H_
#define QLITE_QUANT_PARAMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace qlite {

enum class QuantScheme : uint8_t {
  kAsymmetric = 0,  // any zero point
  kSymmetric = 1,   // every zero point is 0
};

// real = scale * (q - zero_point), with one (scale, zero_point) for the whole value, for each index of `axis`, or for
// each run of `block_size` elements along `axis`. q lies in [qmin(), qmax()] and is stored in the value's element type.
//
// With blocks the last one may be shorter, and the pairs are in row-major order of the value's extents, that of `axis`
// counting blocks.
//
// A weight's distribution can be corrected: real = (scale * variance_ratio) * (q - zero_point) + mean_shift restores
// the spread and the mean that the weights of one pair had before they were rounded.
struct QuantParams {
  int bits = 8;
  QuantScheme scheme = QuantScheme::kAsymmetric;
  bool narrow_range = false;           // signed q starts at -2^(bits-1)+1 instead of -2^(bits-1)
  int64_t axis = -1;                   // -1: one pair for the whole value
  int64_t block_size = 0;              // 0: no blocks
  std::vector<float> scales;           // positive and finite
  std::vector<int32_t> zero_points;    // as many as scales
  std::vector<float> variance_ratios;  // positive and finite, as many as scales; empty: all 1
  std::vector<float> mean_shifts;      // finite, as many as scales; empty: all 0

  bool per_axis() const { return axis >= 0; }
  bool corrected() const { return !variance_ratios.empty() || !mean_shifts.empty(); }
  // The factor of (q - zero_point), rounded once, and what is added to the product.
  float factor(size_t i) const { return variance_ratios.empty() ? scales[i] : scales[i] * variance_ratios[i]; }
  float shift(size_t i) const { return mean_shifts.empty() ? 0.0f : mean_shifts[i]; }
  int32_t qmin() const { return static_cast<int32_t>(-(int64_t{1} << (bits - 1)) + (narrow_range ? 1 : 0)); }
  int32_t qmax() const { return static_cast<int32_t>((int64_t{1} << (bits - 1)) - 1); }

  static QuantParams PerTensor(float scale, int32_t zero_point, int bits = 8);

  // Counts agree, scales, variance ratios and their products are positive and finite, mean shifts finite, zero points
  // within [-2^(bits-1), 2^(bits-1)-1], bits within 1..32.
  absl::Status Validate() const;
  std::string ToString() const;

  friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

// The asymmetric parameters of `bits` bits whose grid covers [min, max] widened to include 0, with 0 on the grid: the
// zero point is rounded half to even and the scale is (max - min) / (2^bits - 1), within the normal floats. NaN counts
// as 0, an infinity as the largest float. bits within 1..32.
QuantParams AsymmetricParams(float min, float max, int bits = 8);

// The symmetric parameters, zero point 0, narrow range: scale = max_abs / (2^(bits-1) - 1), under the same bounds. bits
// within 2..32.
QuantParams SymmetricParams(float max_abs, int bits = 8);

}  // namespace qlite

#endif  // QLITE_QUANT_PARAMS_H_
