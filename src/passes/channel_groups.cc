#include "passes/channel_groups.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "passes/graph_edit.h"
#include "passes/product_weights.h"

namespace qlite {
namespace {

bool SpatialExtentsAreOne(const Graph& graph, ValueId id) {
  const Shape& shape = graph.value(id).shape;
  for (int64_t i = 2; i < shape.rank(); ++i) {
    if (ExtentOf(graph, id, i) != 1) return false;
  }
  return shape.has_rank() && shape.rank() >= 2;
}

// The operator treats every channel alike and for itself, and scales with its input.
bool IsHomogeneous(const Graph& graph, const Node& node) {
  switch (node.op) {
    case OpType::kRelu:
    case OpType::kLeakyRelu:
    case OpType::kIdentity:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
    case OpType::kGlobalAveragePool:
    case OpType::kGlobalMaxPool:
    case OpType::kClip:
      return true;
    // Rows and columns only: the channels' dimension keeps its extent.
    case OpType::kResize:
      return node.attr<ResizeAttrs>().coordinates != CoordinateMode::kTfCropAndResize;
    case OpType::kAdd:
    case OpType::kSub:
      return !graph.value(node.inputs[0]).is_constant() && !graph.value(node.inputs[1]).is_constant() &&
             graph.value(node.inputs[0]).shape == graph.value(node.inputs[1]).shape;
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kSqueeze:
      return SpatialExtentsAreOne(graph, node.inputs[0]) && SpatialExtentsAreOne(graph, node.outputs[0]);
    default:
      return false;
  }
}

bool IsBounded(const Node& node) {
  const FusedClamp* clamp = FindClamp(node.attrs);
  if (clamp == nullptr) return false;
  const auto bound = [](float limit) { return std::isfinite(limit) && limit != 0.0f; };
  return bound(clamp->min) || bound(clamp->max);
}

class Collector {
 public:
  explicit Collector(const Graph& graph)
      : graph_(graph), order_(graph.TopologicalOrder()), parent_(graph.value_slots()) {
    for (size_t i = 0; i < parent_.size(); ++i) parent_[i] = i;
  }

  std::vector<ChannelGroup> Collect() {
    for (const NodeId id : order_) {
      const Node& node = graph_.node(id);
      if (!Ties(node)) continue;
      const size_t ties = node.op == OpType::kAdd || node.op == OpType::kSub ? 2 : 1;
      for (size_t i = 0; i < ties; ++i) parent_[Root(node.inputs[i])] = Root(node.outputs[0]);
    }
    for (const NodeId id : order_) {
      for (const ValueId output : graph_.node(id).outputs) {
        if (output.valid()) AddMember(output);
      }
    }
    for (const ValueId input : graph_.inputs()) Spoil(input);
    for (const ValueId output : graph_.outputs()) Spoil(output);
    std::vector<ChannelGroup> good;
    for (const size_t root : roots_) {
      ChannelGroup& group = groups_[root];
      if (!spoiled_[root] && !group.producers.empty() && !group.consumers.empty()) good.push_back(std::move(group));
    }
    return good;
  }

 private:
  // Same channels before and behind.
  bool Ties(const Node& node) const {
    if (node.outputs.size() != 1 || !IsHomogeneous(graph_, node)) return false;
    const int64_t channels = ExtentOf(graph_, node.inputs[0], 1);
    return channels > 0 && ExtentOf(graph_, node.outputs[0], 1) == channels && IsFloat(graph_, node.outputs[0]);
  }

  size_t Root(ValueId id) const {
    auto i = static_cast<size_t>(id.index);
    while (parent_[i] != i) i = parent_[i];
    return i;
  }

  void Spoil(ValueId id) { spoiled_[Root(id)] = true; }

  void AddMember(ValueId id) {
    const size_t root = Root(id);
    const auto [entry, added] = groups_.try_emplace(root);
    if (added) roots_.push_back(root);
    ChannelGroup& group = entry->second;
    group.members.push_back(id);
    const int64_t channels = ExtentOf(graph_, id, 1);
    if (group.channels == 0) group.channels = channels;
    if (channels < 1 || channels != group.channels) spoiled_[root] = true;
    AddProducer(group, id);
    for (const NodeId reader : graph_.Consumers(id)) AddConsumer(group, id, reader);
  }

  void AddProducer(ChannelGroup& group, ValueId id) {
    const NodeId producer = graph_.value(id).producer;
    const Node& node = graph_.node(producer);
    group.bounded |= IsBounded(node);
    if (Ties(node)) return;
    const auto layout = FindProduct(graph_, node);
    if (layout && layout->output_channels == group.channels && Rank2IfMatMul(node)) {
      group.producers.push_back(producer);
    } else {
      Spoil(id);
    }
  }

  void AddConsumer(ChannelGroup& group, ValueId id, NodeId reader) {
    const Node& node = graph_.node(reader);
    if (Ties(node)) return;
    const auto layout = FindProduct(graph_, node);
    const bool reads_input = node.inputs[0] == id && std::count(node.inputs.begin(), node.inputs.end(), id) == 1;
    if (layout && reads_input && layout->input_channels == group.channels && Rank2IfMatMul(node)) {
      group.consumers.push_back(reader);
    } else {
      Spoil(id);
    }
  }

  // The channels of a matrix product are its last dimension: the second where there are two.
  bool Rank2IfMatMul(const Node& node) const {
    return node.op != OpType::kMatMul || graph_.value(node.inputs[0]).shape.rank() == 2;
  }

  const Graph& graph_;
  std::vector<NodeId> order_;
  std::vector<size_t> parent_;
  std::map<size_t, ChannelGroup> groups_;
  std::map<size_t, bool> spoiled_;
  std::vector<size_t> roots_;
};

}  // namespace

std::vector<ChannelGroup> FindChannelGroups(const Graph& graph) { return Collector(graph).Collect(); }

}  // namespace qlite
