#include "runtime/constant_folding.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/dequantize.h"
#include "runtime/lowering.h"
#include "runtime/run_alone.h"

namespace qlite {
namespace {

bool IsFoldable(const Graph& graph, const Node& node) {
  if (node.op == OpType::kShape) return graph.value(node.inputs[0]).shape.IsStatic();
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId input) { return !input.valid() || graph.value(input).is_constant(); });
}

// Memory that constants made here may take in all: a small file must not become a large model by the way.
constexpr int64_t kFoldedBytes = int64_t{1} << 30;

// Bytes of the node's results; nothing where they are not known yet.
std::optional<int64_t> ResultBytes(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  for (ValueId output : node.outputs) {
    if (!output.valid()) continue;
    const Value& value = graph.value(output);
    if (!value.shape.IsStatic()) return std::nullopt;
    const auto count = ElementCount(value.shape.Extents(), 8);
    if (!count.ok()) return kFoldedBytes + 1;
    bytes += std::min(kFoldedBytes, *count) * static_cast<int64_t>(ElementSize(value.type));
  }
  return bytes;
}

// A graph of the node alone, its outputs in the node's order.
absl::StatusOr<Graph> Isolate(const Graph& graph, const Node& node) {
  Graph alone;
  std::vector<ValueId> inputs, outputs;
  for (ValueId input : node.inputs) {
    if (!input.valid()) {
      inputs.push_back({});
      continue;
    }
    const Value& value = graph.value(input);
    inputs.push_back(value.constant ? alone.AddConstant(value.name, *value.constant)
                                    : alone.AddInput(value.name, value.type, value.shape));
    alone.mutable_value(inputs.back()).quant = value.quant;
  }
  for (ValueId output : node.outputs) {
    if (!output.valid()) return absl::UnimplementedError("an unused output");
    const Value& value = graph.value(output);
    outputs.push_back(alone.AddValue(value.name));
    alone.mutable_value(outputs.back()).quant = value.quant;
  }
  auto added = alone.AddNode(node.name, node.op, node.attrs, inputs, outputs);
  if (!added.ok()) return added.status();
  alone.SetOutputs(outputs);
  if (absl::Status status = alone.InferShapes(); !status.ok()) return status;
  return alone;
}

// The weights of a Dequantize node. They are what the model is made of and not counted among the results that a small
// file must not make large: the file holds every element.
absl::StatusOr<std::vector<Tensor>> Decode(const Graph& graph, const Node& node, const Limits& limits,
                                           Executor& executor) {
  const Value& value = graph.value(node.inputs[0]);
  const absl::StatusOr<int64_t> count = ElementCount(value.constant->dims(), sizeof(float));
  if (!count.ok()) return count.status();
  if (!value.quant || static_cast<uint64_t>(*count) * sizeof(float) > limits.max_tensor_bytes) {
    return absl::ResourceExhaustedError("beyond the limit on a tensor");
  }
  absl::StatusOr<Tensor> real = Dequantize(*value.constant, *value.quant, &executor);
  if (!real.ok()) return real.status();
  return std::vector<Tensor>{*std::move(real)};
}

absl::StatusOr<std::vector<Tensor>> Compute(const Graph& graph, const Node& node, kernels::Isa isa,
                                            const Limits& limits, int64_t& bytes_left) {
  auto alone = Isolate(graph, node);
  if (!alone.ok()) return alone.status();
  const auto bytes = ResultBytes(*alone, alone->node(alone->TopologicalOrder().front()));
  if (!bytes || *bytes > bytes_left) return absl::ResourceExhaustedError("beyond what may be folded");
  LoweringOptions options;
  options.isa = isa;
  options.limits = limits;
  auto results = RunAlone(*alone, options);
  if (results.ok()) bytes_left -= *bytes;
  return results;
}

// Does nothing where the node cannot be executed.
void FoldNode(Graph& graph, NodeId id, kernels::Isa isa, const Limits& limits, Executor& executor, int64_t& bytes_left,
              std::vector<FoldedValue>& folded) {
  const Node& node = graph.node(id);
  const bool is_weight = node.op == OpType::kDequantize;
  if (!IsFoldable(graph, node)) return;
  auto results = is_weight ? Decode(graph, node, limits, executor) : Compute(graph, node, isa, limits, bytes_left);
  if (!results.ok()) return;  // lowering the whole graph names the reason
  const std::vector<ValueId> outputs = node.outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Value& value = graph.value(outputs[i]);
    const auto quant = value.quant;
    if (!is_weight) folded.push_back({outputs[i], (*results)[i]});
    const ValueId constant = graph.AddConstant(std::string(value.name), std::move((*results)[i]));
    graph.mutable_value(constant).quant = quant;
    graph.ReplaceUses(outputs[i], constant);
  }
  graph.RemoveNode(id);
}

}  // namespace

absl::StatusOr<std::vector<FoldedValue>> FoldConstants(Graph& graph, kernels::Isa isa, const Limits& limits,
                                                       Executor& executor, const std::vector<NodeId>& kept) {
  std::vector<FoldedValue> folded;
  int64_t bytes_left = kFoldedBytes;
  for (NodeId id : graph.TopologicalOrder()) {
    if (std::binary_search(kept.begin(), kept.end(), id)) continue;
    FoldNode(graph, id, isa, limits, executor, bytes_left, folded);
  }
  graph.RemoveUnusedValues();
  return folded;
}

}  // namespace qlite
