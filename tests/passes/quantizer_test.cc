#include "qlite/quantizer.h"

#include <algorithm>
#include <memory>
#include <set>

#include "passes/graph_maker.h"

namespace qlite {
namespace {

using namespace testing;

constexpr FusedClamp kRelu{0.0f, std::numeric_limits<float>::infinity()};

QuantizerOptions Options() {
  QuantizerOptions options;
  options.check_inputs = false;
  return options;
}

QuantizationResult Quantize(const Graph& graph, const QuantizerOptions& options = Options(), int threads = 1) {
  auto result = Quantizer(TestContext(threads), options).FullQuantize(graph, RandomDataSet(16));
  INFO(result.status());
  REQUIRE(result.ok());
  REQUIRE(result->graph.Validate().ok());
  return *std::move(result);
}

const NodeOutcome& Outcome(const QuantizationResult& result, const std::string& name) {
  for (const NodeOutcome& outcome : result.nodes) {
    if (outcome.name == name) return outcome;
  }
  FAIL("no node " << name);
  return result.nodes[0];
}

const Value& Named(const Graph& graph, const std::string& name) {
  const auto id = graph.FindValue(name);
  INFO(name);
  REQUIRE(id);
  return graph.value(*id);
}

TEST_CASE("A graph that is moved in gives up the weights that are replaced") {
  std::weak_ptr<const void> old_weights;
  Graph graph = MakeFoldable(&old_weights);
  std::map<std::string, bool> gone;
  const Context context = WatchingContext(old_weights, &gone);
  REQUIRE(Quantizer(context, {}).FullQuantize(std::move(graph), RandomDataSet(4)).ok());
  REQUIRE_FALSE(gone.at("simplify"));
  REQUIRE(gone.at("check inputs"));
  REQUIRE(gone.at("calibrate"));
}

TEST_CASE("A small network becomes integer from its input to its logits") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 3, 8, 8});
  const ValueId a = maker.Conv(x, 3, 8, 3, 1, true, "a", kRelu);
  const ValueId b = maker.Conv(a, 8, 8, 3, 8, false, "b", FusedClamp{0, 6});
  const ValueId sum = maker.Node(OpType::kAdd, {maker.Conv(b, 8, 8, 1, 1, true, "c"), a});
  const ValueId pooled = maker.Node(OpType::kGlobalAveragePool, {sum});
  const ValueId flat = maker.Node(OpType::kFlatten, AxisAttrs{1}, {pooled});
  const ValueId logits = maker.Node(OpType::kGemm, {flat, maker.RandomConstant({8, 10}), maker.RandomConstant({10})});
  Graph& graph = maker.Finish({maker.Node(OpType::kSoftmax, AxisAttrs{1}, {logits})});
  const bool per_channel = GENERATE(true, false);
  QuantizerOptions options = Options();
  options.per_channel = per_channel;
  options.bias_correction = GENERATE(true, false);
  options.equalization = GENERATE(true, false);
  const QuantizationResult result = Quantize(graph, options);
  REQUIRE(CountOps(result.graph, OpType::kQuantize) == 1);
  REQUIRE(CountOps(result.graph, OpType::kDequantize) == 0);
  REQUIRE(Outcome(result, "Gemm").integer);
  REQUIRE_FALSE(Outcome(result, "Softmax").integer);
  REQUIRE(Outcome(result, "Softmax").reason.find("Softmax") != std::string::npos);
  REQUIRE(Named(result.graph, "Gemm_out").type == ElementType::kFloat32);
  // Movement shares parameters, Relu's range starts at exactly 0.
  REQUIRE(Named(result.graph, "Flatten_out").quant == Named(result.graph, "GlobalAveragePool_out").quant);
  REQUIRE(Named(result.graph, "a_out").quant->zero_points[0] == -128);
  REQUIRE(Named(result.graph, "b_out").quant->zero_points[0] == -128);
  const Node& gemm = result.graph.node(*result.graph.FindNode("Gemm"));
  const Value& weights = result.graph.value(gemm.inputs[1]);
  REQUIRE(weights.type == ElementType::kInt8);
  REQUIRE(weights.quant->axis == (per_channel ? 1 : -1));
  REQUIRE(weights.quant->narrow_range);
  REQUIRE(result.graph.value(gemm.inputs[2]).type == ElementType::kInt32);
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 25);
  REQUIRE(result.table.samples_done == 16);
  REQUIRE_FALSE(result.steps.empty());
}

