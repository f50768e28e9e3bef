#include "qlite/graph.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace qlite {
namespace {

using ::Catch::Contains;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// in -> a -> b -> out, with a constant read by a.
struct Chain {
  Graph graph;
  ValueId in, weight, mid, out;
  Chain() {
    in = graph.AddInput("in", ElementType::kFloat32, Shape::Of({2, 3}));
    weight = graph.AddConstant("weight", Tensor::Of<float>({3}, {1, 2, 3}));
    mid = *graph.AddNode("a", OpType::kAdd, ElementwiseAttrs{}, {in, weight}, "mid");
    out = *graph.AddNode("b", OpType::kRelu, NoAttrs{}, {mid}, "out");
    graph.SetOutputs({out});
  }
};

TEST_CASE("a graph is built, validated and its shapes inferred") {
  Chain chain;
  REQUIRE(chain.graph.Validate().ok());
  REQUIRE(chain.graph.InferShapes().ok());
  CHECK(chain.graph.value(chain.out).shape == Shape::Of({2, 3}));
  CHECK(chain.graph.value(chain.out).type == ElementType::kFloat32);
  CHECK(chain.graph.FindValue("mid") == chain.mid);
  CHECK(chain.graph.FindNode("b").has_value());
  CHECK_FALSE(chain.graph.FindNode("c").has_value());
  CHECK(chain.graph.IsOutput(chain.out));
  CHECK(chain.graph.Consumers(chain.in).size() == 1);
}

TEST_CASE("names that are taken get a suffix, empty ones are made up") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1}));
  CHECK(graph.value(graph.AddValue("x")).name == "x_1");
  CHECK(graph.value(graph.AddValue("x_1")).name == "x_1_1");
  CHECK(graph.value(graph.AddValue("x")).name == "x_2");
  const auto first = graph.AddNode("", OpType::kRelu, NoAttrs{}, {x}, "");
  REQUIRE(first.ok());
  CHECK(graph.node(graph.value(*first).producer).name == "Relu_0");
  CHECK_FALSE(graph.value(*first).name.empty());
  const NodeId node = graph.value(*first).producer;
  graph.RenameNode(node, "act");
  CHECK(graph.FindNode("act") == node);
  CHECK_FALSE(graph.FindNode("Relu_0").has_value());
  graph.RenameValue(*first, "x");
  CHECK(graph.value(*first).name == "x_3");
}

TEST_CASE("many equal names take linear time") {
  Graph graph;
  for (int i = 0; i < 200000; ++i) graph.AddValue("x");
  CHECK(graph.FindValue("x_199999").has_value());
}

TEST_CASE("AddNode refuses a wrong signature and leaves nothing behind") {
  Chain chain;
  const size_t values = chain.graph.value_slots();
  const auto fails = [&](absl::StatusOr<ValueId> result, const std::string& text) {
    REQUIRE_FALSE(result.ok());
    CHECK_THAT(MessageOf(result.status()), Contains(text));
  };
  fails(chain.graph.AddNode("n", OpType::kConv, ConvAttrs{}, {chain.in}, "y"), "expected 2 to 3 inputs, found 1");
  fails(chain.graph.AddNode("n", OpType::kRelu, ConvAttrs{}, {chain.in}, "y"), "attributes");
  fails(chain.graph.AddNode("n", OpType::kRelu, NoAttrs{}, {ValueId{99}}, "y"), "does not exist");
  fails(chain.graph.AddNode("n", OpType::kAdd, ElementwiseAttrs{}, {ValueId(), chain.in}, "y"), "input 0 is absent");
  fails(chain.graph.AddNode("n", static_cast<OpType>(9999), NoAttrs{}, {chain.in}, "y"), "9999");
  CHECK(chain.graph.value_slots() == values);
  const auto produced = chain.graph.AddNode("n", OpType::kRelu, NoAttrs{}, {chain.in}, std::vector<ValueId>{chain.mid});
  REQUIRE_FALSE(produced.ok());
  CHECK_THAT(MessageOf(produced.status()), Contains("already produced by node 'a'"));
  CHECK_FALSE(chain.graph.AddNode("n", OpType::kRelu, NoAttrs{}, {chain.in}, std::vector<ValueId>{chain.in}).ok());
  CHECK_FALSE(chain.graph.AddNode("n", OpType::kRelu, NoAttrs{}, {chain.in}, std::vector<ValueId>{chain.weight}).ok());
  CHECK_FALSE(chain.graph.AddNode("n", OpType::kRelu, NoAttrs{}, {chain.in}, std::vector<ValueId>{}).ok());
  const ValueId fresh = chain.graph.AddValue("fresh");
  CHECK_FALSE(
      chain.graph.AddNode("n", OpType::kSplit, SplitAttrs{}, {chain.in}, std::vector<ValueId>{fresh, fresh}).ok());
  CHECK(chain.graph.Validate().ok());
}

