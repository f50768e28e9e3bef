// BatchNormalization into the weights of its neighbours.
#ifndef QLITE_PASSES_BATCH_NORM_FOLDING_H_
#define QLITE_PASSES_BATCH_NORM_FOLDING_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Folds every BatchNormalization with constant parameters into the Conv, ConvTranspose, Gemm or MatMul before it, or
// into the one behind it (its shift only where that one does not pad). One that stays, over a value of rank 3 or 4 with
// a known number of channels, becomes a depthwise 1x1 Conv, which has an integer form. Arithmetic in double, rounded
// once. Returns the number of nodes folded or rewritten.
absl::StatusOr<int> FoldBatchNorms(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_BATCH_NORM_FOLDING_H_
