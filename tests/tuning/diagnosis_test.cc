// Each cause of loss, in a network that has exactly this defect, and in one that has not.
#include "qlite/diagnosis.h"

#include <algorithm>

#include "qlite/quantizer.h"
#include "qlite/report.h"
#include "qlite/weight_quantizer.h"
#include "tuning/tuning_test_util.h"

namespace qlite {
namespace {

using testing::GraphMaker;
using testing::RandomSamples;
using testing::ScaleChannel;
using testing::TestContext;

constexpr int64_t kSamples = 8;

struct Settings {
  bool per_channel = true;
  bool equalization = false;
  std::function<void(Graph&)> damage;  // of the quantized network
};

std::vector<Finding> FindingsWith(const Graph& graph, const DataSet& calibration, const DataSet& data,
                                  const Settings& settings) {
  QuantizerOptions options;
  options.per_channel = settings.per_channel;
  options.equalization = settings.equalization;
  options.bias_correction = false;
  options.check_inputs = false;
  options.keep_float_graph = true;
  absl::StatusOr<QuantizationResult> result = Quantizer(TestContext(), options).FullQuantize(graph, calibration);
  INFO(result.status().ToString());
  REQUIRE(result.ok());
  if (settings.damage) settings.damage(result->graph);
  const absl::StatusOr<Report> report = MakeReport(TestContext(), result->float_graph, result->graph, data, {});
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  return report->findings;
}

std::vector<Finding> FindingsOf(const Graph& graph, const Settings& settings = {}) {
  const auto data = RandomSamples(graph, kSamples);
  return FindingsWith(graph, *data, *data, settings);
}

const Finding* Find(const std::vector<Finding>& findings, LossCause cause, std::string_view node = "") {
  for (const Finding& finding : findings) {
    if (finding.cause == cause && (node.empty() || finding.node == node)) return &finding;
  }
  return nullptr;
}

double NumberOf(const Finding& finding, std::string_view name) {
  for (const auto& [key, number] : finding.numbers) {
    if (key == name) return number;
  }
  FAIL("no number " << name);
  return 0;
}

// Two convolutions; `change` edits the weights of the first.
Graph TwoConvolutions(const std::function<Tensor(const Tensor&)>& change = nullptr, int64_t group = 1) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 8, 6, 6});
  const ValueId y = maker.Conv(x, 8, 8, 3, group, true, "first");
  const ValueId z = maker.Conv(y, 8, 4, 1, 1, true, "second");
  Graph graph = maker.Finish({z});
  if (change) {
    Value& weights = graph.mutable_value(*graph.FindValue("first_w"));
    weights.constant = change(*weights.constant);
  }
  return graph;
}

TEST_CASE("a healthy network has no findings") {
  for (const Finding& finding : FindingsOf(TwoConvolutions())) {
    FAIL_CHECK(LossCauseName(finding.cause) << " at " << finding.node << ": " << finding.evidence);
  }
}

TEST_CASE("an outlier channel of activations") {
  const Graph graph = TwoConvolutions([](const Tensor& w) { return ScaleChannel(w, 2, 40); });
  const std::vector<Finding> findings = FindingsOf(graph);
  const Finding* found = Find(findings, LossCause::kOutlierChannel, "first");
  REQUIRE(found != nullptr);
  CHECK(NumberOf(*found, "channel") == 2);
  CHECK(NumberOf(*found, "ratio") > 10);
  CHECK(found->remedy == Remedy::kEqualize);
  CHECK(found->gain_db > 20);
  CHECK(found->op == "Conv");
  // The remedy is one.
  Settings equalized;
  equalized.equalization = true;
  const std::vector<Finding> after = FindingsOf(graph, equalized);
  const Finding* left = Find(after, LossCause::kOutlierChannel, "first");
  CHECK((left == nullptr || NumberOf(*left, "ratio") < NumberOf(*found, "ratio") / 2));
}

TEST_CASE("an outlier channel of weights that share a scale, and dead channels beside it") {
  const Graph graph = TwoConvolutions([](const Tensor& w) { return ScaleChannel(w, 5, 1000); });
  Settings per_layer;
  per_layer.per_channel = false;
  const std::vector<Finding> findings = FindingsOf(graph, per_layer);
  const auto found = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.cause == LossCause::kOutlierChannel && finding.tensor == "first_w";
  });
  REQUIRE(found != findings.end());
  CHECK(NumberOf(*found, "channel") == 5);
  CHECK(found->remedy == Remedy::kPerChannel);
  const Finding* dead = Find(findings, LossCause::kDeadChannel, "first");
  REQUIRE(dead != nullptr);
  CHECK(NumberOf(*dead, "channels") == 7);
  CHECK(dead->remedy == Remedy::kPerChannel);

  Settings per_channel;
  const std::vector<Finding> without = FindingsOf(graph, per_channel);
  CHECK(std::none_of(without.begin(), without.end(), [](const Finding& f) { return f.tensor == "first_w"; }));
}

