#include "qlite/weight_quantizer.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/dequantize.h"
#include "core/quant_runs.h"
#include "passes/graph_maker.h"
#include "passes/weight_rounding.h"

namespace qlite {
namespace {

using namespace testing;
using Catch::Contains;

QuantizationResult Quantize(const Graph& graph, const WeightQuantizerOptions& options = {}, int threads = 1) {
  auto result = WeightQuantize(TestContext(threads), graph, options);
  INFO(result.status());
  REQUIRE(result.ok());
  REQUIRE(result->graph.Validate().ok());
  return *std::move(result);
}

absl::Status Refusal(const Graph& graph, const WeightQuantizerOptions& options) {
  return WeightQuantize(TestContext(), graph, options).status();
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

const WeightOutcome& Outcome(const QuantizationResult& result, const std::string& name) {
  for (const WeightOutcome& weight : result.weights) {
    if (weight.name == name) return weight;
  }
  FAIL("no weight " << name);
  return result.weights[0];
}

const Value& Named(const Graph& graph, const std::string& name) {
  const auto id = graph.FindValue(name);
  INFO(name);
  REQUIRE(id);
  return graph.value(*id);
}

TEST_CASE("A graph that is moved in gives up the weights that are replaced, with weights alone quantized too") {
  std::weak_ptr<const void> old_weights;
  Graph graph = MakeFoldable(&old_weights);
  std::map<std::string, bool> gone;
  const Context context = WatchingContext(old_weights, &gone);
  REQUIRE(WeightQuantize(context, std::move(graph), {}).ok());
  REQUIRE_FALSE(gone.at("simplify"));
  REQUIRE(gone.at("quantize weights"));
}

// --- one weight

struct RandomWeight {
  Tensor tensor;
  RoundingForm form;
};

RandomWeight DrawWeight(std::mt19937& random, int bits) {
  const auto number = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  std::vector<int64_t> dims(static_cast<size_t>(number(2, 4)));
  for (int64_t& dim : dims) dim = number(1, 9);
  std::vector<float> values(static_cast<size_t>(*ElementCount(dims)));
  const float center = static_cast<float>(number(-2, 2)), spread = std::ldexp(1.0f, static_cast<int>(number(-12, 4)));
  std::normal_distribution<float> normal(center * spread, spread);
  for (float& value : values) value = number(0, 9) == 0 ? 0.0f : normal(random);
  RoundingForm form;
  form.bits = bits;
  form.axis = number(-1, static_cast<int64_t>(dims.size()) - 1);
  if (form.axis >= 0 && number(0, 2) == 0) form.block_size = number(1, 4);
  form.scheme = bits > 1 && number(0, 1) == 1 ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
  return {Tensor::Of<float>(dims, std::move(values)), form};
}

RoundedWeight RoundedOf(const RandomWeight& weight, int threads = 1) {
  const Context context = TestContext(threads);
  auto rounded = RoundWeight(context.executor(), weight.tensor, weight.form);
  REQUIRE(rounded.ok());
  REQUIRE(rounded->params.Validate().ok());
  return *std::move(rounded);
}

// Calls visit(index, pair) for every weight.
template <class Visit>
void ForEachWeight(const RandomWeight& weight, Visit visit) {
  const QuantRuns runs(weight.tensor.dims(), weight.form.axis, weight.form.block_size);
  runs.ForEach(0, runs.params(), [&](const QuantRun& run) {
    for (int64_t i = 0; i < run.count; ++i) {
      visit(static_cast<size_t>(run.begin + i), static_cast<size_t>(run.param + (run.shared ? 0 : i)));
    }
  });
}

TEST_CASE("every width, shape and axis: decoded weights are within half a step") {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    const RandomWeight weight = DrawWeight(random, 1 + round % 16);
    const RoundedWeight rounded = RoundedOf(weight);
    INFO(rounded.params.ToString());
    REQUIRE(rounded.integers.type() == (weight.form.bits <= 8 ? ElementType::kInt8 : ElementType::kInt16));
    const auto decoded = Dequantize(rounded.integers, rounded.params);
    const auto real = decoded->data<float>(), before = weight.tensor.data<float>();
    ForEachWeight(weight, [&](size_t i, size_t pair) {
      const float scale = rounded.params.scales[pair];
      REQUIRE(std::abs(real[i] - before[i]) <= 0.5f * scale * 1.001f + 4e-6f * std::abs(before[i]));
      const int32_t q =
          weight.form.bits <= 8 ? rounded.integers.data<int8_t>()[i] : rounded.integers.data<int16_t>()[i];
      REQUIRE(q >= rounded.params.qmin());
      REQUIRE(q <= rounded.params.qmax());
    });
  }
}

TEST_CASE("correction restores mean and spread of what shares a scale") {
  std::mt19937 random(12);
  for (int round = 0; round < 200; ++round) {
    RandomWeight weight = DrawWeight(random, 2 + round % 7);
    weight.form.correct = true;
    const RoundedWeight rounded = RoundedOf(weight);
    const size_t pairs = rounded.params.scales.size();
    REQUIRE(rounded.params.variance_ratios.size() == pairs);
    REQUIRE(rounded.params.mean_shifts.size() == pairs);
    const auto decoded = Dequantize(rounded.integers, rounded.params);
    struct Sums {
      double count = 0, before = 0, after = 0, before2 = 0, after2 = 0;
    };
    std::vector<Sums> sums(pairs);
    ForEachWeight(weight, [&](size_t i, size_t pair) {
      const double b = weight.tensor.data<float>()[i], a = decoded->data<float>()[i];
      Sums& s = sums[pair];
      s.count += 1, s.before += b, s.after += a, s.before2 += b * b, s.after2 += a * a;
    });
    for (size_t p = 0; p < pairs; ++p) {
      const Sums& s = sums[p];
      const double steps = static_cast<double>(rounded.params.scales[p]) * std::ldexp(1.0, weight.form.bits);
      REQUIRE(s.after / s.count == Approx(s.before / s.count).margin(1e-5 * steps));
      const auto deviation = [&](double sum, double squares) {
        return std::sqrt(std::max(0.0, squares / s.count - sum * sum / s.count / s.count));
      };
      const double before = deviation(s.before, s.before2), after = deviation(s.after, s.after2);
      const bool restored = after == Approx(before).epsilon(1e-3).margin(1e-4 * steps);
      REQUIRE((restored || rounded.params.variance_ratios[p] == 1.0f));
    }
  }
}

TEST_CASE("weights of one value, extreme weights, and none") {
  const Context context = TestContext();
  for (const float value : {0.0f, 1.0f, -3.0f, 1e-42f, 3e38f, -3e38f}) {
    for (const int bits : {1, 2, 8, 16}) {
      for (const bool correct : {false, true}) {
        const Tensor weights = Tensor::Of<float>({2, 3}, std::vector<float>(6, value));
        RoundingForm form;
        form.bits = bits, form.axis = 0, form.correct = correct;
        const auto rounded = RoundWeight(context.executor(), weights, form);
        REQUIRE(rounded.ok());
        REQUIRE(rounded->params.Validate().ok());
        const auto decoded = Dequantize(rounded->integers, rounded->params);
        for (const float real : decoded->data<float>()) CHECK(real == Approx(value).epsilon(1e-5).margin(1e-37));
      }
    }
  }
  RoundingForm form;
  form.axis = 1, form.correct = form.search = true;
  const auto empty = RoundWeight(context.executor(), Tensor::Of<float>({0, 3}, {}), form);
  REQUIRE(empty.ok());
  CHECK(empty->integers.element_count() == 0);
  CHECK(empty->params.scales.size() == 3);
}

TEST_CASE("rounding gives the same bits on any number of threads") {
  std::mt19937 random(13);
  for (int round = 0; round < 40; ++round) {
    RandomWeight weight = DrawWeight(random, 1 + round % 16);
    weight.form.correct = true;
    const RoundedWeight one = RoundedOf(weight), three = RoundedOf(weight, 3);
    CHECK(one.integers == three.integers);
    CHECK(one.params == three.params);
    CHECK(one.error == three.error);
  }
}

TEST_CASE("the searched range never has a larger error, and a smaller one with outliers") {
  std::mt19937 random(14);
  for (int round = 0; round < 60; ++round) {
    RandomWeight weight = DrawWeight(random, 2 + round % 7);
    const double plain = RoundedOf(weight).error;
    weight.form.search = true;
    CHECK(RoundedOf(weight).error <= plain * 1.0000001);
  }
  std::vector<float> values(512);
  std::normal_distribution<float> normal(0, 1);
  for (float& value : values) value = normal(random);
  values[7] = 8;
  RandomWeight weight{Tensor::Of<float>({2, 256}, values), {}};
  weight.form.bits = 3, weight.form.axis = 0;
  const double plain = RoundedOf(weight).error;
  weight.form.search = true;
  CHECK(RoundedOf(weight).error < 0.8 * plain);
}

// --- graphs

struct Network {
  GraphMaker maker{3};
  Graph& Make() {
    const ValueId x = maker.Input({1, 8, 6, 6});
    const ValueId a = maker.Conv(x, 8, 32, 3, 1, true, "a");
    const ValueId b = maker.Conv(a, 32, 32, 3, 32, true, "b");
    const ValueId c = maker.Conv(b, 32, 16, 1, 1, true, "c");
    const ValueId pooled = maker.Node(OpType::kGlobalAveragePool, {c});
    const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {pooled});
    const ValueId wide = maker.Node(OpType::kMatMul, {flat, maker.RandomConstant({16, 64}, -1, 1, "m_w")}, "m");
    GemmAttrs gemm;
    gemm.trans_b = true;
    return maker.Finish({maker.Node(OpType::kGemm, gemm, {wide, maker.RandomConstant({10, 64}, -1, 1, "g_w")}, "g")});
  }
};

TEST_CASE("every weight of a network becomes a constant of integers that is decoded") {
  Network network;
  const Graph& graph = network.Make();
  const std::vector<float> expected = RunGraph(graph);
  double before = 0;
  for (const int bits : {2, 4, 6, 8, 12, 16}) {
    const QuantizationResult result = Quantize(graph, {.bits = bits, .bias_correction = bits < 8});
    INFO(bits << " bits");
    CHECK(CountOps(result.graph, OpType::kDequantize) == 5);
    const Value& weight = Named(result.graph, "a_w");
    CHECK(weight.type == (bits <= 8 ? ElementType::kInt8 : ElementType::kInt16));
    CHECK(weight.quant->axis == 0);
    CHECK(weight.quant->scales.size() == 32);
    CHECK(Named(result.graph, "m_w").quant->axis == 1);
    CHECK(Named(result.graph, "g_w").quant->axis == 0);
    const double ratio = SignalToNoise(expected, RunGraph(result.graph));
    CHECK(ratio > 6.0 * bits - 14);
    CHECK(ratio > before);
    before = ratio;
  }
}

TEST_CASE("a session decodes weights to what they stand for") {
  Network network;
  const QuantizationResult result = Quantize(network.Make(), {.bits = 5});
  Graph decoded = result.graph;
  for (const NodeId id : decoded.TopologicalOrder()) {
    if (decoded.node(id).op != OpType::kDequantize) continue;
    const Value& value = decoded.value(decoded.node(id).inputs[0]);
    const ValueId real = decoded.AddConstant("real", *Dequantize(*value.constant, *value.quant));
    decoded.ReplaceUses(decoded.node(id).outputs[0], real);
  }
  CHECK(RunGraph(decoded) == RunGraph(result.graph));
}

TEST_CASE("the account names every weight and why it stayed float") {
  Network network;
  const Graph& graph = network.Make();
  WeightQuantizerOptions options;
  options.bits = 16;
  options.min_weight_channels = 16;
  options.min_weight_elements = 640;
  options.skip_nodes = {"m"};
  const QuantizationResult result = Quantize(graph, options);
  REQUIRE(result.weights.size() == 5);
  CHECK(Outcome(result, "a_w").reason.empty());
  CHECK(Outcome(result, "a_w").bits == 16);
  CHECK(Outcome(result, "a_w").parameters == 32);
  CHECK(Outcome(result, "a_w").error > 0);
  CHECK(Outcome(result, "a_w").error < 1e-4);
  CHECK_THAT(Outcome(result, "b_w").reason, Contains("288 elements are not more than"));
  CHECK_THAT(Outcome(result, "c_w").reason, Contains("512 elements are not more than"));
  CHECK_THAT(Outcome(result, "m_w").reason, Contains("node 'm'") && Contains("nodes to skip"));
  CHECK_THAT(Outcome(result, "g_w").reason, Contains("640 elements are not more than"));
  CHECK(Outcome(result, "g_w").bits == 32);
  options.min_weight_elements = 639;
  options.min_weight_channels = 15;
  const QuantizationResult less = Quantize(graph, options);
  CHECK(Outcome(less, "g_w").reason.empty());
  options.min_weight_elements = 0;
  const QuantizationResult none = Quantize(graph, options);
  CHECK(Outcome(none, "c_w").reason.empty());
  CHECK_THAT(Outcome(none, "b_w").reason, Contains("saves less than a quarter"));
}

TEST_CASE("channels of convolutions alone are counted, strictly") {
  Network network;
  const QuantizationResult result = Quantize(network.Make(), {.min_weight_channels = 16});
  CHECK_THAT(Outcome(result, "c_w").reason, Contains("16 output channels are not more than"));
  CHECK(Outcome(result, "g_w").reason.empty());
  CHECK(Outcome(result, "a_w").reason.empty());
}

TEST_CASE("a weight of two readers is quantized once; readers that differ take one scale") {
  GraphMaker maker;
  const ValueId x = maker.Input({4, 24}), shared = maker.RandomConstant({24, 24}, -1, 1, "shared");
  const ValueId one = maker.Node(OpType::kMatMul, {x, shared}, "one");
  GemmAttrs gemm;
  const bool differ = GENERATE(false, true);
  gemm.trans_b = differ;
  Graph& graph = maker.Finish({maker.Node(OpType::kGemm, gemm, {one, shared}, "two")});
  const QuantizationResult result = Quantize(graph);
  CHECK(CountOps(result.graph, OpType::kDequantize) == 1);
  REQUIRE(result.weights.size() == 1);
  CHECK(Named(result.graph, "shared").quant->axis == (differ ? -1 : 1));
}

TEST_CASE("axes of the other operators") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 12, 5, 5}), row = maker.Input({1, 12}, "row");
  ConvTransposeAttrs whole, depthwise;
  depthwise.group = 12;
  const ValueId a = maker.Node(OpType::kConvTranspose, whole, {x, maker.RandomConstant({12, 8, 3, 3}, -1, 1, "t")});
  const ValueId b = maker.Node(OpType::kConvTranspose, depthwise, {x, maker.RandomConstant({12, 1, 3, 3}, -1, 1, "d")});
  const ValueId c = maker.Node(OpType::kGather, AxisAttrs{0},
                               {maker.RandomConstant({50, 16}, -1, 1, "table"), maker.Integers({3, 7})});
  const ValueId d = maker.Node(OpType::kMatMul, {maker.RandomConstant({20, 12}, -1, 1, "left"),
                                                 maker.Node(OpType::kTranspose, TransposeAttrs{{1, 0}}, {row})});
  const ValueId e = maker.Node(OpType::kGRU, RecurrentAttrs{16},
                               {maker.Input({4, 1, 9}, "steps"), maker.RandomConstant({1, 48, 9}, -1, 1, "from_input"),
                                maker.RandomConstant({1, 48, 16}, -1, 1, "from_state")});
  const QuantizationResult result = Quantize(maker.Finish({a, b, c, d, e}));
  CHECK(Named(result.graph, "from_input").quant->axis == 1);
  CHECK(Named(result.graph, "from_state").quant->axis == 1);
  CHECK(Named(result.graph, "t").quant->axis == 1);
  CHECK(Named(result.graph, "d").quant->axis == 0);
  CHECK(Named(result.graph, "table").quant->axis == 0);
  CHECK(Named(result.graph, "left").quant->axis == 0);
}

