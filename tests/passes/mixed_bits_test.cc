#include "passes/mixed_bits.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/dequantize.h"
#include "core/quant_runs.h"
#include "passes/graph_maker.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

using namespace testing;
using Catch::Contains;

Tensor Normal(const std::vector<int64_t>& dims, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(static_cast<size_t>(*ElementCount(dims)));
  for (float& value : values) value = normal(random);
  return Tensor::Of<float>(dims, std::move(values));
}

// The largest mean error of what shares a step, in steps.
double MeanError(const Tensor& weights, const RoundedWeight& rounded) {
  const auto decoded = Dequantize(rounded.integers, rounded.params);
  const QuantRuns runs(weights.dims(), rounded.params.axis, 0);
  std::vector<double> sums(rounded.params.scales.size()), counts(sums.size());
  runs.ForEach(0, runs.params(), [&](const QuantRun& run) {
    for (int64_t i = 0; i < run.count; ++i) {
      const auto at = static_cast<size_t>(run.begin + i);
      const auto c = static_cast<size_t>(run.param + (run.shared ? 0 : i));
      sums[c] += static_cast<double>(weights.data<float>()[at]) - static_cast<double>(decoded->data<float>()[at]);
      counts[c] += 1;
    }
  });
  double largest = 0;
  for (size_t c = 0; c < sums.size(); ++c) {
    largest = std::max(largest, std::abs(sums[c]) / counts[c] / static_cast<double>(rounded.params.scales[c]));
  }
  return largest;
}

TEST_CASE("the step gives the error that is asked for, in as many bits as that takes") {
  const Context context = TestContext();
  const int64_t axis = GENERATE(-1, 0, 1);
  const bool per_channel = GENERATE(false, true), correct = GENERATE(false, true);
  int before = 17;
  for (const double target : {0.001, 0.01, 0.02, 0.1, 0.3}) {
    for (const float spread : {1e-3f, 1.0f, 300.0f}) {
      const Tensor weights = Normal({24, 30, 3}, spread, 3);
      const auto rounded = RoundToError(context.executor(), weights, axis, {target, per_channel, correct});
      REQUIRE(rounded.ok());
      CHECK(ChannelError(weights, rounded->integers, rounded->params, axis) == Approx(target).epsilon(0.02));
      CHECK(rounded->params.Validate().ok());
      CHECK(rounded->params.scheme == QuantScheme::kSymmetric);
      CHECK(rounded->integers.type() == (rounded->params.bits <= 8 ? ElementType::kInt8 : ElementType::kInt16));
      CHECK(rounded->params.per_axis() == (per_channel && axis >= 0));
      const auto steps = static_cast<int64_t>(rounded->params.scales.size());
      CHECK(rounded->params.corrected() == (correct && weights.element_count() < 64 * steps));
      if (correct) CHECK(MeanError(weights, *rounded) < 0.51 / 72);
      CHECK(rounded->params.bits <= before);
      if (spread == 300.0f) before = rounded->params.bits;
    }
  }
}

TEST_CASE("channels of unlike norms get steps of their own, and no wider integers than alike ones") {
  const Context context = TestContext();
  const Tensor alike = Normal({8, 50}, 1, 5);
  std::vector<float> scaled(alike.data<float>().begin(), alike.data<float>().end());
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] *= std::ldexp(1.0f, 4 * static_cast<int>(i / 50) - 16);
  const Tensor unlike = Tensor::Of<float>({8, 50}, std::move(scaled));
  const auto expected = RoundToError(context.executor(), alike, 0, {0.02, true, false});
  const auto found = RoundToError(context.executor(), unlike, 0, {0.02, true, false});
  REQUIRE(found.ok());
  CHECK(found->integers == expected->integers);
  CHECK(found->params.bits == expected->params.bits);
  const auto one_step = RoundToError(context.executor(), unlike, 0, {0.02, false, false});
  CHECK((!one_step.ok() || one_step->params.bits > expected->params.bits));
}

TEST_CASE("a channel's error counts by its own norm") {
  // Channel 0 is rounded exactly, channel 1 has half its norm as error, channel 2 is too small to count.
  const Tensor weights = Tensor::Of<float>({3, 2}, {2, 2, 1.5f, 0, 1e-6f, 0});
  const Tensor integers = Tensor::Of<int8_t>({3, 2}, {2, 2, 1, 0, 0, 0});
  const QuantParams params = QuantParams::PerTensor(1, 0, 8);
  CHECK(ChannelError(weights, integers, params, 0) == Approx((0 + 1.0 / 3) / 2));
  CHECK(ChannelError(weights, integers, params, -1) == Approx(std::sqrt(0.25 / (8 + 2.25))));
}

