#include "passes/value_bounds.h"

#include <algorithm>

#include "core/infinity.h"
#include "core/op_rules.h"

namespace qlite {
namespace {

// Far enough for every stretch of moving operators in practice, and an end to the recursion.
constexpr int kMaxDepth = 16;

FusedClamp Bounds(const Graph& graph, ValueId id, int depth);

FusedClamp Union(const Graph& graph, std::span<const ValueId> inputs, int depth) {
  FusedClamp all{kInfinity, -kInfinity};
  for (const ValueId input : inputs) {
    const FusedClamp one = Bounds(graph, input, depth);
    all = {std::min(all.min, one.min), std::max(all.max, one.max)};
  }
  return all;
}

// Products and sums of values that are never negative are not negative.
FusedClamp BoundsOfArithmetic(const Graph& graph, const Node& node, int depth) {
  FusedClamp bounds;
  if (node.op == OpType::kAdd || node.op == OpType::kMul) {
    if (Union(graph, node.inputs, depth).min >= 0.0f) bounds.min = 0.0f;
  }
  const FusedClamp& clamp = node.attr<ElementwiseAttrs>().clamp;
  return {std::clamp(bounds.min, clamp.min, clamp.max), std::clamp(bounds.max, clamp.min, clamp.max)};
}

FusedClamp Bounds(const Graph& graph, ValueId id, int depth) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || depth == 0) return {};
  const Node& node = graph.node(producer);
  switch (node.op) {
    case OpType::kRelu:
      return {0.0f, kInfinity};
    case OpType::kSigmoid:
    case OpType::kHardSigmoid:
    case OpType::kSoftmax:
      return {0.0f, 1.0f};
    case OpType::kTanh:
    case OpType::kErf:
      return {-1.0f, 1.0f};
    case OpType::kAbs:
    case OpType::kExp:
    case OpType::kSqrt:
      return {0.0f, kInfinity};
    case OpType::kClip:
      return node.attr<ClipAttrs>().range;
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kMul:
    case OpType::kDiv:
      return BoundsOfArithmetic(graph, node, depth - 1);
    case OpType::kMaxPool:
    case OpType::kAveragePool: {
      // A window on padding alone gives 0.
      const FusedClamp in = Bounds(graph, node.inputs[0], depth - 1);
      return {std::min(in.min, 0.0f), std::max(in.max, 0.0f)};
    }
    case OpType::kConcat:
      return Union(graph, node.inputs, depth - 1);
    case OpType::kGlobalAveragePool:
    case OpType::kGlobalMaxPool:
      return Bounds(graph, node.inputs[0], depth - 1);
    case OpType::kPad:
      return {};
    default:
      break;
  }
  if (KindOf(node.op) == OpKind::kMovement) return Bounds(graph, node.inputs[0], depth - 1);
  const FusedClamp* clamp = FindClamp(node.attrs);
  return clamp == nullptr ? FusedClamp{} : *clamp;
}

}  // namespace

FusedClamp KnownBounds(const Graph& graph, ValueId id) { return Bounds(graph, id, kMaxDepth); }

}  // namespace qlite
