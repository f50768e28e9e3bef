// Nodes that no result of a graph depends on.
#ifndef QLITE_CORE_UNUSED_NODES_H_
#define QLITE_CORE_UNUSED_NODES_H_

#include <vector>

#include "qlite/graph.h"

namespace qlite {

// Whether a node reads the value or it is an output of the graph; false of an invalid id.
bool InUse(const Graph& graph, ValueId id);

// Removes nodes none of whose outputs is in use, and those that only they read from. Values without producer stay.
// Returns how many were removed.
int RemoveUnusedNodes(Graph& graph);

// What makes some values of a graph, under the same ids. The inputs stay; the values are its outputs, in that order.
Graph PartThatMakes(const Graph& graph, std::vector<ValueId> values);

}  // namespace qlite

#endif  // QLITE_CORE_UNUSED_NODES_H_