TEST_CASE("Validate names the nodes of a cycle") {
  Graph graph;
  const ValueId in = graph.AddInput("in", ElementType::kFloat32, Shape::Of({1}));
  const ValueId back = graph.AddValue("back");
  const ValueId first = *graph.AddNode("first", OpType::kAdd, ElementwiseAttrs{}, {in, back}, "first_out");
  REQUIRE(graph.AddNode("second", OpType::kRelu, NoAttrs{}, {first}, std::vector<ValueId>{back}).ok());
  const ValueId after = *graph.AddNode("after", OpType::kRelu, NoAttrs{}, {back}, "after_out");
  const ValueId apart = *graph.AddNode("apart", OpType::kRelu, NoAttrs{}, {in}, "apart_out");
  graph.SetOutputs({after, apart});
  const absl::Status status = graph.Validate();
  REQUIRE_FALSE(status.ok());
  CHECK_THAT(MessageOf(status), Contains("'first'") && Contains("'second'") && !Contains("'after'"));
  CHECK(graph.TopologicalOrder() == std::vector<NodeId>{graph.value(apart).producer});
  CHECK_FALSE(graph.InferShapes().ok());
  CHECK_THAT(graph.Dump(), Contains("# first") && Contains("# apart"));
  graph.Compact();
  CHECK_FALSE(graph.Validate().ok());
  CHECK(graph.node_slots() == 4);
}

TEST_CASE("a node that reads its own result is a cycle") {
  Graph graph;
  const ValueId loop = graph.AddValue("loop");
  REQUIRE(graph.AddNode("self", OpType::kRelu, NoAttrs{}, {loop}, std::vector<ValueId>{loop}).ok());
  CHECK_THAT(MessageOf(graph.Validate()), Contains("'self'"));
}

TEST_CASE("Validate finds what is wrong with values") {
  Chain chain;
  SECTION("a value that nothing produces") {
    chain.graph.SetInput(*chain.graph.FindNode("a"), 0, chain.graph.AddValue("orphan"));
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("'orphan'") && Contains("nothing produces"));
  }
  SECTION("an output that nothing produces") {
    chain.graph.SetOutputs({chain.graph.AddValue("orphan")});
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("'orphan'"));
  }
  SECTION("an output that does not exist") {
    chain.graph.SetOutputs({ValueId{77}});
    CHECK_FALSE(chain.graph.Validate().ok());
  }
  SECTION("a dangling input") {
    chain.graph.mutable_node(*chain.graph.FindNode("a")).inputs[0] = ValueId{77};
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("'a'"));
    CHECK(chain.graph.TopologicalOrder().size() == 2);
  }
  SECTION("an input changed behind the graph's back") {
    chain.graph.mutable_node(*chain.graph.FindNode("b")).inputs[0] = chain.in;
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("SetInput"));
  }
  SECTION("names that are the same") {
    chain.graph.mutable_value(chain.mid).name = "in";
    CHECK_FALSE(chain.graph.Validate().ok());
  }
  SECTION("a constant declared with another shape") {
    chain.graph.mutable_value(chain.weight).shape = Shape::Of({4});
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("'weight'") && Contains("[4]"));
  }
  SECTION("quantization parameters of the wrong length") {
    QuantParams params;
    params.axis = 0;
    params.scales = {1, 2};
    params.zero_points = {0, 0};
    chain.graph.mutable_value(chain.weight).quant = params;
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("expected 3 quantization scales") && Contains("found 2"));
    chain.graph.mutable_value(chain.weight).quant->axis = 1;
    CHECK_FALSE(chain.graph.Validate().ok());
    chain.graph.mutable_value(chain.weight).quant->axis = 0;
    chain.graph.mutable_value(chain.weight).quant->block_size = 2;
    CHECK(chain.graph.Validate().ok());
    chain.graph.mutable_value(chain.weight).quant->scales[1] = 0;
    CHECK_FALSE(chain.graph.Validate().ok());
  }
  SECTION("negative extents") {
    chain.graph.mutable_value(chain.in).shape = Shape(std::vector<Dim>{Dim(-5)});
    CHECK_THAT(MessageOf(chain.graph.Validate()), Contains("-5"));
  }
  SECTION("extents beyond what can be addressed") {
    chain.graph.mutable_value(chain.in).shape = Shape::Of({int64_t{1} << 40, int64_t{1} << 40});
    CHECK_FALSE(chain.graph.Validate().ok());
  }
  SECTION("too many dimensions") {
    chain.graph.mutable_value(chain.in).shape = Shape(std::vector<Dim>(65));
    CHECK_FALSE(chain.graph.Validate().ok());
  }
}

