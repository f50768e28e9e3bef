// What quantizing a layer costs at the outputs of the network.
#ifndef QLITE_SENSITIVITY_H_
#define QLITE_SENSITIVITY_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/quantizer.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

// How far the float32 outputs of a network are from those of the float network, over samples.
struct OutputLoss {
  double cosine = 1;  // mean over samples and outputs; as TensorComparison::cosine
  // 10 log10(energy of the float outputs / energy of the difference), all samples and outputs together; infinite where
  // they are equal.
  double snr_db = std::numeric_limits<double>::infinity();
  double top1 = 1;  // share of the rows (along the last dimension) whose largest element is in the same place
};

// Runs both networks, which have the same inputs and outputs, over the first `samples` samples (0: all), each on one
// thread of the context. The same bits for any number of threads. Reports progress as "compare outputs".
// kInvalidArgument where inputs or outputs differ or there are no samples; kCancelled.
absl::StatusOr<OutputLoss> CompareOutputs(const Context& context, const Graph& original, const Graph& changed,
                                          const DataSet& data, int64_t samples = 0);

// A layer quantized alone.
struct LayerSensitivity {
  std::string node, op;
  int bits = 8;  // of its weights
  OutputLoss loss;
};

struct SensitivityOptions {
  int64_t samples = 32;  // to measure with, spread evenly over the data set; 0: all
};

// Quantizes one layer at a time as the options say and measures at the outputs. The worst first: by signal-to-noise
// ratio, in topological order where that is the same. Layers that the options leave float are not listed. The first
// form quantizes the layer's inputs and weights (full quantization; calibrated once, over all samples), the second its
// weights alone. The same bits for any number of threads. Reports progress as "sensitivity"; kCancelled.
absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context& context, const Graph& graph,
                                                                 const QuantizerOptions& quantization,
                                                                 const DataSet& data,
                                                                 const SensitivityOptions& options = {});
absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context& context, const Graph& graph,
                                                                 const WeightQuantizerOptions& quantization,
                                                                 const DataSet& data,
                                                                 const SensitivityOptions& options = {});

}  // namespace qlite

#endif  // QLITE_SENSITIVITY_H_
