#include "qlite/quant_params.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_join.h"
#include "core/check.h"
#include "core/quant_grid.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();
constexpr double kSmallestNormal = std::numeric_limits<float>::min();

double Finite(float value) {
  if (std::isnan(value)) return 0;
  return std::clamp(static_cast<double>(value), -kLargest, kLargest);
}

float ScaleOf(double range, double steps) {
  return static_cast<float>(std::clamp(range / steps, kSmallestNormal, kLargest));
}

// Independent of the rounding mode that the host has set.
double RoundHalfToEven(double value) {
  const double below = std::floor(value);
  const double fraction = value - below;
  if (fraction < 0.5) return below;
  if (fraction > 0.5) return below + 1;
  return std::fmod(below, 2) == 0 ? below : below + 1;
}

}  // namespace

QuantParams QuantParams::PerTensor(float scale, int32_t zero_point, int bits) {
  QuantParams params;
  params.bits = bits;
  params.scheme = zero_point == 0 ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
  params.scales = {scale};
  params.zero_points = {zero_point};
  return params;
}

namespace {

absl::Status ValidateCorrection(const QuantParams& params) {
  const size_t count = params.scales.size();
  const auto fits = [&](size_t found) { return found == 0 || found == count; };
  if (!fits(params.variance_ratios.size()) || !fits(params.mean_shifts.size())) {
    return absl::InvalidArgumentError(StrCat("expected as many variance ratios and mean shifts as scales (", count,
                                             ") or none, found ", params.variance_ratios.size(), " and ",
                                             params.mean_shifts.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(params.factor(i)) || params.factor(i) <= 0) {
      return absl::InvalidArgumentError(StrCat("variance ratio ", i,
                                               ": expected one that leaves the scale positive and finite, found ",
                                               params.variance_ratios[i]));
    }
    if (!std::isfinite(params.shift(i))) {
      return absl::InvalidArgumentError(StrCat("mean shift ", i, ": expected finite, found ", params.shift(i)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status QuantParams::Validate() const {
  if (bits < 1 || bits > 32) return absl::InvalidArgumentError(StrCat("expected 1 to 32 bits, found ", bits));
  if (scales.empty() || scales.size() != zero_points.size()) {
    return absl::InvalidArgumentError(StrCat("expected as many zero points as scales and at least one, found ",
                                             scales.size(), " scales and ", zero_points.size(), " zero points"));
  }
  if (axis < -1 || block_size < 0) {
    return absl::InvalidArgumentError(
        StrCat("expected axis >= -1 and block_size >= 0, found ", axis, " and ", block_size));
  }
  if (!per_axis() && (block_size != 0 || scales.size() != 1)) {
    return absl::InvalidArgumentError(StrCat("expected one scale and no blocks without an axis, found ", scales.size(),
                                             " scales and block_size ", block_size));
  }
  const int64_t lowest = -(int64_t{1} << (bits - 1));
  for (size_t i = 0; i < scales.size(); ++i) {
    if (!std::isfinite(scales[i]) || scales[i] <= 0) {
      return absl::InvalidArgumentError(StrCat("scale ", i, ": expected positive and finite, found ", scales[i]));
    }
    if (zero_points[i] < lowest || zero_points[i] > qmax()) {
      return absl::InvalidArgumentError(
          StrCat("zero point ", i, ": expected within [", lowest, ", ", qmax(), "], found ", zero_points[i]));
    }
    if (scheme == QuantScheme::kSymmetric && zero_points[i] != 0) {
      return absl::InvalidArgumentError(
          StrCat("zero point ", i, ": expected 0 of a symmetric scheme, found ", zero_points[i]));
    }
  }
  return ValidateCorrection(*this);
}

std::string QuantParams::ToString() const {
  static constexpr size_t kShown = 4;
  const auto list = [](const auto& values) {
    const size_t count = std::min(values.size(), kShown);
    return StrCat(absl::StrJoin(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), ","),
                  count < values.size() ? ",..." : "");
  };
  std::string text = StrCat("q", bits, scheme == QuantScheme::kSymmetric ? " symmetric" : " asymmetric");
  if (narrow_range) text += " narrow";
  if (per_axis()) StrAppend(&text, " axis=", axis);
  if (block_size > 0) StrAppend(&text, " block=", block_size);
  StrAppend(&text, " scale=", list(scales), " zero=", list(zero_points));
  if (!variance_ratios.empty()) StrAppend(&text, " variance=", list(variance_ratios));
  if (!mean_shifts.empty()) StrAppend(&text, " mean=", list(mean_shifts));
  return text;
}

QuantGrid AsymmetricGrid(float min, float max, int bits) {
  QLITE_CHECK(bits >= 1 && bits <= 32, "bits outside 1..32");
  const double low = std::min(Finite(min), 0.0);
  const double high = std::max(Finite(max), 0.0);
  const double steps = std::ldexp(1.0, bits) - 1;
  const float scale = ScaleOf(high - low, steps);
  const double steps_below = std::clamp(RoundHalfToEven(-low / static_cast<double>(scale)), 0.0, steps);
  // The rounded zero point moves the grid by up to half a step; a little more scale makes it reach both ends again.
  const float reaching = std::max({scale, steps_below > 0 ? ScaleOf(-low, steps_below) : scale,
                                   steps_below < steps ? ScaleOf(high, steps - steps_below) : scale});
  return {reaching, static_cast<int32_t>(steps_below - std::ldexp(1.0, bits - 1))};
}

QuantGrid SymmetricGrid(float max_abs, int bits) {
  QLITE_CHECK(bits >= 2 && bits <= 32, "bits outside 2..32");
  return {ScaleOf(std::abs(Finite(max_abs)), std::ldexp(1.0, bits - 1) - 1), 0};
}

QuantParams AsymmetricParams(float min, float max, int bits) {
  const QuantGrid grid = AsymmetricGrid(min, max, bits);
  QuantParams params;
  params.bits = bits;
  params.scheme = QuantScheme::kAsymmetric;
  params.scales = {grid.scale};
  params.zero_points = {grid.zero_point};
  return params;
}

QuantParams SymmetricParams(float max_abs, int bits) {
  QuantParams params;
  params.bits = bits;
  params.scheme = QuantScheme::kSymmetric;
  params.narrow_range = true;
  params.scales = {SymmetricGrid(max_abs, bits).scale};
  params.zero_points = {0};
  return params;
}

}  // namespace qlite