// Random samples that tell how many of the buffers were left when the last one was read.
class BufferWatch : public DataSet {
 public:
  explicit BufferWatch(std::vector<std::weak_ptr<const void>> buffers) : buffers_(std::move(buffers)) {}
  int64_t size() const override { return samples_.size(); }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    left = std::count_if(buffers_.begin(), buffers_.end(), [](const auto& buffer) { return !buffer.expired(); });
    return samples_.Read(index, inputs);
  }
  std::string Describe(int64_t index) const override { return samples_.Describe(index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return samples_.Fingerprint(); }

  mutable std::ptrdiff_t left = 0;

 private:
  RandomDataSet samples_{16};
  std::vector<std::weak_ptr<const void>> buffers_;
};

TEST_CASE("Weights of a graph that is moved in are given back once they are equalised") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a", kRelu);
  Graph graph = maker.Finish({maker.Conv(a, 8, 8, 3, 1, true, "b")});
  std::vector<std::weak_ptr<const void>> weights;
  for (const char* conv : {"a", "b"}) {
    weights.push_back(graph.value(graph.node(*graph.FindNode(conv)).inputs[1]).constant->buffer().owner);
  }
  maker = GraphMaker();
  const BufferWatch watch(weights);
  REQUIRE(Quantizer(TestContext(), Options()).FullQuantize(graph, watch).ok());
  REQUIRE(watch.left == 2);
  REQUIRE(Quantizer(TestContext(), Options()).FullQuantize(std::move(graph), watch).ok());
  REQUIRE(watch.left == 0);
}

TEST_CASE("What has no integer form stays float between Dequantize and Quantize") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a");
  const ValueId lrn = maker.Node(OpType::kLRN, LrnAttrs{3, 0.1f, 0.75f, 1}, {a});
  Graph& graph = maker.Finish({maker.Conv(lrn, 8, 4, 1, 1, true, "b"), a});
  const QuantizationResult result = Quantize(graph);
  REQUIRE_FALSE(Outcome(result, "LRN").integer);
  REQUIRE(Outcome(result, "a").integer);
  // Both readers of the first convolution are float: its accumulators are turned to float directly.
  REQUIRE(CountOps(result.graph, OpType::kDequantize) == 0);
  REQUIRE(CountOps(result.graph, OpType::kQuantize) == 2);
  REQUIRE(result.graph.value(result.graph.outputs()[1]).name == "a_out");
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 30);
}

TEST_CASE("A value that is wanted both ways is dequantized beside") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a");
  const ValueId b = maker.Conv(a, 8, 4, 1, 1, true, "b");
  Graph& graph = maker.Finish({b, a});
  const QuantizationResult result = Quantize(graph);
  REQUIRE(CountOps(result.graph, OpType::kDequantize) == 1);
  REQUIRE(Named(result.graph, "a_out").type == ElementType::kFloat32);
  REQUIRE(Named(result.graph, "a_out_quantized").type == ElementType::kInt8);
}

TEST_CASE("Operators without a product beside them stay float") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 8, 8, 8});
  const ValueId sum = maker.Node(OpType::kAdd, {maker.Node(OpType::kExp, {x}), x});
  const ValueId soft = maker.Node(OpType::kSoftmax, AxisAttrs{1}, {sum});
  Graph& graph = maker.Finish({maker.Conv(soft, 8, 4, 1, 1, true, "conv")});
  const QuantizationResult result = Quantize(graph);
  REQUIRE_FALSE(Outcome(result, "Add").integer);
  REQUIRE(Outcome(result, "Add").reason.find("cost") != std::string::npos);
  REQUIRE(Outcome(result, "conv").integer);
}

