// A float graph into a quantized one.
#ifndef QLITE_PASSES_INTEGER_REWRITE_H_
#define QLITE_PASSES_INTEGER_REWRITE_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "passes/integer_regions.h"
#include "qlite/calibrator.h"
#include "qlite/graph.h"

namespace qlite {

struct IntegerRewriteOptions {
  bool per_channel = true;
  // Input means for bias correction; null for none.
  const CalibrationTable* means = nullptr;
};

// Gives activations of integer nodes their parameters (by value index, as ChooseActivationParams makes them), replaces
// weights, biases and other constants by integers, and puts Quantize and Dequantize nodes at the borders. Values that
// stay float keep their names; where a value is wanted both ways the integer one is called "<name>_quantized".
absl::Status RewriteIntegerRegions(Graph& graph, const IntegerRegions& regions,
                                   const std::vector<std::optional<QuantParams>>& params,
                                   const IntegerRewriteOptions& options);

}  // namespace qlite

#endif  // QLITE_PASSES_INTEGER_REWRITE_H_
