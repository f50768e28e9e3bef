#include <fstream>
#include <iterator>

#include "formats/onnx/onnx_reader.h"
#include "passes/constant_folding.h"
#include "passes/constant_sharing.h"
#include "passes/dead_code.h"
#include "passes/graph_maker.h"
#include "passes/no_op_removal.h"
#include "passes/reshape_targets.h"
#include "passes/transpose_elimination.h"
#include "qlite/quantizer.h"
#include "test_data.h"

namespace qlite {
namespace {

using namespace testing;

TEST_CASE("Nodes over constants are computed, large results are not") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 3});
  const ValueId sum = maker.Node(OpType::kAdd, {maker.Floats({3}, {1, 2, 3}), maker.Floats({1}, {10})});
  const ValueId shape = maker.Node(OpType::kShape, {x});
  const ValueId reshaped = maker.Node(OpType::kReshape, {x, shape});
  const ValueId filled = maker.Node(OpType::kConstantOfShape, {maker.Integers({1024, 1024})});
  Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {reshaped, sum}), maker.Node(OpType::kReduceSum, {filled})});
  const std::vector<float> before = RunGraph(graph);
  const auto folded = FoldConstants(TestContext(), graph);
  REQUIRE(folded.ok());
  REQUIRE(*folded == 2);
  REQUIRE(CountOps(graph, OpType::kConstantOfShape) == 1);
  REQUIRE(CountOps(graph, OpType::kShape) == 0);
  REQUIRE(RunGraph(graph) == before);
}

TEST_CASE("A computed Reshape target becomes constant, with the batch open") {
  GraphMaker maker;
  const ValueId x = maker.graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N"), 4, 2, 3}));
  const ValueId shape = maker.Node(OpType::kShape, {x});
  const ValueId batch = maker.Node(OpType::kGather, {shape, maker.Integers({0})});
  const ValueId target = maker.Node(OpType::kConcat, AxisAttrs{0}, {batch, maker.Integers({24})});
  Graph& graph = maker.Finish({maker.Node(OpType::kReshape, {x, target})});
  REQUIRE(*FixReshapeTargets(graph) == 1);
  REQUIRE(*RemoveDeadCode(graph) == 3);
  REQUIRE(graph.InferShapes().ok());
  REQUIRE(graph.value(graph.outputs()[0]).shape.ToString() == "[N,24]");
}

TEST_CASE("What nothing reads is removed") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 4, 4});
  maker.Node(OpType::kRelu, {maker.Conv(x, 2, 2)});
  Graph& graph = maker.Finish({maker.Node(OpType::kTanh, {x})});
  REQUIRE(*RemoveDeadCode(graph) == 2);
  REQUIRE(graph.TopologicalOrder().size() == 1);
  REQUIRE_FALSE(graph.FindValue("conv_w"));
}

TEST_CASE("Nodes that change nothing are removed, names of outputs stay") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 4, 4});
  const ValueId conv = maker.Conv(x, 2, 2);
  const ValueId same = maker.Node(OpType::kReshape, {conv, maker.Integers({1, 2, 4, 4})});
  const ValueId padded = maker.Node(OpType::kPad, PadAttrs{}, {same, maker.Integers({0, 0, 0, 0, 0, 0, 0, 0})});
  const ValueId times = maker.Node(OpType::kMul, {maker.Floats({1}, {1}), padded});
  const ValueId reversed = maker.Node(
      OpType::kSlice, {times, maker.Integers({-1}), maker.Integers({-100}), maker.Integers({3}), maker.Integers({-1})});
  Graph& graph = maker.Finish({maker.Node(OpType::kIdentity, {reversed}, "last")});
  const std::vector<float> before = RunGraph(graph);
  REQUIRE(*RemoveNoOps(graph) == 4);
  REQUIRE(CountOps(graph, OpType::kSlice) == 1);
  REQUIRE(graph.value(graph.outputs()[0]).name == "last_out");
  REQUIRE(RunGraph(graph) == before);
}

TEST_CASE("An Identity between an input and an output stays") {
  GraphMaker maker;
  Graph& graph = maker.Finish({maker.Node(OpType::kIdentity, {maker.Input({2, 2})})});
  REQUIRE(*RemoveNoOps(graph) == 0);
}

TEST_CASE("Transposes cancel through what stands between them") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 3, 4});
  const TransposeAttrs there{{0, 2, 3, 1}}, back{{0, 3, 1, 2}};
  const ValueId a = maker.Node(OpType::kTranspose, there, {x});
  const ValueId b = maker.Node(OpType::kTranspose, there, {maker.Node(OpType::kTanh, {x})});
  const ValueId sum = maker.Node(OpType::kAdd, {a, b});
  const ValueId y = maker.Node(OpType::kTranspose, back, {maker.Node(OpType::kSigmoid, {sum})});
  Graph& graph = maker.Finish({y});
  const std::vector<float> before = RunGraph(graph);
  const auto steps = SimplifyGraph(TestContext(), graph);
  REQUIRE(steps.ok());
  REQUIRE(CountOps(graph, OpType::kTranspose) == 0);
  REQUIRE(RunGraph(graph) == before);
}

