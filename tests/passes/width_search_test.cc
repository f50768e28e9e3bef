#include <limits>

#include "passes/graph_maker.h"
#include "passes/output_similarity.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

using namespace testing;

Graph& MakeNetwork(GraphMaker& maker) {
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId a = maker.Conv(x, 4, 24, 3, 1, true, "a", FusedClamp{0, 6});
  const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {maker.Node(OpType::kGlobalAveragePool, {a})});
  return maker.Finish({maker.Node(OpType::kMatMul, {flat, maker.RandomConstant({24, 20}, -1, 1, "m")})});
}

TEST_CASE("each weight gets the narrowest width that the outputs bear") {
  GraphMaker maker{4};
  const Graph& graph = MakeNetwork(maker);
  const Context context = TestContext();
  const RandomDataSet data(6);
  const auto reference = OutputReference::Create(context, graph, &data, 6);
  REQUIRE(reference.ok());
  int before = 17;
  for (const double error : {0.03, 0.1, 0.5}) {
    const auto result = WeightQuantize(context, graph, {.width_error = error}, &data);
    REQUIRE(result.ok());
    REQUIRE(result->weights.size() == 2);
    const auto similarity = reference->Compare(context, result->graph);
    REQUIRE(similarity.ok());
    CHECK(similarity->relative_error <= error);
    const int bits = result->weights[0].bits + result->weights[1].bits;
    CHECK(bits < before);
    before = bits;
  }
}

TEST_CASE("where no width does a weight gets 8 bits") {
  GraphMaker maker{4};
  const RandomDataSet data(2);
  const auto result = WeightQuantize(TestContext(), MakeNetwork(maker), {.width_error = 1e-9}, &data);
  REQUIRE(result.ok());
  for (const WeightOutcome& weight : result->weights) CHECK(weight.bits == 8);
}

TEST_CASE("a search of widths without samples, or with what it does not go with, is refused") {
  GraphMaker maker{4};
  const Graph& graph = MakeNetwork(maker);
  const RandomDataSet data(2);
  const auto refused = [&](const WeightQuantizerOptions& options, const DataSet* samples) {
    return WeightQuantize(TestContext(), graph, options, samples).status().code() == absl::StatusCode::kInvalidArgument;
  };
  CHECK(refused({.width_error = 0.1}, nullptr));
  CHECK(refused({.width_error = -0.1}, &data));
  CHECK(refused({.width_error = 1.1}, &data));
  CHECK(refused({.width_error = std::numeric_limits<double>::quiet_NaN()}, &data));
  CHECK(refused({.bits = 0, .width_error = 0.1}, &data));
  CHECK(refused({.width_error = 0.1, .block_size = 32}, &data));
  CHECK(refused({.width_error = 0.1, .rounding = WeightRounding::kGptq}, &data));
}

TEST_CASE("similarity of results: cosine, its standard error and the relative error") {
  GraphMaker maker{4};
  const ValueId x = maker.Input({1, 16});
  const Graph graph = maker.Finish({maker.Node(OpType::kMul, {x, maker.Floats({1}, {2.0f})})});
  GraphMaker other{4};
  const ValueId y = other.Input({1, 16});
  const Graph larger = other.Finish({other.Node(OpType::kMul, {y, other.Floats({1}, {2.5f})})});
  const Context context = TestContext();
  const RandomDataSet data(5);
  const auto reference = OutputReference::Create(context, graph, &data, 3);
  const auto same = reference->Compare(context, graph), scaled = reference->Compare(context, larger);
  REQUIRE(same.ok());
  REQUIRE(scaled.ok());
  CHECK(same->cosine == Approx(1));
  CHECK(same->relative_error == 0);
  CHECK(scaled->cosine == Approx(1));
  CHECK(scaled->cosine_deviation == Approx(0).margin(1e-7));
  CHECK(scaled->relative_error == Approx(0.25).epsilon(0.02));
  CHECK(scaled->CosineBound() <= scaled->cosine);
}

}  // namespace
}  // namespace qlite
