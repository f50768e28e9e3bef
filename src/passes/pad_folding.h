// Pad into the padding of the operator behind it.
#ifndef QLITE_PASSES_PAD_FOLDING_H_
#define QLITE_PASSES_PAD_FOLDING_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// A Pad with constant, non-negative spatial pads whose only reader is
//  - a Conv, padding with 0;
//  - an AveragePool that counts padding or has none, padding with 0;
//  - a MaxPool, padding with minus infinity, or with 0 a value that is never negative.
// Returns the number of nodes folded.
absl::StatusOr<int> FoldPads(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_PAD_FOLDING_H_