TEST_CASE("weights of 0, single weights and weights that are not finite") {
  const Context context = TestContext();
  const auto zero = RoundToError(context.executor(), Tensor::Of<float>({2, 2}, {0, 0, 0, 0}), 0, {});
  REQUIRE(zero.ok());
  CHECK(zero->params.bits == 2);
  const auto one = RoundToError(context.executor(), Tensor::Of<float>({1, 1}, {3.7f}), 0, {});
  CHECK((one.ok() || one.status().code() == absl::StatusCode::kOutOfRange));
  const float bad = GENERATE(std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN());
  const auto refused = RoundToError(context.executor(), Tensor::Of<float>({1, 2}, {1, bad}), 0, {});
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
}

Graph& MakeNetwork(GraphMaker& maker) {
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId a = maker.Conv(x, 4, 24, 3, 1, true, "a", FusedClamp{0, 6});
  const ValueId b = maker.Conv(a, 24, 32, 3, 1, true, "b", FusedClamp{0, 6});
  const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {maker.Node(OpType::kGlobalAveragePool, {b})});
  return maker.Finish({maker.Node(OpType::kMatMul, {flat, maker.RandomConstant({32, 20}, -1, 1, "m")})});
}

TEST_CASE("mixed bits of a network: a larger error takes fewer bits") {
  GraphMaker maker{4};
  const Graph& graph = MakeNetwork(maker);
  const std::vector<float> expected = RunGraph(graph);
  double before = 1000;
  for (const double error : {0.005, 0.02, 0.2}) {
    const auto result = WeightQuantize(TestContext(), graph, {.bits = 0, .mixed_error = error});
    REQUIRE(result.ok());
    REQUIRE(result->weights.size() == 3);
    for (const WeightOutcome& weight : result->weights) {
      CHECK(weight.reason.empty());
      CHECK(weight.parameters == (weight.elements == 32 * 20 ? 20 : weight.elements == 24 * 32 * 9 ? 32 : 24));
      CHECK(weight.error == Approx(error).epsilon(0.2));
    }
    const double ratio = SignalToNoise(expected, RunGraph(result->graph));
    CHECK(ratio < before);
    before = ratio;
  }
}

TEST_CASE("the search finds the largest error that keeps to the cosine") {
  GraphMaker maker{4};
  const Graph& graph = MakeNetwork(maker);
  const RandomDataSet data(6);
  const DataSet* const samples = GENERATE(false, true) ? &data : nullptr;
  double before = 0;
  for (const double target : {0.9999, 0.99}) {
    WeightQuantizerOptions options;
    options.bits = 0, options.auto_tune = true, options.cosine_target = target;
    const auto result = WeightQuantize(TestContext(), graph, options, samples);
    INFO(result.status());
    REQUIRE(result.ok());
    CHECK(result->weights[0].error > before);
    before = result->weights[0].error;
    CHECK_THAT(result->steps.back(), Contains("cosine"));
    const auto again = WeightQuantize(TestContext(3), graph, options, samples);
    CHECK(RunGraph(again->graph) == RunGraph(result->graph));
  }
}

TEST_CASE("weights that matter less to the outputs get larger errors") {
  GraphMaker maker{4};
  const ValueId x = maker.Input({1, 20});
  const ValueId loud = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({20, 30}, -1, 1, "loud")});
  const ValueId quiet = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({20, 30}, -0.01f, 0.01f, "quiet")});
  const Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {loud, quiet})});
  WeightQuantizerOptions options;
  options.bits = 0, options.auto_tune = true, options.cosine_target = 0.9999;
  const auto result = WeightQuantize(TestContext(), graph, options);
  REQUIRE(result.ok());
  REQUIRE(result->weights.size() == 2);
  CHECK(result->weights[1].error > 20 * result->weights[0].error);
  CHECK(result->weights[1].bits < result->weights[0].bits);
}

TEST_CASE("a cosine out of reach is an error that says how near it came") {
  GraphMaker maker{4};
  WeightQuantizerOptions options;
  options.bits = 0, options.auto_tune = true, options.cosine_target = 0.9999999999, options.max_iterations = 3;
  const absl::Status status = WeightQuantize(TestContext(), MakeNetwork(maker), options).status();
  CHECK(status.code() == absl::StatusCode::kOutOfRange);
  CHECK_THAT(std::string(status.message()), Contains("nearest"));
}

}  // namespace
}  // namespace qlite
