#include "passes/integer_rewrite.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/graph_edit.h"
#include "passes/integer_ops.h"
#include "passes/product_quantization.h"

namespace qlite {
namespace {

Tensor QuantizeConstant(const Tensor& tensor, const QuantParams& params) {
  std::vector<int8_t> integers;
  for (const float value : tensor.data<float>()) {
    const double scaled = static_cast<double>(value) / static_cast<double>(params.scales[0]) + params.zero_points[0];
    integers.push_back(static_cast<int8_t>(std::clamp<double>(std::nearbyint(scaled), params.qmin(), params.qmax())));
  }
  return Tensor::Of<int8_t>(tensor.dims(), std::move(integers));
}

class Rewriter {
 public:
  Rewriter(Graph& graph, const IntegerRegions& regions, const std::vector<std::optional<QuantParams>>& params,
           const IntegerRewriteOptions& options)
      : graph_(graph), regions_(regions), params_(params), options_(options), order_(graph.TopologicalOrder()) {}

  absl::Status Rewrite() {
    QLITE_RETURN_IF_ERROR(CollectProducts());
    CollectBorders();
    for (const ValueId id : made_) QLITE_RETURN_IF_ERROR(MakeInteger(id));
    for (const ValueId id : read_) QLITE_RETURN_IF_ERROR(Quantize(id));
    for (const NodeId id : order_) {
      if (regions_.IsInteger(id)) ReplaceConstantOperands(id);
    }
    for (const Product& product : products_) SetProduct(product);
    graph_.RemoveUnusedValues();
    return absl::OkStatus();
  }

 private:
  struct Product {
    NodeId node;
    QuantizedProduct numbers;
  };

  const QuantParams& Params(ValueId id) const { return *params_[static_cast<size_t>(id.index)]; }

  // Everything that needs the float graph as it was is computed first.
  absl::Status CollectProducts() {
    for (const NodeId id : order_) {
      if (!regions_.IsInteger(id)) continue;
      const Node& node = graph_.node(id);
      const auto layout = FindProduct(graph_, node);
      if (!layout) continue;
      ProductQuantizationOptions options;
      options.per_channel = options_.per_channel;
      options.input_means = InputMeans(node, *layout);
      if (!options.input_means.empty()) options.tap_coverage = TapCoverage(graph_, node);
      const std::vector<double> bias = node.has_input(2) ? BiasOf(graph_, node, *layout) : std::vector<double>{};
      products_.push_back({id, QuantizeProduct(*layout, FloatConstant(graph_, node.inputs[1]), bias,
                                               Params(node.inputs[0]).scales[0], options)});
      GiveBack(node.inputs[1], id);
    }
    return absl::OkStatus();
  }

  // Float and integer weights of all products together would be the most that quantization takes. SetProduct puts the
  // integers where the value now holds nothing.
  void GiveBack(ValueId weights, NodeId reader) {
    if (OnlyReader(graph_, weights) == reader) graph_.mutable_value(weights).constant.reset();
  }

  // Empty where the statistics are not those of the product's input channels.
  std::vector<double> InputMeans(const Node& node, const ProductLayout& layout) const {
    if (options_.means == nullptr) return {};
    const Value& input = graph_.value(node.inputs[0]);
    const bool last = node.op == OpType::kMatMul && input.shape.rank() != 2;
    const auto found = options_.means->tensors.find(input.name);
    if (last || found == options_.means->tensors.end()) return {};
    const ChannelStatistics& channels = found->second.channels;
    if (static_cast<int64_t>(channels.sum.size()) != layout.input_channels || channels.count == 0) return {};
    std::vector<double> means;
    for (size_t c = 0; c < channels.sum.size(); ++c) means.push_back(channels.Mean(c));
    return means;
  }

  void CollectBorders() {
    std::vector<char> seen(graph_.value_slots(), false);
    const auto first = [&](ValueId id) { return !std::exchange(seen[static_cast<size_t>(id.index)], true); };
    for (const NodeId id : order_) {
      if (!regions_.IsInteger(id)) continue;
      for (const ValueId input : DataInputs(graph_.node(id))) {
        const bool activation = !graph_.value(input).is_constant();
        if (activation && !regions_.MadeAsInteger(graph_, input) && first(input)) read_.push_back(input);
      }
      for (const ValueId output : graph_.node(id).outputs) {
        if (output.valid() && regions_.MadeAsInteger(graph_, output) && first(output)) made_.push_back(output);
      }
    }
  }

