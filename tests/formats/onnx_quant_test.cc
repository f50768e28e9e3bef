// QuantizeLinear and DequantizeLinear, and the integer operators that they stand for.
#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

#include "formats/onnx_model_builder.h"

namespace qlite {
namespace {

using namespace testing;  // NOLINT: the builder
using onnx_schema::NodeProto;
using onnx_schema::TensorProto;

// A model under construction with the usual Q/DQ chains.
class QdqModel : public OnnxModel {
 public:
  explicit QdqModel(int64_t opset = 13) : OnnxModel(opset) {}

  void Params(const std::string& prefix, float scale, int type, int zero_point) {
    Floats(prefix + "_s", {}, {scale});
    Small(prefix + "_z", type, {}, {zero_point});
  }
  // value -> Q -> value_q -> DQ -> value_dq.
  std::string Pair(const std::string& value, const std::string& params) {
    Node("QuantizeLinear", {value, params + "_s", params + "_z"}, {value + "_q"});
    Node("DequantizeLinear", {value + "_q", params + "_s", params + "_z"}, {value + "_dq"});
    return value + "_dq";
  }
  // int8 weights of `channels` channels of `each` elements, per channel along axis 0.
  std::string Weights(const std::string& name, const std::vector<int64_t>& dims, int64_t channels) {
    int64_t count = 1;
    for (const int64_t d : dims) count *= d;
    std::vector<int> values, zeros(static_cast<size_t>(channels), 0);
    for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<int>(i % 200) - 100);
    std::vector<float> scales;
    for (int64_t i = 0; i < channels; ++i) scales.push_back(0.25f * static_cast<float>(i + 1));
    Small(name, TensorProto::INT8, dims, values);
    Floats(name + "_s", {channels}, scales);
    Small(name + "_z", TensorProto::INT8, {channels}, zeros);
    SetInt(Node("DequantizeLinear", {name, name + "_s", name + "_z"}, {name + "_dq"}), "axis", 0);
    return name + "_dq";
  }
  std::string Bias(const std::string& name, int64_t channels, float input_scale) {
    std::vector<float> scales;
    for (int64_t i = 0; i < channels; ++i) scales.push_back(input_scale * 0.25f * static_cast<float>(i + 1));
    Small(name, TensorProto::INT32, {channels}, std::vector<int>(static_cast<size_t>(channels), 7));
    Floats(name + "_s", {channels}, scales);
    SetInt(Node("DequantizeLinear", {name, name + "_s"}, {name + "_dq"}), "axis", 0);
    return name + "_dq";
  }
};

Graph MustRead(const OnnxModel& model, bool fold = true) {
  OnnxReadOptions options;
  options.fold_quantization = fold;
  absl::StatusOr<Graph> graph = model.Read(options);
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  return *std::move(graph);
}

QdqModel ConvModel(const std::string& behind = "", float bias_scale = 0.5f) {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 100);
  model.Params("out", 2.0f, TensorProto::UINT8, 3);
  const std::string x = model.Pair("x", "in");
  const std::string w = model.Weights("w", {3, 2, 3, 3}, 3), b = model.Bias("b", 3, bias_scale);
  model.Node("Conv", {x, w, b}, {"c"});
  if (!behind.empty()) model.Node(behind, {"c"}, {"a"});
  const std::string last = behind.empty() ? "c" : "a";
  model.Node("QuantizeLinear", {last, "out_s", "out_z"}, {"c_q"});
  model.Node("DequantizeLinear", {"c_q", "out_s", "out_z"}, {"y"});
  return model;
}

TEST_CASE("uint8 becomes int8 with the zero point less 128") {
  const Graph graph = MustRead(ConvModel());
  CHECK(Ops(graph) == "Quantize Conv Dequantize");
  const Value& x = graph.value(*graph.FindValue("x_q"));
  CHECK(x.type == ElementType::kInt8);
  CHECK(*x.quant == QuantParams::PerTensor(0.5f, -28));
}

TEST_CASE("a quantized Conv has int8 weights, an int32 bias and an int8 result") {
  const Graph graph = MustRead(ConvModel());
  const Node& conv = graph.node(*graph.FindNode("Conv_c"));
  const Value& weights = graph.value(conv.inputs[1]);
  CHECK(weights.type == ElementType::kInt8);
  CHECK(weights.quant->axis == 0);
  CHECK(weights.quant->scales == std::vector<float>{0.25f, 0.5f, 0.75f});
  CHECK(weights.quant->scheme == QuantScheme::kSymmetric);
  CHECK(weights.quant->narrow_range);
  CHECK(graph.value(conv.inputs[2]).type == ElementType::kInt32);
  CHECK(graph.value(conv.outputs[0]).name == "c_q");
  CHECK_FALSE(conv.attr<ConvAttrs>().clamp.active());
}

