// Removes what no output of the graph depends on.
#ifndef QLITE_PASSES_DEAD_CODE_H_
#define QLITE_PASSES_DEAD_CODE_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Removes nodes whose results nothing reads, optional outputs that nothing reads (MaxPool's positions), and constants
// without use. Returns the number of nodes and outputs removed.
absl::StatusOr<int> RemoveDeadCode(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_DEAD_CODE_H_
