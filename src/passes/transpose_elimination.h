// Transposes that undo each other.
#ifndef QLITE_PASSES_TRANSPOSE_ELIMINATION_H_
#define QLITE_PASSES_TRANSPOSE_ELIMINATION_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Joins Transposes that follow each other, into nothing where they are inverse. Moves a Transpose behind operators that
// work element by element where that brings it to another Transpose, and one Transpose behind a binary operator whose
// operands are all transposed alike. Returns the number of changes; a Transpose that keeps the order is left to
// RemoveNoOps.
absl::StatusOr<int> EliminateTransposes(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_TRANSPOSE_ELIMINATION_H_