TEST_CASE("an activation between operator and QuantizeLinear becomes its clamp") {
  const Graph graph = MustRead(ConvModel("Relu"));
  CHECK(Ops(graph) == "Quantize Conv Dequantize");
  CHECK(graph.node(*graph.FindNode("Conv_c")).attr<ConvAttrs>().clamp.min == 0);
}

TEST_CASE("without folding the graph is float") {
  CHECK(Ops(MustRead(ConvModel(), false)) == "Quantize Dequantize Dequantize Dequantize Conv Quantize Dequantize");
}

TEST_CASE("a Conv that no QuantizeLinear follows ends in float") {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y");
  model.Params("in", 0.5f, TensorProto::INT8, -3);
  const std::string x = model.Pair("x", "in");
  model.Node("Conv", {x, model.Weights("w", {3, 2, 3, 3}, 3)}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Quantize Conv");
  CHECK(graph.value(graph.outputs()[0]).type == ElementType::kFloat32);
}

TEST_CASE("a bias of another scale leaves the Conv in float") {
  CHECK(Ops(MustRead(ConvModel("", 0.7f))).find("Conv Quantize") != std::string::npos);
}

TEST_CASE("weights with a zero point leave the operator in float") {
  QdqModel model = ConvModel();
  for (auto& tensor : *model.graph().mutable_initializer()) {
    if (tensor.name() == "w_z") tensor.set_int32_data(1, 5);
  }
  const Graph graph = MustRead(model);
  CHECK(graph.value(graph.node(*graph.FindNode("Conv_c")).inputs[0]).type == ElementType::kFloat32);
}

TEST_CASE("Gemm folds for constant weights per row or column") {
  QdqModel model;
  model.Input("x", {4, 6}).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 128);
  model.Params("out", 1.0f, TensorProto::UINT8, 128);
  const std::string x = model.Pair("x", "in");
  SetInt(model.Node("Gemm", {x, model.Weights("w", {5, 6}, 5), model.Bias("b", 5, 0.5f)}, {"g"}), "transB", 1);
  const std::string g = model.Pair("g", "out");
  model.Node("Softmax", {g}, {"y"});
  CHECK(Ops(MustRead(model)) == "Quantize Gemm Dequantize Softmax");
  SetFloat(*model.graph().mutable_node(4), "alpha", 2);
  REQUIRE(model.graph().node(4).op_type() == "Gemm");
  CHECK(Ops(MustRead(model)).find("Gemm Quantize") != std::string::npos);
}

