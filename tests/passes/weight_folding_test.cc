#include "passes/activation_fusion.h"
#include "passes/affine_folding.h"
#include "passes/batch_norm_folding.h"
#include "passes/graph_maker.h"
#include "passes/pad_folding.h"

namespace qlite {
namespace {

using namespace testing;

ValueId BatchNorm(GraphMaker& maker, ValueId x, int64_t channels, std::string_view name = "bn") {
  return maker.Node(OpType::kBatchNormalization, BatchNormAttrs{1e-3f},
                    {x, maker.RandomConstant({channels}, 0.5f, 2), maker.RandomConstant({channels}),
                     maker.RandomConstant({channels}), maker.RandomConstant({channels}, 0.1f, 3)},
                    name);
}

// The number of changes, with the results checked to stay.
int Apply(absl::StatusOr<int> (*pass)(Graph&), Graph& graph) {
  const std::vector<float> before = RunGraph(graph);
  const absl::StatusOr<int> changes = pass(graph);
  REQUIRE(changes.ok());
  REQUIRE(graph.Validate().ok());
  REQUIRE(graph.InferShapes().ok());
  RequireClose(before, RunGraph(graph));
  return *changes;
}

TEST_CASE("BatchNormalization folds into the product before it") {
  GraphMaker maker;
  ValueId result;
  SECTION("Conv with bias") { result = maker.Conv(maker.Input({2, 4, 5, 6}), 4, 8); }
  SECTION("Conv without bias") { result = maker.Conv(maker.Input({2, 4, 5, 6}), 4, 8, 3, 1, false); }
  SECTION("depthwise Conv") { result = maker.Conv(maker.Input({2, 8, 5, 6}), 8, 8, 3, 8); }
  SECTION("grouped Conv") { result = maker.Conv(maker.Input({1, 4, 5, 6}), 4, 8, 3, 2); }
  SECTION("ConvTranspose in groups") {
    ConvTransposeAttrs attrs;
    attrs.group = 2, attrs.strides = {2, 2};
    result = maker.Node(OpType::kConvTranspose, attrs, {maker.Input({1, 4, 3, 3}), maker.RandomConstant({4, 4, 3, 3})});
  }
  SECTION("Gemm") {
    GemmAttrs attrs;
    attrs.trans_b = true;
    result = maker.Node(OpType::kGemm, attrs,
                        {maker.Input({3, 5}), maker.RandomConstant({8, 5}), maker.RandomConstant({8})});
  }
  SECTION("MatMul") { result = maker.Node(OpType::kMatMul, {maker.Input({3, 5}), maker.RandomConstant({5, 8})}); }
  Graph& graph = maker.Finish({BatchNorm(maker, result, 8)});
  REQUIRE(Apply(FoldBatchNorms, graph) == 1);
  REQUIRE(CountOps(graph, OpType::kBatchNormalization) == 0);
  REQUIRE(graph.node_slots() - 2 == 1);
  REQUIRE(graph.value(graph.outputs()[0]).name == "bn_out");
}

TEST_CASE("BatchNormalization folds into the convolution behind it only where that does not pad") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 5, 5});
  const int64_t kernel = GENERATE(1, 3);
  const ValueId y = maker.Node(OpType::kRelu, {x});
  Graph& graph = maker.Finish({maker.Conv(BatchNorm(maker, y, 4), 4, 6, kernel)});
  REQUIRE(Apply(FoldBatchNorms, graph) == 1);
  REQUIRE(CountOps(graph, OpType::kBatchNormalization) == 0);
  // With padding it becomes a depthwise convolution instead.
  REQUIRE(CountOps(graph, OpType::kConv) == (kernel == 1 ? 1 : 2));
}

TEST_CASE("BatchNormalization stays out of a product that is read twice, clamped or not constant") {
  GraphMaker maker;
  const ValueId conv = maker.Conv(maker.Input({1, 4, 5, 5}), 4, 4);
  Graph& graph = maker.Finish({BatchNorm(maker, conv, 4), maker.Node(OpType::kRelu, {conv})});
  REQUIRE(Apply(FoldBatchNorms, graph) == 1);
  REQUIRE(CountOps(graph, OpType::kConv) == 2);
  REQUIRE(CountOps(graph, OpType::kRelu) == 1);
}

TEST_CASE("Arithmetic with constants folds into products") {
  GraphMaker maker;
  const OpType op = GENERATE(OpType::kAdd, OpType::kSub, OpType::kMul, OpType::kDiv);
  const bool constant_first = GENERATE(false, true);
  const std::vector<int64_t> dims =
      GENERATE(std::vector<int64_t>{4, 1, 1}, std::vector<int64_t>{1, 4, 1, 1}, std::vector<int64_t>{});
  const ValueId conv = maker.Conv(maker.Input({2, 3, 5, 5}), 3, 4);
  const ValueId constant = maker.RandomConstant(dims, 0.5f, 2);
  const ValueId y = maker.Node(op, constant_first ? std::vector{constant, conv} : std::vector{conv, constant});
  Graph& graph = maker.Finish({y});
  const bool quotient = op == OpType::kDiv && constant_first;
  REQUIRE(Apply(FoldAffine, graph) == (quotient ? 0 : 1));
  REQUIRE(CountOps(graph, op) == (quotient ? 1 : 0));
}

