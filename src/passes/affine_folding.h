// Arithmetic with constants into the weights and biases of products.
#ifndef QLITE_PASSES_AFFINE_FOLDING_H_
#define QLITE_PASSES_AFFINE_FOLDING_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Gemm's alpha and beta, where not 1, go into its constants. Add, Sub, Mul and Div with a constant that varies along
// the channels at most go into the product before them, or into the one behind them where that is exact at its borders.
// Arithmetic in double, rounded once. Returns the number of nodes folded.
absl::StatusOr<int> FoldAffine(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_AFFINE_FOLDING_H_
