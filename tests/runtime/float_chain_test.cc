// Chains of elementwise operators: one step, with the bits of separate ones.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Dims = std::vector<int64_t>;

// A tree of elementwise operators over an image or what a matrix product makes, with operands that broadcast.
class RandomChain {
 public:
  RandomChain(uint32_t seed, bool image) : rng_(seed), dims_(image ? Dims{2, 6, 23, 31} : Dims{1, 65, 96}) {
    ValueId x = builder_.Input(dims_);
    if (image) {  // brings it to channels-last memory
      PoolAttrs identity;
      identity.kernel_shape = {1, 1};
      x = builder_.Add(OpType::kMaxPool, {x}, identity);
    }
    values_ = {x, builder_.Input(dims_)};
    for (int i = 0; i < 14; ++i) AddNode();
    std::vector<ValueId> outputs = {values_.back()};
    if (Pick(rng_, 0, 2) == 0) outputs.push_back(values_[values_.size() / 2]);
    builder_.Finish(outputs);
  }

  const Graph& graph() const { return builder_.graph; }
  std::vector<Array> Inputs() { return {RandomArray(rng_, dims_, -2, 2), RandomArray(rng_, dims_, -2, 2)}; }

 private:
  // Mostly the last one, so that chains are long.
  ValueId Any() {
    const auto last = static_cast<int64_t>(values_.size()) - 1;
    return values_[static_cast<size_t>(Pick(rng_, 0, 3) > 0 ? last : Pick(rng_, 0, last))];
  }

  ValueId Operand() {
    const size_t rank = dims_.size();
    Dims shape;
    switch (Pick(rng_, 0, 6)) {
      case 0:
        shape = {1};
        break;
      case 1:
        shape = {dims_[rank - 1]};
        break;
      case 2:
        shape = Dims(rank, 1);
        shape[1] = dims_[1];
        break;
      case 3:
        shape = dims_;
        shape[rank - 1] = 1;
        break;
      case 4:
        shape = dims_;
        break;
      default:
        return Any();
    }
    return builder_.Constant(RandomTensor(rng_, shape, 0.5f, 2));
  }

  void AddNode() {
    static constexpr OpType kUnary[] = {OpType::kRelu, OpType::kSigmoid, OpType::kTanh,      OpType::kErf,
                                        OpType::kAbs,  OpType::kNeg,     OpType::kHardSwish, OpType::kFloor};
    static constexpr OpType kBinary[] = {OpType::kAdd, OpType::kSub, OpType::kMul, OpType::kDiv, OpType::kMax};
    const ValueId x = Any();
    const int64_t kind = Pick(rng_, 0, 9);
    if (kind < 3) {
      values_.push_back(builder_.Add(kUnary[Pick(rng_, 0, 7)], {x}));
    } else if (kind == 3) {
      values_.push_back(builder_.Add(OpType::kClip, {x}, ClipAttrs{{-0.75f, 1.5f}}));
    } else if (kind == 4) {
      values_.push_back(builder_.Add(OpType::kMin, {x, Operand(), Operand()}));
    } else if (kind == 5) {
      const ValueId two = builder_.Constant(Tensor::Of<float>({}, {2}));
      values_.push_back(builder_.Add(OpType::kPow, {x, two}));
    } else {
      const ValueId y = Operand();
      const OpType op = kBinary[Pick(rng_, 0, 4)];
      values_.push_back(builder_.Add(op, Pick(rng_, 0, 1) ? std::vector{x, y} : std::vector{y, x}));
    }
  }

  Rng rng_;
  GraphBuilder builder_;
  Dims dims_;
  std::vector<ValueId> values_;
};

TEST_CASE("chains have the bits of separate steps, on every instruction set and number of threads", "[runtime]") {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    RandomChain random(seed, seed % 2 == 0);
    const std::vector<Array> inputs = random.Inputs();
    INFO("seed " << seed << "\n" << random.graph().Dump());
    auto session = MakeSession(MakeContext(1, "generic"), random.graph());
    for (size_t i = 0; i < inputs.size(); ++i) Fill(*session, i, inputs[i]);
    size_t seen = 0;
    REQUIRE(session->RunTapped([&](ValueId, const TappedValue&) { ++seen; }).ok());
    CHECK(seen >= random.graph().TopologicalOrder().size());  // every value, inputs too
    const auto separate = OutputBytes(*session);
    REQUIRE(session->Run().ok());
    CHECK((OutputBytes(*session) == separate));
    for (kernels::Isa isa : kernels::SupportedIsas()) {
      const int threads = 1 + static_cast<int>(seed + static_cast<uint32_t>(isa)) % 4;
      INFO(kernels::IsaName(isa) << " threads " << threads);
      CHECK((RunFor(MakeContext(threads, std::string(kernels::IsaName(isa))), random.graph(), inputs) == separate));
    }
  }
}