TEST_CASE("a node can be put behind another") {
  Chain chain;
  const NodeId a = *chain.graph.FindNode("a");
  const ValueId before = chain.graph.DetachOutput(a, 0, "mid_raw");
  REQUIRE(chain.graph.AddNode("between", OpType::kSigmoid, NoAttrs{}, {before}, std::vector<ValueId>{chain.mid}).ok());
  REQUIRE(chain.graph.Validate().ok());
  CHECK(chain.graph.value(before).producer == a);
  const std::vector<NodeId> order = chain.graph.TopologicalOrder();
  REQUIRE(order.size() == 3);
  CHECK(chain.graph.node(order[1]).name == "between");
}

TEST_CASE("ReplaceUses, RemoveNode and RemoveUnusedValues") {
  Chain chain;
  chain.graph.ReplaceUses(chain.out, chain.mid);
  CHECK(chain.graph.outputs()[0] == chain.mid);
  chain.graph.RemoveNode(*chain.graph.FindNode("b"));
  CHECK(chain.graph.Consumers(chain.mid).empty());
  CHECK_FALSE(chain.graph.alive(chain.out));
  CHECK_FALSE(chain.graph.FindValue("out").has_value());
  chain.graph.ReplaceUses(chain.mid, chain.in);
  chain.graph.RemoveNode(*chain.graph.FindNode("a"));
  CHECK(chain.graph.alive(chain.weight));
  chain.graph.RemoveUnusedValues();
  CHECK_FALSE(chain.graph.alive(chain.weight));
  CHECK(chain.graph.alive(chain.in));
  REQUIRE(chain.graph.Validate().ok());
  chain.graph.Compact();
  CHECK(chain.graph.value_slots() == 1);
  CHECK(chain.graph.node_slots() == 0);
}

TEST_CASE("a value read twice by one node is listed once") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1}));
  const ValueId y = graph.AddInput("y", ElementType::kFloat32, Shape::Of({1}));
  const ValueId sum = *graph.AddNode("sum", OpType::kAdd, ElementwiseAttrs{}, {x, x}, "s");
  const NodeId node = graph.value(sum).producer;
  CHECK(graph.Consumers(x).size() == 1);
  graph.SetInput(node, 0, y);
  CHECK(graph.Consumers(x).size() == 1);
  graph.SetInput(node, 1, y);
  CHECK(graph.Consumers(x).empty());
  CHECK(graph.Consumers(y).size() == 1);
}

TEST_CASE("SetInput grows and shrinks the list of inputs") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({2, 2}));
  const ValueId c = graph.AddInput("c", ElementType::kFloat32, Shape::Of({2}));
  const NodeId node = graph.value(*graph.AddNode("g", OpType::kGemm, GemmAttrs{}, {x, x, ValueId()}, "y")).producer;
  CHECK(graph.node(node).inputs.size() == 2);
  graph.SetInput(node, 2, c);
  CHECK(graph.node(node).inputs.size() == 3);
  CHECK(graph.Consumers(c).size() == 1);
  graph.SetInput(node, 2, ValueId());
  CHECK(graph.node(node).inputs.size() == 2);
  CHECK(graph.Consumers(c).empty());
}

// Every structural invariant holds, checked by the graph itself (use lists included), and the order is topological.
void CheckInvariants(const Graph& graph) {
  const absl::Status status = graph.Validate();
  INFO(status);
  REQUIRE(status.ok());
  const std::vector<NodeId> order = graph.TopologicalOrder();
  std::vector<size_t> place(graph.node_slots(), 0);
  for (size_t i = 0; i < order.size(); ++i) place[static_cast<size_t>(order[i].index)] = i;
  for (const NodeId id : order) {
    for (const ValueId input : graph.node(id).inputs) {
      if (!input.valid() || !graph.value(input).producer.valid()) continue;
      REQUIRE(place[static_cast<size_t>(graph.value(input).producer.index)] < place[static_cast<size_t>(id.index)]);
    }
  }
}

