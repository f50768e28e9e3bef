// What is written reads back as what it was.
#include "formats/onnx/onnx_writer.h"

#include <catch2/catch.hpp>
#include <limits>

#include "formats/onnx_model_builder.h"

namespace qlite {
namespace {

using namespace testing;  // NOLINT: the builder
using onnx_schema::ModelProto;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string MustWrite(const Graph& graph, bool uint8 = true) {
  const absl::StatusOr<std::string> bytes = WriteOnnx(graph, {.uint8_activations = uint8});
  INFO(bytes.status().ToString());
  REQUIRE(bytes.ok());
  return *bytes;
}

Graph MustRead(const std::string& bytes) {
  absl::StatusOr<Graph> graph = OnnxModel::ReadBytes(bytes);
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  return *std::move(graph);
}

ModelProto Parsed(const std::string& bytes) {
  ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  return model;
}

std::string OpTypes(const ModelProto& model) {
  std::string text;
  for (const auto& node : model.graph().node()) {
    if (!text.empty()) text += ' ';
    text += node.op_type();
  }
  return text;
}

Tensor Weights(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t d : dims) count *= d;
  std::vector<int8_t> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<int8_t>(i * 37 % 255 - 127));
  return Tensor::Of<int8_t>(dims, std::move(values));
}

QuantParams Symmetric(std::vector<float> scales, int64_t axis, int bits = 8) {
  QuantParams params;
  params.bits = bits;
  params.scheme = QuantScheme::kSymmetric;
  params.narrow_range = bits == 8;
  params.axis = axis;
  params.zero_points.assign(scales.size(), 0);
  params.scales = std::move(scales);
  return params;
}

// Builds quantized graphs, a value at a time.
class QuantizedGraph {
 public:
  ValueId Input(const std::vector<int64_t>& dims, float scale, int32_t zero) {
    const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of(dims));
    return Op(OpType::kQuantize, QuantizeAttrs{}, {x}, "x_q", QuantParams::PerTensor(scale, zero));
  }
  ValueId Constant(const std::string& name, Tensor tensor, QuantParams params) {
    const ValueId id = graph.AddConstant(name, std::move(tensor));
    graph.mutable_value(id).quant = std::move(params);
    return id;
  }
  ValueId Op(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, const std::string& name,
             std::optional<QuantParams> params) {
    const auto id = graph.AddNode(name + "_node", op, std::move(attrs), std::move(inputs), name);
    REQUIRE(id.ok());
    graph.mutable_value(*id).quant = std::move(params);
    return *id;
  }
  Graph Finish(ValueId last) {
    if (graph.value(last).quant.has_value()) last = Op(OpType::kDequantize, QuantizeAttrs{}, {last}, "y", std::nullopt);
    graph.SetOutputs({last});
    graph.name = "quantized";
    const absl::Status status = graph.InferShapes();
    INFO(status.ToString());
    REQUIRE(status.ok());
    graph.Compact();
    return graph;
  }

  Graph graph;
};

Graph ConvGraph(FusedClamp clamp, const QuantParams& out) {
  QuantizedGraph g;
  const ValueId x = g.Input({1, 2, 5, 5}, 0.5f, -28);
  const ValueId w = g.Constant("w", Weights({3, 2, 3, 3}), Symmetric({0.1f, 0.2f, 0.3f}, 0));
  const ValueId b = g.Constant("b", Tensor::Of<int32_t>({3}, {100, -5, 7}), Symmetric({0.05f, 0.1f, 0.15f}, 0, 32));
  ConvAttrs attrs;
  attrs.kernel_shape = {3, 3};
  attrs.pads = {1, 0, 1, 2};
  attrs.clamp = clamp;
  return g.Finish(g.Op(OpType::kConv, attrs, {x, w, b}, "c", out));
}

void CheckRoundTrip(const Graph& graph) {
  for (const bool uint8 : {true, false}) {
    const std::string bytes = MustWrite(graph, uint8);
    const Graph again = MustRead(bytes);
    INFO(graph.Dump() << "\n" << again.Dump());
    CHECK(SameGraph(graph, again));
    CHECK(MustWrite(again, uint8) == bytes);
  }
}

TEST_CASE("a quantized Conv is written as Q/DQ and reads back the same") {
  const Graph graph = ConvGraph({}, QuantParams::PerTensor(0.25f, 3));
  CheckRoundTrip(graph);
  const ModelProto model = Parsed(MustWrite(graph));
  CHECK(OpTypes(model) ==
        "QuantizeLinear DequantizeLinear DequantizeLinear DequantizeLinear Conv QuantizeLinear DequantizeLinear");
  CHECK(model.opset_import(0).version() == 13);
  CHECK(model.ir_version() == 7);
}

