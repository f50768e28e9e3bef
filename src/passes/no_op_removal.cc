#include "passes/no_op_removal.h"

#include <algorithm>

#include "passes/graph_edit.h"

namespace qlite {
namespace {

bool SameShape(const Graph& graph, ValueId a, ValueId b) {
  const Shape& first = graph.value(a).shape;
  const Shape& second = graph.value(b).shape;
  if (!first.has_rank() || !second.has_rank() || first.rank() != second.rank()) return false;
  for (int64_t i = 0; i < first.rank(); ++i) {
    if (!first.dim(i).SameAs(second.dim(i))) return false;
  }
  return true;
}

bool All(const std::vector<int64_t>& values, int64_t expected) {
  return std::all_of(values.begin(), values.end(), [=](int64_t value) { return value == expected; });
}

bool KeepsOrder(const Graph& graph, const Node& node) {
  const auto& perm = node.attr<TransposeAttrs>().perm;
  if (perm.empty()) return graph.value(node.inputs[0]).shape.has_rank() && graph.value(node.inputs[0]).shape.rank() < 2;
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

// With steps of 1 a slice as long as its input is the input.
bool TakesAll(const Graph& graph, const Node& node) {
  if (node.has_input(4)) {
    const auto steps = IntegerConstant(graph, node.inputs[4]);
    if (!steps || !All(*steps, 1)) return false;
  }
  return SameShape(graph, node.inputs[0], node.outputs[0]);
}

bool PadsNothing(const Graph& graph, const Node& node) {
  const auto pads = IntegerConstant(graph, node.inputs[1]);
  return pads && All(*pads, 0);
}

// Resizing to the same extents takes every pixel from its own place, but for the boxes of tf_crop_and_resize.
bool KeepsSize(const Graph& graph, const Node& node) {
  return node.attr<ResizeAttrs>().coordinates != CoordinateMode::kTfCropAndResize &&
         SameShape(graph, node.inputs[0], node.outputs[0]);
}

bool PoolsOne(const Node& node) {
  const auto& attrs = node.attr<PoolAttrs>();
  return node.outputs.size() == 1 && All(attrs.kernel_shape, 1) && All(attrs.strides, 1) && All(attrs.pads, 0) &&
         attrs.auto_pad != AutoPad::kSameLower && attrs.auto_pad != AutoPad::kSameUpper;
}

// The operand that arithmetic with a neutral constant returns; invalid for other arithmetic.
ValueId NeutralArithmetic(const Graph& graph, const Node& node) {
  if (node.attr<ElementwiseAttrs>().clamp.active()) return {};
  const bool sum = node.op == OpType::kAdd || node.op == OpType::kSub;
  const bool ordered = node.op == OpType::kSub || node.op == OpType::kDiv;
  for (size_t side = ordered ? 1 : 0; side < 2; ++side) {
    const auto constant = FloatConstant(graph, node.inputs[side]);
    const ValueId other = node.inputs[1 - side];
    if (constant.empty() || !SameShape(graph, other, node.outputs[0])) continue;
    const float neutral = sum ? 0.0f : 1.0f;
    if (std::all_of(constant.begin(), constant.end(), [=](float value) { return value == neutral; })) return other;
  }
  return {};
}

// The input that the node returns unchanged; invalid where it does something.
ValueId Unchanged(const Graph& graph, const Node& node) {
  const auto input_if = [&](bool nothing) { return nothing ? node.inputs[0] : ValueId{}; };
  switch (node.op) {
    case OpType::kIdentity:
      return node.inputs[0];
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kSqueeze:
    case OpType::kUnsqueeze:
    case OpType::kExpand:
      return input_if(SameShape(graph, node.inputs[0], node.outputs[0]));
    case OpType::kTranspose:
      return input_if(KeepsOrder(graph, node));
    case OpType::kConcat:
      return input_if(node.inputs.size() == 1);
    case OpType::kSplit:
      return input_if(node.outputs.size() == 1);
    case OpType::kSlice:
      return input_if(TakesAll(graph, node));
    case OpType::kPad:
      return input_if(PadsNothing(graph, node));
    case OpType::kResize:
      return input_if(KeepsSize(graph, node));
    case OpType::kCast:
      return input_if(graph.value(node.inputs[0]).type == node.attr<CastAttrs>().to);
    case OpType::kClip:
      return input_if(!node.attr<ClipAttrs>().range.active());
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return input_if(PoolsOne(node));
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kMul:
    case OpType::kDiv:
      return NeutralArithmetic(graph, node);
    default:
      return {};
  }
}

}  // namespace

absl::StatusOr<int> RemoveNoOps(Graph& graph) {
  int removed = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (!graph.alive(id)) continue;
    const Node& node = graph.node(id);
    if (node.outputs.size() != 1) continue;
    const ValueId input = Unchanged(graph, node);
    if (!input.valid()) continue;
    const Value& before = graph.value(input);
    const Value& after = graph.value(node.outputs[0]);
    if (before.type != after.type || before.quant != after.quant) continue;
    removed += BypassNode(graph, id, input) ? 1 : 0;
  }
  return removed;
}

}  // namespace qlite
