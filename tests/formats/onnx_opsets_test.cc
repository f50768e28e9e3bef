// One meaning, however an opset spells it.
#include <catch2/catch.hpp>
#include <limits>

#include "formats/onnx_model_builder.h"

namespace qlite {
namespace {

using namespace testing;  // NOLINT: the builder
using onnx_schema::TensorProto;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Graph MustRead(const OnnxModel& model) {
  absl::StatusOr<Graph> graph = model.Read();
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  return *std::move(graph);
}

OnnxModel OneInput(int64_t opset, const std::vector<int64_t>& dims = {2, 3, 4, 5}) {
  OnnxModel model(opset);
  model.Input("x", dims).Output("y");
  return model;
}

TEST_CASE("Clip takes bounds from attributes before opset 11") {
  OnnxModel model = OneInput(7);
  auto& node = model.Node("Clip", {"x"}, {"y"});
  SetFloat(node, "min", 0);
  SetFloat(node, "max", 6);
  CHECK(Last(MustRead(model)).attr<ClipAttrs>().range == FusedClamp{0, 6});
}

TEST_CASE("Clip takes bounds from constant inputs since opset 11") {
  OnnxModel model = OneInput(13);
  model.Floats("high", {}, {6});
  model.Node("Clip", {"x", "", "high"}, {"y"});
  CHECK(Last(MustRead(model)).attr<ClipAttrs>().range == FusedClamp{-kInfinity, 6});
}

TEST_CASE("Clip without bounds, or with those of float32, clips nothing") {
  OnnxModel model = OneInput(13);
  model.Floats("low", {}, {std::numeric_limits<float>::lowest()});
  model.Node("Clip", {"x", "low"}, {"y"});
  CHECK_FALSE(Last(MustRead(model)).attr<ClipAttrs>().range.active());
}

TEST_CASE("Clip with bounds that the model computes becomes Max and Min") {
  OnnxModel model = OneInput(13);
  model.Input("low", {}).Floats("high", {}, {6});
  model.Node("Clip", {"x", "low", "high"}, {"y"});
  CHECK(Ops(MustRead(model)) == "Max Min");
  OnnxModel upper = OneInput(13);
  upper.Input("high", {});
  upper.Node("Clip", {"x", "", "high"}, {"y"});
  CHECK(Ops(MustRead(upper)) == "Min");
}

TEST_CASE("axes are an attribute or a constant input") {
  for (const int64_t opset : {7, 11, 13, 18, 21}) {
    OnnxModel model = OneInput(opset, {2, 1, 4, 1});
    model.Ints("axes", {1, 3});
    auto& node = model.Node("Squeeze",
                            opset < 13 ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "axes"}, {"y"});
    if (opset < 13) SetInts(node, "axes", {1, 3});
    const Graph graph = MustRead(model);
    CHECK(Last(graph).attr<AxesAttrs>().axes == std::vector<int64_t>{1, 3});
    CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 4}));
  }
}

TEST_CASE("axes of reductions became an input at opset 13 or 18") {
  for (const auto& [op, since] :
       {std::pair("ReduceSum", 13), std::pair("ReduceMean", 18), std::pair("ReduceMax", 18)}) {
    for (const int64_t opset : {7, 13, 18, 21}) {
      OnnxModel model = OneInput(opset);
      model.Ints("axes", {2, 3});
      const bool input = opset >= since;
      auto& node = model.Node(op, input ? std::vector<std::string>{"x", "axes"} : std::vector<std::string>{"x"}, {"y"});
      SetInt(node, "keepdims", 0);
      if (!input) SetInts(node, "axes", {2, 3});
      const Graph graph = MustRead(model);
      CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3}));
    }
  }
}

TEST_CASE("axes that the model computes are refused by name") {
  OnnxModel model = OneInput(13, {2, 1, 4, 1});
  model.Input("axes", {1}, TensorProto::INT64);
  model.Node("Unsqueeze", {"x", "axes"}, {"y"});
  const absl::Status status = model.Read().status();
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(status.ToString().find("Unsqueeze_y") != std::string::npos);
}

