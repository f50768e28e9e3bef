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
#include "passes/kernel_rounding.h"

namespace qlite {
namespace {

constexpr double kNearWanted = 0.01, kLeastSquaredNorm = 1e-10;
// From so many weights a step on a mean shift costs more than it gains over rounding them together.
constexpr int64_t kManyWeights = 64;
constexpr int kMostDoublings = 60, kMostBisections = 60, kMostStoredBits = 16;

// What the weights of one step are like.
struct Spread {
  double squares = 0, count = 0;
  float largest = 0;

  double RootMeanSquare() const { return count > 0 ? std::sqrt(squares / count) : 0; }
};

class StepSearch {
 public:
  StepSearch(Executor& executor, const Tensor& weights, int64_t channel_axis, const ErrorTarget& target)
      : executor_(executor), weights_(weights), channel_axis_(channel_axis), target_(target) {}

  absl::StatusOr<RoundedWeight> Run() {
    if (!Measure()) return absl::FailedPreconditionError("it holds numbers that are not finite");
    const double wanted = target_.error;
    // An even rounding error has a twelfth of the squared step as its mean square.
    double low = wanted * std::sqrt(12.0), high = low;
    for (int i = 0; i < kMostDoublings && ErrorOf(high) < wanted; ++i) high *= 2;
    for (int i = 0; i < kMostDoublings && ErrorOf(low) > wanted; ++i) low /= 2;
    for (int i = 0; i < kMostBisections; ++i) {
      const double share = (low + high) / 2, error = ErrorOf(share);
      if (std::abs(error - wanted) < kNearWanted * wanted) return Rounded(share);
      (error > wanted ? high : low) = share;
    }
    // The error jumps over the target, as it does with few weights: the finer side keeps to it.
    if (ErrorOf(low) <= wanted) return Rounded(low);
    return absl::OutOfRangeError(StrCat("no step gives an error of ", wanted));
  }

 private:
  // False where a weight is not finite.
  bool Measure() {
    const QuantRuns runs(weights_.dims(), target_.per_channel ? channel_axis_ : -1, 0);
    const auto weights = weights_.data<float>();
    spreads_.resize(static_cast<size_t>(runs.params()));
    bool finite = true;
    runs.ForEach(0, runs.params(), [&](const QuantRun& run) {
      for (int64_t i = 0; i < run.count; ++i) {
        const float w = weights[static_cast<size_t>(run.begin + i)];
        finite &= std::abs(w) <= std::numeric_limits<float>::max();
        Spread& spread = spreads_[static_cast<size_t>(run.param + (run.shared ? 0 : i))];
        spread.squares += static_cast<double>(w) * static_cast<double>(w);
        spread.count += 1;
        spread.largest = std::max(spread.largest, std::abs(w));
      }
    });
    return finite;
  }

  // The steps with this share of each root mean square; 1 where all weights are 0.
  QuantParams ParamsOf(double share) const {
    QuantParams params;
    params.scheme = QuantScheme::kSymmetric;
    params.narrow_range = true;
    params.axis = target_.per_channel ? channel_axis_ : -1;
    for (const Spread& spread : spreads_) {
      constexpr double kLeast = std::numeric_limits<float>::min(), kMost = std::numeric_limits<float>::max();
      const double step = spread.largest > 0 ? std::clamp(spread.RootMeanSquare() * share, kLeast, kMost) : 1.0;
      params.scales.push_back(static_cast<float>(step));
    }
    params.zero_points.assign(params.scales.size(), 0);
    params.bits = BitsOf(params.scales);
    return params;
  }

  // Width of the integers with these steps.
  int BitsOf(const std::vector<float>& steps) const {
    double most = 1;
    for (size_t i = 0; i < steps.size(); ++i) {
      most = std::max(most, std::ceil(static_cast<double>(spreads_[i].largest) / static_cast<double>(steps[i])));
    }
    if (!(most < static_cast<double>(1 << (kMostStoredBits - 1)))) return kMostStoredBits + 1;
    return 1 + static_cast<int>(std::bit_width(static_cast<uint32_t>(most)));
  }

  double ErrorOf(double share) const {
    QuantParams params = ParamsOf(share);
    if (params.bits > kMostStoredBits) return 0;  // finer than can be stored
    const RoundedWeight rounded = RoundWith(std::move(params));
    return ChannelError(weights_, rounded.integers, rounded.params, channel_axis_);
  }

  RoundedWeight RoundWith(QuantParams params) const {
    RoundedWeight result;
    result.integers = RoundToGrids(executor_, weights_, params);
    if (target_.correct && !KeepsSums()) {
      CorrectDistribution(executor_, weights_, result.integers, params);
      for (size_t i = 0; i < params.scales.size(); ++i) params.scales[i] = params.factor(i);
      params.variance_ratios.clear();
    }
    result.params = std::move(params);
    return result;
  }

  bool KeepsSums() const {
    return target_.correct && weights_.element_count() >= kManyWeights * static_cast<int64_t>(spreads_.size());
  }

  // The weights of each step together, so that their mean is kept to a share of a step over their number.
  RoundedWeight RoundSums(QuantParams params) const {
    RoundedWeight result;
    result.integers = params.bits <= 8 ? RoundTogether<int8_t>(params) : RoundTogether<int16_t>(params);
    result.params = std::move(params);
    return result;
  }

  template <class T>
  Tensor RoundTogether(const QuantParams& params) const {
    const auto weights = weights_.data<float>();
    const QuantRuns runs(weights_.dims(), params.axis, 0);
    std::vector<T> integers(weights.size());
    executor_.ParallelFor(runs.params(), [&](int64_t first, int64_t last, int) {
      std::vector<size_t> places;
      std::vector<double> scaled;
      std::vector<T> rounded;
      for (int64_t c = first; c < last; ++c) {
        places.clear(), scaled.clear();
        runs.ForEach(c, c + 1, [&](const QuantRun& run) {
          for (int64_t i = 0; i < run.count; ++i) places.push_back(static_cast<size_t>(run.begin + i));
        });
        const auto scale = static_cast<double>(params.scales[static_cast<size_t>(c)]);
        for (const size_t i : places) scaled.push_back(static_cast<double>(weights[i]) / scale);
        rounded.resize(places.size());
        RoundKernel(scaled, params.qmax(), std::span<T>(rounded));
        for (size_t k = 0; k < places.size(); ++k) integers[places[k]] = rounded[k];
      }
    });
    return Tensor::Of<T>(weights_.dims(), std::move(integers));
  }

  absl::StatusOr<RoundedWeight> Rounded(double share) const {
    QuantParams params = ParamsOf(share);
    if (params.bits > kMostStoredBits) {
      return absl::OutOfRangeError(
          StrCat("an error of ", target_.error, " takes more than ", kMostStoredBits, " bits"));
    }
    RoundedWeight result = KeepsSums() ? RoundSums(std::move(params)) : RoundWith(std::move(params));
    result.error = RoundingError(executor_, weights_, result.integers, result.params);
    return result;
  }

  Executor& executor_;
  const Tensor& weights_;
  int64_t channel_axis_;
  const ErrorTarget& target_;
  std::vector<Spread> spreads_;
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
                                           const ErrorTarget& target) {
  return StepSearch(executor, weights, channel_axis, target).Run();
}

}  // namespace qlite
