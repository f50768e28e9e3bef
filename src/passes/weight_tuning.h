// The search for the largest error of mixed-bit weights that the outputs bear.
#ifndef QLITE_PASSES_WEIGHT_TUNING_H_
#define QLITE_PASSES_WEIGHT_TUNING_H_

#include "absl/status/statusor.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

// WeightQuantize with auto_tune: bisects mixed_error on a logarithmic scale, starting from the one given, until it is
// known to 2 %, and returns the result with the largest error that keeps to the target.
absl::StatusOr<QuantizationResult> TuneMixedBits(const Context& context, const Graph& graph,
                                                 const WeightQuantizerOptions& options, const DataSet* data);

}  // namespace qlite

#endif  // QLITE_PASSES_WEIGHT_TUNING_H_