TEST_CASE("Operators of an integer region share or have parameters as they should") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId a = maker.Conv(x, 4, 8, 3, 1, true, "a");
  const auto movement = [&](OpType op, OpAttrs attrs, std::vector<ValueId> more = {}) {
    std::vector<ValueId> inputs = {a};
    inputs.insert(inputs.end(), more.begin(), more.end());
    return maker.Node(op, std::move(attrs), inputs);
  };
  ValueId y;
  bool shared = true;
  PoolAttrs pool;
  pool.kernel_shape = {2, 2}, pool.strides = {2, 2};
  SECTION("MaxPool") { y = movement(OpType::kMaxPool, pool); }
  SECTION("Transpose") { y = movement(OpType::kTranspose, TransposeAttrs{{0, 1, 3, 2}}); }
  SECTION("Pad") {
    y = movement(OpType::kPad, PadAttrs{PadMode::kReflect}, {maker.Integers({0, 0, 1, 1, 0, 0, 1, 1})});
  }
  SECTION("Pad with a number") {
    y = movement(OpType::kPad, PadAttrs{}, {maker.Integers({0, 0, 1, 1, 0, 0, 1, 1}), maker.Floats({}, {5.0f})});
  }
  SECTION("Slice") {
    y = movement(OpType::kSlice, NoAttrs{}, {maker.Integers({0}), maker.Integers({4}), maker.Integers({2})});
  }
  SECTION("Gather") { y = movement(OpType::kGather, AxisAttrs{2}, {maker.Integers({3, 1, 1, 0})}); }
  SECTION("Resize") { y = movement(OpType::kResize, ResizeAttrs{}, {maker.Floats({4}, {1, 1, 2, 2})}); }
  SECTION("AveragePool") { y = movement(OpType::kAveragePool, pool), shared = false; }
  SECTION("Sigmoid") { y = movement(OpType::kSigmoid, NoAttrs{}), shared = false; }
  SECTION("HardSwish") { y = movement(OpType::kHardSwish, NoAttrs{}), shared = false; }
  SECTION("Mul with a constant") {
    y = movement(OpType::kMul, ElementwiseAttrs{}, {maker.RandomConstant({1, 1, 8, 1})}), shared = false;
  }
  const std::string name = maker.graph.value(y).name;
  const std::string node = maker.graph.node(maker.graph.value(y).producer).name;
  Graph& graph = maker.Finish({maker.Conv(y, 8, 4, 1, 1, true, "b")});
  const QuantizationResult result = Quantize(graph);
  INFO(result.graph.Dump());
  REQUIRE(Outcome(result, node).integer);
  REQUIRE((Named(result.graph, name).quant == Named(result.graph, "a_out").quant) == shared);
  REQUIRE(CountOps(result.graph, OpType::kDequantize) == 0);
  REQUIRE(CountOps(result.graph, OpType::kQuantize) == 1);
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 25);
}

TEST_CASE("Inputs of a Concat take its parameters, but not those that are read elsewhere") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId a = maker.Conv(x, 4, 8, 3, 1, true, "a"), b = maker.Conv(x, 4, 8, 3, 1, true, "b");
  const ValueId c = maker.Conv(x, 4, 8, 3, 1, true, "c", FusedClamp{0, 0.5f});
  const ValueId joined = maker.Node(OpType::kConcat, AxisAttrs{1}, {a, b, c});
  Graph& graph = maker.Finish({maker.Conv(joined, 24, 4, 1, 1, true, "d"), maker.Conv(c, 8, 4, 1, 1, true, "e")});
  const QuantizationResult result = Quantize(graph);
  const auto& whole = Named(result.graph, "Concat_out").quant;
  REQUIRE(Named(result.graph, "a_out").quant == whole);
  REQUIRE(Named(result.graph, "b_out").quant == whole);
  REQUIRE(Named(result.graph, "c_out").quant != whole);
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 30);
}

TEST_CASE("A range behind a clamp ends exactly at the clamp") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 8, 8});
  const ValueId a = maker.Conv(x, 4, 8, 3, 1, true, "a", FusedClamp{0, 0.25f});
  Graph& graph = maker.Finish({maker.Conv(a, 8, 4, 1, 1, true, "b")});
  QuantizerOptions options = Options();
  options.equalization = false;
  const QuantizationResult result = Quantize(graph, options);
  REQUIRE(Named(result.graph, "a_out").quant == AsymmetricParams(0.0f, 0.25f));
}

TEST_CASE("Named nodes stay float, unknown names are refused") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "first");
  const ValueId relu = maker.Node(OpType::kRelu, {a}, "relu");
  Graph& graph = maker.Finish({maker.Conv(relu, 8, 4, 1, 1, true, "second")});
  QuantizerOptions options = Options();
  SECTION("by its name") { options.skip_nodes = {"first"}; }
  SECTION("by the name of the activation that joined it") { options.skip_nodes = {"relu"}; }
  SECTION("unknown") {
    options.skip_nodes = {"frist"};
    const auto result = Quantizer(TestContext(), options).FullQuantize(graph, RandomDataSet(2));
    REQUIRE(result.status().code() == absl::StatusCode::kNotFound);
    const std::string message(result.status().message());
    REQUIRE(message.find("'frist'") != std::string::npos);
    REQUIRE(message.find("'first'") != std::string::npos);
    return;
  }
  const QuantizationResult result = Quantize(graph, options);
  REQUIRE_FALSE(Outcome(result, "first").integer);
  REQUIRE(Outcome(result, "first").reason.find("skip") != std::string::npos);
  REQUIRE(Outcome(result, "second").integer);
}

