#include "passes/mixed_bits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/dequantize.h"
#include "core/quant_runs.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr double kNearEnough = 0.01, kLeastSquaredNorm = 1e-10;
constexpr int kMostDoublings = 60, kMostBisections = 60, kMostBits = 16;

// The largest magnitude; infinite where a weight is not finite.
float LargestOf(std::span<const float> weights) {
  float largest = 0;
  for (const float w : weights) {
    if (!(std::abs(w) <= std::numeric_limits<float>::max())) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, std::abs(w));
  }
  return largest;
}

class StepSearch {
 public:
  StepSearch(Executor& executor, const Tensor& weights, int64_t channel_axis, double target)
      : executor_(executor), weights_(weights), channel_axis_(channel_axis), target_(target) {}

  absl::StatusOr<RoundedWeight> Run() {
    largest_ = LargestOf(weights_.data<float>());
    if (std::isinf(largest_)) return absl::FailedPreconditionError("it holds numbers that are not finite");
    if (largest_ == 0) return Rounded(1.0f);
    double low = static_cast<double>(largest_) * target_, high = low;
    for (int i = 0; i < kMostDoublings && ErrorOf(high) < target_; ++i) high *= 2;
    for (int i = 0; i < kMostDoublings && ErrorOf(low) > target_; ++i) low /= 2;
    for (int i = 0; i < kMostBisections; ++i) {
      const double step = (low + high) / 2, error = ErrorOf(step);
      if (std::abs(error - target_) < kNearEnough * target_) return Rounded(static_cast<float>(step));
      (error > target_ ? high : low) = step;
    }
    // The error jumps over the target, as it does with few weights: the finer side keeps to it.
    if (ErrorOf(low) <= target_) return Rounded(static_cast<float>(low));
    return absl::OutOfRangeError(StrCat("no step gives an error of ", target_));
  }

 private:
  static QuantParams ParamsOf(float step, int bits) {
    QuantParams params = QuantParams::PerTensor(step, 0, bits);
    params.narrow_range = true;
    return params;
  }

  // Width of the integers with this step.
  int BitsOf(double step) const {
    const double most = std::ceil(static_cast<double>(largest_) / step);
    if (!(most < static_cast<double>(1 << (kMostBits - 1)))) return kMostBits + 1;
    return 1 + std::max(1, static_cast<int>(std::bit_width(static_cast<uint32_t>(most))));
  }

  double ErrorOf(double step) const {
    if (BitsOf(step) > kMostBits) return 0;  // finer than can be stored
    const RoundedWeight rounded = RoundWith(static_cast<float>(step));
    return ChannelError(weights_, rounded.integers, rounded.params, channel_axis_);
  }

  RoundedWeight RoundWith(float step) const {
    RoundedWeight result;
    result.params = ParamsOf(step, BitsOf(static_cast<double>(step)));
    result.integers = RoundToGrids(executor_, weights_, result.params);
    CorrectDistribution(executor_, weights_, result.integers, result.params);
    return result;
  }

  absl::StatusOr<RoundedWeight> Rounded(float step) const {
    if (BitsOf(static_cast<double>(step)) > kMostBits || !std::isnormal(step)) {
      return absl::OutOfRangeError(StrCat("an error of ", target_, " takes more than ", kMostBits, " bits"));
    }
    RoundedWeight result = RoundWith(step);
    result.error = RoundingError(executor_, weights_, result.integers, result.params);
    return result;
  }

  Executor& executor_;
  const Tensor& weights_;
  int64_t channel_axis_;
  double target_;
  float largest_ = 0;
};

}  // namespace

double ChannelError(const Tensor& weights, const Tensor& integers, const QuantParams& params, int64_t channel_axis) {
  const absl::StatusOr<Tensor> decoded = Dequantize(integers, params);
  const auto before = weights.data<float>(), after = decoded->data<float>();
  const QuantRuns channels(weights.dims(), channel_axis, 0);
  struct Sums {
    double signal = 0, noise = 0;
  };
  std::vector<Sums> sums(static_cast<size_t>(channels.params()));
  channels.ForEach(0, channels.params(), [&](const QuantRun& run) {
    const int64_t step = run.shared ? 0 : 1;
    for (int64_t i = 0; i < run.count; ++i) {
      const auto at = static_cast<size_t>(run.begin + i);
      const double w = before[at], error = w - static_cast<double>(after[at]);
      Sums& own = sums[static_cast<size_t>(run.param + i * step)];
      own.signal += w * w;
      own.noise += error * error;
    }
  });
  double total = 0, counted = 0;
  for (const Sums& own : sums) {
    if (own.signal < kLeastSquaredNorm) continue;
    total += std::sqrt(own.noise / own.signal);
    counted += 1;
  }
  return counted > 0 ? total / counted : 0;
}

absl::StatusOr<RoundedWeight> RoundToError(Executor& executor, const Tensor& weights, int64_t channel_axis,
                                           double target) {
  return StepSearch(executor, weights, channel_axis, target).Run();
}

}  // namespace qlite
