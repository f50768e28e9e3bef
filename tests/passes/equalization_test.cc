#include "passes/equalization.h"

#include "passes/channel_groups.h"
#include "passes/graph_edit.h"
#include "passes/graph_maker.h"
#include "passes/product_weights.h"
#include "qlite/calibrator.h"

namespace qlite {
namespace {

using namespace testing;

CalibrationTable Calibrate(const Graph& graph) {
  CalibratorOptions options;
  options.check_inputs = false;
  auto table = Calibrator(TestContext(), graph, options).Run(RandomDataSet(4));
  INFO(table.status());
  REQUIRE(table.ok());
  return *std::move(table);
}

// Scales the output channels of a node by very different factors, as folded normalisations do.
void Disturb(Graph& graph, std::string_view name) {
  const NodeId id = *graph.FindNode(name);
  const auto layout = *FindProduct(graph, graph.node(id));
  std::vector<double> factors;
  for (int64_t c = 0; c < layout.output_channels; ++c) factors.push_back(std::pow(10.0, c % 4 - 2));
  ScaleOutputChannels(graph, id, layout, factors);
}

// The largest over the smallest range of a layer's output channels.
double Spread(const Graph& graph, std::string_view name) {
  const Node& node = graph.node(*graph.FindNode(name));
  const auto layout = *FindProduct(graph, node);
  const auto weights = FloatConstant(graph, node.inputs[1]);
  std::vector<double> largest(static_cast<size_t>(layout.output_channels), 0.0);
  layout.ForEach([&](int64_t at, int64_t output, int64_t) {
    double& channel = largest[static_cast<size_t>(output)];
    channel = std::max(channel, std::abs(static_cast<double>(weights[static_cast<size_t>(at)])));
  });
  return *std::max_element(largest.begin(), largest.end()) / *std::min_element(largest.begin(), largest.end());
}

constexpr FusedClamp kRelu{0.0f, std::numeric_limits<float>::infinity()};

TEST_CASE("A clamp keeps its meaning") {
  GraphMaker maker;
  const FusedClamp clamp = GENERATE(FusedClamp{}, kRelu, FusedClamp{0.0f, 6.0f}, FusedClamp{-1.0f, 1.0f});
  const bool per_channel = GENERATE(false, true);
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a", clamp);
  const ValueId b = maker.Conv(a, 8, 8, 3, 8, true, "b", clamp);
  Graph& graph = maker.Finish({maker.Conv(b, 8, 4, 1, 1, true, "c")});
  Disturb(graph, "a");
  const CalibrationTable table = Calibrate(graph);
  const std::vector<float> before = RunGraph(graph);
  // "b" is read by a product of all channels: with a scale for each of them, only a value without bounds is stretched.
  const bool bounded = clamp.max == 6.0f || clamp.max == 1.0f;
  REQUIRE(*EqualizeChannels(graph, table, per_channel) == (per_channel && bounded ? 1 : 2));
  RequireClose(before, RunGraph(graph));
  if (!per_channel) return;
  // Small channels use more of the activation's range than before.
  const auto smallest = [](const CalibrationTable& of) {
    const ChannelStatistics& channels = of.tensors.find("a_out")->second.channels;
    return *std::min_element(channels.max.begin(), channels.max.end());
  };
  REQUIRE(smallest(Calibrate(graph)) >= smallest(table));
}

TEST_CASE("A channel that is dead for good makes room for the others") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 4, 4});
  ConvAttrs relu6;
  relu6.clamp = {0.0f, 6.0f};
  const ValueId a =
      maker.Node(OpType::kConv, relu6,
                 {x, maker.Floats({2, 2, 1, 1}, {1, 1, 1e-20f, 1e-20f}), maker.Floats({2}, {1.0f, -0.1f})}, "a");
  ConvAttrs depthwise;
  depthwise.group = 2;
  const ValueId b = maker.Node(OpType::kConv, depthwise, {a, maker.Floats({2, 1, 1, 1}, {0.5f, 1000})}, "b");
  Graph& graph = maker.Finish({maker.Conv(b, 2, 2, 1, 1, true, "c")});
  const std::vector<float> before = RunGraph(graph);
  REQUIRE(*EqualizeChannels(graph, Calibrate(graph), false) > 0);
  RequireClose(before, RunGraph(graph));
  const auto weights = FloatConstant(graph, graph.node(*graph.FindNode("b")).inputs[1]);
  REQUIRE(std::abs(weights[1]) < 10 * std::abs(weights[0]));
}

