#include "passes/activation_fusion.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/infinity.h"
#include "passes/graph_edit.h"

namespace qlite {
namespace {

std::optional<FusedClamp> ActivationRange(const Node& node) {
  if (node.op == OpType::kRelu) return FusedClamp{0.0f, kInfinity};
  if (node.op == OpType::kClip && node.attr<ClipAttrs>().range.min <= node.attr<ClipAttrs>().range.max) {
    return node.attr<ClipAttrs>().range;
  }
  return std::nullopt;
}

// What clamping by `first`, then by `second`, amounts to.
FusedClamp Compose(const FusedClamp& first, const FusedClamp& second) {
  return {std::clamp(first.min, second.min, second.max), std::clamp(first.max, second.min, second.max)};
}

// min(x, c) and max(x, c), with one finite scalar c, as a Clip of x.
bool RewriteAsClip(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if ((node.op != OpType::kMin && node.op != OpType::kMax) || node.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    const auto bound = FloatConstant(graph, node.inputs[side]);
    const ValueId data = node.inputs[1 - side];
    if (bound.size() != 1 || std::isnan(bound[0]) || !IsFloat(graph, data)) continue;
    const Shape& shape = graph.value(data).shape;
    if (!shape.has_rank() || graph.value(node.inputs[side]).shape.rank() > shape.rank()) continue;
    ClipAttrs attrs;
    (node.op == OpType::kMin ? attrs.range.max : attrs.range.min) = bound[0];
    ReplaceNode(graph, id, OpType::kClip, attrs, {data});
    return true;
  }
  return false;
}

bool FuseIntoProducer(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto range = ActivationRange(node);
  if (!range || !IsFloat(graph, node.inputs[0]) || OnlyReader(graph, node.inputs[0]) != id) return false;
  const NodeId producer = graph.value(node.inputs[0]).producer;
  if (!producer.valid() || graph.node(producer).outputs.size() != 1) return false;
  Node& before = graph.mutable_node(producer);
  if (before.op == OpType::kRelu) {
    ReplaceNode(graph, id, OpType::kClip, ClipAttrs{Compose({0.0f, kInfinity}, *range)}, {before.inputs[0]});
    graph.RemoveNode(producer);
    return true;
  }
  FusedClamp* clamp = FindClamp(before.attrs);
  if (clamp == nullptr) return false;
  *clamp = Compose(*clamp, *range);
  AbsorbConsumer(graph, producer, id);
  return true;
}

}  // namespace

absl::StatusOr<int> FuseActivations(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (graph.alive(id)) changes += RewriteAsClip(graph, id) ? 1 : 0;
  }
  for (const NodeId id : graph.TopologicalOrder()) {
    if (graph.alive(id)) changes += FuseIntoProducer(graph, id) ? 1 : 0;
  }
  return changes;
}

}  // namespace qlite
