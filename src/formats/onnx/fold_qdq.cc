#include "formats/onnx/fold_qdq.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/op_rules.h"

namespace qlite::onnx {
namespace {

enum class Pattern {
  kNone,
  kLinear,     // int8 data, int8 weights, int32 bias
  kAllInputs,  // every input is int8
  kMovement,   // the first input and the outputs are int8
  kReader,     // the first input is int8, the outputs are not quantized
};

Pattern PatternOf(const Node& node) {
  switch (KindOf(node.op)) {
    case OpKind::kProduct:
      return Pattern::kLinear;
    case OpKind::kUnary:
      return node.op == OpType::kCast ? Pattern::kNone : Pattern::kAllInputs;
    case OpKind::kBinary:
      return node.op == OpType::kDiv || node.op == OpType::kPow ? Pattern::kNone : Pattern::kAllInputs;
    case OpKind::kMean:
    case OpKind::kConcat:
      return Pattern::kAllInputs;
    case OpKind::kMovement:
    case OpKind::kSelection:
      return Pattern::kMovement;
    case OpKind::kOther:
      break;
  }
  if (node.op == OpType::kArgMax) return Pattern::kReader;
  const bool nearest = node.op == OpType::kResize && node.attr<ResizeAttrs>().mode == ResizeMode::kNearest;
  return nearest ? Pattern::kMovement : Pattern::kNone;
}

// clamp(clamp(x, first), second) as one clamp.
FusedClamp Compose(const FusedClamp& first, const FusedClamp& second) {
  const auto limit = [&](float v) { return std::min(std::max(v, second.min), second.max); };
  return {limit(first.min), limit(first.max)};
}

// What follows an operator in float, up to where its result is quantized.
struct Tail {
  std::vector<NodeId> nodes;  // in order; the last one makes `result`
  FusedClamp clamp;
  ValueId result;
  bool quantized = false;
};

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph) {}

  absl::Status Run() {
    for (const NodeId id : graph_.TopologicalOrder()) {
      if (!graph_.alive(id)) continue;
      if (absl::Status status = FoldNode(id); !status.ok()) return status;
    }
    RemoveRedundant();
    for (const NodeId id : graph_.TopologicalOrder()) {
      if (!graph_.alive(id)) continue;
      if (absl::Status status = MergeClamp(id); !status.ok()) return status;
    }
    graph_.RemoveUnusedValues();
    return absl::OkStatus();
  }

 private:
  const Node& Producer(ValueId value) const { return graph_.node(graph_.value(value).producer); }

  bool IsProducedBy(ValueId value, OpType op) const {
    return value.valid() && graph_.value(value).producer.valid() && Producer(value).op == op;
  }

  // What a Dequantize node made `value` from, or an invalid id.
  ValueId Quantized(ValueId value) const {
    return IsProducedBy(value, OpType::kDequantize) ? Producer(value).inputs[0] : ValueId();
  }

  bool HasOneScale(ValueId value) const {
    if (!value.valid()) return false;
    const Value& v = graph_.value(value);
    return v.type == ElementType::kInt8 && v.quant.has_value() && !v.quant->per_axis() && v.quant->bits == 8 &&
           v.quant->scales.size() == 1;
  }

  // The only reader of a value that nothing else needs.
  std::optional<NodeId> SoleReader(ValueId value) const {
    const auto readers = graph_.Consumers(value);
    if (readers.size() != 1 || graph_.IsOutput(value)) return std::nullopt;
    return readers[0];
  }

  absl::Status FoldNode(NodeId id) {
    switch (PatternOf(graph_.node(id))) {
      case Pattern::kLinear:
        return FoldLinear(id);
      case Pattern::kAllInputs:
        return FoldAllInputs(id);
      case Pattern::kMovement:
        return FoldMovement(id);
      case Pattern::kReader:
        return FoldReader(id);
      case Pattern::kNone:
        break;
    }
    return absl::OkStatus();
  }

