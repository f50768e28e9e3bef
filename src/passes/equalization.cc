#include "passes/equalization.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "passes/channel_groups.h"
#include "passes/graph_edit.h"
#include "passes/product_weights.h"

namespace qlite {
namespace {

// The statistics come of few samples: others may go beyond them by this factor and still not be cut.
static const double kMargin = getenv("Q1M")?atof(getenv("Q1M")):1.5;
static const double kMaxStretch = getenv("Q1S")?atof(getenv("Q1S")):32;
// Weight ranges below this share of their layer's count as this.
constexpr double kSmallestShare = 1e-6;
// Changes that settle after few rounds, since neighbouring groups share layers.
static const int kRounds = getenv("Q1R")?atoi(getenv("Q1R")):3;

std::vector<double> Inverse(const std::vector<double>& factors) {
  std::vector<double> inverse;
  for (const double factor : factors) inverse.push_back(1 / factor);
  return inverse;
}

// The largest magnitude of each channel over the group's members; nothing where a member was not observed.
std::optional<std::vector<double>> ChannelMagnitudes(const Graph& graph, const ChannelGroup& group,
                                                     const CalibrationTable& statistics) {
  std::vector<double> magnitudes(static_cast<size_t>(group.channels), 0.0);
  for (const ValueId member : group.members) {
    const auto found = statistics.tensors.find(graph.value(member).name);
    if (found == statistics.tensors.end()) return std::nullopt;
    const ChannelStatistics& channels = found->second.channels;
    if (channels.min.size() != magnitudes.size()) return std::nullopt;
    for (size_t c = 0; c < magnitudes.size(); ++c) {
      const float magnitude = std::max(std::abs(channels.min[c]), std::abs(channels.max[c]));
      magnitudes[c] = std::max(magnitudes[c], static_cast<double>(magnitude));
    }
  }
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

// --- per channel

std::vector<double> StretchFactors(const std::vector<double>& magnitudes) {
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> factors;
  for (const double magnitude : magnitudes) {
    // A channel that was always 0 says nothing about its range.
    const double factor = magnitude > 0 ? largest / std::max(magnitude * kMargin, largest / kMaxStretch) : 1.0;
    factors.push_back(std::max(factor, 1.0));
  }
  return factors;
}

bool FeedsDepthwiseOnly(const Graph& graph, const ChannelGroup& group) {
  return std::all_of(group.consumers.begin(), group.consumers.end(), [&](NodeId consumer) {
    const auto layout = FindProduct(graph, graph.node(consumer));
    return layout->op == OpType::kConv && layout->depthwise();
  });
}

// --- per layer

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

std::vector<double> LargestShares(const Graph& graph, const std::vector<NodeId>& nodes, bool of_outputs, size_t channels) {
  std::vector<double> largest(channels, kSmallestShare);
  for (const NodeId node : nodes) {
    const std::vector<double> shares = WeightShares(graph, node, of_outputs);
    for (size_t c = 0; c < channels; ++c) largest[c] = std::max(largest[c], shares[c]);
  }
  return largest;
}

std::vector<double> BalanceFactors(const Graph& graph, const ChannelGroup& group, const std::vector<double>& magnitudes) {
  const std::vector<double> made = LargestShares(graph, group.producers, true, magnitudes.size());
  const std::vector<double> read = LargestShares(graph, group.consumers, false, magnitudes.size());
  const double largest = *std::max_element(magnitudes.begin(), magnitudes.end());
  std::vector<double> factors;
  for (size_t c = 0; c < magnitudes.size(); ++c) {
    const double room = magnitudes[c] > 0 ? largest / magnitudes[c] : (group.bounded ? 1.0 : 1 / kSmallestShare);
    double factor = std::min(std::sqrt(read[c] / made[c]), std::max(room, 1.0));
    if (group.bounded) factor = std::max(factor, 1.0);
    factors.push_back(factor);
  }
  return factors;
}

}  // namespace

absl::StatusOr<int> EqualizeChannels(Graph& graph, const CalibrationTable& statistics, bool per_channel) {
  std::vector<ChannelGroup> groups;
  std::vector<std::vector<double>> magnitudes;
  for (ChannelGroup& group : FindChannelGroups(graph)) {
    if (per_channel && !FeedsDepthwiseOnly(graph, group)) continue;
    auto of_group = ChannelMagnitudes(graph, group, statistics);
    if (!of_group) continue;
    groups.push_back(std::move(group));
    magnitudes.push_back(*std::move(of_group));
  }
  std::vector<char> changed(groups.size(), false);
  for (int round = 0; round < (per_channel ? 1 : kRounds); ++round) {
    for (size_t g = 0; g < groups.size(); ++g) {
      const std::vector<double> factors =
          per_channel ? StretchFactors(magnitudes[g]) : BalanceFactors(graph, groups[g], magnitudes[g]);
      if (getenv("Q1D")) {
        auto mm=std::minmax_element(factors.begin(),factors.end());
        fprintf(stderr,"g%zu round %d bounded %d members %zu (%s) prod %zu cons %zu k [%g %g] A %g\n", g, round, groups[g].bounded, groups[g].members.size(), graph.value(groups[g].members[0]).name.c_str(), groups[g].producers.size(), groups[g].consumers.size(), *mm.first,*mm.second,*std::max_element(magnitudes[g].begin(),magnitudes[g].end()));
        auto pr=[&](NodeId n,bool o){auto sh=WeightShares(graph,n,o); std::sort(sh.begin(),sh.end()); fprintf(stderr,"    %s %s shares min %g med %g\n", o?"out":"in", graph.node(n).name.c_str(), sh[0], sh[sh.size()/2]);};
        for(auto n:groups[g].producers) pr(n,true); for(auto n:groups[g].consumers) pr(n,false);
      }
      if (AllOne(factors)) continue;
      Apply(graph, groups[g], factors);
      for (size_t c = 0; c < factors.size(); ++c) magnitudes[g][c] *= factors[c];
      changed[g] = true;
    }
  }
  return static_cast<int>(std::count(changed.begin(), changed.end(), true));
}

}  // namespace qlite
