#include "passes/constant_folding.h"

#include <algorithm>
#include <optional>

#include "qlite/session.h"

namespace qlite {
namespace {

// Results up to this size are always worth holding.
constexpr uint64_t kSmallResultBytes = uint64_t{64} << 10;

bool ReadsConstantsOnly(const Graph& graph, const Node& node) {
  if (node.op == OpType::kQuantize || node.op == OpType::kDequantize || node.inputs.empty()) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
    return !input.valid() || (graph.value(input).is_constant() && !graph.value(input).quant);
  });
}

bool MayBeHeld(const Graph& graph, const Node& node) {
  uint64_t in = 0, out = 0;
  for (const ValueId input : node.inputs) {
    if (input.valid()) in += graph.value(input).constant->buffer().size;
  }
  for (const ValueId output : node.outputs) {
    if (!output.valid()) continue;
    const Value& value = graph.value(output);
    if (graph.IsOutput(output) || !value.shape.IsStatic() || value.type == ElementType::kUndefined) return false;
    const auto elements = ElementCount(value.shape.Extents(), ElementSize(value.type));
    if (!elements.ok()) return false;
    out += static_cast<uint64_t>(*elements) * ElementSize(value.type);
  }
  return out <= std::max(kSmallResultBytes, 2 * in);
}

// The node alone, over its constants.
absl::StatusOr<Graph> Isolate(const Graph& graph, const Node& node) {
  Graph alone;
  std::vector<ValueId> inputs, outputs;
  for (const ValueId input : node.inputs) {
    inputs.push_back(input.valid() ? alone.AddConstant(graph.value(input).name, *graph.value(input).constant) : input);
  }
  for (const ValueId output : node.outputs) {
    outputs.push_back(output.valid() ? alone.AddValue(graph.value(output).name) : output);
  }
  std::vector<ValueId> used;
  std::copy_if(outputs.begin(), outputs.end(), std::back_inserter(used), [](ValueId id) { return id.valid(); });
  if (absl::StatusOr<NodeId> added = alone.AddNode(node.name, node.op, node.attrs, inputs, outputs); !added.ok()) {
    return added.status();
  }
  alone.SetOutputs(std::move(used));
  return alone;
}

// The results of the node's outputs that are in use, in order; an error where it cannot be computed.
absl::StatusOr<std::vector<Tensor>> Evaluate(const Context& context, const Graph& graph, const Node& node) {
  absl::StatusOr<Graph> alone = Isolate(graph, node);
  if (!alone.ok()) return alone.status();
  absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(context, *alone);
  if (!session.ok()) return session.status();
  if (absl::Status status = (*session)->Run(); !status.ok()) return status;
  std::vector<Tensor> results;
  for (size_t i = 0; i < (*session)->output_count(); ++i) {
    const TensorView view = (*session)->output(i);
    absl::StatusOr<Tensor> tensor =
        Tensor::Create(view.type, {view.dims.begin(), view.dims.end()}, Buffer::Copy(view.data, view.bytes));
    if (!tensor.ok()) return tensor.status();
    results.push_back(*std::move(tensor));
  }
  return results;
}

void ReplaceByConstants(Graph& graph, NodeId id, std::vector<Tensor> results) {
  size_t next = 0;
  const std::vector<ValueId> outputs = graph.node(id).outputs;
  std::vector<std::pair<ValueId, std::string>> renamed;
  for (const ValueId output : outputs) {
    if (!output.valid()) continue;
    const ValueId constant = graph.AddConstant(graph.value(output).name, std::move(results[next++]));
    renamed.emplace_back(constant, graph.value(output).name);
    graph.ReplaceUses(output, constant);
  }
  graph.RemoveNode(id);
  for (const auto& [constant, name] : renamed) graph.RenameValue(constant, name);
}

// The extents that a Shape node gives, where they are known.
std::optional<Tensor> KnownShape(const Graph& graph, const Node& node) {
  if (node.op != OpType::kShape || graph.IsOutput(node.outputs[0])) return std::nullopt;
  const Shape& shape = graph.value(node.inputs[0]).shape;
  if (!shape.has_rank()) return std::nullopt;
  const auto& attrs = node.attr<ShapeAttrs>();
  const auto position = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + shape.rank() : at, 0, shape.rank());
  };
  std::vector<int64_t> extents;
  for (int64_t i = position(attrs.start); i < position(attrs.end); ++i) {
    if (!shape.dim(i).known()) return std::nullopt;
    extents.push_back(shape.dim(i).value);
  }
  const auto count = static_cast<int64_t>(extents.size());
  return Tensor::Of<int64_t>({count}, std::move(extents));
}

bool Fold(const Context& context, Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (auto shape = KnownShape(graph, node)) {
    ReplaceByConstants(graph, id, {*std::move(shape)});
    return true;
  }
  if (!ReadsConstantsOnly(graph, node) || !MayBeHeld(graph, node)) return false;
  absl::StatusOr<std::vector<Tensor>> results = Evaluate(context, graph, node);
  if (!results.ok()) return false;
  ReplaceByConstants(graph, id, *std::move(results));
  return true;
}

}  // namespace

absl::StatusOr<int> FoldConstants(const Context& context, Graph& graph) {
  int folded = 0;
  for (const NodeId id : graph.TopologicalOrder()) folded += Fold(context, graph, id) ? 1 : 0;
  return folded;
}

}  // namespace qlite