TEST_CASE("A Transpose with nothing to meet is left where it is") {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 3});
  Graph& graph = maker.Finish({maker.Node(OpType::kRelu, {maker.Node(OpType::kTranspose, {x})})});
  REQUIRE(*EliminateTransposes(graph) == 0);
}

TEST_CASE("Equal constants are held once") {
  GraphMaker maker;
  const ValueId x = maker.Input({3});
  const ValueId a = maker.Node(OpType::kAdd, {x, maker.Floats({3}, {1, 2, 3})});
  const ValueId b = maker.Node(OpType::kAdd, {a, maker.Floats({3}, {1, 2, 3})});
  Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {b, maker.Floats({3}, {1, 2, 4})})});
  const std::vector<float> before = RunGraph(graph);
  REQUIRE(*ShareConstants(graph) == 1);
  REQUIRE(RunGraph(graph) == before);
}

// Layers drawn at random: convolutions, normalisation, arithmetic, activations, padding, pooling, transposes.
Graph RandomNetwork(uint32_t seed) {
  GraphMaker maker(seed);
  std::mt19937 random(seed * 31 + 5);
  int64_t channels = 3;
  ValueId x = maker.Input({2, 3, 12, 12});
  for (int layer = 0; layer < 12; ++layer) {
    switch (random() % 9) {
      case 0: {
        const auto out = static_cast<int64_t>(random() % 6 + 2);
        x = maker.Conv(x, channels, out, random() % 2 == 0 ? 1 : 3, 1, random() % 2 == 0);
        channels = out;
        break;
      }
      case 1:
        x = maker.Conv(x, channels, channels, 3, channels);
        break;
      case 2:
        x = maker.Node(OpType::kBatchNormalization,
                       {x, maker.RandomConstant({channels}), maker.RandomConstant({channels}),
                        maker.RandomConstant({channels}), maker.RandomConstant({channels}, 0.2f, 2)});
        break;
      case 3:
        x = maker.Node(OpType::kRelu, {x});
        break;
      case 4:
        x = maker.Node(OpType::kClip, ClipAttrs{{-0.5f, 0.75f}}, {x});
        break;
      case 5:
        x = maker.Node(OpType::kMul, {x, maker.RandomConstant({channels, 1, 1})});
        break;
      case 6:
        x = maker.Node(OpType::kAdd, {maker.RandomConstant({1}), x});
        break;
      case 7: {
        const ValueId turned = maker.Node(OpType::kTranspose, TransposeAttrs{{0, 2, 3, 1}}, {x});
        x = maker.Node(OpType::kTranspose, TransposeAttrs{{0, 3, 1, 2}}, {maker.Node(OpType::kTanh, {turned})});
        break;
      }
      default: {
        PoolAttrs pool;
        pool.kernel_shape = {3, 3};
        const ValueId padded = maker.Node(OpType::kPad, PadAttrs{}, {x, maker.Integers({0, 0, 1, 1, 0, 0, 1, 1})});
        x = maker.Node(random() % 2 == 0 ? OpType::kMaxPool : OpType::kAveragePool, pool, {padded});
      }
    }
  }
  return maker.Finish({x});
}

TEST_CASE("Simplified random networks keep their results") {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Graph graph = RandomNetwork(seed);
    const std::vector<float> before = RunGraph(graph);
    const size_t nodes = graph.TopologicalOrder().size();
    const auto steps = SimplifyGraph(TestContext(), graph);
    INFO(steps.status());
    REQUIRE(steps.ok());
    REQUIRE(graph.TopologicalOrder().size() <= nodes);
    REQUIRE(CountOps(graph, OpType::kBatchNormalization) == 0);
    RequireClose(before, RunGraph(graph));
  }
}

TEST_CASE("Simplified trained models keep their results") {
  const std::vector<const char*> names = {
      "resnet20_cifar10/resnet20_cifar10_bn.onnx",
      "mnist_8/model.onnx",
#ifndef QLITE_SANITIZED  // the larger ones take minutes, and the same code
      "squeezenet_v1.1/squeezenet_v1.1.onnx",
      "mobilenet_v2_1.0_224/mobilenet_v2_1.0_224.onnx",
      "ultraface_rfb_320/rfb_320.onnx",
      "super_resolution_10/model.onnx",
#endif
  };
  for (const char* name : names) {
    const auto path = TestData(std::string("models/") + name);
    if (!path) {
      WARN("skipped: no " << name);
      continue;
    }
    CAPTURE(name);
    std::ifstream file(*path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto read = ReadOnnx(Buffer::Copy(bytes.data(), bytes.size()), *path);
    INFO(read.status());
    REQUIRE(read.ok());
    Graph graph = *read;
    const auto steps = SimplifyGraph(TestContext(), graph);
    INFO(steps.status());
    REQUIRE(steps.ok());
    REQUIRE(CountOps(graph, OpType::kBatchNormalization) == 0);
    RequireClose(RunGraph(*read), RunGraph(graph));
  }
}

}  // namespace
}  // namespace qlite
