#include "passes/equalization.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "passes/channel_groups.h"
#include "passes/graph_edit.h"
#include "passes/product_weights.h"

namespace qlite {
namespace {

// The statistics come of few samples: others may go beyond them by this factor and still not be cut by a clamp.
constexpr double kBalanceMargin = 1.5;
constexpr double kStretchMargin = 3;
constexpr double kMaxStretch = 32;
// Weight ranges below this share of their layer's count as this.
constexpr double kSmallestShare = 1e-6;

std::vector<double> Inverse(const std::vector<double>& factors) {
  std::vector<double> inverse;
  for (const double factor : factors) inverse.push_back(1 / factor);
  return inverse;
}

std::vector<double> Magnitudes(const ChannelStatistics& channels) {
  std::vector<double> magnitudes;
  for (size_t c = 0; c < channels.min.size(); ++c) {
    magnitudes.push_back(static_cast<double>(std::max(std::abs(channels.min[c]), std::abs(channels.max[c]))));
  }
  return magnitudes;
}

// How far each output channel of a product can go for inputs within what was seen; nothing where they were not
// observed.
std::optional<std::vector<double>> ChannelReach(const Graph& graph, NodeId id, const CalibrationTable& statistics) {
  const Node& node = graph.node(id);
  const auto layout = *FindProduct(graph, node);
  const auto found = statistics.tensors.find(graph.value(node.inputs[0]).name);
  if (found == statistics.tensors.end()) return std::nullopt;
  const std::vector<double> inputs = Magnitudes(found->second.channels);
  if (static_cast<int64_t>(inputs.size()) != layout.input_channels) return std::nullopt;
  std::vector<double> sums(static_cast<size_t>(layout.output_channels), 0.0);
  const auto weights = FloatConstant(graph, node.inputs[1]);
  layout.ForEach([&](int64_t position, int64_t output, int64_t input) {
    const double weight = static_cast<double>(weights[static_cast<size_t>(position)]);
    sums[static_cast<size_t>(output)] += std::abs(weight) * inputs[static_cast<size_t>(input)];
  });
  const std::vector<double> bias = BiasOf(graph, node, layout);
  const bool rectified = FindClamp(node.attrs)->min >= 0.0f;
  for (size_t c = 0; c < sums.size(); ++c) {
    sums[c] = rectified ? std::max(0.0, bias[c] + sums[c]) : std::abs(bias[c]) + sums[c];
  }
  return sums;
}

// A channel that was 0 in all samples may be dead for good or just rare: what its weights allow decides.
void FillSilentChannels(const Graph& graph, const ChannelGroup& group, const CalibrationTable& statistics,
                        std::vector<double>& magnitudes) {
  if (std::find(magnitudes.begin(), magnitudes.end(), 0.0) == magnitudes.end()) return;
  std::vector<double> reach(magnitudes.size(), 0.0);
  for (const NodeId producer : group.producers) {
    const auto of_producer = ChannelReach(graph, producer, statistics);
    for (size_t c = 0; c < reach.size(); ++c) {
      reach[c] += of_producer ? (*of_producer)[c] : std::numeric_limits<double>::infinity();
    }
  }
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  for (size_t c = 0; c < magnitudes.size(); ++c) {
    if (magnitudes[c] == 0) magnitudes[c] = std::min(reach[c], largest);
  }
}

// The largest magnitude of each channel over the group's members; nothing where a member was not observed.
std::optional<std::vector<double>> ChannelMagnitudes(const Graph& graph, const ChannelGroup& group,
                                                     const CalibrationTable& statistics) {
  std::vector<double> magnitudes(static_cast<size_t>(group.channels), 0.0);
  for (const ValueId member : group.members) {
    const auto found = statistics.tensors.find(graph.value(member).name);
    if (found == statistics.tensors.end()) return std::nullopt;
    const std::vector<double> of_member = Magnitudes(found->second.channels);
    if (of_member.size() != magnitudes.size()) return std::nullopt;
    for (size_t c = 0; c < magnitudes.size(); ++c) magnitudes[c] = std::max(magnitudes[c], of_member[c]);
  }
  FillSilentChannels(graph, group, statistics, magnitudes);
  return magnitudes;
}

void Apply(Graph& graph, const ChannelGroup& group, const std::vector<double>& factors) {
  for (const NodeId producer : group.producers) {
    ScaleOutputChannels(graph, producer, *FindProduct(graph, graph.node(producer)), factors);
  }
  for (const NodeId consumer : group.consumers) {
    ScaleInputChannels(graph, consumer, *FindProduct(graph, graph.node(consumer)), Inverse(factors));
  }
}

bool AllOne(const std::vector<double>& factors) {
  return std::all_of(factors.begin(), factors.end(), [](double factor) { return factor == 1.0; });
}

// --- one scale for each channel

bool FeedsDepthwiseOnly(const Graph& graph, const ChannelGroup& group) {
  return std::all_of(group.consumers.begin(), group.consumers.end(), [&](NodeId consumer) {
    const auto layout = FindProduct(graph, graph.node(consumer));
    return layout->op == OpType::kConv && layout->depthwise();
  });
}

std::vector<double> StretchFactors(const std::vector<double>& magnitudes) {
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> factors(magnitudes.size(), 1.0);
  for (size_t c = 0; c < magnitudes.size() && largest > 0; ++c) {
    factors[c] = std::max(1.0, largest / std::max(magnitudes[c] * kStretchMargin, largest / kMaxStretch));
  }
  return factors;
}

// What the activation gains its readers' weights lose, whose scale is that of an output channel: each gets half of the
// room in decibels.
std::vector<double> SharedStretchFactors(const std::vector<double>& magnitudes) {
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> factors(magnitudes.size(), 1.0);
  for (size_t c = 0; c < magnitudes.size() && largest > 0; ++c) {
    if (magnitudes[c] > 0) factors[c] = std::sqrt(std::min(largest / magnitudes[c], kMaxStretch));
  }
  return factors;
}

std::vector<double> FactorsForChannelScales(const Graph& graph, const ChannelGroup& group,
                                            const std::vector<double>& magnitudes) {
  return FeedsDepthwiseOnly(graph, group) ? StretchFactors(magnitudes) : SharedStretchFactors(magnitudes);
}

// --- one scale for a layer

// The largest weight of each channel, as a share of the largest of the layer.
std::vector<double> WeightShares(const Graph& graph, NodeId node, bool of_outputs) {
  const auto layout = FindProduct(graph, graph.node(node));
  const auto weights = FloatConstant(graph, graph.node(node).inputs[1]);
  std::vector<double> shares(static_cast<size_t>(of_outputs ? layout->output_channels : layout->input_channels), 0.0);
  double largest = 0;
  layout->ForEach([&](int64_t position, int64_t output, int64_t input) {
    const double magnitude = std::abs(static_cast<double>(weights[static_cast<size_t>(position)]));
    double& channel = shares[static_cast<size_t>(of_outputs ? output : input)];
    channel = std::max(channel, magnitude);
    largest = std::max(largest, magnitude);
  });
  for (double& share : shares) share = largest > 0 ? share / largest : 0.0;
  return shares;
}

std::vector<double> LargestShares(const Graph& graph, const std::vector<NodeId>& nodes, bool of_outputs,
                                  size_t channels) {
  std::vector<double> largest(channels, kSmallestShare);
  for (const NodeId node : nodes) {
    const std::vector<double> shares = WeightShares(graph, node, of_outputs);
    for (size_t c = 0; c < channels; ++c) largest[c] = std::max(largest[c], shares[c]);
  }
  return largest;
}

std::vector<double> BalanceFactors(const Graph& graph, const ChannelGroup& group,
                                   const std::vector<double>& magnitudes) {
  const std::vector<double> made = LargestShares(graph, group.producers, true, magnitudes.size());
  const std::vector<double> read = LargestShares(graph, group.consumers, false, magnitudes.size());
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> factors;
  for (size_t c = 0; c < magnitudes.size(); ++c) {
    const double margin = group.bounded ? kBalanceMargin : 1.0;
    const double room = magnitudes[c] > 0 ? largest / (magnitudes[c] * margin) : 1 / kSmallestShare;
    double factor = std::min(std::sqrt(read[c] / made[c]), std::max(room, 1.0));
    if (group.bounded) factor = std::max(factor, 1.0);
    factors.push_back(factor);
  }
  return factors;
}

// The groups that equalisation is for.
std::vector<ChannelGroup> FindEqualizable(const Graph& graph, bool per_channel) {
  std::vector<ChannelGroup> groups = FindChannelGroups(graph);
  if (per_channel) {
    std::erase_if(groups,
                  [&](const ChannelGroup& group) { return group.bounded && !FeedsDepthwiseOnly(graph, group); });
  }
  return groups;
}

}  // namespace

bool CanEqualize(const Graph& graph, bool per_channel) { return !FindEqualizable(graph, per_channel).empty(); }

absl::StatusOr<int> EqualizeChannels(Graph& graph, const CalibrationTable& statistics, bool per_channel) {
  // All that is read of the statistics is read while the weights still match them.
  const std::vector<ChannelGroup> groups = FindEqualizable(graph, per_channel);
  std::vector<std::optional<std::vector<double>>> magnitudes;
  for (const ChannelGroup& group : groups) magnitudes.push_back(ChannelMagnitudes(graph, group, statistics));
  int changed = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (!magnitudes[g]) continue;
    const std::vector<double> factors = per_channel ? FactorsForChannelScales(graph, groups[g], *magnitudes[g])
                                                    : BalanceFactors(graph, groups[g], *magnitudes[g]);
    if (AllOne(factors)) continue;
    Apply(graph, groups[g], factors);
    ++changed;
  }
  return changed;
}

}  // namespace qlite
