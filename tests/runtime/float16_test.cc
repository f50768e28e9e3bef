// Sessions that keep weights in float16.
#include <cmath>

#include "kernels/conv_f16.h"
#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

// Two convolutions, one of them with a residual, and a fully connected layer.
Graph SmallNetwork() {
  Rng rng(1);
  GraphBuilder b;
  ConvAttrs attrs;
  attrs.pads = {1, 1, 1, 1};
  const ValueId x = b.Input({1, 32, 9, 9});
  const auto conv = [&](ValueId in) {
    return b.Add(OpType::kConv,
                 {in, b.Constant(RandomTensor(rng, {32, 32, 3, 3}, -0.1f, 0.1f)), b.Constant(RandomTensor(rng, {32}))},
                 attrs);
  };
  const ValueId y = b.Add(OpType::kRelu, {conv(x)});
  const ValueId sum = b.Add(OpType::kAdd, {conv(y), x});
  const ValueId row = b.Add(OpType::kReshape, {sum, b.Constant(Int64s({1, 32 * 81}))});
  return b.Finish({b.Add(OpType::kMatMul, {row, b.Constant(RandomTensor(rng, {32 * 81, 64}))})});
}

SessionOptions WithFloat16() {
  SessionOptions options;
  options.float16 = true;
  return options;
}

TEST_CASE("weights in float16 take half the memory and give nearly the same results", "[runtime]") {
  const Graph graph = SmallNetwork();
  Rng rng(2);
  const Array x = RandomArray(rng, {1, 32, 9, 9});
  for (const kernels::Isa isa : kernels::SupportedIsas()) {
    INFO(std::string(kernels::IsaName(isa)));
    const Context context = MakeContext(1, std::string(kernels::IsaName(isa)));
    const auto plain = MakeSession(context, graph), half = MakeSession(context, graph, WithFloat16());
    CHECK(plain->float16() == Float16Use::kNone);
    CHECK(half->float16() ==
          (kernels::ConvF16(isa).float16_arithmetic ? Float16Use::kArithmetic : Float16Use::kStorage));
    CHECK(half->memory().weights_bytes * 10 < plain->memory().weights_bytes * 6);
    const std::vector<float> expected = Floats(RunFor(context, graph, {x})[0]);
    const std::vector<float> found = Floats(RunFor(context, graph, {x}, WithFloat16())[0]);
    double error = 0, signal = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      error += std::pow(static_cast<double>(found[i]) - static_cast<double>(expected[i]), 2);
      signal += std::pow(static_cast<double>(expected[i]), 2);
    }
    CHECK(error > 0);
    CHECK(error < 4e-6 * signal);
  }
}

TEST_CASE("results in float16 do not depend on the number of threads", "[runtime]") {
  const Graph graph = SmallNetwork();
  Rng rng(3);
  const Array x = RandomArray(rng, {1, 32, 9, 9});
  CHECK(RunFor(MakeContext(1), graph, {x}, WithFloat16()) == RunFor(MakeContext(3), graph, {x}, WithFloat16()));
}

TEST_CASE("networks without a product for float16 stay as they are", "[runtime]") {
  Rng rng(4);
  GraphBuilder b;
  const ValueId x = b.Input({1, 8, 6, 6});
  ConvAttrs attrs;
  attrs.group = 8;
  b.Finish({b.Add(OpType::kConv, {x, b.Constant(RandomTensor(rng, {8, 1, 3, 3}))}, attrs)});
  const Array values = RandomArray(rng, {1, 8, 6, 6});
  const Context context = MakeContext();
  CHECK(MakeSession(context, b.graph, WithFloat16())->float16() == Float16Use::kNone);
  CHECK(RunFor(context, b.graph, {values}, WithFloat16()) == RunFor(context, b.graph, {values}));
}

}  // namespace
}  // namespace qlite::testing
