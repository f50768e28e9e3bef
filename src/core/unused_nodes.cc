#include "core/unused_nodes.h"

#include <algorithm>
#include <utility>

namespace qlite {

bool InUse(const Graph& graph, ValueId id) {
  return id.valid() && (!graph.Consumers(id).empty() || graph.IsOutput(id));
}

int RemoveUnusedNodes(Graph& graph) {
  int removed = 0;
  std::vector<NodeId> order = graph.TopologicalOrder();
  std::reverse(order.begin(), order.end());
  for (const NodeId id : order) {
    const auto& outputs = graph.node(id).outputs;
    if (std::any_of(outputs.begin(), outputs.end(), [&](ValueId output) { return InUse(graph, output); })) continue;
    graph.RemoveNode(id);
    ++removed;
  }
  return removed;
}

Graph PartThatMakes(const Graph& graph, std::vector<ValueId> values) {
  Graph part = graph;
  part.SetOutputs(std::move(values));
  RemoveUnusedNodes(part);
  part.RemoveUnusedValues();
  return part;
}

}  // namespace qlite
