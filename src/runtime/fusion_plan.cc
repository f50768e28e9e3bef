#include "runtime/fusion_plan.h"

#include <algorithm>
#include <limits>

#include "core/node_geometry.h"
#include "runtime/byte_functions.h"
#include "runtime/steps/float_functions.h"

namespace qlite {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<NodeId>& order) : graph_(graph), position_(graph.node_slots(), -1) {
    for (size_t i = 0; i < order.size(); ++i) position_[Index(order[i])] = static_cast<int64_t>(i);
    plan_.nodes.resize(graph.node_slots());
    plan_.slices.resize(graph.value_slots());
    for (NodeId id : order) {
      const Node& node = graph.node(id);
      NodeFusion& fusion = plan_.nodes[Index(id)];
      if (!node.outputs.empty()) fusion.output = node.outputs[0];
      if (const FusedClamp* clamp = FindClamp(node.attrs); clamp != nullptr && node.op != OpType::kClip) {
        fusion.clamp = *clamp;
      }
    }
  }

  FusionPlan Plan(const std::vector<NodeId>& order) {
    for (ByteFunction& function : FindByteFunctions(graph_, order)) MakeTable(std::move(function));
    for (NodeId id : order) AbsorbActivation(id);
    for (NodeId id : order) AbsorbAddition(id);
    makers_.resize(graph_.value_slots());
    for (NodeId id : order) {
      if (!Fusion(id).absorbed && Fusion(id).output.valid()) makers_[Index(Fusion(id).output)] = id;
    }
    for (NodeId id : order) JoinChain(id);
    for (NodeId id : order) PlaceSlices(id);
    return std::move(plan_);
  }

  FusionPlan Unfused() { return std::move(plan_); }

 private:
  static size_t Index(NodeId id) { return static_cast<size_t>(id.index); }
  static size_t Index(ValueId id) { return static_cast<size_t>(id.index); }
  NodeFusion& Fusion(NodeId id) { return plan_.nodes[Index(id)]; }

  // The node that alone reads the value, once; invalid where the value has another use.
  NodeId OnlyReader(ValueId value) const {
    const auto readers = graph_.Consumers(value);
    if (readers.size() != 1 || graph_.IsOutput(value)) return {};
    const Node& reader = graph_.node(readers[0]);
    return std::count(reader.inputs.begin(), reader.inputs.end(), value) == 1 ? readers[0] : NodeId{};
  }

  bool SameNumbers(ValueId a, ValueId b) const {
    const Value& first = graph_.value(a);
    const Value& second = graph_.value(b);
    return first.type == second.type && first.quant == second.quant;
  }

  void MakeTable(ByteFunction function) {
    NodeFusion& last = Fusion(function.nodes.back());
    function.nodes.pop_back();
    for (NodeId id : function.nodes) Fusion(id).absorbed = Fusion(id).waits = true;
    last.byte = function.input;
    last.chain = std::move(function.nodes);
  }

  // Relu or Clip behind a node that can clamp.
  void AbsorbActivation(NodeId id) {
    const Node& node = graph_.node(id);
    if (FindClamp(node.attrs) == nullptr || node.op == OpType::kClip || node.outputs.size() != 1) return;
    const Value& result = graph_.value(node.outputs[0]);
    if (result.type != ElementType::kFloat32 && result.type != ElementType::kInt8) return;
    NodeFusion& fusion = Fusion(id);
    if (fusion.clamp.active() || fusion.absorbed || fusion.byte.valid()) return;
    const NodeId next = OnlyReader(fusion.output);
    if (!next.valid() || Fusion(next).absorbed || Fusion(next).byte.valid()) return;
    const Node& activation = graph_.node(next);
    if (activation.op == OpType::kRelu) {
      fusion.clamp = {0.0f, std::numeric_limits<float>::infinity()};
    } else if (activation.op == OpType::kClip) {
      fusion.clamp = activation.attr<ClipAttrs>().range;
    } else {
      return;
    }
    if (!SameNumbers(fusion.output, activation.outputs[0])) {
      fusion.clamp = {};
      return;
    }
    Fusion(next).absorbed = true;
    fusion.output = activation.outputs[0];
  }

  bool IsDepthwiseConv(const Node& conv) const {
    const auto channels = [this](ValueId image) { return graph_.value(image).shape.dim(1).value; };
    return IsDepthwise(conv.attr<ConvAttrs>().group, channels(conv.inputs[0]), channels(conv.outputs[0]));
  }

  // The convolution that makes `operand`, if the addition `add` of `other` can join it.
  bool CanJoin(ValueId operand, ValueId other, NodeId add) {
    const NodeId producer = graph_.value(operand).producer;
    if (!producer.valid() || graph_.node(producer).op != OpType::kConv || operand == other) return false;
    const Node& conv = graph_.node(producer);
    const bool bytes = graph_.value(operand).type == ElementType::kInt8;
    for (ValueId value : {conv.inputs[0], operand, other, graph_.node(add).outputs[0]}) {
      const Value& number = graph_.value(value);
      if (bytes ? !IsByte(number) : number.type != ElementType::kFloat32) return false;
    }
    if (bytes && IsDepthwiseConv(conv)) return false;
    if (graph_.value(operand).shape != graph_.value(other).shape) return false;
    if (graph_.value(other).is_constant() || OnlyReader(operand) != add) return false;
    const NodeFusion& fusion = Fusion(producer);
    if (fusion.output != operand || fusion.clamp.active() || fusion.residual.valid()) return false;
    const NodeId other_producer = graph_.value(other).producer;
    return !other_producer.valid() || position_[Index(other_producer)] < position_[Index(producer)];
  }

  void AbsorbAddition(NodeId id) {
    const Node& node = graph_.node(id);
    NodeFusion& add = Fusion(id);
    if (node.op != OpType::kAdd || add.absorbed || add.byte.valid()) return;
    for (size_t side = 0; side < 2; ++side) {
      const ValueId operand = node.inputs[side], other = node.inputs[1 - side];
      if (!CanJoin(operand, other, id)) continue;
      NodeFusion& conv = Fusion(graph_.value(operand).producer);
      conv.residual = other;
      conv.addition = id;
      conv.clamp = add.clamp;
      conv.output = add.output;
      add.absorbed = true;
      return;
    }
  }

  // A float operator that computes each element of its result from one element of each input.
  bool IsElementwise(NodeId id) {
    const Node& node = graph_.node(id);
    if (Fusion(id).absorbed || (!UnaryFunctionOf(node) && !BinaryFunctionOf(node.op))) return false;
    const auto is_float = [this](ValueId value) { return graph_.value(value).type == ElementType::kFloat32; };
    return std::all_of(node.inputs.begin(), node.inputs.end(), is_float) && is_float(Fusion(id).output);
  }

  // The chains that end in operands of the node become one with it at their end.
  void JoinChain(NodeId id) {
    constexpr size_t kLongest = 32;
    if (!IsElementwise(id)) return;
    NodeFusion& end = Fusion(id);
    for (ValueId input : graph_.node(id).inputs) {
      const NodeId maker = makers_[Index(input)];
      if (!maker.valid() || !IsElementwise(maker) || OnlyReader(input) != id) continue;
      NodeFusion& joined = Fusion(maker);
      const bool same_shape = graph_.value(input).shape == graph_.value(end.output).shape;
      if (!same_shape || end.chain.size() + joined.chain.size() + 2 > kLongest) continue;
      end.chain.insert(end.chain.end(), joined.chain.begin(), joined.chain.end());
      end.chain.push_back(maker);
      joined.chain.clear();
      joined.absorbed = joined.waits = true;
    }
  }

  static bool WritesPixels(OpType op) {
    return op == OpType::kConv || op == OpType::kMaxPool || op == OpType::kAveragePool;
  }

  void PlaceSlices(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op != OpType::kConcat) return;
    const ValueId result = node.outputs[0];
    const int64_t rank = graph_.value(result).shape.rank();
    const int64_t axis = node.attr<AxisAttrs>().axis;
    if (rank < 3 || rank > 4 || (axis < 0 ? axis + rank : axis) != 1) return;
    int64_t channel = 0;
    for (ValueId input : node.inputs) {
      const NodeId maker = makers_[Index(input)];
      if (maker.valid() && WritesPixels(graph_.node(maker).op) && OnlyReader(input) == id &&
          SameNumbers(input, result)) {
        plan_.slices[Index(input)] = ConcatSlice{result, channel};
      }
      channel += graph_.value(input).shape.dim(1).value;
    }
  }

  const Graph& graph_;
  std::vector<int64_t> position_;
  FusionPlan plan_;
  std::vector<NodeId> makers_;  // whose step makes the value, by value index
};

}  // namespace

FusionPlan PlanFusion(const Graph& graph, const std::vector<NodeId>& order, bool fuse) {
  Planner planner(graph, order);
  return fuse ? planner.Plan(order) : planner.Unfused();
}

}  // namespace qlite
