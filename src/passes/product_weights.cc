#include "passes/product_weights.h"

#include <algorithm>
#include <numeric>

#include "passes/graph_edit.h"

namespace qlite {
namespace {

bool IsProduct(OpType op) {
  return op == OpType::kConv || op == OpType::kConvTranspose || op == OpType::kGemm || op == OpType::kMatMul;
}

bool FillLayout(const Node& node, ProductLayout& layout) {
  const std::vector<int64_t>& dims = layout.dims;
  switch (node.op) {
    case OpType::kConv:
      layout.group = node.attr<ConvAttrs>().group;
      layout.output_axis = 0, layout.input_axis = 1;
      layout.output_channels = dims[0];
      layout.input_channels = dims[1] * layout.group;
      return dims.size() >= 3 && dims[0] % layout.group == 0;
    case OpType::kConvTranspose:
      layout.group = node.attr<ConvTransposeAttrs>().group;
      layout.output_axis = 1, layout.input_axis = 0;
      layout.output_channels = dims[1] * layout.group;
      layout.input_channels = dims[0];
      return dims.size() >= 3 && dims[0] % layout.group == 0;
    case OpType::kGemm: {
      const auto& attrs = node.attr<GemmAttrs>();
      layout.output_axis = attrs.trans_b ? 0 : 1, layout.input_axis = attrs.trans_b ? 1 : 0;
      layout.output_channels = dims[static_cast<size_t>(layout.output_axis)];
      layout.input_channels = dims[static_cast<size_t>(layout.input_axis)];
      return dims.size() == 2 && attrs.alpha == 1.0f && attrs.beta == 1.0f && !attrs.trans_a;
    }
    default:
      layout.output_axis = 1, layout.input_axis = 0;
      layout.output_channels = dims[1];
      layout.input_channels = dims[0];
      return dims.size() == 2;
  }
}

int64_t Inner(const std::vector<int64_t>& dims, int64_t axis) {
  return std::accumulate(dims.begin() + axis + 1, dims.end(), int64_t{1}, std::multiplies<>());
}

template <class ChannelOf>
void ScaleWeights(Graph& graph, NodeId node, const ProductLayout& layout, ChannelOf channel_of,
                  const std::vector<double>& factors) {
  const auto before = FloatConstant(graph, graph.node(node).inputs[1]);
  std::vector<float> weights(before.begin(), before.end());
  layout.ForEach([&](int64_t position, int64_t output, int64_t input) {
    float& weight = weights[static_cast<size_t>(position)];
    weight = static_cast<float>(static_cast<double>(weight) * factors[static_cast<size_t>(channel_of(output, input))]);
  });
  SetWeights(graph, node, std::move(weights));
}

}  // namespace

int64_t ProductLayout::Tap(int64_t position) const {
  return op == OpType::kGemm || op == OpType::kMatMul ? 0 : position % Inner(dims, 1);
}

size_t ProductLayout::Taps() const {
  return op == OpType::kGemm || op == OpType::kMatMul ? 1 : static_cast<size_t>(std::max<int64_t>(1, Inner(dims, 1)));
}

std::optional<ProductLayout> FindProduct(const Graph& graph, const Node& node) {
  if (!IsProduct(node.op) || !node.has_input(1) || !IsFloat(graph, node.inputs[0])) return std::nullopt;
  if (FloatConstant(graph, node.inputs[1]).empty()) return std::nullopt;
  ProductLayout layout;
  layout.op = node.op;
  layout.dims = graph.value(node.inputs[1]).constant->dims();
  if (layout.dims.size() < 2 || !FillLayout(node, layout)) return std::nullopt;
  if (node.has_input(2)) {
    const auto bias = FloatConstant(graph, node.inputs[2]);
    if (static_cast<int64_t>(bias.size()) != layout.output_channels) return std::nullopt;
    if (graph.value(node.inputs[2]).constant->dims().back() != layout.output_channels) return std::nullopt;
  }
  return layout;
}

std::vector<double> BiasOf(const Graph& graph, const Node& node, const ProductLayout& layout) {
  if (!node.has_input(2)) return std::vector<double>(static_cast<size_t>(layout.output_channels), 0.0);
  const auto bias = FloatConstant(graph, node.inputs[2]);
  return std::vector<double>(bias.begin(), bias.end());
}

void SetWeights(Graph& graph, NodeId node, std::vector<float> weights) {
  std::vector<int64_t> dims = graph.value(graph.node(node).inputs[1]).constant->dims();
  ReplaceConstant(graph, node, 1, Tensor::Of<float>(std::move(dims), std::move(weights)), ".weight");
}

void SetBias(Graph& graph, NodeId node, const std::vector<double>& bias) {
  std::vector<float> rounded(bias.size());
  for (size_t i = 0; i < bias.size(); ++i) rounded[i] = static_cast<float>(bias[i]);
  const auto channels = static_cast<int64_t>(rounded.size());
  ReplaceConstant(graph, node, 2, Tensor::Of<float>({channels}, std::move(rounded)), ".bias");
}

void ScaleOutputChannels(Graph& graph, NodeId node, const ProductLayout& layout, const std::vector<double>& factors) {
  ScaleWeights(
      graph, node, layout, [](int64_t output, int64_t) { return output; }, factors);
  if (!graph.node(node).has_input(2)) return;
  std::vector<double> bias = BiasOf(graph, graph.node(node), layout);
  for (size_t c = 0; c < bias.size(); ++c) bias[c] *= factors[c];
  SetBias(graph, node, bias);
}

void ScaleInputChannels(Graph& graph, NodeId node, const ProductLayout& layout, const std::vector<double>& factors) {
  ScaleWeights(
      graph, node, layout, [](int64_t, int64_t input) { return input; }, factors);
}

}  // namespace qlite
