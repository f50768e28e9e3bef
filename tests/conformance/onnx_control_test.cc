// Loop, If and sequences: what the reader resolves while it reads.
#include <catch2/catch.hpp>
#include <chrono>

#include "core/str_cat.h"
#include "formats/onnx_model_builder.h"
#include "qlite/session.h"

namespace qlite {
namespace {

using onnx_schema::AttributeProto;
using onnx_schema::GraphProto;
using onnx_schema::NodeProto;
using onnx_schema::TensorProto;
using testing::AddAttribute;
using testing::OnnxModel;
using testing::SetInt;

void SetGraph(NodeProto& node, const std::string& name, OnnxModel& body) {
  *AddAttribute(node, name, AttributeProto::GRAPH).mutable_g() = body.graph();
}

OnnxModel& Bool(OnnxModel& model, const std::string& name, bool value) {
  return model.Small(name, TensorProto::BOOL, {}, {value ? 1 : 0});
}

OnnxModel& Scalar(OnnxModel& model, const std::string& name, int64_t value) {
  model.Constant(name, TensorProto::INT64, {}).add_int64_data(value);
  return model;
}

// A body of (iteration, condition, value) that passes the condition on.
OnnxModel LoopBody(const std::string& carried) {
  OnnxModel body;
  body.Input("iteration", {}, TensorProto::INT64).Input("go", {}, TensorProto::BOOL).Input(carried, {2});
  body.Node("Identity", {"go"}, {"go_on"});
  body.Output("go_on", TensorProto::BOOL);
  return body;
}

std::vector<float> Run(const OnnxModel& model, const std::vector<float>& x, size_t output = 0) {
  const absl::StatusOr<Graph> graph = model.Read();
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  const absl::StatusOr<Context> context = Context::Create();
  const auto session = Session::Create(*context, *graph);
  INFO(session.status().ToString());
  REQUIRE(session.ok());
  const std::span<float> input = (*session)->input(0).as<float>();
  REQUIRE(input.size() == x.size());
  std::copy(x.begin(), x.end(), input.begin());
  REQUIRE((*session)->Run().ok());
  const std::span<const float> y = (*session)->output(output).as<float>();
  return {y.begin(), y.end()};
}

absl::StatusCode Refusal(const OnnxModel& model, const std::string& part) {
  const absl::Status status = model.Read().status();
  INFO(status.ToString());
  CHECK(status.ToString().find(part) != std::string::npos);
  return status.code();
}

// y = x doubled `trips` times; the file's one other node makes what the body reads, behind the loop.
OnnxModel Doubling(int64_t trips) {
  OnnxModel body = LoopBody("v");
  body.Node("Mul", {"v", "two"}, {"doubled"});
  body.Output("doubled");
  OnnxModel model;
  model.Input("x", {2}).Ints("trips", {trips}).Floats("one", {}, {1});
  Bool(model, "go0", true);
  SetGraph(model.Node("Loop", {"trips", "go0", "x"}, {"y"}), "body", body);
  model.Node("Add", {"one", "one"}, {"two"});
  model.Output("y");
  return model;
}

TEST_CASE("a loop with a known trip count is unrolled") {
  CHECK(Run(Doubling(3), {1, -2}) == std::vector<float>{8, -16});
  CHECK(Run(Doubling(0), {1, -2}) == std::vector<float>{1, -2});
  const absl::StatusOr<Graph> graph = Doubling(3).Read();
  REQUIRE(graph.ok());
  CHECK(testing::Ops(*graph).find("Mul Mul Mul") != std::string::npos);
  CHECK(graph->value(graph->outputs()[0]).name == "y");
  CHECK(graph->FindValue("doubled/2").has_value());
}

TEST_CASE("a loop ends when its condition does, and stacks its scan outputs") {
  OnnxModel body;
  body.Input("iteration", {}, TensorProto::INT64).Input("go", {}, TensorProto::BOOL).Input("v", {2});
  Scalar(body, "last", 2);
  body.Node("Less", {"iteration", "last"}, {"go_on"});
  body.Node("Add", {"v", "v"}, {"sum"});
  body.Node("Neg", {"sum"}, {"scan"});
  body.Output("go_on", TensorProto::BOOL).Output("sum").Output("scan");
  OnnxModel model;
  model.Input("x", {2});
  SetGraph(model.Node("Loop", {"", "", "x"}, {"y", "stack"}), "body", body);
  model.Output("y").Output("stack");
  CHECK(Run(model, {1, 2}) == std::vector<float>{8, 16});
  CHECK(Run(model, {1, 2}, 1) == std::vector<float>{-2, -4, -4, -8, -8, -16});
}

TEST_CASE("loops that do not end, or end too late, are an error soon") {
  const auto start = std::chrono::steady_clock::now();
  SECTION("no trip count") {
    OnnxModel body = LoopBody("v");
    body.Output("v");
    OnnxModel model;
    model.Input("x", {2});
    Bool(model, "go0", true);
    SetGraph(model.Node("Loop", {"", "go0", "x"}, {"y"}), "body", body);
    model.Output("y");
    CHECK(Refusal(model, "unrolling") == absl::StatusCode::kResourceExhausted);
  }
  SECTION("nested") {
    OnnxModel inner = LoopBody("u");
    inner.Node("Neg", {"u"}, {"n"});
    inner.Output("n");
    OnnxModel body = LoopBody("v");
    SetGraph(body.Node("Loop", {"trips", "", "v"}, {"w"}), "body", inner);
    body.Output("w");
    OnnxModel model;
    model.Input("x", {2}).Ints("trips", {1 << 20});
    SetGraph(model.Node("Loop", {"trips", "", "x"}, {"y"}), "body", body);
    model.Output("y");
    CHECK(Refusal(model, "unrolling") == absl::StatusCode::kResourceExhausted);
  }
  SECTION("a sequence that grows") {
    OnnxModel body = LoopBody("s");
    body.Node("SequenceInsert", {"s", "x"}, {"t"});
    body.Output("t");
    OnnxModel model;
    model.Input("x", {2}).Ints("trips", {1 << 30});
    model.Node("SequenceEmpty", {}, {"s0"});
    SetGraph(model.Node("Loop", {"trips", "", "s0"}, {"all"}), "body", body);
    SetInt(model.Node("ConcatFromSequence", {"all"}, {"y"}), "axis", 0);
    model.Output("y");
    CHECK(Refusal(model, "sequences have more than") == absl::StatusCode::kResourceExhausted);
  }
  SECTION("a split into very many parts") {
    OnnxModel model;
    model.Input("x", {int64_t{1} << 40});
    model.Node("SplitToSequence", {"x"}, {"s"});
    SetInt(model.Node("ConcatFromSequence", {"s"}, {"y"}), "axis", 0);
    model.Output("y");
    CHECK(Refusal(model, "sequences have more than") == absl::StatusCode::kResourceExhausted);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::minutes(1));
}

TEST_CASE("loops and branches that depend on data are refused with the remedy") {
  OnnxModel then_branch, else_branch;
  then_branch.Node("Neg", {"x"}, {"a"});
  then_branch.Output("a");
  else_branch.Node("Abs", {"x"}, {"b"});
  else_branch.Output("b");
  OnnxModel model;
  // The first extent of x decides: with 2 the branch that negates.
  model.Input("x", {0});
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param(
      "N");
  model.Ints("two", {2});
  model.Node("Shape", {"x"}, {"extents"});
  model.Node("Equal", {"extents", "two"}, {"is_two"});
  NodeProto& node = model.Node("If", {"is_two"}, {"y"});
  SetGraph(node, "then_branch", then_branch);
  SetGraph(node, "else_branch", else_branch);
  model.Output("y");
  CHECK(Refusal(model, "input shapes") == absl::StatusCode::kUnimplemented);
  for (const auto& [extent, op] : {std::pair(2, "Neg"), std::pair(3, "Abs")}) {
    OnnxReadOptions options;
    options.input_shapes["x"] = {extent};
    const absl::StatusOr<Graph> graph = model.Read(options);
    INFO(graph.status().ToString());
    REQUIRE(graph.ok());
    CHECK(testing::Ops(*graph).find(op) != std::string::npos);
    CHECK(graph->value(graph->outputs()[0]).name == "y");
  }
}

TEST_CASE("sequences become the values they hold") {
  OnnxModel model;
  Scalar(model.Input("x", {3, 2}), "last", -1);
  Scalar(model, "first", 0);
  SetInt(model.Node("SplitToSequence", {"x"}, {"rows"}), "keepdims", 0);
  model.Node("SequenceAt", {"rows", "last"}, {"bottom"});
  model.Node("SequenceInsert", {"rows", "bottom", "first"}, {"four"});  // 2 0 1 2
  model.Node("SequenceErase", {"four"}, {"three"});                     // 2 0 1
  NodeProto& concat = model.Node("ConcatFromSequence", {"three"}, {"y"});
  SetInt(concat, "axis", 1);
  SetInt(concat, "new_axis", 1);
  model.Output("y");
  CHECK(Run(model, {1, 2, 3, 4, 5, 6}) == std::vector<float>{5, 1, 3, 6, 2, 4});
}

TEST_CASE("sequences are split by sizes, constructed and counted") {
  OnnxModel model;
  model.Input("x", {5}).Ints("sizes", {1, 4}).Ints("two", {2});
  Scalar(model, "chunk", 2);
  Scalar(model, "one", 1);
  model.Node("SplitToSequence", {"x", "sizes"}, {"by_sizes"});
  model.Node("SequenceAt", {"by_sizes", "one"}, {"tail"});
  model.Node("SplitToSequence", {"x", "chunk"}, {"by_chunk"});  // 2, 2, 1
  model.Node("SequenceAt", {"by_chunk", "one"}, {"middle"});
  model.Node("SequenceLength", {"by_chunk"}, {"length"});
  SetInt(model.Node("Cast", {"length"}, {"count"}), "to", TensorProto::FLOAT);
  model.Node("Mul", {"middle", "count"}, {"scaled"});
  model.Node("SequenceConstruct", {"tail", "scaled"}, {"both"});
  SetInt(model.Node("ConcatFromSequence", {"both"}, {"y"}), "axis", 0);
  model.Output("y");
  CHECK(Run(model, {1, 2, 3, 4, 5}) == std::vector<float>{2, 3, 4, 5, 9, 12});
}

TEST_CASE("misused sequences, loops and branches are refused") {
  OnnxModel model;
  model.Input("x", {4});
  SECTION("a sequence where a tensor belongs") {
    model.Node("SplitToSequence", {"x"}, {"s"});
    model.Node("Neg", {"s"}, {"y"});
    Refusal(model.Output("y"), "'s' is a sequence");
  }
  SECTION("a sequence as an output") {
    model.Node("SplitToSequence", {"x"}, {"s"});
    Refusal(model.Output("s"), "'s' is a sequence");
  }
  SECTION("a tensor where a sequence belongs") {
    model.Node("SequenceLength", {"x"}, {"n"});
    Refusal(model.Output("n", TensorProto::INT64), "not a sequence");
  }
  SECTION("a position that is not there") {
    model.Node("SplitToSequence", {"x"}, {"s"});
    Scalar(model, "five", 5);
    model.Node("SequenceAt", {"s", "five"}, {"y"});
    Refusal(model.Output("y"), "position 5");
  }
  SECTION("an empty sequence") {
    model.Node("SequenceEmpty", {}, {"s"});
    SetInt(model.Node("ConcatFromSequence", {"s"}, {"y"}), "axis", 0);
    Refusal(model.Output("y"), "empty sequence");
  }
  SECTION("an operator of a body") {
    OnnxModel body = LoopBody("v");
    body.Node("Wonder", {"v"}, {"w"});
    body.Output("w");
    SetGraph(model.Ints("trips", {1}).Node("Loop", {"trips", "", "x"}, {"y"}), "body", body);
    Refusal(model.Output("y"), "Wonder (1 node");
  }
  SECTION("a body with other inputs") {
    OnnxModel body = LoopBody("v");
    body.Output("v");
    SetGraph(model.Ints("trips", {1}).Node("Loop", {"trips", "", "x", "x"}, {"y", "z"}), "body", body);
    Refusal(model.Output("y"), "does not fit a body");
  }
  SECTION("a body that reads what nothing makes") {
    OnnxModel body = LoopBody("v");
    body.Node("Add", {"v", "nowhere"}, {"w"});
    body.Output("w");
    SetGraph(model.Ints("trips", {1}).Node("Loop", {"trips", "", "x"}, {"y"}), "body", body);
    Refusal(model.Output("y"), "nowhere");
  }
  SECTION("a body that reads the loop's own result") {
    OnnxModel body = LoopBody("v");
    body.Node("Add", {"v", "y"}, {"w"});
    body.Output("w");
    SetGraph(model.Ints("trips", {1}).Node("Loop", {"trips", "", "x"}, {"y"}), "body", body);
    Refusal(model.Output("y"), "cycle");
  }
  SECTION("no branch") {
    Bool(model, "yes", true);
    model.Node("If", {"yes"}, {"y"});
    Refusal(model.Output("y"), "then_branch");
  }
}

TEST_CASE("the exporter's wrong form of repeat_interleave is read as what it means") {
  // [1,2,t,3] with every row of the second dimension twice.
  OnnxModel model;
  model.proto.set_producer_name("pytorch");
  model.Input("x", {1, 2, 2, 3}).Ints("extents", {1, 1, 2, 1, 1}).Ints("target", {0, -1, 0, 0}).Ints("two", {2});
  auto& shape = *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(2)->set_dim_param("T");
  model.Node("Unsqueeze", {"x", "two"}, {"u"});
  model.Node("Expand", {"u", "extents"}, {"e"});
  model.Node("Reshape", {"e", "target"}, {"y"});
  model.Output("y");
  OnnxReadOptions options;
  options.input_shapes["x"] = {1, 2, 5, 3};
  absl::StatusOr<Graph> graph = model.Read(options);
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  CHECK(graph->value(graph->outputs()[0]).shape == Shape::Of({1, 4, 5, 3}));
  CHECK(graph->metadata.count("repaired") == 1);

  model.proto.set_producer_name("another");
  graph = model.Read(options);
  REQUIRE(graph.ok());
  CHECK(graph->value(graph->outputs()[0]).shape == Shape::Of({1, 6, 2, 5}));
}

}  // namespace
}  // namespace qlite
