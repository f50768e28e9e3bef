#include "benchmark/output_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qlite::cli {

size_t ArgMax(std::span<const float> values) {
  return values.empty() ? 0 : static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

void OutputDifference::Add(std::span<const float> reference, std::span<const float> other) {
  double dot = 0, reference_norm = 0, other_norm = 0, noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double r = reference[i], x = other[i];
    dot += r * x;
    reference_norm += r * r;
    other_norm += x * x;
    noise += (r - x) * (r - x);
    largest_error_ = std::max(largest_error_, std::abs(r - x));
  }
  const double norms = std::sqrt(reference_norm) * std::sqrt(other_norm);
  cosines_ += norms > 0 ? dot / norms : (reference_norm == other_norm ? 1.0 : 0.0);
  signal_ += reference_norm;
  noise_ += noise;
  agreeing_ += ArgMax(reference) == ArgMax(other) ? 1 : 0;
  ++count_;
}

void OutputDifference::Merge(const OutputDifference& part) {
  count_ += part.count_;
  agreeing_ += part.agreeing_;
  cosines_ += part.cosines_;
  signal_ += part.signal_;
  noise_ += part.noise_;
  largest_error_ = std::max(largest_error_, part.largest_error_);
}

double OutputDifference::MeanCosine() const { return count_ == 0 ? 1.0 : cosines_ / static_cast<double>(count_); }

double OutputDifference::SignalToNoise() const {
  return noise_ > 0 ? 10.0 * std::log10(signal_ / noise_) : std::numeric_limits<double>::infinity();
}

double OutputDifference::Top1Agreement() const {
  return count_ == 0 ? 1.0 : static_cast<double>(agreeing_) / static_cast<double>(count_);
}

}  // namespace qlite::cli