TEST_CASE("weights of a depthwise convolution that spread over one scale") {
  const auto spread = [](const Tensor& w) {
    Tensor changed = w;
    for (int64_t c = 0; c < 8; ++c) changed = ScaleChannel(changed, c, static_cast<float>(1 << c));
    return changed;
  };
  Settings per_layer;
  per_layer.per_channel = false;
  const std::vector<Finding> findings = FindingsOf(TwoConvolutions(spread, 8), per_layer);
  const Finding* found = Find(findings, LossCause::kDepthwiseSpread, "first");
  REQUIRE(found != nullptr);
  CHECK(found->remedy == Remedy::kPerChannel);
  CHECK(NumberOf(*found, "ratio") > 32);
  CHECK(Find(FindingsOf(TwoConvolutions(nullptr, 8), per_layer), LossCause::kDepthwiseSpread) == nullptr);
  CHECK(Find(FindingsOf(TwoConvolutions(spread, 8)), LossCause::kDepthwiseSpread) == nullptr);
}

TEST_CASE("a range that cuts values off") {
  const Graph graph = TwoConvolutions();
  const auto small = RandomSamples(graph, kSamples, 7, [](int64_t) { return 0.2f; }),
             data = RandomSamples(graph, kSamples);
  const std::vector<Finding> findings = FindingsWith(graph, *small, *data, {});
  const Finding* found = Find(findings, LossCause::kRangeClipped);
  REQUIRE(found != nullptr);
  CHECK(found->remedy == Remedy::kFullRange);
  CHECK(NumberOf(*found, "clip") > 0.1);
  CHECK(found->gain_db > 10);
  CHECK(Find(FindingsWith(graph, *data, *data, {}), LossCause::kRangeClipped) == nullptr);
}

TEST_CASE("weights of one sign under a symmetric range") {
  const auto positive = [](const Tensor& w) {
    std::vector<float> values(w.data<float>().begin(), w.data<float>().end());
    for (float& x : values) x = std::abs(x) + 0.1f;
    return Tensor::Of<float>(w.dims(), std::move(values));
  };
  WeightQuantizerOptions options;
  options.bits = 4;
  options.bias_correction = false;
  for (const bool defect : {true, false}) {
    const Graph graph = TwoConvolutions(defect ? std::function<Tensor(const Tensor&)>(positive) : nullptr);
    options.scheme = QuantScheme::kSymmetric;
    const auto quantized = WeightQuantize(TestContext(), graph, options);
    REQUIRE(quantized.ok());
    const auto report = MakeReport(TestContext(), graph, quantized->graph, *RandomSamples(graph, 4), {});
    REQUIRE(report.ok());
    const Finding* found = Find(report->findings, LossCause::kOneSidedSymmetric);
    REQUIRE((found != nullptr) == defect);
    if (!defect) continue;
    CHECK((found->tensor == "first_w" && found->remedy == Remedy::kAsymmetric));
    CHECK(found->gain_db == Approx(6).margin(0.7));
    options.scheme = QuantScheme::kAsymmetric;
    const auto asymmetric = WeightQuantize(TestContext(), graph, options);
    REQUIRE(asymmetric.ok());
    const auto better = MakeReport(TestContext(), graph, asymmetric->graph, *RandomSamples(graph, 4), {});
    CHECK(Find(better->findings, LossCause::kOneSidedSymmetric) == nullptr);
  }
}

// Two convolutions side by side, the second's weights times `factor`, joined by `op`.
Graph Joined(OpType op, float factor) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 8, 6, 6});
  const ValueId a = maker.Conv(x, 8, 8, 3, 1, false, "a"), b = maker.Conv(x, 8, 8, 3, 1, false, "b");
  OpAttrs attrs = DefaultAttrs(op);
  if (op == OpType::kConcat) attrs = AxisAttrs{.axis = 1};
  const ValueId sum = maker.Node(op, attrs, {a, b}, "join");
  const ValueId y = maker.Conv(sum, op == OpType::kConcat ? 16 : 8, 4, 1, 1, false, "last");
  Graph graph = maker.Finish({y});
  Value& weights = graph.mutable_value(*graph.FindValue("b_w"));
  for (int64_t c = 0; c < 8; ++c) weights.constant = ScaleChannel(*weights.constant, c, factor);
  return graph;
}