TEST_CASE("Arithmetic that varies over positions stays") {
  GraphMaker maker;
  const ValueId conv = maker.Conv(maker.Input({1, 3, 5, 5}), 3, 4);
  Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {conv, maker.RandomConstant({1, 1, 1, 5})})});
  REQUIRE(Apply(FoldAffine, graph) == 0);
}

TEST_CASE("Scaling of the input folds forward, a shift only without padding") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 3, 5, 5});
  const ValueId scaled = maker.Node(OpType::kMul, {x, maker.RandomConstant({3, 1, 1})});
  const ValueId shifted = maker.Node(OpType::kAdd, {scaled, maker.RandomConstant({3, 1, 1})});
  const int64_t kernel = GENERATE(1, 3);
  Graph& graph = maker.Finish({maker.Conv(shifted, 3, 4, kernel)});
  const int first = Apply(FoldAffine, graph);
  const int both = first + Apply(FoldAffine, graph);
  REQUIRE(both == (kernel == 1 ? 2 : 0));
}

TEST_CASE("Gemm's factors and a bias of one row go into its constants; MatMul takes a bias") {
  GraphMaker maker;
  GemmAttrs attrs;
  attrs.alpha = 0.5f, attrs.beta = 3;
  const ValueId x = maker.Input({3, 5});
  const ValueId gemm =
      maker.Node(OpType::kGemm, attrs, {x, maker.RandomConstant({5, 4}), maker.RandomConstant({1, 4})});
  const ValueId matmul = maker.Node(OpType::kMatMul, {gemm, maker.RandomConstant({4, 6})});
  Graph& graph = maker.Finish({maker.Node(OpType::kAdd, {matmul, maker.RandomConstant({6})})});
  REQUIRE(Apply(FoldAffine, graph) == 3);
  REQUIRE(CountOps(graph, OpType::kAdd) == 0);
}

TEST_CASE("Pad folds where the operator behind it pads alike") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 6, 6});
  const auto pad = [&](ValueId value, float with) {
    return maker.Node(OpType::kPad, PadAttrs{},
                      {value, maker.Integers({0, 0, 1, 0, 0, 0, 1, 1}), maker.Floats({}, {with})});
  };
  PoolAttrs pool;
  pool.kernel_shape = {3, 3}, pool.strides = {2, 2};
  SECTION("Conv, 0") {
    Graph& graph = maker.Finish({maker.Conv(pad(x, 0), 4, 4)});
    REQUIRE(Apply(FoldPads, graph) == 1);
  }
  SECTION("Conv, 1") {
    Graph& graph = maker.Finish({maker.Conv(pad(x, 1), 4, 4)});
    REQUIRE(Apply(FoldPads, graph) == 0);
  }
  SECTION("AveragePool without padding") {
    Graph& graph = maker.Finish({maker.Node(OpType::kAveragePool, pool, {pad(x, 0)})});
    REQUIRE(Apply(FoldPads, graph) == 1);
  }
  SECTION("AveragePool that does not count its own padding") {
    pool.pads = {1, 1, 1, 1};
    Graph& graph = maker.Finish({maker.Node(OpType::kAveragePool, pool, {pad(x, 0)})});
    REQUIRE(Apply(FoldPads, graph) == 0);
  }
  SECTION("MaxPool, 0, of any values") {
    Graph& graph = maker.Finish({maker.Node(OpType::kMaxPool, pool, {pad(x, 0)})});
    REQUIRE(Apply(FoldPads, graph) == 0);
  }
  SECTION("MaxPool, 0, behind a Relu") {
    Graph& graph = maker.Finish({maker.Node(OpType::kMaxPool, pool, {pad(maker.Node(OpType::kRelu, {x}), 0)})});
    REQUIRE(Apply(FoldPads, graph) == 1);
  }
  SECTION("MaxPool, minus infinity") {
    Graph& graph = maker.Finish({maker.Node(OpType::kMaxPool, pool, {pad(x, -INFINITY)})});
    REQUIRE(Apply(FoldPads, graph) == 1);
  }
}

TEST_CASE("Activations join the operator before them") {
  GraphMaker maker;
  const ValueId conv = maker.Conv(maker.Input({1, 4, 6, 6}), 4, 4);
  const ValueId low = maker.Node(OpType::kMax, {conv, maker.Floats({}, {-0.25f})});
  const ValueId both = maker.Node(OpType::kMin, {maker.Floats({1}, {0.5f}), low});
  Graph& graph = maker.Finish({maker.Node(OpType::kRelu, {both})});
  Apply(FuseActivations, graph);
  REQUIRE(CountOps(graph, OpType::kConv) == 1);
  REQUIRE(graph.TopologicalOrder().size() == 1);
  const Node& node = graph.node(graph.TopologicalOrder()[0]);
  REQUIRE(node.attr<ConvAttrs>().clamp == FusedClamp{0.0f, 0.5f});
  REQUIRE(node.name == "conv");
}

TEST_CASE("An activation of a value that is read elsewhere stays") {
  GraphMaker maker;
  const ValueId conv = maker.Conv(maker.Input({1, 4, 6, 6}), 4, 4);
  Graph& graph = maker.Finish({maker.Node(OpType::kRelu, {conv}), conv});
  REQUIRE(Apply(FuseActivations, graph) == 0);
}

}  // namespace
}  // namespace qlite
