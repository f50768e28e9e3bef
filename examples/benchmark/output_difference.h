// How far one model's outputs are from another's, over any number of inputs.
#ifndef QLITE_EXAMPLES_BENCHMARK_OUTPUT_DIFFERENCE_H_
#define QLITE_EXAMPLES_BENCHMARK_OUTPUT_DIFFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace qlite::cli {

// Sums over pairs of outputs (reference, other) of equal length. Merge adds the sums of another part of the data.
class OutputDifference {
 public:
  void Add(std::span<const float> reference, std::span<const float> other);
  void Merge(const OutputDifference& part);

  int64_t count() const { return count_; }
  // The mean over the pairs of the cosine of the angle between the two; a pair of zero vectors counts 1, a zero and a
  // non-zero one 0.
  double MeanCosine() const;
  // 10 log10(sum of squares of the references / sum of squares of the differences), in dB; infinite for equal outputs.
  double SignalToNoise() const;
  double LargestError() const { return largest_error_; }
  // The share of pairs whose largest elements stand at the same place, the first one on ties.
  double Top1Agreement() const;

 private:
  int64_t count_ = 0, agreeing_ = 0;
  double cosines_ = 0, signal_ = 0, noise_ = 0, largest_error_ = 0;
};

// The index of the largest element, the first one on ties; 0 for an empty span.
size_t ArgMax(std::span<const float> values);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_OUTPUT_DIFFERENCE_H_