TEST_CASE("blocks lie along what is summed; short weights take a scale for each channel") {
  GraphMaker maker;
  const ValueId x = maker.Input({3, 40});
  const ValueId a = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({40, 24}, -1, 1, "w1")});
  GemmAttrs gemm;
  gemm.trans_b = true;
  const ValueId b = maker.Node(OpType::kGemm, gemm, {a, maker.RandomConstant({50, 24}, -1, 1, "w2")});
  const ValueId c = maker.Node(OpType::kMatMul, {b, maker.RandomConstant({50, 8}, -1, 1, "w3")});
  Graph& graph = maker.Finish({maker.Node(OpType::kMatMul, {c, maker.RandomConstant({8, 30}, -1, 1, "w4")})});
  const std::vector<float> expected = RunGraph(graph);
  const QuantScheme scheme = GENERATE(QuantScheme::kAsymmetric, QuantScheme::kSymmetric);
  double before = 0;
  for (const int bits : {2, 3, 4, 8}) {
    const QuantizationResult result =
        Quantize(graph, {.bits = bits, .scheme = scheme, .block_size = 16, .bias_correction = false});
    CHECK(Named(result.graph, "w1").quant->axis == 0);
    CHECK(Named(result.graph, "w1").quant->block_size == 16);
    CHECK(Named(result.graph, "w1").quant->scales.size() == 3 * 24);
    CHECK(Named(result.graph, "w2").quant->axis == 1);
    CHECK(Named(result.graph, "w2").quant->scales.size() == 50 * 2);
    CHECK(Named(result.graph, "w3").quant->scales.size() == 4 * 8);
    CHECK(Named(result.graph, "w4").quant->block_size == 0);
    CHECK(Named(result.graph, "w4").quant->scales.size() == 30);
    const double ratio = SignalToNoise(expected, RunGraph(result.graph));
    CHECK(ratio > before);
    before = ratio;
  }
  CHECK(before > 36);
}

