#include "passes/graph_edit.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/mapped_file.h"
#include "core/str_cat.h"
#include "qlite/error_details.h"

namespace qlite {
namespace {

// Gives output `index` of the node to the value `heir`, which nothing produces yet; what read the old value reads the
// heir.
NodeId MoveOutput(Graph& graph, NodeId id, size_t index, ValueId heir) {
  graph.ReplaceUses(graph.node(id).outputs[index], heir);
  Node copy = graph.node(id);
  for (size_t i = 0; i < copy.outputs.size(); ++i) {
    if (i != index && copy.outputs[i].valid()) graph.DetachOutput(id, i, "");
  }
  copy.outputs[index] = heir;
  graph.RemoveNode(id);
  const absl::StatusOr<NodeId> moved =
      graph.AddNode(copy.name, copy.op, std::move(copy.attrs), std::move(copy.inputs), std::move(copy.outputs));
  QLITE_CHECK(moved.ok(), "a node that was valid");
  return *moved;
}

}  // namespace

NodeId OnlyReader(const Graph& graph, ValueId value) {
  const auto readers = graph.Consumers(value);
  if (readers.size() != 1 || graph.IsOutput(value)) return {};
  const auto& inputs = graph.node(readers[0]).inputs;
  return std::count(inputs.begin(), inputs.end(), value) == 1 ? readers[0] : NodeId{};
}

NodeId ProducedBy(const Graph& graph, ValueId value, OpType op) {
  const NodeId producer = graph.value(value).producer;
  if (!producer.valid()) return {};
  const Node& node = graph.node(producer);
  return node.op == op && node.outputs.size() == 1 ? producer : NodeId{};
}

NodeId AbsorbConsumer(Graph& graph, NodeId producer, NodeId consumer) {
  const ValueId result = graph.node(consumer).outputs[0];
  graph.DetachOutput(consumer, 0, "");
  graph.RemoveNode(consumer);
  return MoveOutput(graph, producer, 0, result);
}

bool BypassNode(Graph& graph, NodeId node, ValueId replacement) {
  const ValueId result = graph.node(node).outputs[0];
  if (!graph.IsOutput(result)) {
    graph.ReplaceUses(result, replacement);
    graph.RemoveNode(node);
    return true;
  }
  const NodeId producer = graph.value(replacement).producer;
  if (!producer.valid() || graph.IsOutput(replacement)) return false;
  const auto& outputs = graph.node(producer).outputs;
  const auto index = static_cast<size_t>(std::find(outputs.begin(), outputs.end(), replacement) - outputs.begin());
  graph.DetachOutput(node, 0, "");
  graph.RemoveNode(node);
  MoveOutput(graph, producer, index, result);
  return true;
}

NodeId ReplaceNode(Graph& graph, NodeId node, OpType op, OpAttrs attrs, std::vector<ValueId> inputs) {
  const std::string name = graph.node(node).name;
  const ValueId result = graph.node(node).outputs[0];
  graph.DetachOutput(node, 0, "");
  graph.RemoveNode(node);
  const absl::StatusOr<NodeId> added = graph.AddNode(name, op, std::move(attrs), std::move(inputs), {result});
  QLITE_CHECK(added.ok(), "a replacement with the right arity");
  return *added;
}

void ReplaceConstant(Graph& graph, NodeId node, size_t index, Tensor tensor, std::string_view suffix) {
  const Node& reader = graph.node(node);
  if (!reader.has_input(index)) {
    const std::string name = StrCat(reader.name, suffix);
    graph.SetInput(node, index, graph.AddConstant(name, std::move(tensor)));
    return;
  }
  const ValueId id = reader.inputs[index];
  if (OnlyReader(graph, id) == node) {
    Value& value = graph.mutable_value(id);
    value.type = tensor.type();
    value.shape = Shape::Of(tensor.dims());
    if (value.constant) ReleasePages(*value.constant);
    value.constant = std::move(tensor);
    return;
  }
  const std::string name = graph.value(id).name;
  graph.SetInput(node, index, graph.AddConstant(name, std::move(tensor)));
}

std::span<const float> FloatConstant(const Graph& graph, ValueId id) {
  if (!id.valid()) return {};
  const Value& value = graph.value(id);
  if (!value.constant || value.quant || value.constant->type() != ElementType::kFloat32) return {};
  return value.constant->data<float>();
}

std::optional<std::vector<int64_t>> IntegerConstant(const Graph& graph, ValueId id) {
  if (!id.valid() || !graph.value(id).constant) return std::nullopt;
  const Tensor& tensor = *graph.value(id).constant;
  if (tensor.type() == ElementType::kInt64) {
    const auto data = tensor.data<int64_t>();
    return std::vector<int64_t>(data.begin(), data.end());
  }
  if (tensor.type() != ElementType::kInt32) return std::nullopt;
  const auto data = tensor.data<int32_t>();
  return std::vector<int64_t>(data.begin(), data.end());
}

bool IsFloat(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return value.type == ElementType::kFloat32 && !value.quant;
}

Graph WithoutConstants(Graph graph) {
  for (int32_t i = 0; i < static_cast<int32_t>(graph.value_slots()); ++i) {
    if (graph.alive(ValueId{i})) graph.mutable_value(ValueId{i}).constant.reset();
  }
  return graph;
}

absl::Status RequireFloatGraph(const Graph& graph) {
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!graph.alive(id) || !graph.value(id).quant) continue;
    return AtValue(
        absl::FailedPreconditionError(StrCat("value '", graph.value(id).name,
                                             "' carries quantization parameters: the model is quantized already; "
                                             "start from the float model")),
        graph.value(id).name);
  }
  return absl::OkStatus();
}

int64_t ExtentOf(const Graph& graph, ValueId id, int64_t axis) {
  const Shape& shape = graph.value(id).shape;
  if (!shape.has_rank() || axis < 0 || axis >= shape.rank() || !shape.dim(axis).known()) return -1;
  return shape.dim(axis).value;
}

}  // namespace qlite
