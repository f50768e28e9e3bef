#include "passes/weight_candidates.h"

#include <map>
#include <optional>

#include "passes/graph_edit.h"

namespace qlite {
namespace {

struct Axes {
  int64_t channel, reduction;
  bool convolution = false;
};

std::optional<Axes> ConvTransposeAxes(const std::vector<int64_t>& dims, int64_t group) {
  const bool depthwise = group > 1 && group == dims[0] && dims[1] == 1;
  return Axes{depthwise ? 0 : 1, depthwise ? 1 : 0, true};
}

// Where output channels and summed dimension lie in the constant that the node reads as input `index`.
std::optional<Axes> AxesOf(const Node& node, size_t index, const std::vector<int64_t>& dims) {
  const auto rank = static_cast<int64_t>(dims.size());
  switch (node.op) {
    case OpType::kConv:
      return index == 1 ? std::optional(Axes{0, 1, true}) : std::nullopt;
    case OpType::kConvTranspose:
      return index == 1 ? ConvTransposeAxes(dims, node.attr<ConvTransposeAttrs>().group) : std::nullopt;
    case OpType::kGemm: {
      if (index > 1) return std::nullopt;
      const auto& attrs = node.attr<GemmAttrs>();
      const bool channels_first = index == 0 ? !attrs.trans_a : attrs.trans_b;
      return channels_first ? Axes{0, 1} : Axes{1, 0};
    }
    case OpType::kMatMul:
      if (index > 1) return std::nullopt;
      return index == 0 ? Axes{rank - 2, rank - 1} : Axes{rank - 1, rank - 2};
    case OpType::kLSTM:
    case OpType::kGRU:  // W and R, a matrix for each direction
      return index == 1 || index == 2 ? std::optional(Axes{1, 2}) : std::nullopt;
    case OpType::kGather: {
      if (index != 0) return std::nullopt;
      const int64_t axis = node.attr<AxisAttrs>().axis;
      const int64_t picked = axis < 0 ? axis + rank : axis;
      return Axes{picked, picked == rank - 1 ? rank - 2 : rank - 1};
    }
    default:
      return std::nullopt;
  }
}

void Merge(const Axes& axes, NodeId reader, WeightCandidate& candidate) {
  if (candidate.channel_axis != axes.channel) candidate.channel_axis = -1;
  if (candidate.reduction_axis != axes.reduction) candidate.reduction_axis = -1;
  candidate.convolution = candidate.convolution || axes.convolution;
  if (candidate.readers.back() != reader) candidate.readers.push_back(reader);
}

}  // namespace

std::vector<WeightCandidate> FindWeightCandidates(const Graph& graph) {
  std::vector<WeightCandidate> found;
  std::map<ValueId, size_t> places;
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.has_input(i) || FloatConstant(graph, node.inputs[i]).empty()) continue;
      const std::vector<int64_t>& dims = graph.value(node.inputs[i]).constant->dims();
      if (dims.size() < 2) continue;
      const std::optional<Axes> axes = AxesOf(node, i, dims);
      if (!axes) continue;
      const auto [place, is_new] = places.try_emplace(node.inputs[i], found.size());
      if (is_new) {
        found.push_back({node.inputs[i], id, {id}, axes->channel, axes->reduction, axes->convolution});
      } else {
        Merge(*axes, id, found[place->second]);
      }
    }
  }
  return found;
}

}  // namespace qlite