TEST_CASE("random rewriting keeps use lists and order right") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    Graph graph;
    std::vector<ValueId> values = {graph.AddInput("x", ElementType::kFloat32, Shape::Of({4}))};
    for (int i = 0; i < 60; ++i) {
      const ValueId a = values[below(values.size())];
      const ValueId b = values[below(values.size())];
      values.push_back(*graph.AddNode("", OpType::kAdd, ElementwiseAttrs{}, {a, b}, ""));
    }
    graph.SetOutputs({values.back(), values[below(values.size())]});
    for (int step = 0; step < 60; ++step) {
      // Values of lower index never depend on those of higher index, so these rewrites close no cycle.
      size_t from = 1 + below(values.size() - 1);
      const size_t to = below(from);
      if (graph.alive(values[from]) && graph.alive(values[to])) graph.ReplaceUses(values[from], values[to]);
      for (size_t i = 1; i < values.size(); ++i) {
        if (!graph.alive(values[i]) || !graph.Consumers(values[i]).empty() || graph.IsOutput(values[i])) continue;
        graph.RemoveNode(graph.value(values[i]).producer);
        break;
      }
      CheckInvariants(graph);
    }
    const std::vector<NodeId> before = graph.TopologicalOrder();
    std::vector<std::string> names;
    for (const NodeId id : before) names.push_back(graph.node(id).name);
    graph.RemoveUnusedValues();
    graph.Compact();
    CheckInvariants(graph);
    REQUIRE(graph.node_slots() == before.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const NodeId id{static_cast<int32_t>(i)};
      CHECK(graph.node(id).name == names[i]);
      CHECK(graph.FindNode(names[i]) == id);
    }
    const std::string dump = graph.Dump();
    graph.Compact();
    CHECK(graph.Dump() == dump);
  }
}

TEST_CASE("a long chain needs no deep stack") {
  Graph graph;
  ValueId last = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1}));
  std::vector<ValueId> results;
  // Created back to front, so that the order is found by following producers from the first node on.
  for (int i = 0; i < 200000; ++i) results.push_back(graph.AddValue(""));
  for (size_t i = results.size(); i-- > 0;) {
    const ValueId input = i == 0 ? last : results[i - 1];
    REQUIRE(graph.AddNode("", OpType::kRelu, NoAttrs{}, {input}, std::vector<ValueId>{results[i]}).ok());
  }
  graph.SetOutputs({results.back()});
  CHECK(graph.TopologicalOrder().size() == results.size());
  CHECK(graph.InferShapes().ok());
}

TEST_CASE("copying a graph shares constants") {
  Chain chain;
  const Graph copy = chain.graph;
  CHECK(copy.value(chain.weight).constant->buffer().data == chain.graph.value(chain.weight).constant->buffer().data);
  chain.graph.mutable_value(chain.mid).quant = QuantParams::PerTensor(1, 0);
  CHECK_FALSE(copy.value(chain.mid).quant.has_value());
}

TEST_CASE("the dump shows types, attributes that are not defaults, and quantization") {
  Graph graph;
  graph.name = "net";
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N"), Dim(8), Dim(14), Dim(14)}));
  const ValueId w = graph.AddConstant("w", Tensor::Of<float>({8, 1, 3, 3}, std::vector<float>(72)));
  ConvAttrs attrs;
  attrs.group = 8;
  attrs.pads = {1, 1, 1, 1};
  attrs.clamp.min = 0;
  const ValueId y = *graph.AddNode("conv\"1\"", OpType::kConv, attrs, {x, w}, "y");
  graph.SetOutputs({y});
  REQUIRE(graph.InferShapes().ok());
  graph.mutable_value(y).quant = QuantParams::PerTensor(0.5f, 3);
  CHECK_THAT(graph.Dump(), Contains("%y: float32[N,8,14,14] <q8 asymmetric scale=0.5 zero=3> = Conv(%x, %w) "
                                    "{kernel_shape=[3,3], pads=[1,1,1,1], group=8, clamp_min=0}  # conv\"1\""));
  CHECK_THAT(graph.DumpDot(), Contains("digraph \"net\"") && Contains("conv\\\"1\\\"") && Contains("[8,1,3,3]"));
}

}  // namespace
}  // namespace qlite
