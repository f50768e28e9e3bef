// Parts of int8 graphs that are a function of one byte run as a table, with the bits of separate steps.
#include <catch2/catch.hpp>
#include <map>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Dims = std::vector<int64_t>;

struct Bytewise : GraphBuilder {
  ValueId Quantized(ValueId id, float scale, int32_t zero_point) {
    graph.mutable_value(id).type = ElementType::kInt8;
    graph.mutable_value(id).quant = QuantParams::PerTensor(scale, zero_point);
    return id;
  }
  ValueId Int8Input(const std::vector<int64_t>& dims) { return Quantized(Input(dims, ElementType::kInt8), 0.04f, 11); }
  ValueId Scalar(float value) { return Constant(Tensor::Of<float>({}, {value})); }
  ValueId Byte(int8_t value) { return Quantized(Constant(Tensor::Of<int8_t>({1}, {value})), 0.1f, -3); }
  ValueId Int8(OpType op, std::vector<ValueId> inputs, float scale, int32_t zero_point) {
    return Quantized(Add(op, std::move(inputs)), scale, zero_point);
  }
};

// Every byte once, and again.
Array EveryByte(const Dims& dims) {
  Array bytes(dims);
  for (size_t i = 0; i < bytes.data.size(); ++i) bytes.data[i] = static_cast<double>(i * 7 % 256) - 128;
  return bytes;
}

// The steps of a run, which gives the bits of separate steps.
std::map<std::string, int> CheckSteps(const Graph& graph, const std::vector<Array>& inputs) {
  std::map<std::string, int> steps;
  for (kernels::Isa isa : kernels::SupportedIsas()) {
    SessionOptions options;
    options.profile = true;
    const int threads = 1 + static_cast<int>(isa) % 3;
    auto session = MakeSession(MakeContext(threads, std::string(kernels::IsaName(isa))), graph, options);
    for (size_t i = 0; i < inputs.size(); ++i) Fill(*session, i, inputs[i]);
    REQUIRE(session->RunTapped([](ValueId, const TappedValue&) {}).ok());
    const auto separate = OutputBytes(*session);
    REQUIRE(session->Run().ok());
    CHECK((OutputBytes(*session) == separate));
    steps.clear();
    for (const NodeProfile& node : session->profile()) {
      if (node.op != "Convert") ++steps[node.op];
    }
  }
  return steps;
}

using Steps = std::map<std::string, int>;

TEST_CASE("an activation between bytes is one table", "[runtime]") {
  Bytewise gelu;  // some of it in float, some in int8
  ValueId x = gelu.Int8Input({3, 400});
  ValueId y = gelu.Add(OpType::kDequantize, {x});
  y = gelu.Add(OpType::kErf, {gelu.Add(OpType::kDiv, {y, gelu.Scalar(1.41421f)})});
  y = gelu.Int8(OpType::kQuantize, {y}, 0.008f, 0);
  y = gelu.Int8(OpType::kAdd, {y, gelu.Byte(7)}, 0.016f, -128);
  gelu.Finish({gelu.Int8(OpType::kMul, {x, y}, 0.05f, -100)});
  CHECK(CheckSteps(gelu.graph, {EveryByte({3, 400})}) == Steps{{"Mul", 1}});

  Bytewise swish;
  x = swish.Int8Input({1, 4, 9, 11});
  y = swish.Int8(OpType::kSigmoid, {x}, 1.0f / 256, -128);
  swish.Finish({swish.Int8(OpType::kMul, {y, x}, 0.03f, -90)});
  CHECK(CheckSteps(swish.graph, {EveryByte({1, 4, 9, 11})}) == Steps{{"Mul", 1}});
}