TEST_CASE("a clamp that the quantized range implies is left out, another is an integer stage") {
  const QuantParams positive = QuantParams::PerTensor(6.0f / 255, -128);
  CHECK(OpTypes(Parsed(MustWrite(ConvGraph({0, 6}, positive)))).find("Conv QuantizeLinear DequantizeLinear") !=
        std::string::npos);
  CHECK(OpTypes(Parsed(MustWrite(ConvGraph({0, kInfinity}, positive)))).find("Relu") == std::string::npos);
  const QuantParams wider = QuantParams::PerTensor(0.1f, -128);
  const std::string ops = OpTypes(Parsed(MustWrite(ConvGraph({0, 6}, wider))));
  CHECK(ops.find("Conv QuantizeLinear DequantizeLinear Clip QuantizeLinear") != std::string::npos);
  const Graph graph = ConvGraph({0, 6}, wider);
  const Graph again = MustRead(MustWrite(graph));
  CHECK(SameGraph(graph, again));
}

TEST_CASE("operators without a quantized result have no QuantizeLinear") {
  QuantizedGraph g;
  const ValueId x = g.Input({4, 6}, 0.5f, 0);
  const ValueId w = g.Constant("w", Weights({6, 5}), Symmetric({0.1f, 0.2f, 0.3f, 0.4f, 0.5f}, 1));
  const Graph graph = g.Finish(g.Op(OpType::kGemm, GemmAttrs{}, {x, w}, "g", std::nullopt));
  CheckRoundTrip(graph);
  CHECK(OpTypes(Parsed(MustWrite(graph))) == "QuantizeLinear DequantizeLinear DequantizeLinear Gemm");
}

TEST_CASE("a MatMul with bias becomes MatMul and Add, and comes back") {
  QuantizedGraph g;
  const ValueId x = g.Input({2, 4, 6}, 0.5f, 0);
  const ValueId w = g.Constant("w", Weights({6, 2}), Symmetric({0.1f, 0.2f}, 1));
  const ValueId b = g.Constant("b", Tensor::Of<int32_t>({2}, {100, -5}), Symmetric({0.05f, 0.1f}, 0, 32));
  const Graph graph = g.Finish(g.Op(OpType::kMatMul, MatMulAttrs{}, {x, w, b}, "m", QuantParams::PerTensor(0.7f, 9)));
  CheckRoundTrip(graph);
}

TEST_CASE("integer elementwise operators, Concat, pools and data movement read back the same") {
  QuantizedGraph g;
  const QuantParams p = QuantParams::PerTensor(0.5f, -28), q = QuantParams::PerTensor(0.125f, 4);
  const ValueId x = g.Input({1, 2, 6, 6}, 0.5f, -28);
  const ValueId c = g.Constant("c", Weights({1, 2, 1, 1}), q);
  const ValueId a = g.Op(OpType::kAdd, ElementwiseAttrs{{-1, 20}}, {x, x}, "a", p);
  const ValueId m = g.Op(OpType::kMul, ElementwiseAttrs{}, {a, c}, "m", q);
  const ValueId s = g.Op(OpType::kSigmoid, NoAttrs{}, {m}, "s", q);
  const ValueId k = g.Op(OpType::kConcat, AxisAttrs{1}, {s, m}, "k", q);
  PoolAttrs pool;
  pool.kernel_shape = {2, 2};
  pool.strides = {2, 2};
  const ValueId n = g.Op(OpType::kMaxPool, pool, {k}, "n", q);
  const ValueId v = g.Op(OpType::kAveragePool, PoolAttrs{pool}, {n}, "v", p);
  const ValueId pads = g.graph.AddConstant("pads", Tensor::Of<int64_t>({8}, {0, 0, 1, 0, 0, 0, 0, 1}));
  const ValueId d = g.Op(OpType::kPad, PadAttrs{}, {v, pads}, "d", p);
  const ValueId t = g.Op(OpType::kTranspose, TransposeAttrs{{0, 2, 3, 1}}, {d}, "t", p);
  const ValueId f = g.Op(OpType::kFlatten, AxisAttrs{1}, {t}, "f", p);
  CheckRoundTrip(g.Finish(f));
}