TEST_CASE("With a scale a channel, the ranges of an unbounded value come together by their square root") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a", kRelu);
  Graph& graph = maker.Finish({maker.Conv(a, 8, 4, 1, 1, true, "b")});
  Disturb(graph, "a");
  const CalibrationTable table = Calibrate(graph);
  const std::vector<float> before = RunGraph(graph);
  REQUIRE(*EqualizeChannels(graph, table, true) == 1);
  RequireClose(before, RunGraph(graph));
  const CalibrationTable after = Calibrate(graph);
  const std::vector<float>& was = table.tensors.find("a_out")->second.channels.max;
  const std::vector<float>& is = after.tensors.find("a_out")->second.channels.max;
  const float largest = *std::max_element(was.begin(), was.end());
  for (size_t c = 0; c < was.size(); ++c) {
    if (was[c] > largest / 32) CHECK(is[c] == Approx(std::sqrt(was[c] * largest)).epsilon(1e-3));
    CHECK(is[c] <= Approx(largest));
  }
}

TEST_CASE("With one scale a layer, channels are balanced between layers") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a", kRelu);
  const ValueId b = maker.Conv(a, 8, 8, 3, 8, true, "b", kRelu);
  const ValueId c = maker.Conv(b, 8, 8, 1, 1, true, "c");
  const ValueId d = maker.Conv(maker.Node(OpType::kAdd, {c, a}), 8, 4, 1, 1, true, "d");
  const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {maker.Node(OpType::kGlobalAveragePool, {d})});
  GemmAttrs attrs;
  Graph& graph = maker.Finish({maker.Node(OpType::kGemm, attrs, {flat, maker.RandomConstant({4, 5})})});
  Disturb(graph, "b");
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph);
  REQUIRE(groups.size() == 3);  // {a, c, sum}, {b}, {d, its mean, flattened}
  REQUIRE(groups[0].producers.size() == 2);
  REQUIRE(groups[0].consumers.size() == 2);
  const std::vector<float> before = RunGraph(graph);
  const double spread = Spread(graph, "b");
  REQUIRE(*EqualizeChannels(graph, Calibrate(graph), false) == 3);
  RequireClose(before, RunGraph(graph));
  REQUIRE(Spread(graph, "b") < spread / 5);
}

TEST_CASE("Values that reach the border of the graph or an operator that mixes channels are left alone") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a");
  const ValueId soft = maker.Node(OpType::kSoftmax, AxisAttrs{1}, {a});
  const ValueId b = maker.Conv(a, 8, 8, 3, 8, true, "b");
  Graph& graph = maker.Finish({maker.Conv(b, 8, 4, 1, 1, true, "c"), b, soft});
  REQUIRE(FindChannelGroups(graph).empty());
}

TEST_CASE("Weights that two layers share are copied before they are scaled") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId weights = maker.RandomConstant({4, 4, 1, 1});
  const ValueId shared = maker.Node(OpType::kConv, ConvAttrs{}, {x, weights}, "shared");
  const ValueId a = maker.Node(OpType::kConv, ConvAttrs{}, {shared, weights}, "again");
  Graph& graph = maker.Finish({maker.Conv(a, 4, 4, 3, 4)});
  const std::vector<float> before = RunGraph(graph);
  REQUIRE(*EqualizeChannels(graph, Calibrate(graph), false) > 0);
  RequireClose(before, RunGraph(graph));
}

}  // namespace
}  // namespace qlite