TEST_CASE("Split takes sizes from either place") {
  for (const int64_t opset : {7, 13, 18}) {
    OnnxModel model = OneInput(opset);
    model.Ints("sizes", {1, 4}).Output("z");
    auto& node = model.Node(
        "Split", opset < 13 ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "sizes"}, {"y", "z"});
    SetInt(node, "axis", 3);
    if (opset < 13) SetInts(node, "split", {1, 4});
    const Graph graph = MustRead(model);
    CHECK(graph.value(graph.outputs()[1]).shape == Shape::Of({2, 3, 4, 4}));
  }
}

TEST_CASE("Slice and Pad before their inputs existed") {
  OnnxModel slice = OneInput(9);
  auto& node = slice.Node("Slice", {"x"}, {"y"});
  SetInts(node, "starts", {1});
  SetInts(node, "ends", {3});
  SetInts(node, "axes", {2});
  const Graph sliced = MustRead(slice);
  CHECK(sliced.value(sliced.outputs()[0]).shape == Shape::Of({2, 3, 2, 5}));

  OnnxModel pad = OneInput(10);
  auto& padding = pad.Node("Pad", {"x"}, {"y"});
  SetInts(padding, "pads", {0, 0, 1, 0, 0, 0, 2, 0});
  SetFloat(padding, "value", 1.5f);
  SetString(padding, "mode", "constant");
  const Graph padded = MustRead(pad);
  CHECK(padded.value(padded.outputs()[0]).shape == Shape::Of({2, 3, 7, 5}));
  REQUIRE(Last(padded).has_input(2));
  CHECK(padded.value(Last(padded).inputs[2]).constant->data<float>()[0] == 1.5f);
}

TEST_CASE("Upsample and the first Resize sample at the lower corner") {
  for (const int64_t opset : {7, 9, 10}) {
    OnnxModel model = OneInput(opset);
    model.Floats("scales", {4}, {1, 1, 2, 2});
    auto& node = opset == 7   ? model.Node("Upsample", {"x"}, {"y"})
                 : opset == 9 ? model.Node("Upsample", {"x", "scales"}, {"y"})
                              : model.Node("Resize", {"x", "scales"}, {"y"});
    SetString(node, "mode", "nearest");
    if (opset == 7) {
      auto& scales = AddAttribute(node, "scales", onnx_schema::AttributeProto::FLOATS);
      for (const float s : {1.0f, 1.0f, 2.0f, 2.0f}) scales.add_floats(s);
    }
    const Graph graph = MustRead(model);
    const auto& attrs = Last(graph).attr<ResizeAttrs>();
    CHECK(attrs.coordinates == CoordinateMode::kAsymmetric);
    CHECK(attrs.nearest == NearestMode::kFloor);
    CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3, 8, 10}));
  }
}

TEST_CASE("Resize takes scales or sizes, an empty input standing for an absent one") {
  OnnxModel model = OneInput(13);
  model.Floats("none", {0}, {}).Ints("sizes", {2, 3, 7, 9});
  auto& node = model.Node("Resize", {"x", "none", "none", "sizes"}, {"y"});
  SetString(node, "mode", "linear");
  SetString(node, "coordinate_transformation_mode", "align_corners");
  const Graph graph = MustRead(model);
  CHECK(Last(graph).attr<ResizeAttrs>().coordinates == CoordinateMode::kAlignCorners);
  CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3, 7, 9}));

  OnnxModel both = OneInput(13);
  both.Floats("scales", {4}, {1, 1, 2, 2}).Ints("sizes", {2, 3, 7, 9});
  both.Node("Resize", {"x", "", "scales", "sizes"}, {"y"});
  CHECK(both.Read().status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("Resize over some axes keeps the others") {
  OnnxModel scaled = OneInput(18);
  scaled.Floats("scales", {2}, {2, 3});
  SetInts(scaled.Node("Resize", {"x", "", "scales"}, {"y"}), "axes", {2, -1});
  Graph graph = MustRead(scaled);
  CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3, 8, 15}));

  OnnxModel sized = OneInput(18);
  sized.Ints("sizes", {7, 9});
  SetInts(sized.Node("Resize", {"x", "", "", "sizes"}, {"y"}), "axes", {2, 3});
  graph = MustRead(sized);
  CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3, 7, 9}));
}

