#include "passes/weight_rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/quant_grid.h"
#include "core/quant_runs.h"

namespace qlite {
namespace {

// Pairs are shared out in this many pieces, whatever the number of threads, so that sums have one order.
constexpr int64_t kPieces = 64;

// Ranges that are tried: shrunk by so many steps of a fortieth.
constexpr int kRangesTried = 32;
constexpr float kRangeStep = 1.0f / 40;

QuantRuns RunsOf(const Tensor& weights, const QuantParams& params) {
  return QuantRuns(weights.dims(), params.axis, params.block_size);
}

// Calls work(piece, first, last) for the pieces of [0, pairs), spread over threads.
void ForEachPiece(Executor& executor, int64_t pairs,
                  absl::FunctionRef<void(size_t piece, int64_t first, int64_t last)> work) {
  const int64_t pieces = std::min(pairs, kPieces);
  executor.ParallelFor(pieces, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) work(static_cast<size_t>(i), pairs * i / pieces, pairs * (i + 1) / pieces);
  });
}

// Calls visit(weight, pair) for every weight of the pairs [first, last).
template <class Visit>
void ForEachWeight(const QuantRuns& runs, int64_t first, int64_t last, Visit visit) {
  runs.ForEach(first, last, [&](const QuantRun& run) {
    const int64_t step = run.shared ? 0 : 1;
    for (int64_t i = 0; i < run.count; ++i) {
      visit(static_cast<size_t>(run.begin + i), static_cast<size_t>(run.param + i * step));
    }
  });
}

// The integer of `params` that is nearest to a weight, halves to even; |weight / scale| is clamped far below 2^22,
// where the sum with 1.5 * 2^23 leaves no fraction. In a form that compilers vectorise.
class Rounder {
 public:
  explicit Rounder(const QuantParams& params)
      : lowest_(static_cast<float>(params.qmin())), highest_(static_cast<float>(params.qmax())) {}

  // The number of steps from the zero point.
  float Steps(float weight, float scale, float zero_point) const {
    constexpr float kMagic = 12582912.0f;
    const float steps = std::min(std::max(weight / scale, lowest_ - zero_point), highest_ - zero_point);
    return (steps + kMagic) - kMagic;
  }

 private:
  float lowest_, highest_;
};

struct Range {
  float low = 0, high = 0;
};

QuantGrid GridOf(const Range& range, const RoundingForm& form) {
  return form.scheme == QuantScheme::kSymmetric ? SymmetricGrid(std::max(-range.low, range.high), form.bits)
                                                : AsymmetricGrid(range.low, range.high, form.bits);
}

// The weights of one pair, and what the squared error of each counts.
struct Members {
  std::vector<float> weights, importance;  // no importance: all count the same
};

double SquaredError(const Members& members, const QuantGrid& grid, const Rounder& rounder) {
  const auto zero = static_cast<float>(grid.zero_point);
  double sum = 0;
  for (size_t i = 0; i < members.weights.size(); ++i) {
    const float weight = members.weights[i];
    const auto error = static_cast<double>(weight - rounder.Steps(weight, grid.scale, zero) * grid.scale);
    sum += members.importance.empty() ? error * error : error * error * static_cast<double>(members.importance[i]);
  }
  return sum;
}

// The grid with the least squared error among those of the range and of smaller ones.
QuantGrid SearchGrid(const Members& members, const Range& range, const RoundingForm& form, const Rounder& rounder) {
  QuantGrid best = GridOf(range, form);
  double least = SquaredError(members, best, rounder);
  for (int i = 1; i < kRangesTried; ++i) {
    const float share = 1 - static_cast<float>(i) * kRangeStep;
    const QuantGrid grid = GridOf({range.low * share, range.high * share}, form);
    const double error = SquaredError(members, grid, rounder);
    if (error < least) least = error, best = grid;
  }
  return best;
}

// The parameters with place for every pair, not chosen yet.
QuantParams EmptyParams(const Tensor& weights, const RoundingForm& form) {
  QuantParams params;
  params.bits = form.bits;
  params.scheme = form.scheme;
  params.narrow_range = form.scheme == QuantScheme::kSymmetric;
  params.axis = form.axis;
  params.block_size = form.block_size;
  const auto pairs = static_cast<size_t>(RunsOf(weights, params).params());
  params.scales.resize(pairs);
  params.zero_points.resize(pairs);
  return params;
}

// The ranges of the pairs [first, last); false where a weight is not finite.
bool FindRanges(std::span<const float> weights, const QuantRuns& runs, int64_t first, int64_t last,
                std::vector<Range>& ranges) {
  bool finite = true;
  ForEachWeight(runs, first, last, [&](size_t i, size_t pair) {
    const float w = weights[i];
    finite &= std::abs(w) <= std::numeric_limits<float>::max();
    Range& range = ranges[pair - static_cast<size_t>(first)];
    range.low = std::min(range.low, w);
    range.high = std::max(range.high, w);
  });
  return finite;
}

template <class T>
Tensor RoundAs(Executor& executor, const Tensor& weights, const QuantParams& params) {
  const auto from = weights.data<float>();
  std::vector<T> integers(from.size());
  const QuantRuns runs = RunsOf(weights, params);
  const Rounder rounder(params);
  ForEachPiece(executor, runs.params(), [&](size_t, int64_t first, int64_t last) {
    ForEachWeight(runs, first, last, [&](size_t i, size_t p) {
      const auto zero = static_cast<float>(params.zero_points[p]);
      integers[i] = static_cast<T>(static_cast<int32_t>(rounder.Steps(from[i], params.scales[p], zero) + zero));
    });
  });
  return Tensor::Of<T>(weights.dims(), std::move(integers));
}

