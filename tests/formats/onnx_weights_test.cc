// Weights as integers of any width: INT8, INT16 and INT4 constants with DequantizeLinear, per channel and in blocks;
// UINT8 and UINT4 where they are asymmetric.
#include <catch2/catch.hpp>
#include <random>

#include "core/dequantize.h"
#include "core/quant_runs.h"
#include "formats/onnx/onnx_writer.h"
#include "formats/onnx_model_builder.h"

namespace qlite {
namespace {

using namespace testing;               // NOLINT: the builder
using namespace std::string_literals;  // NOLINT: the "" of strings with zeros
using Catch::Contains;
using onnx_schema::ModelProto;
using onnx_schema::TensorProto;

QuantParams RandomParams(std::mt19937& random, const std::vector<int64_t>& dims, int bits, int64_t axis,
                         int64_t block_size) {
  QuantParams params;
  params.bits = bits, params.axis = axis, params.block_size = block_size;
  const auto pairs = static_cast<size_t>(QuantRuns(dims, axis, block_size).params());
  std::uniform_int_distribution<int32_t> zero(params.qmin(), params.qmax());
  std::uniform_real_distribution<float> scale(0.01f, 0.1f);
  for (size_t i = 0; i < pairs; ++i) {
    params.scales.push_back(scale(random));
    params.zero_points.push_back(zero(random));
  }
  return params;
}

Tensor RandomIntegers(std::mt19937& random, const std::vector<int64_t>& dims, const QuantParams& params) {
  std::uniform_int_distribution<int32_t> number(params.qmin(), params.qmax());
  const auto count = static_cast<size_t>(*ElementCount(dims));
  if (params.bits > 8) {
    std::vector<int16_t> wide(count);
    for (int16_t& q : wide) q = static_cast<int16_t>(number(random));
    return Tensor::Of<int16_t>(dims, std::move(wide));
  }
  std::vector<int8_t> narrow(count);
  for (int8_t& q : narrow) q = static_cast<int8_t>(number(random));
  return Tensor::Of<int8_t>(dims, std::move(narrow));
}

// x [2, K] times the decoded weights [K, N].
Graph MatMulGraph(Tensor integers, QuantParams params) {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({2, integers.dims()[0]}));
  const ValueId w = graph.AddConstant("w", std::move(integers));
  graph.mutable_value(w).quant = std::move(params);
  const ValueId real = *graph.AddNode("decode", OpType::kDequantize, QuantizeAttrs{}, {w}, "w/float");
  graph.SetOutputs({*graph.AddNode("m", OpType::kMatMul, MatMulAttrs{}, {x, real}, "y")});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

std::string Written(const Graph& graph) {
  const absl::StatusOr<std::string> bytes = WriteOnnx(graph, {});
  INFO(bytes.status());
  REQUIRE(bytes.ok());
  return *bytes;
}

ModelProto Parsed(const std::string& bytes) {
  ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  return model;
}

Graph Reread(const std::string& bytes) {
  absl::StatusOr<Graph> graph = OnnxModel::ReadBytes(bytes);
  INFO(graph.status());
  REQUIRE(graph.ok());
  return *std::move(graph);
}

const TensorProto& Initializer(const ModelProto& model, const std::string& name) {
  for (const TensorProto& tensor : model.graph().initializer()) {
    if (tensor.name() == name) return tensor;
  }
  FAIL("no initializer " << name);
  return model.graph().initializer(0);
}

// What the constant `w` stands for.
std::vector<float> DecodedWeights(const Graph& graph) {
  const Value& w = graph.value(*graph.FindValue("w"));
  REQUIRE(w.quant);
  const absl::StatusOr<Tensor> decoded = Dequantize(*w.constant, *w.quant);
  REQUIRE(decoded.ok());
  const auto data = decoded->data<float>();
  return {data.begin(), data.end()};
}

int TypeOfStorage(int bits, bool symmetric) {
  if (bits > 8) return TensorProto::INT16;
  if (bits > 4) return symmetric ? TensorProto::INT8 : TensorProto::UINT8;
  return symmetric ? TensorProto::INT4 : TensorProto::UINT4;
}

TEST_CASE("integers of every width come back with what they stand for") {
  std::mt19937 random(2);
  const std::vector<int64_t> dims = {21, 5};
  for (int bits = 1; bits <= 16; ++bits) {
    for (const int64_t axis : {-1, 0, 1}) {
      for (const int64_t block : {0, 2, 7}) {
        if (axis < 0 && block > 0) continue;
        INFO(bits << " bits, axis " << axis << ", blocks of " << block);
        QuantParams params = RandomParams(random, dims, bits, axis, block);
        const bool symmetric = (bits + axis + block) % 2 == 0;
        if (symmetric) {
          params.scheme = QuantScheme::kSymmetric;
          params.zero_points.assign(params.zero_points.size(), 0);
        }
        const Graph graph = MatMulGraph(RandomIntegers(random, dims, params), params);
        const std::string bytes = Written(graph);
        const ModelProto model = Parsed(bytes);
        const int type = Initializer(model, "w").data_type();
        CHECK(type == TypeOfStorage(bits, symmetric));
        CHECK(model.opset_import(0).version() == (bits <= 4 || bits > 8 || block > 0 ? 21 : 13));
        CHECK(Initializer(model, "w").raw_data().size() == (bits <= 4 ? 53u : bits <= 8 ? 105u : 210u));
        const Graph read = Reread(bytes);
        CHECK(Ops(read) == "Dequantize MatMul");
        CHECK(DecodedWeights(read) == DecodedWeights(graph));
        CHECK(read.value(*read.FindValue("w")).quant->bits == (bits <= 4 ? 4 : bits <= 8 ? 8 : 16));
        CHECK(Written(read) == Written(Reread(Written(read))));
      }
    }
  }
}

TEST_CASE("corrections: ratios go into the scale, shifts into an Add behind") {
  std::mt19937 random(3);
  const std::vector<int64_t> dims = {6, 4};
  for (const int64_t axis : {-1, 0, 1}) {
    QuantParams params = RandomParams(random, dims, 6, axis, 0);
    for (size_t i = 0; i < params.scales.size(); ++i) {
      params.variance_ratios.push_back(1.0f + 0.01f * static_cast<float>(i + 1));
      params.mean_shifts.push_back(0.5f - static_cast<float>(i));
    }
    const Graph graph = MatMulGraph(RandomIntegers(random, dims, params), params);
    const Graph read = Reread(Written(graph));
    REQUIRE(Ops(read) == "Dequantize Add MatMul");
    std::vector<float> decoded = DecodedWeights(read);
    const Node& add = read.node(read.TopologicalOrder()[1]);
    const Tensor& shift = *read.value(add.inputs[1]).constant;
    REQUIRE(shift.dims() == (axis < 0    ? std::vector<int64_t>{}
                             : axis == 0 ? std::vector<int64_t>{6, 1}
                                         : std::vector<int64_t>{4}));
    for (size_t i = 0; i < decoded.size(); ++i) {
      decoded[i] += shift.data<float>()[axis < 0 ? 0 : axis == 0 ? i / 4 : i % 4];
    }
    CHECK(decoded == DecodedWeights(graph));
  }
}

TEST_CASE("shifts in blocks cannot be written, which is said by name") {
  std::mt19937 random(4);
  QuantParams params = RandomParams(random, {8, 4}, 4, 0, 4);
  params.mean_shifts.assign(params.scales.size(), 0.25f);
  const absl::Status status = WriteOnnx(MatMulGraph(RandomIntegers(random, {8, 4}, params), params), {}).status();
  CHECK(status.code() == absl::StatusCode::kUnimplemented);
  CHECK_THAT(std::string(status.message()), Contains("'w'") && Contains("mean shifts"));
}

TEST_CASE("without a sign the integers and zero points are raised by half of their range") {
  QuantParams params = QuantParams::PerTensor(0.5f, -8, 4);
  const auto written = [&](std::vector<int8_t> integers) {
    return Parsed(Written(MatMulGraph(Tensor::Of<int8_t>({3, 1}, std::move(integers)), params)));
  };
  const ModelProto narrow = written({-8, 7, -1});  // 0, 15 and 7
  CHECK(Initializer(narrow, "w").raw_data() == std::string("\xf0\x07"));
  CHECK(Initializer(narrow, "z_2").data_type() == TensorProto::UINT4);
  CHECK(Initializer(narrow, "z_2").raw_data() == std::string("\0", 1));
  params = QuantParams::PerTensor(0.5f, 3, 8);
  const ModelProto wide = written({-128, 127, 0});
  CHECK(Initializer(wide, "w").raw_data() == "\0\xff\x80"s);
  CHECK(Initializer(wide, "z_2").raw_data() == "\x83");
}

TEST_CASE("a constant whose integers a node reads keeps its sign") {
  Graph graph;
  const ValueId w = graph.AddConstant("w", Tensor::Of<int8_t>({3}, {-8, 7, -1}));
  graph.mutable_value(w).quant = QuantParams::PerTensor(0.5f, -8, 4);
  const ValueId real = *graph.AddNode("decode", OpType::kDequantize, QuantizeAttrs{}, {w}, "w/float");
  const ValueId wide = *graph.AddNode("cast", OpType::kCast, CastAttrs{ElementType::kInt32}, {w}, "wide");
  graph.SetOutputs({real, wide});
  REQUIRE(graph.InferShapes().ok());
  CHECK(Initializer(Parsed(Written(graph)), "w").data_type() == TensorProto::INT4);
}

// --- files of others

OnnxModel BlockModel(int type, const std::vector<int>& packed, int64_t block_size,
                     const std::vector<int64_t>& scale_dims) {
  OnnxModel model(21);
  model.Input("x", {1, 3}).Output("y");
  auto& w = model.Constant("w", type, {3, 3});
  std::string raw;
  for (const int byte : packed) raw.push_back(static_cast<char>(byte));
  w.set_raw_data(raw);
  int64_t count = 1;
  for (const int64_t dim : scale_dims) count *= dim;
  std::vector<float> scales;
  for (int64_t i = 0; i < count; ++i) scales.push_back(static_cast<float>(i + 1));
  model.Floats("s", scale_dims, scales);
  auto& node = model.Node("DequantizeLinear", {"w", "s"}, {"r"});
  SetInt(node, "axis", 0);
  SetInt(node, "block_size", block_size);
  model.Node("MatMul", {"x", "r"}, {"y"});
  return model;
}

TEST_CASE("half bytes are read, lower half first") {
  const std::vector<int> packed = {0x21, 0x83, 0xf7, 0x0e, 0x09};  // 1 2 3 8 7 15 14 0 9
  const Graph is = Reread(BlockModel(TensorProto::INT4, packed, 2, {2, 3}).Bytes());
  CHECK(DecodedWeights(is) == std::vector<float>{1, 4, 9, -8, 14, -3, -8, 0, -42});
  const Graph isnt = Reread(BlockModel(TensorProto::UINT4, packed, 2, {2, 3}).Bytes());
  CHECK(DecodedWeights(isnt) == std::vector<float>{1, 4, 9, 8, 14, 45, 56, 0, 54});
  CHECK(isnt.value(*isnt.FindValue("w")).quant->bits == 4);
  CHECK(isnt.value(*isnt.FindValue("w")).type == ElementType::kInt8);
}

TEST_CASE("broken half bytes and blocks are refused") {
  const std::vector<int> packed = {0x21, 0x83, 0xf7, 0x0e, 0x09};
  const auto refusal = [](const OnnxModel& model) {
    const absl::Status status = model.Read().status();
    CHECK_FALSE(status.ok());
    return std::string(status.message());
  };
  CHECK_THAT(refusal(BlockModel(TensorProto::INT4, {1, 2, 3, 4}, 2, {2, 3})), Contains("bytes"));
  CHECK_THAT(refusal(BlockModel(TensorProto::INT4, packed, 2, {3, 2})), Contains("do not fit blocks of 2"));
  CHECK_THAT(refusal(BlockModel(TensorProto::INT4, packed, -2, {2, 3})), Contains("block_size"));
  CHECK_THAT(refusal(BlockModel(TensorProto::INT4, packed, 2, {6})), Contains("do not fit"));
  OnnxModel computed(21);
  computed.Input("x", {4, 4}).Output("y");
  computed.Floats("s", {2, 4}, std::vector<float>(8, 0.5f));
  auto& node = computed.Node("QuantizeLinear", {"x", "s"}, {"q"});
  SetInt(node, "axis", 0);
  SetInt(node, "block_size", 2);
  computed.Node("DequantizeLinear", {"q", "s"}, {"y"});
  CHECK_THAT(refusal(computed), Contains("in blocks (block_size)"));
}

}  // namespace
}  // namespace qlite