  // Follows `value`, the result of `from`, through a clamp that the operator can take over to a Quantize node. Without
  // one the tail ends at `value`.
  Tail FindTail(NodeId from, ValueId value, bool takes_clamp) const {
    const Tail none{{from}, {}, value, false};
    Tail tail = none;
    std::optional<NodeId> next = SoleReader(value);
    if (next && takes_clamp) {
      const Node& node = graph_.node(*next);
      const bool relu = node.op == OpType::kRelu;
      if (relu || node.op == OpType::kClip) {
        tail.clamp = relu ? FusedClamp{.min = 0} : node.attr<ClipAttrs>().range;
        tail.nodes.push_back(*next);
        next = SoleReader(node.outputs[0]);
      }
    }
    if (!next || graph_.node(*next).op != OpType::kQuantize) return none;
    const ValueId result = graph_.node(*next).outputs[0];
    if (!HasOneScale(result)) return none;
    tail.nodes.push_back(*next);
    tail.result = result;
    tail.quantized = true;
    return tail;
  }

  // Puts one node that makes `result` in the place of `nodes`, the last of which made it.
  absl::Status Replace(const std::vector<NodeId>& nodes, ValueId result, OpAttrs attrs, std::vector<ValueId> inputs) {
    const OpType op = graph_.node(nodes.front()).op;
    const std::string name = graph_.node(nodes.front()).name;
    graph_.DetachOutput(nodes.back(), 0, graph_.value(result).name);
    const absl::StatusOr<NodeId> made = graph_.AddNode(name, op, std::move(attrs), std::move(inputs), {result});
    if (!made.ok()) return made.status();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) graph_.RemoveNode(*node);
    graph_.RenameNode(*made, name);
    return absl::OkStatus();
  }

  static OpAttrs WithClamp(OpAttrs attrs, const FusedClamp& clamp) {
    if (FusedClamp* own = FindClamp(attrs)) *own = Compose(*own, clamp);
    return attrs;
  }

  // The axis of the output channels in the weights of a linear operator; nothing for a form that has no integer
  // operator.
  std::optional<int64_t> ChannelAxis(const Node& node, const Tensor& weights) const {
    const int64_t rank = static_cast<int64_t>(weights.dims().size());
    switch (node.op) {
      case OpType::kConv:
        return 0;
      case OpType::kConvTranspose:
        return 1;
      case OpType::kMatMul:
        return rank == 2 ? std::optional<int64_t>(1) : std::nullopt;
      case OpType::kGemm: {
        const GemmAttrs& attrs = node.attr<GemmAttrs>();
        if (attrs.alpha != 1 || attrs.beta != 1 || attrs.trans_a || rank != 2) return std::nullopt;
        return attrs.trans_b ? 0 : 1;
      }
      default:
        return std::nullopt;
    }
  }

  bool WeightsFit(const Node& node, ValueId weights) const {
    if (!weights.valid() || !graph_.value(weights).is_constant()) return false;
    const Value& value = graph_.value(weights);
    if (value.type != ElementType::kInt8 || !value.quant.has_value() || value.quant->block_size != 0) return false;
    const QuantParams& params = *value.quant;
    if (std::any_of(params.zero_points.begin(), params.zero_points.end(), [](int32_t z) { return z != 0; }))
      return false;
    const std::optional<int64_t> axis = ChannelAxis(node, *value.constant);
    if (!axis.has_value()) return false;
    if (!params.per_axis()) return true;
    const bool grouped = node.op == OpType::kConvTranspose && node.attr<ConvTransposeAttrs>().group != 1;
    return params.axis == *axis && !grouped;
  }

  // The int32 constant has one value for each channel and the scale of the accumulator.
  bool BiasFits(ValueId bias, ValueId input, ValueId weights) const {
    constexpr float kTolerance = 1e-4f;
    if (!bias.valid() || !graph_.value(bias).is_constant()) return false;
    const Value& value = graph_.value(bias);
    if (value.type != ElementType::kInt32 || !value.quant.has_value() || value.constant->dims().size() != 1)
      return false;
    const std::vector<float>& scales = value.quant->scales;
    const std::vector<float>& weight_scales = graph_.value(weights).quant->scales;
    const float input_scale = graph_.value(input).quant->scales[0];
    const auto& zeros = value.quant->zero_points;
    if (std::any_of(zeros.begin(), zeros.end(), [](int32_t z) { return z != 0; })) return false;
    for (size_t i = 0; i < std::max(scales.size(), weight_scales.size()); ++i) {
      const float expected = input_scale * weight_scales[weight_scales.size() == 1 ? 0 : i];
      const float found = scales[scales.size() == 1 ? 0 : std::min(i, scales.size() - 1)];
      if (std::abs(found - expected) > kTolerance * expected) return false;
    }
    return true;
  }

  // What the file leaves unsaid: -128 may not occur.
  void DescribeWeights(ValueId weights) {
    Value& value = graph_.mutable_value(weights);
    const auto data = value.constant->data<int8_t>();
    value.quant->narrow_range = std::find(data.begin(), data.end(), int8_t{-128}) == data.end();
  }

  // A product without bias whose only reader adds one: the Add node and the bias.
  std::optional<std::pair<NodeId, ValueId>> FindAddedBias(ValueId product, ValueId input, ValueId weights) const {
    const std::optional<NodeId> reader = SoleReader(product);
    if (!reader || graph_.node(*reader).op != OpType::kAdd) return std::nullopt;
    const Node& add = graph_.node(*reader);
    const ValueId other = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
    const ValueId bias = Quantized(other);
    if (!BiasFits(bias, input, weights)) return std::nullopt;
    if (graph_.value(bias).constant->dims() != std::vector<int64_t>{graph_.value(weights).constant->dims()[1]}) {
      return std::nullopt;
    }
    return std::pair(*reader, bias);
  }

  absl::Status FoldLinear(NodeId id) {
    const Node node = graph_.node(id);
    const ValueId input = Quantized(node.inputs[0]), weights = Quantized(node.inputs[1]);
    if (!HasOneScale(input) || !WeightsFit(node, weights)) return absl::OkStatus();
    std::vector<ValueId> inputs = {input, weights};
    std::vector<NodeId> nodes = {id};
    ValueId product = node.outputs[0];
    if (node.has_input(2)) {
      const ValueId bias = Quantized(node.inputs[2]);
      if (!BiasFits(bias, input, weights)) return absl::OkStatus();
      inputs.push_back(bias);
    } else if (node.op == OpType::kMatMul) {
      if (const auto added = FindAddedBias(product, input, weights)) {
        nodes.push_back(added->first);
        inputs.push_back(added->second);
        product = graph_.node(added->first).outputs[0];
      }
    }
    DescribeWeights(weights);
    const Tail tail = FindTail(nodes.back(), product, true);
    nodes.insert(nodes.end(), tail.nodes.begin() + 1, tail.nodes.end());
    return Replace(nodes, tail.result, WithClamp(node.attrs, tail.clamp), std::move(inputs));
  }

  bool IsSpatialMean(const Node& node) const {
    const auto& axes = node.attr<ReduceAttrs>().axes;
    const Shape& shape = graph_.value(node.inputs[0]).shape;
    if (shape.rank() < 3 || shape.rank() > 4 || static_cast<int64_t>(axes.size()) != shape.rank() - 2) return false;
    return std::all_of(axes.begin(), axes.end(),
                       [&](int64_t axis) { return (axis < 0 ? axis + shape.rank() : axis) >= 2; });
  }

  absl::Status FoldAllInputs(NodeId id) {
    const Node node = graph_.node(id);
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) {
      inputs.push_back(Quantized(input));
      if (!HasOneScale(inputs.back())) return absl::OkStatus();
    }
    if (node.op == OpType::kReduceMean && !IsSpatialMean(node)) return absl::OkStatus();
    const Tail tail = FindTail(id, node.outputs[0], FindClamp(node.attrs) != nullptr && node.op != OpType::kClip);
    if (!tail.quantized) return absl::OkStatus();
    return Replace(tail.nodes, tail.result, WithClamp(node.attrs, tail.clamp), std::move(inputs));
  }

  // Maxima are taken among the integers, which must then stay what they are; other movement may change the scale.
  bool KeepsParameters(OpType op) const { return KindOf(op) == OpKind::kSelection; }

  // An integer Pad takes what it fills in as a real number, as long as it is constant.
  bool FillFits(const Node& node) const {
    if (node.op != OpType::kPad || !node.has_input(2)) return true;
    const Value& fill = graph_.value(node.inputs[2]);
    return fill.is_constant() && fill.type == ElementType::kFloat32;
  }

  absl::Status FoldMovement(NodeId id) {
    const Node node = graph_.node(id);
    const ValueId input = Quantized(node.inputs[0]);
    if (!HasOneScale(input) || !FillFits(node)) return absl::OkStatus();
    std::vector<ValueId> results;
    std::vector<NodeId> quantizers;
    for (const ValueId output : node.outputs) {
      if (!output.valid()) return absl::OkStatus();
      const std::optional<NodeId> reader = SoleReader(output);
      if (!reader || graph_.node(*reader).op != OpType::kQuantize) return absl::OkStatus();
      results.push_back(graph_.node(*reader).outputs[0]);
      quantizers.push_back(*reader);
      if (!HasOneScale(results.back())) return absl::OkStatus();
      const bool same = graph_.value(results.back()).quant == graph_.value(input).quant;
      if (KeepsParameters(node.op) && !same) return absl::OkStatus();
    }
    std::vector<ValueId> inputs = node.inputs;
    inputs[0] = input;
    for (size_t i = 0; i < results.size(); ++i) graph_.DetachOutput(quantizers[i], 0, graph_.value(results[i]).name);
    const absl::StatusOr<NodeId> made = graph_.AddNode(node.name, node.op, node.attrs, std::move(inputs), results);
    if (!made.ok()) return made.status();
    for (const NodeId quantizer : quantizers) graph_.RemoveNode(quantizer);
    graph_.RemoveNode(id);
    graph_.RenameNode(*made, node.name);
    return absl::OkStatus();
  }

  absl::Status FoldReader(NodeId id) {
    const ValueId input = Quantized(graph_.node(id).inputs[0]);
    if (HasOneScale(input)) graph_.SetInput(id, 0, input);
    return absl::OkStatus();
  }

  // An integer Relu or Clip that keeps the parameters of its input becomes the clamp of the node before it.
  absl::Status MergeClamp(NodeId id) {
    const Node node = graph_.node(id);
    const bool relu = node.op == OpType::kRelu;
    if (!relu && node.op != OpType::kClip) return absl::OkStatus();
    const ValueId input = node.inputs[0], output = node.outputs[0];
    if (!HasOneScale(input) || graph_.value(input).quant != graph_.value(output).quant ||
        !SoleReader(input).has_value() || !graph_.value(input).producer.valid()) {
      return absl::OkStatus();
    }
    const NodeId before = graph_.value(input).producer;
    const OpAttrs attrs = graph_.node(before).attrs;
    if (FindClamp(attrs) == nullptr) return absl::OkStatus();
    const FusedClamp clamp = relu ? FusedClamp{.min = 0} : node.attr<ClipAttrs>().range;
    return Replace({before, id}, output, WithClamp(attrs, clamp), graph_.node(before).inputs);
  }

  // Requantization to the same parameters, and Dequantize nodes that nothing reads any more.
  void RemoveRedundant() {
    const std::vector<NodeId> order = graph_.TopologicalOrder();
    for (const NodeId id : order) {
      const Node& node = graph_.node(id);
      if (node.op != OpType::kQuantize || graph_.IsOutput(node.outputs[0])) continue;
      const ValueId source = Quantized(node.inputs[0]);
      if (!HasOneScale(source) || graph_.value(source).quant != graph_.value(node.outputs[0]).quant) continue;
      graph_.ReplaceUses(node.outputs[0], source);
      graph_.RemoveNode(id);
    }
    for (const NodeId id : order) {
      if (!graph_.alive(id) || graph_.node(id).op != OpType::kDequantize) continue;
      const ValueId output = graph_.node(id).outputs[0];
      if (graph_.Consumers(output).empty() && !graph_.IsOutput(output)) graph_.RemoveNode(id);
    }
  }

  Graph& graph_;
};

}  // namespace

absl::Status FoldQuantization(Graph& graph) { return Folder(graph).Run(); }

}  // namespace qlite::onnx
