#include "core/unused_nodes.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace qlite {
namespace {

ValueId Relu(Graph& graph, const char* name, ValueId input) {
  return *graph.AddNode(name, OpType::kRelu, {}, {input}, name);
}

TEST_CASE("Nodes that no output depends on are removed, chains of them included") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({4}));
  const ValueId kept = Relu(graph, "kept", x);
  Relu(graph, "behind", Relu(graph, "dead", kept));
  graph.SetOutputs({kept});
  CHECK(InUse(graph, x));
  CHECK(InUse(graph, kept));
  CHECK_FALSE(InUse(graph, ValueId()));
  CHECK(RemoveUnusedNodes(graph) == 2);
  CHECK(graph.FindNode("kept").has_value());
  CHECK_FALSE(graph.FindNode("dead").has_value());
  CHECK_FALSE(graph.FindNode("behind").has_value());
  CHECK(RemoveUnusedNodes(graph) == 0);
}

TEST_CASE("The part that makes some values has their nodes alone, all inputs, and the graph's ids") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({4}));
  const ValueId y = graph.AddInput("y", ElementType::kFloat32, Shape::Of({4}));
  const ValueId first = Relu(graph, "first", x), second = Relu(graph, "second", first), other = Relu(graph, "other", y);
  graph.SetOutputs({second, other});
  const Graph part = PartThatMakes(graph, {first});
  CHECK(std::ranges::equal(part.outputs(), std::vector{first}));
  CHECK(std::ranges::equal(part.inputs(), std::vector{x, y}));
  CHECK(part.FindNode("first") == graph.FindNode("first"));
  CHECK_FALSE(part.FindNode("second").has_value());
  CHECK_FALSE(part.FindNode("other").has_value());
  CHECK(graph.FindNode("other").has_value());
}

}  // namespace
}  // namespace qlite
