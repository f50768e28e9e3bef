#include "runtime/byte_functions.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/run_alone.h"
#include "runtime/steps/float_functions.h"

namespace qlite {
namespace {

class Finder {
 public:
  Finder(const Graph& graph, const std::vector<NodeId>& order)
      : graph_(graph), taken_(graph.node_slots(), 0), position_(graph.node_slots(), 0) {
    for (size_t i = 0; i < order.size(); ++i) position_[Index(order[i])] = i;
  }

  std::vector<ByteFunction> Find(const std::vector<NodeId>& order) {
    std::vector<ByteFunction> found;
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      if (taken_[Index(*id)] || !IsElementwise(*id) || !IsByte(graph_.value(graph_.node(*id).outputs[0]))) continue;
      ByteFunction function = EndingIn(*id);
      if (function.nodes.size() < 2) continue;
      for (NodeId node : function.nodes) taken_[Index(node)] = 1;
      found.push_back(std::move(function));
    }
    return found;
  }

 private:
  static size_t Index(NodeId id) { return static_cast<size_t>(id.index); }

  // Each element of the result follows from one element of each input.
  bool IsElementwise(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.outputs.size() != 1) return false;
    const Value& result = graph_.value(node.outputs[0]);
    const auto is = [&](ValueId value, ElementType type) {
      const Value& operand = graph_.value(value);
      return operand.type == type && (type == ElementType::kFloat32 || IsByte(operand));
    };
    if (node.op == OpType::kQuantize) return is(node.inputs[0], ElementType::kFloat32) && IsByte(result);
    if (node.op == OpType::kDequantize)
      return result.type == ElementType::kFloat32 && IsByte(graph_.value(node.inputs[0]));
    const bool binary = BinaryFunctionOf(node.op).has_value() && node.inputs.size() == 2;
    if (!binary && !UnaryFunctionOf(node)) return false;
    return is(node.outputs[0], result.type) && (result.type == ElementType::kFloat32 || IsByte(result)) &&
           std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) { return is(input, result.type); });
  }

  bool IsNumber(ValueId id) const {
    const Value& value = graph_.value(id);
    return value.is_constant() && value.constant->element_count() == 1;
  }

  // The values that the nodes read and do not make, numbers aside.
  std::vector<ValueId> Operands(const std::vector<NodeId>& nodes) const {
    std::vector<ValueId> operands;
    for (NodeId id : nodes) {
      for (ValueId input : graph_.node(id).inputs) {
        const bool made = std::find(nodes.begin(), nodes.end(), graph_.value(input).producer) != nodes.end();
        const bool known = std::find(operands.begin(), operands.end(), input) != operands.end();
        if (!made && !known && !IsNumber(input)) operands.push_back(input);
      }
    }
    return operands;
  }

  // The producer of the value may join: nothing but the nodes reads the value.
  bool MayJoin(ValueId value, const std::vector<NodeId>& nodes, const Shape& shape) const {
    const NodeId producer = graph_.value(value).producer;
    if (!producer.valid() || taken_[Index(producer)] || graph_.IsOutput(value) || !IsElementwise(producer))
      return false;
    if (graph_.value(value).shape != shape) return false;
    const auto readers = graph_.Consumers(value);
    return std::all_of(readers.begin(), readers.end(),
                       [&](NodeId reader) { return std::find(nodes.begin(), nodes.end(), reader) != nodes.end(); });
  }

  ByteFunction EndingIn(NodeId last) const {
    constexpr size_t kMost = 32;
    const Shape& shape = graph_.value(graph_.node(last).outputs[0]).shape;
    ByteFunction best;
    std::vector<NodeId> nodes = {last};
    while (nodes.size() <= kMost) {
      const std::vector<ValueId> operands = Operands(nodes);
      if (operands.size() == 1 && IsByte(graph_.value(operands[0])) && !graph_.value(operands[0]).is_constant() &&
          graph_.value(operands[0]).shape == shape) {
        best = {operands[0], nodes};
      }
      const auto next = std::find_if(operands.begin(), operands.end(),
                                     [&](ValueId operand) { return MayJoin(operand, nodes, shape); });
      if (next == operands.end()) break;
      nodes.push_back(graph_.value(*next).producer);
    }
    std::sort(best.nodes.begin(), best.nodes.end(),
              [this](NodeId a, NodeId b) { return position_[Index(a)] < position_[Index(b)]; });
    return best;
  }

  const Graph& graph_;
  std::vector<char> taken_;       // by node
  std::vector<size_t> position_;  // by node
};

// The nodes over one value of 256 elements.
absl::StatusOr<Graph> Isolate(const Graph& graph, const ByteFunction& function) {
  Graph alone;
  std::map<int32_t, ValueId> made;
  const auto declare = [&](ValueId from, ValueId to) {
    alone.mutable_value(to).type = graph.value(from).type;
    alone.mutable_value(to).quant = graph.value(from).quant;
    made[from.index] = to;
    return to;
  };
  declare(function.input, alone.AddInput("bytes", ElementType::kInt8, Shape::Of({256})));
  for (NodeId id : function.nodes) {
    const Node& node = graph.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) {
      const auto found = made.find(input.index);
      if (found != made.end()) {
        inputs.push_back(found->second);
        continue;
      }
      const Tensor& number = *graph.value(input).constant;
      auto scalar = Tensor::Create(number.type(), {}, number.buffer());
      if (!scalar.ok()) return scalar.status();
      inputs.push_back(declare(input, alone.AddConstant("number", *std::move(scalar))));
    }
    const ValueId output = declare(node.outputs[0], alone.AddValue("value"));
    auto added = alone.AddNode(node.name, node.op, node.attrs, inputs, std::vector<ValueId>{output});
    if (!added.ok()) return added.status();
    alone.SetOutputs({output});
  }
  if (absl::Status status = alone.InferShapes(); !status.ok()) return status;
  return alone;
}

}  // namespace

bool IsByte(const Value& value) {
  return value.type == ElementType::kInt8 && value.quant && !value.quant->per_axis() &&
         value.quant->scales.size() == 1 && value.quant->bits <= 8;
}

std::vector<ByteFunction> FindByteFunctions(const Graph& graph, const std::vector<NodeId>& order) {
  return Finder(graph, order).Find(order);
}

absl::StatusOr<std::array<uint8_t, 256>> TableOf(const Graph& graph, const ByteFunction& function, kernels::Isa isa,
                                                 const Limits& limits) {
  auto alone = Isolate(graph, function);
  if (!alone.ok()) return alone.status();
  std::vector<int8_t> every(256);
  for (size_t i = 0; i < every.size(); ++i) every[i] = static_cast<int8_t>(static_cast<int>(i) - 128);
  LoweringOptions options;
  options.isa = isa;
  options.limits = limits;
  options.fuse = false;
  auto results = RunAlone(*alone, options, std::as_bytes(std::span(every)));
  if (!results.ok()) return results.status();
  std::array<uint8_t, 256> table;
  const auto made = (*results)[0].data<int8_t>();
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<uint8_t>(made[i] + 128);
  return table;
}

}  // namespace qlite