// The steps of a session by operator.
std::map<std::string, int> StepsOf(const Graph& graph) {
  SessionOptions options;
  options.profile = true;
  auto session = MakeSession(MakeContext(), graph, options);
  REQUIRE(session->Run().ok());
  std::map<std::string, int> steps;
  for (const NodeProfile& node : session->profile()) {
    if (node.op != "Convert") ++steps[node.op];  // of an output's layout
  }
  return steps;
}

ValueId Scalar(GraphBuilder& b, float value) { return b.Constant(Tensor::Of<float>({}, {value})); }

TEST_CASE("an activation written out is one step, and so is the end of a layer normalisation", "[runtime]") {
  GraphBuilder swish;
  ValueId x = swish.Input({1, 8, 30, 30});
  ValueId y = swish.Add(OpType::kAdd, {x, Scalar(swish, 3)});
  y = swish.Add(OpType::kClip, {y}, ClipAttrs{{0, 6}});
  swish.Finish({swish.Add(OpType::kDiv, {swish.Add(OpType::kMul, {x, y}), Scalar(swish, 6)})});
  CHECK(StepsOf(swish.graph) == std::map<std::string, int>{{"Div", 1}});
  auto session = MakeSession(MakeContext(), swish.graph);
  CHECK(session->memory().activations_bytes < 8 * 30 * 30 * sizeof(float));  // no tensor lies between

  GraphBuilder norm;
  x = norm.Input({1, 65, 192});
  ReduceAttrs last;
  last.axes = {-1};
  const ValueId centred = norm.Add(OpType::kSub, {x, norm.Add(OpType::kReduceMean, {x}, last)});
  const ValueId square = norm.Add(OpType::kPow, {centred, Scalar(norm, 2)});
  ValueId variance = norm.Add(OpType::kReduceMean, {square}, last);
  variance = norm.Add(OpType::kSqrt, {norm.Add(OpType::kAdd, {variance, Scalar(norm, 1e-5f)})});
  Rng rng(1);
  y = norm.Add(OpType::kDiv, {centred, variance});
  y = norm.Add(OpType::kMul, {y, norm.Constant(RandomTensor(rng, {192}))});
  norm.Finish({norm.Add(OpType::kAdd, {y, norm.Constant(RandomTensor(rng, {192}))})});
  CHECK(StepsOf(norm.graph) ==
        std::map<std::string, int>{{"ReduceMean", 2}, {"Sub", 1}, {"Pow", 1}, {"Sqrt", 1}, {"Add", 1}});
  CheckAgainstReference(norm.graph, {RandomArray(rng, {1, 65, 192})});
}

TEST_CASE("a chain ends where a value is read twice, is an output, or is broadcast", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({2, 3, 4, 5});
  const ValueId out = b.Add(OpType::kAbs, {x});
  const ValueId twice = b.Add(OpType::kNeg, {out});
  const ValueId gate = b.Add(OpType::kSigmoid, {b.Add(OpType::kGlobalAveragePool, {twice})});
  const ValueId scaled = b.Add(OpType::kMul, {twice, gate});
  b.Finish({out, b.Add(OpType::kTanh, {scaled})});
  CHECK(StepsOf(b.graph) ==
        std::map<std::string, int>{{"Abs", 1}, {"Neg", 1}, {"GlobalAveragePool", 1}, {"Sigmoid", 1}, {"Tanh", 1}});
  Rng rng(2);
  CheckAgainstReference(b.graph, {RandomArray(rng, {2, 3, 4, 5})});
}

TEST_CASE("a value that a later part of a chain reads is not overwritten before", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({40, 100});
  const ValueId made = b.Add(OpType::kSoftmax, {x}, AxisAttrs{1});  // memory of its own
  const ValueId gate = b.Add(OpType::kSigmoid, {made});
  const ValueId other = b.Add(OpType::kSoftmax, {b.Add(OpType::kNeg, {made})}, AxisAttrs{1});
  b.Finish({b.Add(OpType::kMul, {gate, other})});
  Rng rng(3);
  CheckAgainstReference(b.graph, {RandomArray(rng, {40, 100})});
}

}  // namespace
}  // namespace qlite::testing
