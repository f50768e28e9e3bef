#include "passes/gptq.h"

#include <cmath>
#include <random>

#include "core/dequantize.h"
#include "passes/graph_maker.h"
#include "passes/weight_rounding.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

using namespace testing;

// A product whose inputs hang together: `rank` sources make all of them.
struct Correlated {
  Tensor weights;
  ReductionView view;
  InputMoments moments;
};

Correlated MakeCorrelated(int64_t outputs, int64_t length, int64_t groups, bool outputs_first, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 1);
  std::vector<float> weights(static_cast<size_t>(outputs * length));
  for (float& w : weights) w = static_cast<float>(normal(random));
  Correlated made;
  made.weights =
      outputs_first ? Tensor::Of<float>({outputs, length}, weights) : Tensor::Of<float>({length, outputs}, weights);
  made.view = outputs_first ? ReductionView{outputs, length, groups, length, 1}
                            : ReductionView{outputs, length, groups, 1, outputs};
  made.moments = InputMoments(groups, length);
  const int64_t rank = std::max<int64_t>(1, length / 3);
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<double> mixing(static_cast<size_t>(length * rank)), x(static_cast<size_t>(length));
    for (double& m : mixing) m = normal(random);
    for (int sample = 0; sample < 200; ++sample) {
      for (double& value : x) value = 0.1 * normal(random);
      for (int64_t s = 0; s < rank; ++s) {
        const double source = normal(random);
        for (int64_t i = 0; i < length; ++i) {
          x[static_cast<size_t>(i)] += source * mixing[static_cast<size_t>(i * rank + s)];
        }
      }
      for (int64_t i = 0; i < length; ++i) {
        for (int64_t j = 0; j <= i; ++j) {
          made.moments.row(g, i)[j] += x[static_cast<size_t>(i)] * x[static_cast<size_t>(j)];
        }
      }
    }
  }
  return made;
}

// Sum over outputs of the squared error of their results.
double OutputError(const Correlated& product, const Tensor& integers, const QuantParams& params) {
  const auto decoded = Dequantize(integers, params);
  const auto q = decoded->data<float>(), w = product.weights.data<float>();
  double sum = 0;
  const ReductionView& view = product.view;
  for (int64_t o = 0; o < view.outputs; ++o) {
    const int64_t group = o / (view.outputs / view.groups);
    const auto error = [&](int64_t r) {
      const auto i = static_cast<size_t>(view.element(o, r));
      return static_cast<double>(w[i]) - static_cast<double>(q[i]);
    };
    for (int64_t i = 0; i < view.length; ++i) {
      for (int64_t j = 0; j < i; ++j) sum += 2 * error(i) * error(j) * product.moments.row(group, i)[j];
      sum += error(i) * error(i) * product.moments.row(group, i)[i];
    }
  }
  return sum;
}

QuantParams GridsOf(const Tensor& weights, int bits, int64_t axis, int64_t block_size) {
  RoundingForm form;
  form.bits = bits, form.axis = axis, form.block_size = block_size;
  const Context context = TestContext();
  auto params = ChooseGrids(context.executor(), weights, form);
  REQUIRE(params.ok());
  return *std::move(params);
}

TEST_CASE("where inputs hang together the results' error is far below that of rounding") {
  const bool outputs_first = GENERATE(true, false);
  const int64_t groups = GENERATE(1, 2), block = GENERATE(0, 16);
  const Correlated product = MakeCorrelated(20, 70, groups, outputs_first, 5);
  for (const int bits : {2, 3, 4, 8, 12}) {
    const int64_t axis = (block > 0) == outputs_first ? 1 : 0;
    const QuantParams params = GridsOf(product.weights, bits, axis, block);
    const Context one = TestContext(), three = TestContext(3);
    const auto rounded =
        RoundByGptq(one.executor(), product.weights, product.view, params, product.moments, GptqDamping{});
    REQUIRE(rounded.ok());
    const auto again =
        RoundByGptq(three.executor(), product.weights, product.view, params, product.moments, GptqDamping{});
    CHECK(*rounded == *again);
    const Tensor nearest = RoundToGrids(one.executor(), product.weights, params);
    const double gptq = OutputError(product, *rounded, params), plain = OutputError(product, nearest, params);
    INFO(bits << " bits: " << gptq << " against " << plain);
    CHECK(gptq < 0.5 * plain);
  }
}

