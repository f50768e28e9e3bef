#include "formats/onnx/repeat_interleave.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

struct Repetition {
  ValueId source;    // x
  int64_t axis = 0;  // that is repeated
};

const Node* ProducerOf(const Graph& graph, ValueId value, OpType op) {
  const NodeId producer = value.valid() ? graph.value(value).producer : NodeId();
  return producer.valid() && graph.node(producer).op == op ? &graph.node(producer) : nullptr;
}

// The Unsqueeze and Expand before `value`.
std::optional<Repetition> FindRepetition(const Graph& graph, ValueId value) {
  const Node* expand = ProducerOf(graph, value, OpType::kExpand);
  const Node* unsqueeze = expand != nullptr ? ProducerOf(graph, expand->inputs[0], OpType::kUnsqueeze) : nullptr;
  if (unsqueeze == nullptr) return std::nullopt;
  const std::vector<int64_t>& axes = unsqueeze->attr<AxesAttrs>().axes;
  if (axes.size() != 1 || axes[0] < 1) return std::nullopt;
  return Repetition{unsqueeze->inputs[0], axes[0] - 1};
}

// The target merges the axis and copies an extent behind it.
bool CopiesBehindAxis(const std::vector<int64_t>& target, int64_t axis) {
  if (axis >= static_cast<int64_t>(target.size()) || target[static_cast<size_t>(axis)] != -1) return false;
  const auto before = target.begin(), merged = target.begin() + axis;
  return std::all_of(before, merged, [](int64_t extent) { return extent == 0; }) &&
         std::find(merged + 1, target.end(), 0) != target.end();
}

}  // namespace

bool ImportRepeatInterleave(NodeReader& node) {
  ImportState& state = node.state();
  const Tensor* target = node.Constant(1);
  if (state.producer != "pytorch" || target == nullptr || target->type() != ElementType::kInt64) return false;
  const std::span<const int64_t> extents = target->data<int64_t>();
  bool shifted = false;
  const ValueId data = node.InputAsHeld(0, shifted);
  const std::optional<Repetition> found = FindRepetition(state.graph, data);
  if (!node.ok() || shifted || !found || !CopiesBehindAxis({extents.begin(), extents.end()}, found->axis)) return false;
  const absl::StatusOr<Shape> source = state.KnownShape(found->source);
  if (!source.ok() || source->rank() != static_cast<int64_t>(extents.size())) return false;

  const ValueId before = node.Add(OpType::kShape, ShapeAttrs{0, found->axis}, {found->source}, "before");
  const ValueId merged = node.AddConstant(Tensor::Of<int64_t>({1}, {-1}), "merged");
  const ValueId behind = node.Add(OpType::kShape, ShapeAttrs{.start = found->axis + 1}, {found->source}, "behind");
  const ValueId meant = node.Add(OpType::kConcat, AxisAttrs{0}, {before, merged, behind}, "extents");
  state.graph.metadata["repaired"] =
      "extents that the exporter of torch.repeat_interleave took from the wrong dimension";
  node.Emit(OpType::kReshape, ReshapeAttrs{}, {data, meant});
  return true;
}

}  // namespace qlite::onnx
