#include "passes/channel_affine.h"

#include <algorithm>
#include <cmath>

#include "passes/graph_edit.h"
#include "passes/product_weights.h"

namespace qlite {
namespace {

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// The constant's element for each channel; empty where it varies along another dimension or would broadcast the value.
std::vector<double> AlongChannels(const Tensor& constant, const Shape& value, int64_t axis, int64_t channels) {
  const auto data = constant.data<float>();
  const auto& dims = constant.dims();
  if (static_cast<int64_t>(dims.size()) > value.rank() || data.empty() || !AllFinite(data)) return {};
  if (data.size() == 1) return std::vector<double>(static_cast<size_t>(channels), static_cast<double>(data[0]));
  const auto from_front = static_cast<int64_t>(dims.size()) - (value.rank() - axis);
  if (from_front < 0 || dims[static_cast<size_t>(from_front)] != channels) return {};
  if (static_cast<int64_t>(data.size()) != channels) return {};
  return std::vector<double>(data.begin(), data.end());
}

bool PadsInput(const Node& node) {
  const auto any = [](const std::vector<int64_t>& pads) {
    return std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
  };
  if (node.op == OpType::kConv) {
    const auto& attrs = node.attr<ConvAttrs>();
    return any(attrs.pads) || (attrs.auto_pad != AutoPad::kNotSet && attrs.auto_pad != AutoPad::kValid);
  }
  // Border positions of a transposed convolution see fewer taps.
  return node.op == OpType::kConvTranspose;
}

}  // namespace

std::optional<ChannelAffine> BatchNormAffine(const Graph& graph, const Node& node) {
  if (node.op != OpType::kBatchNormalization || node.outputs.size() != 1 || !IsFloat(graph, node.inputs[0])) {
    return std::nullopt;
  }
  std::span<const float> parameters[4];  // scale, shift, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = FloatConstant(graph, node.inputs[i + 1]);
    if (parameters[i].empty() || parameters[i].size() != parameters[0].size() || !AllFinite(parameters[i])) {
      return std::nullopt;
    }
  }
  ChannelAffine affine;
  affine.input = node.inputs[0];
  const double epsilon = static_cast<double>(node.attr<BatchNormAttrs>().epsilon);
  for (size_t c = 0; c < parameters[0].size(); ++c) {
    const double variance = static_cast<double>(parameters[3][c]) + epsilon;
    if (!(variance > 0)) return std::nullopt;
    const double scale = static_cast<double>(parameters[0][c]) / std::sqrt(variance);
    affine.scale.push_back(scale);
    affine.shift.push_back(static_cast<double>(parameters[1][c]) - static_cast<double>(parameters[2][c]) * scale);
  }
  return affine;
}

std::optional<ChannelAffine> ArithmeticAffine(const Graph& graph, const Node& node, int64_t axis, int64_t channels) {
  const bool known =
      node.op == OpType::kAdd || node.op == OpType::kSub || node.op == OpType::kMul || node.op == OpType::kDiv;
  if (!known || axis < 0 || channels < 1) return std::nullopt;
  const size_t side = FloatConstant(graph, node.inputs[0]).empty() ? 1 : 0;  // of the constant
  if (FloatConstant(graph, node.inputs[side]).empty() || !IsFloat(graph, node.inputs[1 - side])) return std::nullopt;
  if (node.op == OpType::kDiv && side == 0) return std::nullopt;
  const Value& value = graph.value(node.inputs[1 - side]);
  if (!value.shape.has_rank()) return std::nullopt;
  std::vector<double> constant = AlongChannels(*graph.value(node.inputs[side]).constant, value.shape, axis, channels);
  if (constant.empty()) return std::nullopt;
  ChannelAffine affine{node.inputs[1 - side], std::vector<double>(constant.size(), 1.0),
                       std::vector<double>(constant.size(), 0.0), node.attr<ElementwiseAttrs>().clamp};
  switch (node.op) {
    case OpType::kMul:
      affine.scale = std::move(constant);
      break;
    case OpType::kDiv:
      for (size_t c = 0; c < constant.size(); ++c) affine.scale[c] = 1 / constant[c];
      break;
    case OpType::kAdd:
      affine.shift = std::move(constant);
      break;
    default:
      for (size_t c = 0; c < constant.size(); ++c) {
        affine.shift[c] = side == 1 ? -constant[c] : constant[c];
        affine.scale[c] = side == 1 ? 1.0 : -1.0;
      }
  }
  for (const double scale : affine.scale) {
    if (!std::isfinite(static_cast<float>(scale))) return std::nullopt;
  }
  return affine;
}

int64_t ChannelAxis(const Graph& graph, const Node& product, ValueId value) {
  const Shape& shape = graph.value(value).shape;
  if (!shape.has_rank()) return -1;
  return product.op == OpType::kConv || product.op == OpType::kConvTranspose ? 1 : shape.rank() - 1;
}

bool FoldIntoProducer(Graph& graph, NodeId id, const ChannelAffine& affine) {
  if (OnlyReader(graph, affine.input) != id) return false;
  const NodeId producer = graph.value(affine.input).producer;
  if (!producer.valid()) return false;
  const auto layout = FindProduct(graph, graph.node(producer));
  if (!layout || layout->output_channels != static_cast<int64_t>(affine.scale.size())) return false;
  FusedClamp& clamp = *FindClamp(graph.mutable_node(producer).attrs);
  if (clamp.active()) return false;
  std::vector<double> bias = BiasOf(graph, graph.node(producer), *layout);
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * affine.scale[c] + affine.shift[c];
  ScaleOutputChannels(graph, producer, *layout, affine.scale);
  SetBias(graph, producer, bias);
  clamp = affine.clamp;
  AbsorbConsumer(graph, producer, id);
  return true;
}

bool FoldIntoReader(Graph& graph, NodeId id, const ChannelAffine& affine) {
  const NodeId reader = OnlyReader(graph, graph.node(id).outputs[0]);
  if (!reader.valid() || affine.clamp.active()) return false;
  const Node& product = graph.node(reader);
  const auto layout = FindProduct(graph, product);
  if (!layout || layout->input_channels != static_cast<int64_t>(affine.scale.size())) return false;
  if (product.inputs[0] != graph.node(id).outputs[0]) return false;
  const bool shifts = std::any_of(affine.shift.begin(), affine.shift.end(), [](double shift) { return shift != 0; });
  if (shifts && PadsInput(product)) return false;
  if (shifts) {
    std::vector<double> bias = BiasOf(graph, product, *layout);
    const auto weights = FloatConstant(graph, product.inputs[1]);
    layout->ForEach([&](int64_t position, int64_t output, int64_t input) {
      bias[static_cast<size_t>(output)] +=
          static_cast<double>(weights[static_cast<size_t>(position)]) * affine.shift[static_cast<size_t>(input)];
    });
    SetBias(graph, reader, bias);
  }
  ScaleInputChannels(graph, reader, *layout, affine.scale);
  graph.SetInput(reader, 0, affine.input);
  graph.RemoveNode(id);
  return true;
}

}  // namespace qlite
