#include "passes/pad_folding.h"

#include <algorithm>
#include <cmath>

#include "passes/graph_edit.h"
#include "passes/value_bounds.h"

namespace qlite {
namespace {

// The spatial pads of a constant Pad of `rank` dimensions: begins, then ends; empty where it pads another dimension,
// crops, or is not constant.
std::vector<int64_t> SpatialPads(const Graph& graph, const Node& pad, int64_t rank) {
  const auto given = IntegerConstant(graph, pad.inputs[1]);
  if (!given || rank < 3) return {};
  std::vector<int64_t> axes;
  if (pad.has_input(3)) {
    const auto listed = IntegerConstant(graph, pad.inputs[3]);
    if (!listed) return {};
    for (const int64_t axis : *listed) axes.push_back(axis < 0 ? axis + rank : axis);
  } else {
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  if (given->size() != 2 * axes.size()) return {};
  std::vector<int64_t> pads(static_cast<size_t>(2 * (rank - 2)), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t begin = (*given)[i], end = (*given)[i + axes.size()];
    if (begin < 0 || end < 0 || axes[i] < 0 || axes[i] >= rank) return {};
    if (axes[i] < 2) {
      if (begin != 0 || end != 0) return {};
      continue;
    }
    pads[static_cast<size_t>(axes[i] - 2)] = begin;
    pads[static_cast<size_t>(axes[i] - 2 + rank - 2)] = end;
  }
  return pads;
}

std::optional<float> PadValue(const Graph& graph, const Node& pad) {
  if (!pad.has_input(2)) return 0.0f;
  const auto value = FloatConstant(graph, pad.inputs[2]);
  if (value.size() != 1) return std::nullopt;
  return value[0];
}

std::vector<int64_t> Sum(const std::vector<int64_t>& own, const std::vector<int64_t>& added) {
  std::vector<int64_t> sum = added;
  for (size_t i = 0; i < own.size(); ++i) sum[i] += own[i];
  return sum;
}

bool AllZero(const std::vector<int64_t>& pads) {
  return std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
}

bool IntoConv(Graph& graph, NodeId reader, const std::vector<int64_t>& pads, float value) {
  auto& attrs = graph.mutable_node(reader).attr<ConvAttrs>();
  const bool automatic = attrs.auto_pad != AutoPad::kNotSet && attrs.auto_pad != AutoPad::kValid;
  if (value != 0.0f || automatic) return false;
  attrs.auto_pad = AutoPad::kNotSet;
  attrs.pads = Sum(attrs.pads, pads);
  return true;
}

// A pool must have pads smaller than its kernel, and rounding the extents up would count windows anew.
bool IntoPool(Graph& graph, NodeId reader, ValueId input, const std::vector<int64_t>& pads, float value) {
  Node& node = graph.mutable_node(reader);
  auto& attrs = node.attr<PoolAttrs>();
  const bool dilated = std::any_of(attrs.dilations.begin(), attrs.dilations.end(), [](int64_t d) { return d != 1; });
  if (attrs.ceil_mode || dilated || node.outputs.size() != 1) return false;
  if (attrs.auto_pad != AutoPad::kNotSet && attrs.auto_pad != AutoPad::kValid) return false;
  if (node.op == OpType::kAveragePool) {
    if (value != 0.0f || (!attrs.count_include_pad && !AllZero(attrs.pads))) return false;
  } else {
    const bool lowest = std::isinf(value) && value < 0;
    if (!lowest && !(value == 0.0f && KnownBounds(graph, input).min >= 0.0f)) return false;
  }
  const std::vector<int64_t> sum = Sum(attrs.pads, pads);
  for (size_t i = 0; i < sum.size(); ++i) {
    if (sum[i] >= attrs.kernel_shape[i % attrs.kernel_shape.size()]) return false;
  }
  attrs.auto_pad = AutoPad::kNotSet;
  attrs.pads = sum;
  if (node.op == OpType::kAveragePool) attrs.count_include_pad = true;
  return true;
}

bool Fold(Graph& graph, NodeId id) {
  const Node& pad = graph.node(id);
  if (pad.op != OpType::kPad || pad.attr<PadAttrs>().mode != PadMode::kConstant || !IsFloat(graph, pad.inputs[0])) {
    return false;
  }
  const NodeId reader = OnlyReader(graph, pad.outputs[0]);
  if (!reader.valid() || graph.node(reader).inputs[0] != pad.outputs[0]) return false;
  const ValueId input = pad.inputs[0];
  const auto pads = SpatialPads(graph, pad, graph.value(input).shape.rank());
  const auto value = PadValue(graph, pad);
  if (pads.empty() || !value) return false;
  bool folded = false;
  switch (graph.node(reader).op) {
    case OpType::kConv:
      folded = IntoConv(graph, reader, pads, *value);
      break;
    case OpType::kAveragePool:
    case OpType::kMaxPool:
      folded = IntoPool(graph, reader, input, pads, *value);
      break;
    default:
      break;
  }
  if (folded) BypassNode(graph, id, input);
  return folded;
}

}  // namespace

absl::StatusOr<int> FoldPads(Graph& graph) {
  int folded = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (graph.alive(id)) folded += Fold(graph, id) ? 1 : 0;
  }
  return folded;
}

}  // namespace qlite
