#include "core/unused_nodes.h"

#include <catch2/catch.hpp>

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

}  // namespace
}  // namespace qlite
