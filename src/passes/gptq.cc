#include "passes/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/quant_runs.h"
#include "kernels/scaled_rows_f64.h"

namespace qlite {
namespace {

// Rows of the factor that are applied to the rest together, while they are in the cache. Does not change results.
constexpr int64_t kPanel = 32;
// Output channels that are rounded together, as lanes of vectors.
constexpr int64_t kLanes = kernels::kScaledRowLanes;
// How often all weights are looked at again; later rounds change hardly any.
constexpr int kRefinements = 3;

const kernels::ScaledRowsF64Kernels& Kernels() { return kernels::ScaledRowsF64(kernels::BestVectorIsa()); }

// The moments of one group in reverse order of rounding, and their upper Cholesky factor in place: A = R^T R.
class Factor {
 public:
  // Rounding takes `order` from its end.
  Factor(const InputMoments& moments, int64_t group) : size_(moments.length) {
    const auto moment = [&](int64_t i, int64_t j) { return moments.row(group, std::max(i, j))[std::min(i, j)]; };
    order_.resize(static_cast<size_t>(size_));
    std::iota(order_.begin(), order_.end(), int64_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return moment(a, a) > moment(b, b); });
    std::reverse(order_.begin(), order_.end());
    for (const int64_t i : order_) mean_ += moment(i, i);
    mean_ = size_ > 0 ? mean_ / static_cast<double>(size_) : 0;
    moments_.resize(static_cast<size_t>(size_ * size_));
    for (int64_t a = 0; a < size_; ++a) {
      for (int64_t b = 0; b < size_; ++b) moments_[Index(a, b)] = moment(order_[Place(a)], order_[Place(b)]);
    }
  }

  bool finite() const {
    return std::all_of(moments_.begin(), moments_.end(), [](double x) { return std::isfinite(x); });
  }

  // False where the damped moments are not positive definite.
  bool Decompose(Executor& executor, const GptqDamping& damping) {
    Damp(mean_ > 0 ? damping.share * mean_ : 1, damping.common);
    rows_ = moments_;
    for (int64_t first = 0; first < size_; first += kPanel) {
      const int64_t last = std::min(size_, first + kPanel);
      for (int64_t a = first; a < last; ++a) {
        Subtract(first, a, a);
        if (!Finish(a)) return false;
      }
      executor.ParallelFor(size_ - last, [&](int64_t begin, int64_t end, int) {
        for (int64_t c = last + begin; c < last + end; ++c) Subtract(first, last, c);
      });
    }
    return true;
  }

  int64_t size() const { return size_; }
  // The input that stands at place `a`.
  int64_t input(int64_t a) const { return order_[Place(a)]; }
  const double* row(int64_t a) const { return rows_.data() + a * size_; }
  // Of the damped moments, all of them.
  const double* moments(int64_t a) const { return moments_.data() + a * size_; }

 private:
  static size_t Place(int64_t a) { return static_cast<size_t>(a); }
  size_t Index(int64_t a, int64_t b) const { return static_cast<size_t>(a * size_ + b); }

  // Raises the damping to `added`, of which `common` to all moments and the rest to the diagonal.
  void Damp(double added, double common) {
    const double everywhere = (added - added_) * common, diagonal = added - added_ - everywhere;
    for (double& moment : moments_) moment += everywhere;
    for (int64_t a = 0; a < size_; ++a) moments_[Index(a, a)] += diagonal;
    added_ = added;
  }

  // Takes what the finished rows [first, last) contribute from row c.
  void Subtract(int64_t first, int64_t last, int64_t c) {
    double* to = rows_.data() + c * size_;
    const kernels::ScaledRowsF64Kernels& kernels = Kernels();
    for (int64_t a = first; a < last; ++a) {
      const double* from = rows_.data() + a * size_;
      kernels.add_scaled(-from[c], from + c, size_ - c, to + c);
    }
  }

  bool Finish(int64_t a) {
    double* row = rows_.data() + a * size_;
    if (!(row[a] > 0) || !std::isfinite(row[a])) return false;
    const double pivot = std::sqrt(row[a]);
    row[a] = pivot;
    for (int64_t b = a + 1; b < size_; ++b) row[b] /= pivot;
    return true;
  }

  int64_t size_ = 0;
  double mean_ = 0;
  std::vector<int64_t> order_;  // inputs by ascending moment
  double added_ = 0;
  std::vector<double> moments_, rows_;
};

// The number of the pair of every weight.
std::vector<int32_t> PairsOf(const Tensor& weights, const QuantParams& params) {
  std::vector<int32_t> pairs(static_cast<size_t>(weights.element_count()));
  const QuantRuns runs(weights.dims(), params.axis, params.block_size);
  runs.ForEach(0, runs.params(), [&](const QuantRun& run) {
    for (int64_t i = 0; i < run.count; ++i) {
      pairs[static_cast<size_t>(run.begin + i)] = static_cast<int32_t>(run.param + (run.shared ? 0 : i));
    }
  });
  return pairs;
}

template <class T>
class Rounding {
 public:
  Rounding(const Tensor& weights, const ReductionView& view, const QuantParams& params)
      : weights_(weights.data<float>()),
        view_(view),
        params_(params),
        pairs_(PairsOf(weights, params)),
        integers_(weights_.size()) {}