TEST_CASE("inputs of Add and Concat of different ranges") {
  for (const OpType op : {OpType::kAdd, OpType::kConcat}) {
    INFO(OpName(op));
    const std::vector<Finding> findings = FindingsOf(Joined(op, 0.02f));
    const Finding* found = Find(findings, LossCause::kMismatchedInputs, "join");
    REQUIRE(found != nullptr);
    CHECK(NumberOf(*found, "input") == 1);
    CHECK(NumberOf(*found, "ratio") == Approx(50).margin(15));
    CHECK(found->tensor == "b_out");
    CHECK(Find(FindingsOf(Joined(op, 1)), LossCause::kMismatchedInputs) == nullptr);
  }
}

// A product of 4096 weights a channel of magnitude `size`, with a bias of 1.
Graph LargeBias(float size) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4096});
  const ValueId w = maker.RandomConstant({4096, 2}, -size, size, "w");
  const ValueId y = maker.Node(OpType::kGemm, {x, w, maker.Floats({2}, {1, 0.5f}, "b")}, "product");
  return maker.Finish({y});
}

TEST_CASE("a bias that is too large for its weights") {
  const std::vector<Finding> findings = FindingsOf(LargeBias(6e-6f));
  const Finding* found = Find(findings, LossCause::kBiasOverflow, "product");
  REQUIRE(found != nullptr);
  CHECK(NumberOf(*found, "channel") == 0);
  CHECK(NumberOf(*found, "growth") == Approx(2.7).margin(0.5));
  CHECK(found->gain_db > 6);
  CHECK(Find(FindingsOf(LargeBias(0.1f)), LossCause::kBiasOverflow) == nullptr);
  // Weights that are nothing beside their bias lose nothing.
  CHECK(Find(FindingsOf(LargeBias(1e-9f)), LossCause::kBiasOverflow) == nullptr);
}

TEST_CASE("results that saturate") {
  Settings shifted;
  shifted.damage = [](Graph& graph) {
    const Node& node = graph.node(*graph.FindNode("first"));
    Value& bias = graph.mutable_value(node.inputs[2]);
    std::vector<int32_t> values(bias.constant->data<int32_t>().begin(), bias.constant->data<int32_t>().end());
    for (int32_t& value : values) value += 1 << 21;
    bias.constant = Tensor::Of<int32_t>(bias.constant->dims(), std::move(values));
  };
  const std::vector<Finding> findings = FindingsOf(TwoConvolutions(), shifted);
  const Finding* found = Find(findings, LossCause::kSaturation, "first");
  REQUIRE(found != nullptr);
  CHECK(NumberOf(*found, "share") > 0.05);
  CHECK(Find(FindingsOf(TwoConvolutions()), LossCause::kSaturation) == nullptr);
}

TEST_CASE("one sample unlike the others") {
  const Graph graph = TwoConvolutions();
  const auto odd = RandomSamples(graph, kSamples, 7, [](int64_t sample) { return sample == 5 ? 20.0f : 1.0f; });
  const std::vector<Finding> findings = FindingsWith(graph, *odd, *odd, {});
  const Finding* found = Find(findings, LossCause::kUnlikeSamples);
  REQUIRE(found != nullptr);
  CHECK(NumberOf(*found, "sample") == 5);
  CHECK(found->op == "Input");
  // Named once, not in every layer behind.
  CHECK(std::count_if(findings.begin(), findings.end(),
                      [](const Finding& f) { return f.cause == LossCause::kUnlikeSamples; }) == 1);
  const auto alike = RandomSamples(graph, kSamples);
  CHECK(Find(FindingsWith(graph, *alike, *alike, {}), LossCause::kUnlikeSamples) == nullptr);
}

TEST_CASE("findings come largest gain first and name what is to be done") {
  const Graph graph = TwoConvolutions([](const Tensor& w) { return ScaleChannel(w, 2, 40); });
  Settings per_layer;
  per_layer.per_channel = false;
  const std::vector<Finding> findings = FindingsOf(graph, per_layer);
  REQUIRE(findings.size() >= 2);
  for (size_t i = 0; i < findings.size(); ++i) {
    CHECK((i == 0 || findings[i - 1].gain_db >= findings[i].gain_db));
    CHECK_FALSE(findings[i].evidence.empty());
    CHECK_FALSE(RemedyText(findings[i].remedy).empty());
    CHECK_FALSE(LossCauseName(findings[i].cause).empty());
  }
}

}  // namespace
}  // namespace qlite