TEST_CASE("MatMul takes over the bias that follows") {
  QdqModel model;
  model.Input("x", {1, 4, 6}).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 128);
  const std::string x = model.Pair("x", "in");
  model.Small("w", TensorProto::INT8, {6, 5}, std::vector<int>(30, 3));
  model.Floats("w_s", {}, {0.25f});
  model.Node("DequantizeLinear", {"w", "w_s"}, {"w_dq"});
  model.Small("b", TensorProto::INT32, {5}, {1, 2, 3, 4, 5});
  model.Floats("b_s", {}, {0.125f});
  model.Node("DequantizeLinear", {"b", "b_s"}, {"b_dq"});
  model.Node("MatMul", {x, "w_dq"}, {"m"});
  model.Node("Add", {"b_dq", "m"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Quantize MatMul");
  CHECK(Last(graph).has_input(2));
}

TEST_CASE("elementwise operators, Concat and data movement fold") {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y").Ints("shape", {1, -1});
  model.Params("in", 0.5f, TensorProto::UINT8, 128);
  model.Params("out", 1.0f, TensorProto::UINT8, 0);
  const std::string x = model.Pair("x", "in");
  model.Node("Add", {x, x}, {"a"});
  model.Node("Relu", {"a"}, {"r"});
  const std::string r = model.Pair("r", "out");
  SetInts(model.Node("MaxPool", {r}, {"p"}), "kernel_shape", {2, 2});
  const std::string p = model.Pair("p", "out");
  SetInt(model.Node("Concat", {p, p}, {"c"}), "axis", 1);
  const std::string c = model.Pair("c", "out");
  model.Node("Sigmoid", {c}, {"s"});
  const std::string s = model.Pair("s", "in");
  model.Node("Reshape", {s, "shape"}, {"y0"});
  const std::string y = model.Pair("y0", "in");
  model.Node("Identity", {y}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Quantize Add MaxPool Concat Sigmoid Reshape Dequantize Identity");
  CHECK(graph.node(*graph.FindNode("Add_a")).attr<ElementwiseAttrs>().clamp.min == 0);
}

TEST_CASE("MaxPool between different parameters stays in float") {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 128);
  model.Params("out", 1.0f, TensorProto::UINT8, 0);
  SetInts(model.Node("MaxPool", {model.Pair("x", "in")}, {"p"}), "kernel_shape", {2, 2});
  model.Node("Identity", {model.Pair("p", "out")}, {"y"});
  CHECK(Ops(MustRead(model)) == "Quantize Dequantize MaxPool Quantize Dequantize Identity");
}

TEST_CASE("a value that something else reads in float too stays in float") {
  QdqModel model = ConvModel();
  model.Output("z");
  model.Node("Tanh", {"c"}, {"z"});
  const Graph graph = MustRead(model);
  CHECK(graph.value(*graph.FindValue("c")).type == ElementType::kFloat32);
  CHECK(Ops(graph) == "Quantize Conv Quantize Dequantize Tanh");
}

TEST_CASE("operators between the integers themselves move the shifted values") {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y").Ints("pads", {0, 0, 1, 1, 0, 0, 1, 1});
  model.Params("in", 0.5f, TensorProto::UINT8, 7);
  model.Small("seven", TensorProto::UINT8, {}, {7});
  model.Node("QuantizeLinear", {"x", "in_s", "in_z"}, {"q"});
  SetInts(model.Node("Transpose", {"q"}, {"t"}), "perm", {0, 1, 3, 2});
  model.Node("Pad", {"t", "pads", "seven"}, {"p"});
  SetInts(model.Node("MaxPool", {"p"}, {"m"}), "kernel_shape", {2, 2});
  model.Node("DequantizeLinear", {"m", "in_s", "in_z"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Quantize Transpose Pad MaxPool Dequantize");
  CHECK_FALSE(graph.node(*graph.FindNode("Pad_p")).has_input(2));  // the zero point is what it fills in anyway
}

TEST_CASE("a uint8 result of the graph is given back as uint8") {
  QdqModel model;
  model.Input("x", {4}).Output("q", TensorProto::UINT8);
  model.Params("in", 0.5f, TensorProto::UINT8, 7);
  model.Node("QuantizeLinear", {"x", "in_s", "in_z"}, {"q"});
  const Graph graph = MustRead(model);
  CHECK(graph.value(graph.outputs()[0]).name == "q");
  CHECK(graph.value(graph.outputs()[0]).type == ElementType::kUInt8);
}

TEST_CASE("a uint8 input is shifted before it is dequantized") {
  QdqModel model;
  model.Input("q", {4}, TensorProto::UINT8).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 7);
  model.Node("DequantizeLinear", {"q", "in_s", "in_z"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Cast Sub Cast Dequantize");
  CHECK(graph.value(graph.inputs()[0]).type == ElementType::kUInt8);
}

TEST_CASE("uint8 weights around 128 fold like int8 ones") {
  QdqModel model;
  model.Input("x", {1, 2, 4, 4}).Output("y");
  model.Params("in", 0.5f, TensorProto::UINT8, 100);
  model.Params("w", 0.25f, TensorProto::UINT8, 128);
  model.Small("weights", TensorProto::UINT8, {1, 2, 1, 1}, {127, 255});
  model.Node("DequantizeLinear", {"weights", "w_s", "w_z"}, {"w_dq"});
  model.Node("Conv", {model.Pair("x", "in"), "w_dq"}, {"y"});
  const Graph graph = MustRead(model);
  CHECK(Ops(graph) == "Quantize Conv");
  const auto data = graph.value(Last(graph).inputs[1]).constant->data<int8_t>();
  CHECK(data[0] == -1);
  CHECK(data[1] == 127);
}

TEST_CASE("parameters that cannot be are refused") {
  QdqModel model = ConvModel();
  const auto edit = [&](const std::string& name) -> TensorProto& {
    for (auto& tensor : *model.graph().mutable_initializer()) {
      if (tensor.name() == name) return tensor;
    }
    throw std::runtime_error(name);
  };
  SECTION("scale of zero") { edit("in_s").set_float_data(0, 0); }
  SECTION("negative scale") { edit("in_s").set_float_data(0, -1); }
  SECTION("infinite scale") { edit("w_s").set_float_data(1, std::numeric_limits<float>::infinity()); }
  SECTION("fewer zero points than scales") {
    edit("w_z").clear_int32_data();
    edit("w_z").add_int32_data(0);
    edit("w_z").set_dims(0, 1);
  }
  SECTION("more scales than channels") {
    edit("w_s").add_float_data(1);
    edit("w_s").set_dims(0, 4);
    edit("w_z").add_int32_data(0);
    edit("w_z").set_dims(0, 4);
  }
  SECTION("16 bits") { edit("in_z").set_data_type(TensorProto::UINT16); }
  SECTION("weights of another type than their zero point") { edit("w").set_data_type(TensorProto::INT32); }
  SECTION("a computed scale") { model.graph().mutable_node(0)->set_input(1, std::string("x")); }
  SECTION("blocks") {
    model.proto.mutable_opset_import(0)->set_version(21);
    SetInt(*model.graph().mutable_node(0), "block_size", 2);
  }
  const absl::Status status = model.Read().status();
  INFO(status.ToString());
  CHECK_FALSE(status.ok());
}

}  // namespace
}  // namespace qlite