  // The outputs of a group, all of whose inputs the factor describes.
  void Round(Executor& executor, const Factor& factor, int64_t group) {
    const int64_t outputs = view_.outputs / view_.groups, tiles = (outputs + kLanes - 1) / kLanes;
    executor.ParallelFor(tiles, [&](int64_t begin, int64_t end, int) {
      std::vector<double> errors(static_cast<size_t>(factor.size() * kLanes));
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t first = group * outputs + tile * kLanes;
        RoundTile(factor, first, std::min(kLanes, (group + 1) * outputs - first), errors);
      }
    });
  }

  Tensor Take(const std::vector<int64_t>& dims) { return Tensor::Of<T>(dims, std::move(integers_)); }

 private:
  // errors[a][lane] is weight minus decoded weight of the inputs rounded so far; all lanes are computed, `count` used.
  void RoundTile(const Factor& factor, int64_t first, int64_t count, std::vector<double>& errors) {
    const int64_t size = factor.size();
    for (int64_t a = size - 1; a >= 0; --a) {
      double carried[kLanes] = {};
      Carry(factor.row(a), a + 1, size, errors, carried);
      RoundInput(factor, a, factor.row(a)[a], first, count, carried, errors);
    }
    for (int i = 0; i < kRefinements; ++i) Refine(factor, first, count, errors);
  }

  // Rounds every weight again, given what all others were rounded to: the error at the output only falls.
  void Refine(const Factor& factor, int64_t first, int64_t count, std::vector<double>& errors) {
    const int64_t size = factor.size();
    for (int64_t a = size - 1; a >= 0; --a) {
      double carried[kLanes] = {};
      Carry(factor.moments(a), 0, a, errors, carried);
      Carry(factor.moments(a), a + 1, size, errors, carried);
      RoundInput(factor, a, factor.moments(a)[a], first, count, carried, errors);
    }
  }

  // Adds what the errors of the places [begin, end) count for another, whose factors are `row`.
  static void Carry(const double* row, int64_t begin, int64_t end, const std::vector<double>& errors, double* carried) {
    Kernels().add_rows(row + begin, errors.data() + begin * kLanes, end - begin, carried);
  }

  void RoundInput(const Factor& factor, int64_t a, double own_factor, int64_t first, int64_t count,
                  const double* carried, std::vector<double>& errors) {
    double* own = errors.data() + a * kLanes;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      own[lane] = lane < count ? RoundOne(view_.element(first + lane, factor.input(a)), carried[lane] / own_factor) : 0;
    }
  }

  // Rounds the weight moved by `carried`; returns the error against the weight itself.
  double RoundOne(int64_t element, double carried) {
    const auto i = static_cast<size_t>(element), pair = static_cast<size_t>(pairs_[i]);
    const double weight = weights_[i], scale = params_.scales[pair], zero = params_.zero_points[pair];
    const double steps = std::clamp((weight + carried) / scale, params_.qmin() - zero, params_.qmax() - zero);
    const double rounded = RoundHalfToEven(steps);
    integers_[i] = static_cast<T>(rounded + zero);
    return weight - rounded * scale;
  }

  static double RoundHalfToEven(double x) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
    return (x + kMagic) - kMagic;
  }

  std::span<const float> weights_;
  const ReductionView& view_;
  const QuantParams& params_;
  std::vector<int32_t> pairs_;
  std::vector<T> integers_;
};

absl::Status Decompose(Executor& executor, GptqDamping damping, Factor& factor) {
  if (!factor.finite()) return absl::FailedPreconditionError("its inputs were not finite over the data set");
  for (; damping.share <= 1; damping.share *= 10) {
    if (factor.Decompose(executor, damping)) return absl::OkStatus();
  }
  return absl::FailedPreconditionError("the moments of its inputs are not positive definite, however damped");
}

template <class T>
absl::StatusOr<Tensor> RoundAs(Executor& executor, const Tensor& weights, const ReductionView& view,
                               const QuantParams& params, const InputMoments& moments, const GptqDamping& damping) {
  Rounding<T> rounding(weights, view, params);
  for (int64_t group = 0; group < view.groups; ++group) {
    Factor factor(moments, group);
    if (absl::Status status = Decompose(executor, damping, factor); !status.ok()) return status;
    rounding.Round(executor, factor, group);
  }
  return rounding.Take(weights.dims());
}

}  // namespace

absl::StatusOr<Tensor> RoundByGptq(Executor& executor, const Tensor& weights, const ReductionView& view,
                                   const QuantParams& params, const InputMoments& moments, const GptqDamping& damping) {
  if (params.bits <= 8) return RoundAs<int8_t>(executor, weights, view, params, moments, damping);
  return RoundAs<int16_t>(executor, weights, view, params, moments, damping);
}

std::vector<float> ImportanceOf(const Tensor& weights, const ReductionView& view, const InputMoments& moments) {
  std::vector<float> importance(static_cast<size_t>(weights.element_count()));
  const int64_t outputs = view.outputs / view.groups;
  for (int64_t o = 0; o < view.outputs; ++o) {
    for (int64_t r = 0; r < view.length; ++r) {
      importance[static_cast<size_t>(view.element(o, r))] = static_cast<float>(moments.row(o / outputs, r)[r]);
    }
  }
  return importance;
}

}  // namespace qlite