TEST_CASE("Softmax before opset 13 normalises over all dimensions from the axis on") {
  SECTION("the last dimension is one axis") {
    OnnxModel model = OneInput(9);
    SetInt(model.Node("Softmax", {"x"}, {"y"}), "axis", 3);
    const Graph graph = MustRead(model);
    CHECK(Ops(graph) == "Softmax");
    CHECK(Last(graph).attr<AxisAttrs>().axis == 3);
  }
  SECTION("dimensions of extent 1 change nothing") {
    OnnxModel model = OneInput(9, {2, 10, 1, 1});
    model.Node("Softmax", {"x"}, {"y"});
    const Graph graph = MustRead(model);
    CHECK(Ops(graph) == "Softmax");
    CHECK(Last(graph).attr<AxisAttrs>().axis == 1);
  }
  SECTION("otherwise the value is flattened and given its shape back") {
    OnnxModel model = OneInput(9);
    model.Node("LogSoftmax", {"x"}, {"y"});
    const Graph graph = MustRead(model);
    CHECK(Ops(graph) == "Flatten LogSoftmax Shape Reshape");
    CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({2, 3, 4, 5}));
    CHECK(graph.value(graph.outputs()[0]).name == "y");
  }
  SECTION("since opset 13 the default is the last") {
    OnnxModel model = OneInput(13);
    model.Node("Softmax", {"x"}, {"y"});
    CHECK(Last(MustRead(model)).attr<AxisAttrs>().axis == -1);
  }
}

TEST_CASE("Dropout passes its input on, and its mask is refused") {
  OnnxModel model = OneInput(13);
  model.Node("Dropout", {"x"}, {"y", "mask"});
  CHECK(Ops(MustRead(model)) == "Identity");
  model.Output("mask", TensorProto::BOOL);
  CHECK(model.Read().status().code() == absl::StatusCode::kUnimplemented);
}

TEST_CASE("Dropout in training drops nothing where its ratio is 0") {
  const auto read = [](float ratio) {
    OnnxModel model = OneInput(13);
    model.Floats("ratio", {}, {ratio}).Small("training", TensorProto::BOOL, {}, {1});
    model.Node("Dropout", {"x", "ratio", "training"}, {"y"});
    return model.Read().status().code();
  };
  CHECK(read(0) == absl::StatusCode::kOk);
  CHECK(read(0.5f) == absl::StatusCode::kUnimplemented);
}

TEST_CASE("forms of Mod and ScatterND that have no meaning here are refused") {
  OnnxModel remainder = OneInput(14, {3});
  SetInt(remainder.Node("Mod", {"x", "x"}, {"y"}), "fmod", 1);
  CHECK(remainder.Read().status().code() == absl::StatusCode::kUnimplemented);
  OnnxModel sum = OneInput(16, {3});
  sum.Ints("where", {0}).Floats("what", {}, {2});
  SetString(sum.Node("ScatterND", {"x", "where", "what"}, {"y"}), "reduction", "add");
  CHECK(sum.Read().status().code() == absl::StatusCode::kUnimplemented);
}

TEST_CASE("what recurrent networks may ask for and is not supported is refused") {
  const auto read = [](const std::vector<std::string>& inputs, auto set) {
    OnnxModel model = OneInput(14, {5, 1, 2});
    model.Floats("w", {1, 4, 2}, std::vector<float>(8, 0.5f)).Floats("r", {1, 4, 1}, std::vector<float>(4, 0.5f));
    model.Ints("lengths", {5});
    auto& node = model.Node("LSTM", inputs, {"y"});
    SetInt(node, "hidden_size", 1);
    set(node);
    return model.Read().status().code();
  };
  const auto nothing = [](auto&) {};
  CHECK(read({"x", "w", "r"}, nothing) == absl::StatusCode::kOk);
  CHECK(read({"x", "w", "r", "", "lengths"}, nothing) == absl::StatusCode::kUnimplemented);
  CHECK(read({"x", "w", "r"}, [](auto& node) { SetInt(node, "layout", 1); }) == absl::StatusCode::kUnimplemented);
  CHECK(read({"x", "w", "r"}, [](auto& node) { SetFloat(node, "clip", 1); }) == absl::StatusCode::kUnimplemented);
  CHECK(read({"x", "w", "r"}, [](auto& node) { SetInt(node, "input_forget", 1); }) == absl::StatusCode::kUnimplemented);
}

