#include "passes/transpose_elimination.h"

#include <algorithm>
#include <utility>

#include "core/op_rules.h"
#include "core/str_cat.h"
#include "passes/graph_edit.h"

namespace qlite {
namespace {

bool IsUnary(OpType op) { return KindOf(op) == OpKind::kUnary || op == OpType::kIdentity; }

bool IsBinary(OpType op) { return KindOf(op) == OpKind::kBinary; }

// The order in full; empty where the rank is unknown.
std::vector<int64_t> Permutation(const Graph& graph, const Node& transpose) {
  std::vector<int64_t> perm = transpose.attr<TransposeAttrs>().perm;
  const Shape& shape = graph.value(transpose.inputs[0]).shape;
  if (perm.empty() && shape.has_rank()) {
    for (int64_t i = shape.rank(); i > 0; --i) perm.push_back(i - 1);
  }
  return perm;
}

// Transpose(Transpose(x)) as one.
bool JoinWithProducer(Graph& graph, NodeId id) {
  const Node& second = graph.node(id);
  const NodeId before = ProducedBy(graph, second.inputs[0], OpType::kTranspose);
  if (!before.valid()) return false;
  const auto first_perm = Permutation(graph, graph.node(before)), second_perm = Permutation(graph, second);
  if (first_perm.empty() || first_perm.size() != second_perm.size()) return false;
  TransposeAttrs joined;
  for (const int64_t axis : second_perm) joined.perm.push_back(first_perm[static_cast<size_t>(axis)]);
  graph.mutable_node(id).attrs = joined;
  graph.SetInput(id, 0, graph.node(before).inputs[0]);
  const ValueId old = graph.node(before).outputs[0];
  if (graph.Consumers(old).empty() && !graph.IsOutput(old)) graph.RemoveNode(before);
  return true;
}

// The shapes of values between moved nodes are found again by InferShapes.
void MoveBehind(Graph& graph, NodeId id, const std::vector<NodeId>& transposes) {
  const std::vector<int64_t> perm = Permutation(graph, graph.node(transposes[0]));
  for (size_t i = 0; i < graph.node(id).inputs.size(); ++i) {
    for (const NodeId transpose : transposes) {
      const Node& moved = graph.node(transpose);
      if (graph.node(id).inputs[i] == moved.outputs[0]) graph.SetInput(id, i, moved.inputs[0]);
    }
  }
  const ValueId result = graph.node(id).outputs[0];
  const ValueId inner = graph.DetachOutput(id, 0, StrCat(graph.value(result).name, "_untransposed"));
  Value& value = graph.mutable_value(inner);
  value.shape = Shape();
  const std::string name = graph.node(transposes[0]).name;
  for (const NodeId transpose : transposes) {
    if (graph.Consumers(graph.node(transpose).outputs[0]).empty()) graph.RemoveNode(transpose);
  }
  // Arity and attributes are those of the node that was removed.
  graph.AddNode(name, OpType::kTranspose, TransposeAttrs{perm}, {inner}, std::vector<ValueId>{result}).IgnoreError();
}

// Along readers that work element by element, is there a Transpose to meet?
bool LeadsToTranspose(const Graph& graph, ValueId value) {
  for (;;) {
    const NodeId reader = OnlyReader(graph, value);
    if (!reader.valid()) return false;
    if (graph.node(reader).op == OpType::kTranspose) return true;
    if (!IsUnary(graph.node(reader).op)) return false;
    value = graph.node(reader).outputs[0];
  }
}

bool MoveBehindUnary(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!IsUnary(node.op)) return false;
  const NodeId transpose = ProducedBy(graph, node.inputs[0], OpType::kTranspose);
  if (!transpose.valid() || OnlyReader(graph, node.inputs[0]) != id) return false;
  if (Permutation(graph, graph.node(transpose)).empty() || !LeadsToTranspose(graph, node.outputs[0])) return false;
  MoveBehind(graph, id, {transpose});
  return true;
}

bool MoveBehindBinary(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!IsBinary(node.op) || node.inputs[0] == node.inputs[1]) return false;
  std::vector<NodeId> transposes;
  for (const ValueId input : node.inputs) {
    const bool scalar = FloatConstant(graph, input).size() == 1 && graph.value(input).shape.rank() == 0;
    if (scalar) continue;
    const NodeId transpose = ProducedBy(graph, input, OpType::kTranspose);
    if (!transpose.valid() || OnlyReader(graph, input) != id) return false;
    transposes.push_back(transpose);
  }
  if (transposes.empty()) return false;
  const auto perm = Permutation(graph, graph.node(transposes[0]));
  const auto rank = static_cast<int64_t>(perm.size());
  for (const NodeId transpose : transposes) {
    const Shape& shape = graph.value(graph.node(transpose).inputs[0]).shape;
    if (perm.empty() || Permutation(graph, graph.node(transpose)) != perm || shape.rank() != rank) return false;
  }
  if (transposes.size() == 1 && !LeadsToTranspose(graph, node.outputs[0])) return false;
  MoveBehind(graph, id, transposes);
  return true;
}

}  // namespace

absl::StatusOr<int> EliminateTransposes(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (!graph.alive(id)) continue;
    if (graph.node(id).op == OpType::kTranspose) {
      changes += JoinWithProducer(graph, id) ? 1 : 0;
    } else {
      changes += MoveBehindUnary(graph, id) || MoveBehindBinary(graph, id) ? 1 : 0;
    }
  }
  return changes;
}

}  // namespace qlite