TEST_CASE("inputs that do not hang together leave plain rounding") {
  Correlated product = MakeCorrelated(9, 31, 1, true, 6);
  for (int64_t i = 0; i < 31; ++i) {
    for (int64_t j = 0; j < i; ++j) product.moments.row(0, i)[j] = 0;
  }
  product.moments.row(0, 0)[0] = 0;  // an input that is always 0
  const QuantParams params = GridsOf(product.weights, 4, 0, 0);
  const Context context = TestContext();
  const auto rounded =
      RoundByGptq(context.executor(), product.weights, product.view, params, product.moments, GptqDamping{});
  REQUIRE(rounded.ok());
  CHECK(*rounded == RoundToGrids(context.executor(), product.weights, params));
}

TEST_CASE("moments that are all zero, and not finite") {
  Correlated product = MakeCorrelated(4, 8, 1, true, 7);
  const QuantParams params = GridsOf(product.weights, 4, 0, 0);
  const Context context = TestContext();
  const auto round = [&] {
    return RoundByGptq(context.executor(), product.weights, product.view, params, product.moments, GptqDamping{});
  };
  std::fill(product.moments.sums.begin(), product.moments.sums.end(), 0.0);
  REQUIRE(round().ok());
  CHECK(*round() == RoundToGrids(context.executor(), product.weights, params));
  product.moments.row(0, 1)[1] = HUGE_VAL;
  CHECK(round().status().code() == absl::StatusCode::kFailedPrecondition);
}

// --- what products see

double MomentOf(const InputMoments& moments, int64_t group, int64_t i, int64_t j) {
  return moments.row(group, std::max(i, j))[std::min(i, j)];
}

TEST_CASE("moments of a matrix product are those of its input") {
  GraphMaker maker;
  const ValueId x = maker.Input({6, 5});
  const ValueId w = maker.RandomConstant({5, 7}, -1, 1, "w");
  const Graph& graph = maker.Finish({maker.Node(OpType::kMatMul, {x, w}, "m")});
  const RandomDataSet data(3);
  const auto moments = CollectInputMoments(TestContext(2), graph, {*graph.FindNode("m")}, data);
  REQUIRE(moments.ok());
  std::vector<double> expected(25);
  for (int64_t sample = 0; sample < 3; ++sample) {
    std::vector<float> values(30);
    const std::vector<int64_t> dims = {6, 5};
    const MutableTensorView view{ElementType::kFloat32, dims, values.data(), values.size() * sizeof(float)};
    REQUIRE(data.Read(sample, std::vector<MutableTensorView>{view}).ok());
    for (size_t row = 0; row < 6; ++row) {
      for (size_t i = 0; i < 5; ++i) {
        for (size_t j = 0; j < 5; ++j) {
          expected[i * 5 + j] += static_cast<double>(values[row * 5 + i]) * static_cast<double>(values[row * 5 + j]);
        }
      }
    }
  }
  const InputMoments& found = moments->at(*graph.FindValue("w"));
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 5; ++j) CHECK(MomentOf(found, 0, i, j) == Approx(expected[static_cast<size_t>(i * 5 + j)]));
  }
}

TEST_CASE("what lies behind the products is not needed for their moments") {
  GraphMaker maker;
  const ValueId x = maker.Input({6, 5});
  const ValueId hidden = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({5, 7}, -1, 1, "w")}, "m");
  const ValueId middle = maker.Node(OpType::kRelu, {hidden}, "r");
  const ValueId last = maker.Node(OpType::kMatMul, {middle, maker.RandomConstant({7, 4}, -1, 1, "v")}, "n");
  const ValueId large = maker.RandomConstant({4, 100000}, -1, 1, "large");
  const Graph& graph = maker.Finish({maker.Node(OpType::kMatMul, {last, large}, "behind"), middle});
  const std::vector<NodeId> products = {*graph.FindNode("m"), *graph.FindNode("n")};
  const RandomDataSet data(3);
  const auto whole = CollectInputMoments(TestContext(), graph, products, data);
  REQUIRE(whole.ok());
  REQUIRE(whole->size() == 2);
  ContextOptions options;
  options.limits.memory_budget_bytes = 100000;
  const Context context = *Context::Create(options);
  REQUIRE_FALSE(Session::Create(context, graph).ok());  // for the last product's weights
  const auto part = CollectInputMoments(context, graph, products, data);
  REQUIRE(part.ok());
  for (const auto& [value, moments] : *whole) CHECK(part->at(value).sums == moments.sums);
}

