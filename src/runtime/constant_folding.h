// Nodes whose results do not depend on the model's inputs, computed once.
#ifndef QLITE_RUNTIME_CONSTANT_FOLDING_H_
#define QLITE_RUNTIME_CONSTANT_FOLDING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "kernels/isa.h"
#include "qlite/context.h"
#include "qlite/graph.h"

namespace qlite {

// A value that was computed once, as it is in the graph that was folded.
struct FoldedValue {
  ValueId id;
  Tensor result;
};

// Replaces the results of nodes that read constants alone, and of Shape over a value of known extents, by constants.
// The graph's shapes have been inferred. Ids of what remains stay valid; a graph output keeps its place but not its
// name. A node that cannot be executed is left as it is, and so are those whose results would bring the new constants
// above 1 GiB, in which dequantized weights do not count, and the nodes of `kept`, in ascending order. Weights are
// dequantized on the executor's threads. Returns the values that were replaced, but for dequantized weights.
absl::StatusOr<std::vector<FoldedValue>> FoldConstants(Graph& graph, kernels::Isa isa, const Limits& limits,
                                                       Executor& executor, const std::vector<NodeId>& kept);

}  // namespace qlite

#endif  // QLITE_RUNTIME_CONSTANT_FOLDING_H_