TEST_CASE("activations are uint8 unless asked otherwise, weights always int8") {
  const Graph graph = ConvGraph({}, QuantParams::PerTensor(0.25f, 3));
  const auto zero_point_type = [](const ModelProto& model) {
    for (const auto& tensor : model.graph().initializer()) {
      if (tensor.name() == model.graph().node(0).input(2)) return tensor.data_type();
    }
    return 0;
  };
  CHECK(zero_point_type(Parsed(MustWrite(graph, true))) == onnx_schema::TensorProto::UINT8);
  CHECK(zero_point_type(Parsed(MustWrite(graph, false))) == onnx_schema::TensorProto::INT8);
  const ModelProto model = Parsed(MustWrite(graph, true));
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.name() == "w") CHECK(tensor.data_type() == onnx_schema::TensorProto::INT8);
  }
}

TEST_CASE("quantized inputs and outputs of the graph keep their type and name") {
  Graph graph;
  graph.name = "quantized";
  const ValueId x = graph.AddInput("x", ElementType::kInt8, Shape::Of({1, 4}));
  graph.mutable_value(x).quant = QuantParams::PerTensor(0.5f, 1);
  const auto y = graph.AddNode("relu", OpType::kRelu, NoAttrs{}, {x}, "y");
  graph.mutable_value(*y).quant = QuantParams::PerTensor(0.5f, 1);
  graph.SetOutputs({*y});
  REQUIRE(graph.InferShapes().ok());
  CheckRoundTrip(graph);
}

TEST_CASE("float clamps are written as the nodes they were") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 4}));
  const auto a = graph.AddNode("add", OpType::kAdd, ElementwiseAttrs{{0, 6}}, {x, x}, "a");
  const auto b = graph.AddNode("mul", OpType::kMul, ElementwiseAttrs{{0, kInfinity}}, {*a, x}, "b");
  graph.SetOutputs({*b});
  const Graph again = MustRead(MustWrite(graph));
  CHECK(Ops(again) == "Add Clip Mul Relu");
  CHECK(again.FindValue("a").has_value());
  CHECK(again.value(again.outputs()[0]).name == "b");
}