TEST_CASE("two values, an output inside and a value read elsewhere are no function of a byte", "[runtime]") {
  Bytewise two;
  const Dims dims = {2, 300};
  ValueId x = two.Int8Input(dims), other = two.Int8Input(dims);
  ValueId y = two.Int8(OpType::kSigmoid, {x}, 1.0f / 256, -128);
  two.Finish({two.Int8(OpType::kMul, {y, other}, 0.03f, -90)});
  CHECK(CheckSteps(two.graph, {EveryByte(dims), EveryByte(dims)}) == Steps{{"Sigmoid", 1}, {"Mul", 1}});

  Bytewise output;
  x = output.Int8Input(dims);
  y = output.Int8(OpType::kSigmoid, {x}, 1.0f / 256, -128);
  const ValueId z = output.Int8(OpType::kTanh, {y}, 1.0f / 128, 0);
  output.Finish({y, z, output.Int8(OpType::kAbs, {z}, 1.0f / 128, 0)});
  CHECK(CheckSteps(output.graph, {EveryByte(dims)}) == Steps{{"Sigmoid", 1}, {"Tanh", 1}, {"Abs", 1}});

  Bytewise wide;  // a number is repeated, a row is not one
  x = wide.Int8Input(dims);
  y = wide.Int8(OpType::kSigmoid, {x}, 1.0f / 256, -128);
  const ValueId row = wide.Quantized(wide.Constant(Tensor::Of<int8_t>({300}, std::vector<int8_t>(300, 5))), 0.1f, 0);
  wide.Finish({wide.Int8(OpType::kAdd, {y, row}, 0.03f, -90)});
  CHECK(CheckSteps(wide.graph, {EveryByte(dims)}) == Steps{{"Sigmoid", 1}, {"Add", 1}});
}

TEST_CASE("random int8 graphs of elementwise operators have the bits of separate steps", "[runtime]") {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    Rng rng(seed);
    Bytewise b;
    const Dims dims = {1, 3, 8, 13};
    std::vector<ValueId> bytes = {b.Int8Input(dims)};
    if (seed % 3 == 0) bytes.push_back(b.Int8Input(dims));
    const size_t inputs = bytes.size();
    static constexpr OpType kUnary[] = {OpType::kRelu, OpType::kSigmoid, OpType::kTanh, OpType::kHardSwish,
                                        OpType::kNeg};
    static constexpr OpType kBinary[] = {OpType::kAdd, OpType::kSub, OpType::kMul};
    const auto any = [&] { return bytes[static_cast<size_t>(Pick(rng, 0, static_cast<int64_t>(bytes.size()) - 1))]; };
    const auto keep = [&](OpType op, std::vector<ValueId> from) {
      bytes.push_back(
          b.Int8(op, std::move(from), Uniform(rng, 0.01f, 0.05f), static_cast<int32_t>(Pick(rng, -60, 60))));
    };
    for (int i = 0; i < 8; ++i) {
      switch (Pick(rng, 0, 4)) {
        case 0:
          keep(kUnary[Pick(rng, 0, 4)], {bytes.back()});
          break;
        case 1:
          keep(kBinary[Pick(rng, 0, 2)], {bytes.back(), b.Byte(static_cast<int8_t>(Pick(rng, -128, 127)))});
          break;
        case 2: {
          const ValueId real = b.Add(OpType::kDequantize, {bytes.back()});
          const ValueId shifted = b.Add(OpType::kAdd, {real, b.Scalar(0.5f)});
          keep(OpType::kQuantize, {b.Add(OpType::kMul, {shifted, b.Add(OpType::kSigmoid, {real})})});
          break;
        }
        default:
          keep(kBinary[Pick(rng, 0, 2)], {any(), bytes.back()});
      }
    }
    std::vector<ValueId> outputs = {bytes.back()};
    if (Pick(rng, 0, 2) == 0) outputs.push_back(bytes[bytes.size() / 2 + 1]);
    b.Finish(outputs);
    INFO("seed " << seed << "\n" << b.graph.Dump());
    CheckSteps(b.graph, std::vector<Array>(inputs, EveryByte(dims)));
  }
}

}  // namespace
}  // namespace qlite::testing