// Calls work(integers) with the span of the tensor's type.
template <class Work>
void WithIntegers(const Tensor& integers, Work work) {
  if (integers.type() == ElementType::kInt8) {
    work(integers.data<int8_t>());
  } else {
    work(integers.data<int16_t>());
  }
}

struct Moments {
  double count = 0, sum = 0, squares = 0;

  void Add(double x) { count += 1, sum += x, squares += x * x; }
  double Deviation() const {
    const double mean = sum / count;
    return std::sqrt(std::max(0.0, squares / count - mean * mean));
  }
};

void SetCorrection(const Moments& real, const Moments& decoded, size_t pair, QuantParams& params) {
  constexpr double kLeast = std::numeric_limits<double>::epsilon(), kLargestRatio = 10;
  const double before = real.Deviation(), after = decoded.Deviation();
  const double wanted = before > kLeast && after > kLeast ? before / after : 1;
  auto ratio = static_cast<float>(wanted < kLargestRatio ? wanted : 1);
  if (!std::isnormal(ratio * params.scales[pair])) ratio = 1;
  const auto shift = static_cast<float>((real.sum - decoded.sum * static_cast<double>(ratio)) / real.count);
  params.variance_ratios[pair] = ratio;
  params.mean_shifts[pair] = std::isfinite(shift) ? shift : 0.0f;
}

}  // namespace

absl::StatusOr<QuantParams> ChooseGrids(Executor& executor, const Tensor& weights, const RoundingForm& form,
                                        std::span<const float> importance) {
  QuantParams params = EmptyParams(weights, form);
  const auto from = weights.data<float>();
  const QuantRuns runs = RunsOf(weights, params);
  const Rounder rounder(params);
  std::vector<char> finite(static_cast<size_t>(kPieces), 1);
  ForEachPiece(executor, runs.params(), [&](size_t piece, int64_t first, int64_t last) {
    std::vector<Range> ranges(static_cast<size_t>(last - first));
    if (!FindRanges(from, runs, first, last, ranges)) {
      finite[piece] = 0;
      return;
    }
    Members members;
    for (int64_t p = first; p < last; ++p) {
      const Range& range = ranges[static_cast<size_t>(p - first)];
      QuantGrid grid = GridOf(range, form);
      if (form.search) {
        members.weights.clear(), members.importance.clear();
        ForEachWeight(runs, p, p + 1, [&](size_t i, size_t) {
          members.weights.push_back(from[i]);
          if (!importance.empty()) members.importance.push_back(importance[i]);
        });
        grid = SearchGrid(members, range, form, rounder);
      }
      params.scales[static_cast<size_t>(p)] = grid.scale;
      params.zero_points[static_cast<size_t>(p)] = grid.zero_point;
    }
  });
  if (std::find(finite.begin(), finite.end(), 0) == finite.end()) return params;
  return absl::FailedPreconditionError("it holds numbers that are not finite");
}

Tensor RoundToGrids(Executor& executor, const Tensor& weights, const QuantParams& params) {
  return params.bits <= 8 ? RoundAs<int8_t>(executor, weights, params) : RoundAs<int16_t>(executor, weights, params);
}

void CorrectDistribution(Executor& executor, const Tensor& weights, const Tensor& integers, QuantParams& params) {
  const auto from = weights.data<float>();
  const QuantRuns runs = RunsOf(weights, params);
  params.variance_ratios.assign(params.scales.size(), 1.0f);
  params.mean_shifts.assign(params.scales.size(), 0.0f);
  WithIntegers(integers, [&](auto q) {
    ForEachPiece(executor, runs.params(), [&](size_t, int64_t first, int64_t last) {
      const auto base = static_cast<size_t>(first);
      std::vector<Moments> real(static_cast<size_t>(last - first)), decoded(real.size());
      ForEachWeight(runs, first, last, [&](size_t i, size_t p) {
        real[p - base].Add(from[i]);
        decoded[p - base].Add(static_cast<float>(q[i] - params.zero_points[p]) * params.scales[p]);
      });
      for (size_t k = 0; k < real.size(); ++k) {
        if (real[k].count > 0) SetCorrection(real[k], decoded[k], base + k, params);
      }
    });
  });
}

double RoundingError(Executor& executor, const Tensor& weights, const Tensor& integers, const QuantParams& params) {
  const auto from = weights.data<float>();
  const QuantRuns runs = RunsOf(weights, params);
  struct Sums {
    double signal = 0, noise = 0;
  };
  std::vector<Sums> parts(static_cast<size_t>(kPieces));
  WithIntegers(integers, [&](auto q) {
    ForEachPiece(executor, runs.params(), [&](size_t piece, int64_t first, int64_t last) {
      Sums sums;
      ForEachWeight(runs, first, last, [&](size_t i, size_t p) {
        const double w = from[i];
        const double d = static_cast<float>(q[i] - params.zero_points[p]) * params.factor(p) + params.shift(p);
        sums.signal += w * w;
        sums.noise += (w - d) * (w - d);
      });
      parts[piece] = sums;
    });
  });
  Sums whole;
  for (const Sums& part : parts) whole.signal += part.signal, whole.noise += part.noise;
  return whole.signal > 0 ? std::sqrt(whole.noise / whole.signal) : 0;
}

absl::StatusOr<RoundedWeight> RoundWeight(Executor& executor, const Tensor& weights, const RoundingForm& form) {
  absl::StatusOr<QuantParams> params = ChooseGrids(executor, weights, form);
  if (!params.ok()) return params.status();
  RoundedWeight result;
  result.params = *std::move(params);
  result.integers = RoundToGrids(executor, weights, result.params);
  if (form.correct) CorrectDistribution(executor, weights, result.integers, result.params);
  result.error = RoundingError(executor, weights, result.integers, result.params);
  return result;
}

}  // namespace qlite
