#include "runtime/layout_demand.h"

#include <catch2/catch.hpp>

namespace qlite {
namespace {

constexpr LayoutDemand kNothing{}, kRows{.row_major = true}, kImages{.channels_last = true},
    kBoth{.row_major = true, .channels_last = true};

void CheckDemand(const Graph& graph, ValueId value, LayoutDemand expected) {
  INFO(graph.value(value).name);
  const LayoutDemand demand = FindLayoutDemand(graph)[static_cast<size_t>(value.index)];
  CHECK(demand.row_major == expected.row_major);
  CHECK(demand.channels_last == expected.channels_last);
}

struct Source {
  Graph graph;
  ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 4, 4, 4}));

  ValueId Unary(OpType op, ValueId input) { return *graph.AddNode("", op, NoAttrs{}, {input}, "value"); }
  ValueId MatMul(ValueId input) {
    return *graph.AddNode("", OpType::kMatMul, MatMulAttrs{}, {input, input}, "product");
  }
  ValueId Pool(ValueId input) { return Unary(OpType::kGlobalAveragePool, input); }
};

TEST_CASE("a demand is passed on by operators of any layout", "[runtime]") {
  Source source;
  const ValueId a = source.Unary(OpType::kRelu, source.x), b = source.Unary(OpType::kTanh, a);
  SECTION("of a product") {
    const ValueId y = source.MatMul(b);
    for (const ValueId value : {source.x, a, b}) CheckDemand(source.graph, value, kRows);
    CheckDemand(source.graph, y, kNothing);
  }
  SECTION("of an image operator") {
    source.Pool(b);
    for (const ValueId value : {source.x, a, b}) CheckDemand(source.graph, value, kImages);
  }
  SECTION("of both, where the ways part") {
    source.Pool(b);
    const ValueId c = source.Unary(OpType::kSigmoid, a);
    source.MatMul(c);
    for (const ValueId value : {source.x, a}) CheckDemand(source.graph, value, kBoth);
    CheckDemand(source.graph, b, kImages);
    CheckDemand(source.graph, c, kRows);
  }
  SECTION("of nobody") { CheckDemand(source.graph, source.x, kNothing); }
}

TEST_CASE("an operator that changes the shape passes no demand on", "[runtime]") {
  Source source;
  const ValueId flat = *source.graph.AddNode("", OpType::kFlatten, AxisAttrs{1}, {source.x}, "flat");
  source.MatMul(flat);
  CheckDemand(source.graph, flat, kRows);
  CheckDemand(source.graph, source.x, kNothing);
}

}  // namespace
}  // namespace qlite
