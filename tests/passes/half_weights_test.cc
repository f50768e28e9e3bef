#include <bit>
#include <cmath>
#include <random>

#include "core/half.h"
#include "passes/graph_maker.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

using namespace testing;
using Catch::Contains;

double HalfToDouble(uint16_t half) {
  const int exponent = (half >> 10) & 31, mantissa = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST_CASE("every half is its own nearest, and so is what lies between") {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const auto here = HalfToDouble(static_cast<uint16_t>(half)), next = HalfToDouble(static_cast<uint16_t>(half + 1));
    REQUIRE(FloatToHalf(static_cast<float>(here)) == half);
    REQUIRE(FloatToHalf(static_cast<float>(-here)) == (half | 0x8000));
    const auto middle = static_cast<float>((here + next) / 2);
    const uint32_t even = half + (half & 1);
    REQUIRE(FloatToHalf(middle) == even);
    REQUIRE(FloatToHalf(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(FloatToHalf(std::nextafter(middle, 1e9f)) == half + 1);
  }
  CHECK(FloatToHalf(HUGE_VALF) == 0x7c00);
  CHECK(FloatToHalf(-1e30f) == 0xfc00);
  CHECK((FloatToHalf(std::nanf("")) & 0x7fff) == 0x7e00);
}

TEST_CASE("float constants in 16 bits take half the room and change little") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 24}), shared = maker.RandomConstant({24, 24}, -1, 1, "shared");
  const ValueId one = maker.Node(OpType::kMatMul, {x, shared});
  const ValueId two = maker.Node(OpType::kMatMul, {one, shared});
  const ValueId three = maker.Node(OpType::kAdd, {two, maker.RandomConstant({24}, -1, 1, "small")});
  std::vector<float> wide(240, 0.5f);
  wide[7] = 1e5f;
  Graph graph = maker.Finish({maker.Node(OpType::kMatMul, {three, maker.Floats({24, 10}, wide, "wide")})});
  const std::vector<float> expected = RunGraph(graph);
  const auto outcomes = StoreFloatsAsHalf(graph);
  REQUIRE(outcomes.ok());
  REQUIRE(outcomes->size() == 3);
  for (const WeightOutcome& outcome : *outcomes) {
    CHECK((outcome.bits == 16) == (outcome.name == "shared"));
    if (outcome.name == "small") CHECK_THAT(outcome.reason, Contains("24 elements"));
    if (outcome.name == "wide") CHECK_THAT(outcome.reason, Contains("beyond 65504"));
  }
  CHECK(CountOps(graph, OpType::kCast) == 1);
  CHECK(graph.value(*graph.FindValue("shared")).constant->buffer().size == 2 * 24 * 24);
  CHECK(SignalToNoise(expected, RunGraph(graph)) > 60);
}

TEST_CASE("what a weight quantization leaves float is stored in 16 bits") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 200});
  const ValueId a = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({200, 200}, -1, 1, "w")});
  const Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {a, maker.RandomConstant({200}, -1, 1, "bias")})});
  auto result = WeightQuantize(TestContext(), graph, {});
  REQUIRE(result.ok());
  const auto outcomes = StoreFloatsAsHalf(result->graph);
  REQUIRE(outcomes.ok());
  REQUIRE(outcomes->size() == 1);
  CHECK(result->graph.value(*result->graph.FindValue(outcomes->front().name)).type == ElementType::kFloat16);
  CHECK(result->graph.value(*result->graph.FindValue("w")).type == ElementType::kInt8);
  CHECK(SignalToNoise(RunGraph(graph), RunGraph(result->graph)) > 40);
}

TEST_CASE("constants are stored as bfloat16 and widened when a session is made") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 200});
  const ValueId a = maker.Node(OpType::kMatMul, {x, maker.RandomConstant({200, 200}, -1, 1, "w")});
  const Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {a, maker.RandomConstant({200}, -1e30f, 1e30f, "b")})});
  Graph stored = graph;
  const auto outcomes = StoreFloatsAsHalf(stored, ElementType::kBFloat16);
  REQUIRE(outcomes.ok());
  for (const WeightOutcome& outcome : *outcomes) CHECK(outcome.bits == 16);  // the range is that of float32
  const Value& weight = stored.value(*stored.FindValue("w"));
  CHECK(weight.type == ElementType::kBFloat16);
  CHECK(SignalToNoise(RunGraph(graph), RunGraph(stored)) > 40);

  // What a session computes with is what the constants hold.
  Graph widened = graph;
  for (const char* name : {"w", "b"}) {
    Value& value = widened.mutable_value(*widened.FindValue(name));
    std::vector<float> floats(value.constant->data<float>().begin(), value.constant->data<float>().end());
    for (float& f : floats) f = std::bit_cast<float>(static_cast<uint32_t>(FloatToBFloat(f)) << 16);
    value.constant = Tensor::Of<float>(value.constant->dims(), std::move(floats));
  }
  CHECK(RunGraph(widened) == RunGraph(stored));
  CHECK_FALSE(StoreFloatsAsHalf(stored, ElementType::kInt8).ok());
}

TEST_CASE("bfloat16 numbers are the nearest, ties to even") {
  const auto stored = [](uint32_t bits) { return FloatToBFloat(std::bit_cast<float>(bits)); };
  CHECK(stored(0x3f808000) == 0x3f80);
  CHECK(stored(0x3f818000) == 0x3f82);
  CHECK(stored(0x3f808001) == 0x3f81);
  CHECK(stored(0x80000000) == 0x8000);
  CHECK(stored(0x7f7fffff) == 0x7f80);  // beyond kLargestBFloat by half a step
  CHECK(FloatToBFloat(kLargestBFloat) == 0x7f7f);
  CHECK(stored(0x7f800000) == 0x7f80);
  CHECK(stored(0x7f800001) == 0x7fc0);
}

}  // namespace
}  // namespace qlite
