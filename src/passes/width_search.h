// The narrowest width for each weight that the outputs bear.
#ifndef QLITE_PASSES_WIDTH_SEARCH_H_
#define QLITE_PASSES_WIDTH_SEARCH_H_

#include "absl/status/statusor.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

// WeightQuantize with width_error: from the weight that is read last to the one that is read first, each is tried with
// 2, 3, ... bits, those before it still float, until the outputs' mean relative error over up to 64 samples is at most
// width_error; it gets 8 bits where no width does.
absl::StatusOr<QuantizationResult> SearchWidths(const Context& context, const Graph& graph,
                                                const WeightQuantizerOptions& options, const DataSet& data);

}  // namespace qlite

#endif  // QLITE_PASSES_WIDTH_SEARCH_H_
