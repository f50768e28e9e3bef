#include "passes/dead_code.h"

#include <utility>
#include <vector>

#include "core/unused_nodes.h"

namespace qlite {
namespace {

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
  int removed = RemoveUnusedNodes(graph);
  const std::vector<NodeId> order = graph.TopologicalOrder();
  for (auto id = order.rbegin(); id != order.rend(); ++id) removed += DropUnusedOutputs(graph, *id) ? 1 : 0;
  graph.RemoveUnusedValues();
  return removed;
}

}  // namespace qlite