TEST_CASE("results of a convolution follow from its moments") {
  // The squared norm of a channel's results is w H w for the channel's weights w.
  GraphMaker maker;
  const int64_t group = GENERATE(1, 2, 4);
  const ValueId x = maker.Input({2, 4, 7, 6});
  ConvAttrs attrs;
  attrs.group = group;
  attrs.strides = {2, 1}, attrs.dilations = {1, 2}, attrs.pads = {1, 2, 0, 1};
  const ValueId w = maker.RandomConstant({8, 4 / group, 3, 2}, -1, 1, "w");
  const Graph& graph = maker.Finish({maker.Node(OpType::kConv, attrs, {x, w}, "c")});
  const RandomDataSet data(2);
  const Context context = TestContext();
  const auto moments = CollectInputMoments(context, graph, {*graph.FindNode("c")}, data);
  REQUIRE(moments.ok());
  const InputMoments& found = moments->at(w);
  REQUIRE(found.length == 4 / group * 6);
  std::vector<double> norms(8);
  const auto session = Session::Create(context, graph);
  REQUIRE(session.ok());
  for (int64_t sample = 0; sample < data.size(); ++sample) {
    REQUIRE(data.Read(sample, std::vector<MutableTensorView>{(*session)->input(0)}).ok());
    REQUIRE((*session)->Run().ok());
    const TensorView y = (*session)->output(0);
    const auto values = y.as<float>();
    const int64_t area = y.dims[2] * y.dims[3];
    REQUIRE(2 * area <= 256);  // every position is looked at
    for (int64_t i = 0; i < std::ssize(values); ++i) {
      norms[static_cast<size_t>(i / area % 8)] +=
          static_cast<double>(values[static_cast<size_t>(i)]) * static_cast<double>(values[static_cast<size_t>(i)]);
    }
  }
  const auto weights = graph.value(w).constant->data<float>();
  for (int64_t o = 0; o < 8; ++o) {
    double norm = 0;
    for (int64_t i = 0; i < found.length; ++i) {
      for (int64_t j = 0; j < found.length; ++j) {
        norm += static_cast<double>(weights[static_cast<size_t>(o * found.length + i)]) *
                static_cast<double>(weights[static_cast<size_t>(o * found.length + j)]) *
                MomentOf(found, o / (8 / group), i, j);
      }
    }
    CHECK(norm == Approx(norms[static_cast<size_t>(o)]).epsilon(1e-4));
  }
}

// --- whole graphs

TEST_CASE("GPTQ makes the results of a network better than rounding") {
  GraphMaker maker{9};
  const ValueId x = maker.Input({1, 4, 10, 10});
  const ValueId a = maker.Conv(x, 4, 24, 3, 1, true, "a", FusedClamp{0, 6});
  const ValueId b = maker.Conv(a, 24, 24, 3, 24, true, "b", FusedClamp{0, 6});
  const ValueId c = maker.Conv(b, 24, 32, 1, 1, true, "c", FusedClamp{0, 6});
  const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {maker.Node(OpType::kGlobalAveragePool, {c})});
  Graph& graph = maker.Finish({maker.Node(OpType::kMatMul, {flat, maker.RandomConstant({32, 20}, -1, 1, "m")})});
  const std::vector<float> expected = RunGraph(graph);
  const RandomDataSet data(8);
  WeightQuantizerOptions options;
  options.bits = 3;
  options.bias_correction = false;
  options.rounding = WeightRounding::kNearest;
  const auto run = [&](const WeightQuantizerOptions& how, int threads) {
    auto result = WeightQuantize(TestContext(threads), graph, how, &data);
    INFO(result.status());
    REQUIRE(result.ok());
    return RunGraph(result->graph);
  };
  const double nearest = SignalToNoise(expected, run(options, 1));
  options.rounding = WeightRounding::kGptq;
  const std::vector<float> results = run(options, 1);
  INFO(nearest);
  CHECK(SignalToNoise(expected, results) > nearest + 1);
  CHECK(run(options, 3) == results);
}

TEST_CASE("GPTQ without samples or with a senseless damping is refused") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 20});
  const Graph& graph = maker.Finish({maker.Node(OpType::kMatMul, {x, maker.RandomConstant({20, 20})})});
  WeightQuantizerOptions options;
  options.rounding = WeightRounding::kGptq;
  const RandomDataSet none(0), some(2);
  const auto code = [&](const DataSet* data) {
    return WeightQuantize(TestContext(), graph, options, data).status().code();
  };
  CHECK(code(nullptr) == absl::StatusCode::kInvalidArgument);
  CHECK(code(&none) == absl::StatusCode::kInvalidArgument);
  CHECK(code(&some) == absl::StatusCode::kOk);
  for (const double damping : {0.0, -1.0, 2.0, std::nan("")}) {
    options.gptq_damping = damping;
    CHECK(code(&some) == absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace qlite
