// Operators that change nothing.
#ifndef QLITE_PASSES_NO_OP_REMOVAL_H_
#define QLITE_PASSES_NO_OP_REMOVAL_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Removes Identity; Reshape, Flatten, Squeeze, Unsqueeze, Expand, Pad, Slice, Resize whose result is their input;
// Transpose that keeps the order; Concat and Split of one part; Cast to the same type; Clip without bounds; Add and Sub
// of 0, Mul and Div by 1; pooling of one element. Where a result must keep its name (an output of the graph) its
// producer takes the name over, or the node stays. Returns the number of nodes removed.
absl::StatusOr<int> RemoveNoOps(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_NO_OP_REMOVAL_H_