TEST_CASE("one scale a tensor") {
  Network network;
  const QuantizationResult result = Quantize(network.Make(), {.per_channel = false});
  for (const char* name : {"a_w", "b_w", "c_w", "m_w", "g_w"}) {
    CHECK(Named(result.graph, name).quant->scales.size() == 1);
    CHECK(Named(result.graph, name).quant->mean_shifts.size() == 1);
  }
}

TEST_CASE("the graph is the same for any number of threads") {
  Network network;
  const Graph& graph = network.Make();
  const QuantizationResult one = Quantize(graph, {.bits = 4}), three = Quantize(graph, {.bits = 4}, 3);
  for (const char* name : {"a_w", "b_w", "c_w", "m_w", "g_w"}) {
    CHECK(*Named(one.graph, name).constant == *Named(three.graph, name).constant);
    CHECK(Named(one.graph, name).quant == Named(three.graph, name).quant);
  }
}

TEST_CASE("options out of range are refused by name") {
  Network network;
  const Graph& graph = network.Make();
  const auto refused = [&](const WeightQuantizerOptions& options) {
    const absl::Status status = Refusal(graph, options);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return MessageOf(status);
  };
  CHECK_THAT(refused({.bits = -1}), Contains("bits: expected 1 to 16, or 0 for mixed bits, found -1"));
  CHECK_THAT(refused({.bits = 0, .mixed_error = 1}), Contains("mixed_error"));
  CHECK_THAT(refused({.bits = 0, .cosine_target = 0}), Contains("cosine_target"));
  CHECK_THAT(refused({.bits = 0, .max_iterations = 0}), Contains("max_iterations"));
  CHECK_THAT(refused({.bits = 0, .block_size = 32}), Contains("block_size"));
  CHECK_THAT(refused({.bits = 0, .rounding = WeightRounding::kGptq}), Contains("GPTQ"));
  CHECK_THAT(refused({.bits = 17}), Contains("found 17"));
  CHECK_THAT(refused({.bits = 1, .scheme = QuantScheme::kSymmetric}), Contains("symmetric"));
  CHECK_THAT(refused({.block_size = 8}), Contains("block_size") && Contains("found 8"));
  CHECK_THAT(refused({.block_size = 48}), Contains("power of two"));
  CHECK_THAT(refused({.block_size = 512}), Contains("found 512"));
  CHECK_THAT(refused({.bits = 5, .block_size = 32}), Contains("expected 2, 3, 4 or 8 with blocks"));
  CHECK_THAT(refused({.per_channel = false, .block_size = 32}), Contains("exclude each other"));
  const absl::Status unknown = Refusal(graph, {.skip_nodes = {"gg"}});
  CHECK(unknown.code() == absl::StatusCode::kNotFound);
}

TEST_CASE("weights that are not finite and quantized graphs are refused by name") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 20});
  std::vector<float> values(400, 0.5f);
  values[123] = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const ValueId bad = maker.Floats({20, 20}, values, "bad");
  const absl::Status status = Refusal(maker.Finish({maker.Node(OpType::kMatMul, {x, bad})}), {});
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(MessageOf(status), Contains("'bad'") && Contains("not finite"));

  Network network;
  const QuantizationResult once = Quantize(network.Make());
  const absl::Status twice = Refusal(once.graph, {});
  CHECK(twice.code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(MessageOf(twice), Contains("quantized already"));
}

}  // namespace
}  // namespace qlite
