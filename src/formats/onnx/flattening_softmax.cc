#include "formats/onnx/flattening_softmax.h"

#include <optional>
#include <string>

#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

// The single axis that means the same, where there is one.
std::optional<int64_t> EquivalentAxis(const Shape& shape, int64_t axis) {
  if (!shape.has_rank()) return std::nullopt;
  const int64_t first = axis < 0 ? axis + shape.rank() : axis;
  if (first < 0 || first >= shape.rank()) return std::nullopt;
  int64_t found = shape.rank() - 1;
  int64_t others = 0;
  for (int64_t d = first; d < shape.rank(); ++d) {
    if (shape.dim(d) == Dim(1)) continue;
    found = d;
    ++others;
  }
  return others <= 1 ? std::optional<int64_t>(found) : std::nullopt;
}

// x -> Flatten(axis) -> Softmax(-1) -> Reshape(Shape(x)).
absl::Status Wrap(Graph& graph, NodeId softmax, int64_t axis) {
  const Node node = graph.node(softmax);
  const ValueId input = node.inputs[0], output = node.outputs[0];
  const std::string& name = node.name;
  const absl::StatusOr<ValueId> flat =
      graph.AddNode(name + "/flatten", OpType::kFlatten, AxisAttrs{axis}, {input}, name + "/flat");
  if (!flat.ok()) return flat.status();
  graph.SetInput(softmax, 0, *flat);
  graph.mutable_node(softmax).attr<AxisAttrs>().axis = -1;
  const std::string output_name = graph.value(output).name;
  const ValueId inner = graph.DetachOutput(softmax, 0, name + "/normalized");
  const absl::StatusOr<ValueId> shape =
      graph.AddNode(name + "/shape", OpType::kShape, ShapeAttrs{}, {input}, name + "/extents");
  if (!shape.ok()) return shape.status();
  return graph.AddNode(name + "/unflatten", OpType::kReshape, ReshapeAttrs{}, {inner, *shape}, {output}).status();
}

}  // namespace

absl::Status RewriteFlatteningSoftmaxes(Graph& graph, const std::vector<FlatteningSoftmax>& softmaxes) {
  for (const FlatteningSoftmax& softmax : softmaxes) {
    const Node& node = graph.node(softmax.node);
    if (const std::optional<int64_t> axis = EquivalentAxis(graph.value(node.inputs[0]).shape, softmax.axis)) {
      graph.mutable_node(softmax.node).attr<AxisAttrs>().axis = *axis;
    } else if (absl::Status status = Wrap(graph, softmax.node, softmax.axis); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace qlite::onnx