TEST_CASE("every float operator reads back with its attributes") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape(std::vector<Dim>{Dim::Symbolic("N"), 4, 6, 6}));
  const auto add = [&](OpType op, OpAttrs attrs, std::vector<ValueId> inputs) {
    const auto id = graph.AddNode("", op, std::move(attrs), std::move(inputs), "");
    REQUIRE(id.ok());
    return *id;
  };
  const auto ints = [&](std::vector<int64_t> values) {
    const int64_t n = static_cast<int64_t>(values.size());
    return graph.AddConstant("", Tensor::Of<int64_t>({n}, std::move(values)));
  };
  const auto floats = [&](std::vector<int64_t> dims, std::vector<float> values) {
    return graph.AddConstant("", Tensor::Of<float>(std::move(dims), std::move(values)));
  };
  std::vector<ValueId> outputs;
  const ValueId four = floats({4}, {1, 2, 3, 4});
  outputs.push_back(add(OpType::kBatchNormalization, BatchNormAttrs{0.01f}, {x, four, four, four, four}));
  outputs.push_back(add(OpType::kInstanceNormalization, InstanceNormAttrs{0.02f}, {x, four, four}));
  outputs.push_back(add(OpType::kLRN, LrnAttrs{3, 0.1f, 0.5f, 2}, {x}));
  outputs.push_back(add(OpType::kLeakyRelu, AlphaAttrs{0.3f}, {x}));
  const ValueId steps = floats({5, 1, 2}, std::vector<float>(10, 0.5f));
  const ValueId w = floats({2, 9, 2}, std::vector<float>(36, 0.1f)),
                r = floats({2, 9, 3}, std::vector<float>(54, 0.1f));
  outputs.push_back(add(OpType::kGRU, RecurrentAttrs{3, RecurrentDirection::kBidirectional, true}, {steps, w, r}));
  outputs.push_back(add(OpType::kElu, AlphaAttrs{0.7f}, {x}));
  outputs.push_back(add(OpType::kClip, ClipAttrs{{-1, kInfinity}}, {x}));
  outputs.push_back(add(OpType::kClip, ClipAttrs{{-kInfinity, 2}}, {x}));
  outputs.push_back(add(OpType::kHardSigmoid, HardSigmoidAttrs{0.1f, 0.4f}, {x}));
  outputs.push_back(add(OpType::kHardSwish, NoAttrs{}, {x}));
  outputs.push_back(add(OpType::kSoftmax, AxisAttrs{1}, {x}));
  outputs.push_back(add(OpType::kPad, PadAttrs{PadMode::kReflect}, {x, ints({0, 0, 1, 1, 0, 0, 2, 2})}));
  outputs.push_back(add(OpType::kPad, PadAttrs{}, {x, ints({1, 1}), floats({}, {5}), ints({3})}));
  outputs.push_back(add(OpType::kReshape, ReshapeAttrs{true}, {x, ints({-1, 4, 36})}));
  outputs.push_back(add(OpType::kShape, ShapeAttrs{1, 3}, {x}));
  outputs.push_back(add(OpType::kConstantOfShape, FillAttrs{ElementType::kInt64, 0, 7}, {ints({2, 2})}));
  outputs.push_back(add(OpType::kCast, CastAttrs{ElementType::kInt32}, {x}));
  outputs.push_back(add(OpType::kUnsqueeze, AxesAttrs{{0, 2}}, {x}));
  outputs.push_back(add(OpType::kReduceMean, ReduceAttrs{{2, 3}, false, false}, {x}));
  outputs.push_back(add(OpType::kReduceSum, ReduceAttrs{{}, true, true}, {x}));
  outputs.push_back(add(OpType::kReduceMax, ReduceAttrs{{1}, true, false}, {x}));
  outputs.push_back(add(OpType::kArgMax, ArgMaxAttrs{1, false, true}, {x}));
  outputs.push_back(add(OpType::kResize,
                        ResizeAttrs{ResizeMode::kCubic, CoordinateMode::kPytorchHalfPixel,
                                    NearestMode::kRoundPreferFloor, -0.5f, 0, true},
                        {x, floats({4}, {1, 1, 2, 2})}));
  outputs.push_back(add(OpType::kResize,
                        ResizeAttrs{ResizeMode::kNearest, CoordinateMode::kHalfPixelSymmetric, NearestMode::kCeil},
                        {x, ValueId(), ints({2, 4, 3, 3})}));
  outputs.push_back(add(OpType::kDepthToSpace, DepthToSpaceAttrs{2, DepthToSpaceMode::kCrd}, {x}));
  outputs.push_back(add(OpType::kSpaceToDepth, SpaceToDepthAttrs{3}, {x}));
  outputs.push_back(add(OpType::kGlobalMaxPool, NoAttrs{}, {x}));
  PoolAttrs pool;
  pool.kernel_shape = {3, 3};
  pool.ceil_mode = true;
  pool.count_include_pad = true;
  pool.pads = {1, 1, 1, 1};
  outputs.push_back(add(OpType::kAveragePool, pool, {x}));
  ConvTransposeAttrs transpose;
  transpose.strides = {2, 2};
  transpose.output_padding = {1, 1};
  transpose.group = 2;
  outputs.push_back(add(OpType::kConvTranspose, transpose, {x, floats({4, 1, 2, 2}, std::vector<float>(16, 1))}));
  const auto split =
      graph.AddNode("", OpType::kSplit, SplitAttrs{3, {}}, {x}, {graph.AddValue("p"), graph.AddValue("r")});
  REQUIRE(split.ok());
  for (const ValueId part : graph.node(*split).outputs) outputs.push_back(part);
  graph.SetOutputs(outputs);
  const absl::Status status = graph.InferShapes();
  INFO(status.ToString());
  REQUIRE(status.ok());
  graph.Compact();
  const std::string bytes = MustWrite(graph);
  CHECK(Parsed(bytes).opset_import(0).version() == 19);
  const Graph again = MustRead(bytes);
  CHECK(Ops(again) == Ops(graph));
  CHECK(MustWrite(again) == bytes);
  const auto order = graph.TopologicalOrder(), order_again = again.TopologicalOrder();
  for (size_t i = 0; i < order.size(); ++i) {
    const Node &before = graph.node(order[i]), &after = again.node(order_again[i]);
    INFO(before.name);
    CHECK(before.name == after.name);
    CHECK(before.attrs.index() == after.attrs.index());
    CHECK(graph.value(before.outputs[0]).shape == again.value(after.outputs[0]).shape);
  }
}

TEST_CASE("metadata survive, and the writer's own name is not among them") {
  Graph graph = ConvGraph({}, QuantParams::PerTensor(0.25f, 3));
  graph.metadata = {{"manifest", "{}"}, {"author", "n\xc3\xb6rd"}};
  const std::string bytes = MustWrite(graph);
  CHECK(MustRead(bytes).metadata == graph.metadata);
  CHECK(Parsed(bytes).producer_name() == "qlite");
}

TEST_CASE("what ONNX cannot express is refused by name") {
  const Graph graph = ConvGraph({}, QuantParams::PerTensor(0.25f, 3, 4));
  const absl::Status status = WriteOnnx(graph).status();
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK(status.ToString().find("'c'") != std::string::npos);
}

}  // namespace
}  // namespace qlite
