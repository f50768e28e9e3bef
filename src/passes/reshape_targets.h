// Reshape with a target that the network computes although it is known.
#ifndef QLITE_PASSES_RESHAPE_TARGETS_H_
#define QLITE_PASSES_RESHAPE_TARGETS_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Replaces the computed target of a Reshape by a constant, where shape inference found its result's extents: known ones
// as they are, 0 ("as the input") for a dimension with the same symbol as the input's, and -1 for at most one other.
// The nodes that computed it are left to RemoveDeadCode. Returns the number of targets replaced.
absl::StatusOr<int> FixReshapeTargets(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_RESHAPE_TARGETS_H_
