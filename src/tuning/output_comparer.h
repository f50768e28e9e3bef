// The outputs of the float network over samples, kept to hold those of changed ones against.
#ifndef QLITE_TUNING_OUTPUT_COMPARER_H_
#define QLITE_TUNING_OUTPUT_COMPARER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/sensitivity.h"
#include "qlite/session.h"

namespace qlite::tuning {

// Memory: the float32 outputs of every sample. The data set must outlive it.
class OutputComparer {
 public:
  // Over at most `samples` samples, spread evenly (0: all), each on one thread of the context. `stage` is what progress
  // is reported as.
  static absl::StatusOr<OutputComparer> Create(const Context& context, const Graph& original, const DataSet& data,
                                               int64_t samples, std::string stage);

  // The loss of a graph with the same inputs and outputs. The same bits for any number of threads.
  absl::StatusOr<OutputLoss> Compare(const Graph& changed) const;

 private:
  struct Output {
    int64_t row = 1;  // elements along the last dimension
    std::vector<float> elements;
  };
  using SampleOutputs = std::vector<Output>;  // in the order of the outputs; empty elements where one is not float32

  OutputComparer(const Context& context, const DataSet& data, int64_t samples, std::string stage)
      : context_(context), data_(&data), samples_(samples), stage_(std::move(stage)) {}

  // Calls see(sample, session) after each run, from any thread, once for each sample.
  absl::Status RunAll(const Graph& graph, absl::FunctionRef<void(size_t sample, const Session&)> see) const;

  Context context_;
  const DataSet* data_;
  int64_t samples_;
  std::string stage_;
  std::vector<SampleOutputs> reference_;
};

}  // namespace qlite::tuning

#endif  // QLITE_TUNING_OUTPUT_COMPARER_H_
