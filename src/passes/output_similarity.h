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

// The float graph's results over some samples, kept for comparison.
class OutputReference {
 public:
  // Runs the graph over at most `samples` samples of `data`, spread evenly; null: over random inputs, uniform within
  // [-1, 1] and the same every time. The data set must outlive the reference.
  static absl::StatusOr<OutputReference> Create(const Context& context, const Graph& graph, const DataSet* data,
                                                int64_t samples);

  // The mean over samples and float outputs of the cosine between the results of `graph`, which has the same inputs and
  // outputs, and the reference. Two results of norm 0 are alike (1), one alone is not (0), nor is one that is not
  // finite.
  absl::StatusOr<double> Cosine(const Context& context, const Graph& graph) const;

 private:
  OutputReference(const DataSet* data, int64_t samples) : data_(data), samples_(samples) {}

  const DataSet* data_;
  int64_t samples_;
  std::vector<std::vector<float>> results_;  // sample by sample, output by output
};

}  // namespace qlite

#endif  // QLITE_PASSES_OUTPUT_SIMILARITY_H_