TEST_CASE("MaxPool's indices are refused where they are used") {
  OnnxModel model = OneInput(12);
  SetInts(model.Node("MaxPool", {"x"}, {"y", "where"}), "kernel_shape", {2, 2});
  CHECK(MustRead(model).value(MustRead(model).outputs()[0]).shape == Shape::Of({2, 3, 3, 4}));
  model.Output("where", TensorProto::INT64);
  const absl::Status status = model.Read().status();
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(status.ToString().find("Indices") != std::string::npos);
}

TEST_CASE("constants in every form of the attribute") {
  OnnxModel model(13);
  model.Input("x", {2}).Output("y");
  SetFloat(model.Node("Constant", {}, {"a"}), "value_float", 2);
  auto& list = AddAttribute(model.Node("Constant", {}, {"b"}), "value_floats", onnx_schema::AttributeProto::FLOATS);
  list.add_floats(1);
  list.add_floats(2);
  SetInts(model.Node("Constant", {}, {"shape"}), "value_ints", {1, 2});
  model.Node("Add", {"x", "a"}, {"s"});
  model.Node("Mul", {"s", "b"}, {"t"});
  model.Node("Reshape", {"t", "shape"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Add Mul Reshape");
  CHECK(graph.value(graph.outputs()[0]).shape == Shape::Of({1, 2}));
}

TEST_CASE("half precision, bfloat16 and double constants are read as float32") {
  OnnxModel model(13);
  model.Input("x", {3}).Output("y");
  model.Small("half", TensorProto::FLOAT16, {3}, {0x3c00, 0xc000, 0x0001});
  model.Small("brain", TensorProto::BFLOAT16, {3}, {0x3f80, 0xbf80, 0x7f80});
  auto& wide = model.Constant("wide", TensorProto::DOUBLE, {3});
  for (const double v : {0.5, -1e300, 1e-300}) wide.add_double_data(v);
  model.Node("Sum", {"x", "half", "brain", "wide"}, {"y"});
  const Graph graph = MustRead(model);
  const auto data = [&](const char* name) { return graph.value(*graph.FindValue(name)).constant->data<float>(); };
  CHECK(data("half")[0] == 1.0f);
  CHECK(data("half")[1] == -2.0f);
  CHECK(data("half")[2] == 0x1p-24f);
  CHECK(data("brain")[2] == kInfinity);
  CHECK(data("wide")[0] == 0.5f);
  CHECK(data("wide")[1] == -kInfinity);
  CHECK(data("wide")[2] == 0.0f);
}

TEST_CASE("nodes may come in any order") {
  OnnxModel model = OneInput(13);
  model.Node("Relu", {"b"}, {"y"});
  model.Node("Tanh", {"a"}, {"b"});
  model.Node("Neg", {"x"}, {"a"});
  CHECK(Ops(MustRead(model)) == "Neg Tanh Relu");
}

TEST_CASE("an initializer that is an input too is a constant") {
  OnnxModel model = OneInput(8, {2});
  model.Input("w", {2}).Floats("w", {2}, {1, 2});
  model.Node("Add", {"x", "w"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(graph.inputs().size() == 1);
  CHECK(graph.value(*graph.FindValue("w")).is_constant());
}

TEST_CASE("symbolic dimensions keep their names") {
  OnnxModel model = OneInput(13);
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param(
      "N");
  model.Node("Relu", {"x"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(graph.value(graph.outputs()[0]).shape.ToString() == "[N,3,4,5]");
}

TEST_CASE("opsets outside 7 to 21 are refused with the range") {
  for (const int64_t opset : {6, 22}) {
    OnnxModel model = OneInput(opset);
    model.Node("Relu", {"x"}, {"y"});
    const absl::Status status = model.Read().status();
    CHECK(status.code() == absl::StatusCode::kUnimplemented);
    CHECK(status.ToString().find("7 to 21") != std::string::npos);
  }
}

}  // namespace
}  // namespace qlite