  void SetInteger(ValueId id, const QuantParams& params) {
    Value& value = graph_.mutable_value(id);
    value.type = ElementType::kInt8;
    value.quant = params;
  }

  // Integer nodes that compute with `from` compute with `to` instead.
  void MoveIntegerReaders(ValueId from, ValueId to) {
    const auto span = graph_.Consumers(from);
    for (const NodeId reader : std::vector<NodeId>(span.begin(), span.end())) {
      if (!regions_.IsInteger(reader)) continue;
      const size_t data = DataInputs(graph_.node(reader)).size();
      for (size_t i = 0; i < data; ++i) {
        if (graph_.node(reader).inputs[i] == from) graph_.SetInput(reader, i, to);
      }
    }
  }

  bool ReadAsFloat(ValueId id) const {
    if (graph_.IsOutput(id)) return true;
    const auto readers = graph_.Consumers(id);
    return std::any_of(readers.begin(), readers.end(), [&](NodeId reader) { return !regions_.IsInteger(reader); });
  }

  absl::Status MakeInteger(ValueId id) {
    const QuantParams params = Params(id);
    if (!ReadAsFloat(id)) {
      SetInteger(id, params);
      return absl::OkStatus();
    }
    const NodeId producer = graph_.value(id).producer;
    const auto& outputs = graph_.node(producer).outputs;
    const auto index = static_cast<size_t>(std::find(outputs.begin(), outputs.end(), id) - outputs.begin());
    const std::string name = graph_.value(id).name;
    const ValueId integer = graph_.DetachOutput(producer, index, StrCat(name, "_quantized"));
    SetInteger(integer, params);
    MoveIntegerReaders(id, integer);
    return graph_
        .AddNode(StrCat(name, "_dequantize"), OpType::kDequantize, QuantizeAttrs{}, {integer}, std::vector<ValueId>{id})
        .status();
  }

  absl::Status Quantize(ValueId id) {
    const std::string name = graph_.value(id).name;
    const QuantParams params = Params(id);
    const auto integer = graph_.AddNode(StrCat(name, "_quantize"), OpType::kQuantize, QuantizeAttrs{}, {id},
                                        std::string_view(StrCat(name, "_quantized")));
    if (!integer.ok()) return integer.status();
    graph_.mutable_value(*integer).shape = graph_.value(id).shape;
    SetInteger(*integer, params);
    MoveIntegerReaders(id, *integer);
    return absl::OkStatus();
  }

  void ReplaceConstantOperands(NodeId id) {
    const std::vector<ValueId> data = DataInputs(graph_.node(id));
    for (size_t i = 0; i < data.size(); ++i) {
      const Value& value = graph_.value(data[i]);
      if (!value.is_constant() || value.quant) continue;
      const QuantParams params = Params(data[i]);
      const std::string name = StrCat(value.name, "_quantized");
      const ValueId integer = graph_.AddConstant(name, QuantizeConstant(*value.constant, params));
      graph_.mutable_value(integer).quant = params;
      graph_.SetInput(id, i, integer);
    }
  }

  void SetProduct(const Product& product) {
    const std::string name = graph_.value(graph_.node(product.node).inputs[1]).name;
    const ValueId weights = graph_.AddConstant(StrCat(name, "_quantized"), product.numbers.weights);
    graph_.mutable_value(weights).quant = product.numbers.weight_params;
    graph_.SetInput(product.node, 1, weights);
    if (!product.numbers.has_bias) return;
    const Node& node = graph_.node(product.node);
    const std::string bias_name = node.has_input(2) ? graph_.value(node.inputs[2]).name : StrCat(node.name, ".bias");
    const ValueId bias = graph_.AddConstant(StrCat(bias_name, "_quantized"), product.numbers.bias);
    graph_.mutable_value(bias).quant = product.numbers.bias_params;
    graph_.SetInput(product.node, 2, bias);
  }

  Graph& graph_;
  const IntegerRegions& regions_;
  const std::vector<std::optional<QuantParams>>& params_;
  const IntegerRewriteOptions& options_;
  std::vector<NodeId> order_;
  std::vector<Product> products_;
  std::vector<ValueId> made_, read_;  // made as integers; float, but read as integers
};

}  // namespace

absl::Status RewriteIntegerRegions(Graph& graph, const IntegerRegions& regions,
                                   const std::vector<std::optional<QuantParams>>& params,
                                   const IntegerRewriteOptions& options) {
  return Rewriter(graph, regions, params, options).Rewrite();
}

}  // namespace qlite
