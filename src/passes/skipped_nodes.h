// Names of nodes to leave float, across simplification.
#ifndef QLITE_PASSES_SKIPPED_NODES_H_
#define QLITE_PASSES_SKIPPED_NODES_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// kNotFound for a name that no node of the graph has, with the nearest one.
absl::Status CheckNodeNames(const Graph& graph, const std::vector<std::string>& names);

// The nodes of `simplified` that do the work of the named nodes of `original`: of the same name, or else the one that
// makes the result, followed downstream to the first value that is still there (an activation that joined the
// convolution before it stands for that convolution). A node whose work is done for good, over constants, stands for
// none.
std::set<NodeId> FindSkippedNodes(const Graph& original, const Graph& simplified,
                                  const std::vector<std::string>& names);

}  // namespace qlite

#endif  // QLITE_PASSES_SKIPPED_NODES_H_
