#include "passes/affine_folding.h"

#include "passes/channel_affine.h"
#include "passes/graph_edit.h"
#include "passes/product_weights.h"

namespace qlite {
namespace {

Tensor Scaled(const Tensor& tensor, float factor) {
  std::vector<float> values;
  for (const float value : tensor.data<float>()) values.push_back(value * factor);
  return Tensor::Of<float>(tensor.dims(), std::move(values));
}

// alpha * A * B + beta * C with constant B and C.
bool FoldGemmFactors(Graph& graph, NodeId id) {
  Node& node = graph.mutable_node(id);
  if (node.op != OpType::kGemm) return false;
  auto& attrs = node.attr<GemmAttrs>();
  if (attrs.alpha == 1.0f && (attrs.beta == 1.0f || !node.has_input(2))) return false;
  if (FloatConstant(graph, node.inputs[1]).empty()) return false;
  if (node.has_input(2) && FloatConstant(graph, node.inputs[2]).empty()) return false;
  if (attrs.alpha != 1.0f) {
    ReplaceConstant(graph, id, 1, Scaled(*graph.value(node.inputs[1]).constant, attrs.alpha), ".weight");
  }
  if (node.has_input(2) && attrs.beta != 1.0f) {
    ReplaceConstant(graph, id, 2, Scaled(*graph.value(node.inputs[2]).constant, attrs.beta), ".bias");
  }
  attrs.alpha = attrs.beta = 1.0f;
  return true;
}

// A Gemm's C that is a scalar or [1, columns] becomes a vector of one element a column.
bool SpreadGemmBias(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != OpType::kGemm || !node.has_input(2) || FloatConstant(graph, node.inputs[2]).empty()) return false;
  const int64_t columns = ExtentOf(graph, node.outputs[0], 1);
  const Tensor& bias = *graph.value(node.inputs[2]).constant;
  const bool row = bias.dims().size() == 2 && bias.dims()[0] == 1 && bias.dims()[1] == columns;
  if (columns < 1 || bias.dims() == std::vector<int64_t>{columns} || (bias.element_count() != 1 && !row)) return false;
  std::vector<float> values(static_cast<size_t>(columns), bias.data<float>()[0]);
  if (row) values.assign(bias.data<float>().begin(), bias.data<float>().end());
  ReplaceConstant(graph, id, 2, Tensor::Of<float>({columns}, std::move(values)), ".bias");
  return true;
}

bool FoldBackward(Graph& graph, NodeId id) {
  for (const ValueId input : std::vector<ValueId>(graph.node(id).inputs)) {
    const NodeId producer = input.valid() ? graph.value(input).producer : NodeId{};
    if (!producer.valid()) continue;
    const auto layout = FindProduct(graph, graph.node(producer));
    if (!layout) continue;
    const int64_t axis = ChannelAxis(graph, graph.node(producer), input);
    const auto affine = ArithmeticAffine(graph, graph.node(id), axis, layout->output_channels);
    if (affine && FoldIntoProducer(graph, id, *affine)) return true;
  }
  return false;
}

bool FoldForward(Graph& graph, NodeId id) {
  const ValueId result = graph.node(id).outputs[0];
  const NodeId reader = OnlyReader(graph, result);
  if (!reader.valid()) return false;
  const auto layout = FindProduct(graph, graph.node(reader));
  if (!layout) return false;
  const int64_t axis = ChannelAxis(graph, graph.node(reader), result);
  const auto affine = ArithmeticAffine(graph, graph.node(id), axis, layout->input_channels);
  return affine && FoldIntoReader(graph, id, *affine);
}

}  // namespace

absl::StatusOr<int> FoldAffine(Graph& graph) {
  int folded = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (!graph.alive(id)) continue;
    folded += FoldGemmFactors(graph, id) ? 1 : 0;
    folded += SpreadGemmBias(graph, id) ? 1 : 0;
    const OpType op = graph.node(id).op;
    const bool arithmetic = op == OpType::kAdd || op == OpType::kSub || op == OpType::kMul || op == OpType::kDiv;
    if (arithmetic) folded += FoldBackward(graph, id) || FoldForward(graph, id) ? 1 : 0;
  }
  return folded;
}

}  // namespace qlite
