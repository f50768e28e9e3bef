// How near a changed graph's outputs are to the float graph's.
#ifndef QLITE_PASSES_OUTPUT_SIMILARITY_H_
#define QLITE_PASSES_OUTPUT_SIMILARITY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

// What one graph's results are to another's, over samples and float outputs.
struct OutputSimilarity {
  // The mean cosine. Two results of norm 0 are alike (1), one alone is not (0), nor is one that is not finite.
  double cosine = 1;
  double cosine_deviation = 0;  // standard error of that mean, of the spread over samples; 0 with one sample
  // The mean over elements of |difference| / |reference|; one within 1e-4 + 1e-5 |reference| counts as none.
  double relative_error = 0;

  // What the mean over other samples of the same kind is hardly below.
  double CosineBound() const { return cosine - 2 * cosine_deviation; }
};

// The float graph's results over some samples, kept for comparison.
class OutputReference {
 public:
  // Runs the graph over at most `samples` samples of `data`, spread evenly; null: over random inputs, uniform within
  // [-1, 1] and the same every time. The data set must outlive the reference.
  static absl::StatusOr<OutputReference> Create(const Context& context, const Graph& graph, const DataSet* data,
                                                int64_t samples);

  // Of `graph`, which has the same inputs and outputs.
  absl::StatusOr<OutputSimilarity> Compare(const Context& context, const Graph& graph) const;

 private:
  OutputReference(const DataSet* data, int64_t samples) : data_(data), samples_(samples) {}

  const DataSet* data_;
  int64_t samples_;
  size_t outputs_ = 0;                       // float outputs of a sample
  std::vector<std::vector<float>> results_;  // sample by sample, output by output
};

}  // namespace qlite

#endif  // QLITE_PASSES_OUTPUT_SIMILARITY_H_
