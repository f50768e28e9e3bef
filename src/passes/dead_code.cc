#include "passes/dead_code.h"

#include <algorithm>

namespace qlite {
namespace {

bool InUse(const Graph& graph, ValueId id) {
  return id.valid() && (!graph.Consumers(id).empty() || graph.IsOutput(id));
}

// A second output that nothing reads, of an operator that may leave it out.
bool DropUnusedOutputs(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != OpType::kMaxPool || node.outputs.size() < 2 || InUse(graph, node.outputs[1])) return false;
  Node copy = node;
  const ValueId kept = graph.node(id).outputs[0];
  graph.DetachOutput(id, 0, "");
  graph.RemoveNode(id);
  return graph.AddNode(copy.name, copy.op, std::move(copy.attrs), std::move(copy.inputs), {kept}).ok();
}

}  // namespace

absl::StatusOr<int> RemoveDeadCode(Graph& graph) {
  int removed = 0;
  std::vector<NodeId> order = graph.TopologicalOrder();
  std::reverse(order.begin(), order.end());
  for (const NodeId id : order) {
    const auto& outputs = graph.node(id).outputs;
    if (std::none_of(outputs.begin(), outputs.end(), [&](ValueId output) { return InUse(graph, output); })) {
      graph.RemoveNode(id);
      ++removed;
    } else if (DropUnusedOutputs(graph, id)) {
      ++removed;
    }
  }
  graph.RemoveUnusedValues();
  return removed;
}

}  // namespace qlite
