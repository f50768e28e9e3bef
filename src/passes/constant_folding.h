// Nodes whose results do not depend on the network's input.
#ifndef QLITE_PASSES_CONSTANT_FOLDING_H_
#define QLITE_PASSES_CONSTANT_FOLDING_H_

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/graph.h"

namespace qlite {

// Replaces nodes over constants by their results, as a Session computes them, and Shape of a value whose extents are
// known. A result that is much larger than what it is made from (an expanded or filled tensor) stays computed, so that
// files do not grow; so does what no Session can run, and an output of the graph. Returns the number of nodes replaced.
absl::StatusOr<int> FoldConstants(const Context& context, Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_CONSTANT_FOLDING_H_