TEST_CASE("A product stays float unless its weights are more than the least number to quantize") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "first");  // 216 weights
  Graph& graph = maker.Finish({maker.Conv(a, 8, 4, 1, 1, true, "second")});            // 32 weights
  QuantizerOptions options = Options();
  const auto [least, first, second] =
      GENERATE(table<int64_t, bool, bool>({{0, true, true}, {31, true, true}, {32, true, false}, {216, false, false}}));
  options.min_weight_elements = least;
  const QuantizationResult result = Quantize(graph, options);
  CHECK(Outcome(result, "first").integer == first);
  CHECK(Outcome(result, "second").integer == second);
  if (!second) CHECK(Outcome(result, "second").reason.find("32 elements") != std::string::npos);
}

TEST_CASE("Weights that are not finite are refused by name") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 1, 4, 4});
  const float bad = GENERATE(NAN, INFINITY);
  const ValueId weights = maker.Floats({2, 1, 1, 1}, {1.0f, bad}, "bad weights");
  Graph& graph = maker.Finish({maker.Node(OpType::kConv, {x, weights})});
  const auto result = Quantizer(TestContext(), Options()).FullQuantize(graph, RandomDataSet(2));
  REQUIRE(result.status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("A quantized graph is not quantized again") {
  GraphMaker maker;
  Graph& graph = maker.Finish({maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8)});
  const QuantizationResult once = Quantize(graph);
  const auto twice = Quantizer(TestContext(), Options()).FullQuantize(once.graph, RandomDataSet(2));
  REQUIRE(twice.status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("Dead channels, constant activations and large biases do no harm") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 4, 4});
  const ValueId a = maker.Node(
      OpType::kConv,
      {x, maker.Floats({3, 2, 1, 1}, {0, 0, 1e-20f, 1e-20f, 1, -1}), maker.Floats({3}, {0.5f, 4.0f, -0.5f})}, "a");
  const ValueId zero =
      maker.Node(OpType::kMul, {maker.Node(OpType::kRelu, {a}), maker.Floats({1, 3, 1, 1}, {1, 1, 1})});
  const ValueId silent = maker.Node(OpType::kConv, {zero, maker.Floats({2, 3, 1, 1}, {0, 0, 0, 0, 0, 0})}, "silent");
  Graph& graph = maker.Finish({maker.Conv(silent, 2, 2, 1, 1, true, "b"), maker.Conv(zero, 3, 2, 1, 1, true, "c")});
  const QuantizationResult result = Quantize(graph);
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 30);
}

TEST_CASE("Transposed convolution and matrix product are quantized") {
  GraphMaker maker;
  ValueId y;
  ConvTransposeAttrs attrs;
  attrs.strides = {2, 2};
  SECTION("ConvTranspose") {
    y = maker.Node(OpType::kConvTranspose, attrs, {maker.Input({1, 4, 4, 4}), maker.RandomConstant({4, 6, 3, 3})});
  }
  SECTION("ConvTranspose in groups") {
    attrs.group = 2;
    y = maker.Node(OpType::kConvTranspose, attrs, {maker.Input({1, 4, 4, 4}), maker.RandomConstant({4, 3, 3, 3})});
  }
  SECTION("MatMul of a batch") {
    y = maker.Node(OpType::kMatMul, {maker.Input({2, 5, 4}), maker.RandomConstant({4, 6})});
  }
  Graph& graph = maker.Finish({y});
  const QuantizationResult result = Quantize(graph);
  REQUIRE(result.nodes[0].integer);
  REQUIRE(SignalToNoise(RunGraph(graph), RunGraph(result.graph)) > 30);
}

TEST_CASE("The result does not depend on the number of threads") {
  GraphMaker maker;
  const ValueId a = maker.Conv(maker.Input({1, 3, 8, 8}), 3, 8, 3, 1, true, "a", FusedClamp{0, 6});
  const ValueId b = maker.Conv(a, 8, 8, 3, 8, true, "b", kRelu);
  Graph& graph = maker.Finish({maker.Conv(b, 8, 4, 1, 1, true, "c")});
  QuantizerOptions options = Options();
  options.activation_method = GENERATE("MAX_MIN", "KL");
  const QuantizationResult one = Quantize(graph, options, 1), three = Quantize(graph, options, 3);
  REQUIRE(one.graph.Dump() == three.graph.Dump());
  for (size_t i = 0; i < one.graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    REQUIRE(one.graph.value(id).constant == three.graph.value(id).constant);
    REQUIRE(one.graph.value(id).quant == three.graph.value(id).quant);
  }
}

}  // namespace
}  // namespace qlite
