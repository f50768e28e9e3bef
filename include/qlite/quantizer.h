// Float Graph -> quantized Graph: simplification, equalisation, calibration, placement of integer regions, weights,
// biases and their correction, with an account of every node.
#ifndef QLITE_QUANTIZER_H_
#define QLITE_QUANTIZER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/calibrator.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

struct QuantizerOptions {
  // Activation ranges: an observer's name.
  std::string activation_method = "MAX_MIN";
  const ObserverRegistry* registry = nullptr;
  bool per_channel = true;      // weights: one scale for each output channel, or one for the tensor
  bool bias_correction = true;  // biases take up the mean error that quantization leaves at each output channel
  bool equalization =
      true;  // rescale channels between layers so that they share a range better (see docs/quantization.md)
  std::vector<std::string>
      skip_nodes;                   // exact node names that stay float; an unknown name is an error with the nearest
  int64_t min_weight_elements = 0;  // a product whose weights are no more than this stays float; 0: all are quantized
  bool check_inputs = true;
  std::string checkpoint_path;  // see CalibratorOptions
  std::map<std::string, std::vector<int64_t>> input_shapes;
  bool keep_float_graph = false;  // for a report (qlite/report.h): QuantizationResult::float_graph
};

// What became of a node of the simplified graph.
struct NodeOutcome {
  std::string name, op;
  bool integer = false;
  std::string reason;  // why it stayed float; empty when integer
};

// What became of a constant that a weight quantization looked at.
struct WeightOutcome {
  std::string name;      // of the constant
  std::string node, op;  // its first reader
  int64_t elements = 0;
  int bits = 32;           // 32: it stayed float
  int64_t parameters = 0;  // pairs of scale and zero point; 0: it stayed float
  double error = 0;        // norm of the difference to the float weights over their norm
  std::string reason;      // why it stayed float; empty when quantized
};

struct QuantizationResult {
  Graph graph;
  Graph float_graph;                   // what was quantized, simplified and equalised; empty unless asked for
  std::vector<NodeOutcome> nodes;      // in topological order; of FullQuantize
  std::vector<WeightOutcome> weights;  // in the order of their first readers; of WeightQuantize
  std::vector<std::string> steps;      // what was done: "folded 35 BatchNormalization", "equalised 17 pairs", ...
  std::vector<InputWarning> warnings;
  CalibrationTable table;
  std::map<std::string, double> seconds;  // by stage
};

class Quantizer {
 public:
  Quantizer(const Context& context, QuantizerOptions options);

  // Full int8 quantization: activations int8 asymmetric, weights int8 symmetric, biases int32. `resume` as in
  // Calibrator::Run. kFailedPrecondition for weights that are not finite (names the constant). A graph that is moved
  // here takes less memory: float weights that nothing else holds are given back as soon as they are replaced.
  absl::StatusOr<QuantizationResult> FullQuantize(Graph graph, const DataSet& data,
                                                  const CalibrationTable* resume = nullptr);

 private:
  Context context_;
  QuantizerOptions options_;
};

// The simplifications that quantization starts with, each a pass of its own with unchanged results: constant folding,
// dead code, BatchNormalization into Conv/Gemm, Pad into Conv/pooling, activation fusion, transpose elimination,
// sharing of equal constants. Returns what was done, a line a pass that changed something.
absl::StatusOr<std::vector<std::string>> SimplifyGraph(const Context& context, Graph& graph);

}  // namespace qlite

#endif  // QLITE_QUANTIZER_H_
