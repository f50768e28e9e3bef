// Sessions whose products decode integer weights themselves.
#include "runtime/coded_weights.h"

#include <map>

#include "core/bit_packing.h"
#include "core/dequantize.h"
#include "core/quant_runs.h"
#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

SessionOptions Decoding(WeightDecoding decoding) {
  SessionOptions options;
  options.weight_decoding = decoding;
  return options;
}

struct WeightForm {
  int bits = 8;
  int64_t axis = -1, block_size = 0;
  bool packed = false, corrected = false;
};

// Random integers behind a Dequantize node.
ValueId Weight(GraphBuilder& b, Rng& rng, const std::vector<int64_t>& dims, const WeightForm& form) {
  QuantParams quant;
  quant.bits = form.bits, quant.axis = form.axis, quant.block_size = form.block_size;
  const auto count = static_cast<size_t>(*ElementCount(dims));
  for (int64_t i = 0; i < QuantRuns(dims, form.axis, form.block_size).params(); ++i) {
    quant.scales.push_back(Uniform(rng, 0.001f, 0.02f));
    quant.zero_points.push_back(static_cast<int32_t>(Pick(rng, quant.qmin(), quant.qmax())));
    if (!form.corrected) continue;
    quant.variance_ratios.push_back(Uniform(rng, 0.9f, 1.1f));
    quant.mean_shifts.push_back(Uniform(rng, -0.01f, 0.01f));
  }
  std::vector<int8_t> values(count);
  for (int8_t& value : values) value = static_cast<int8_t>(Pick(rng, quant.qmin(), quant.qmax()));
  Tensor integers = Tensor::Of<int8_t>(dims, values);
  if (form.packed) {
    std::vector<std::byte> fields(PackedBytes(count, form.bits));
    PackBits(std::span<const int8_t>(values), form.bits, fields.data());
    integers = *Tensor::FromPacked(ElementType::kInt8, dims, {form.bits, Buffer::Own(std::move(fields))});
  }
  const ValueId constant = b.Constant(std::move(integers));
  b.graph.mutable_value(constant).quant = std::move(quant);
  return b.Add(OpType::kDequantize, {constant});
}

// Both ways give the same bits, with one thread and with several, on every instruction set; as many weights as said
// stay integers.
void CheckSameBits(const Graph& graph, const std::vector<Array>& inputs, size_t coded) {
  CHECK(PlanCodedWeights(graph).nodes.size() == coded);
  const std::vector<Bytes> expected = RunFor(MakeContext(), graph, inputs, Decoding(WeightDecoding::kAtLoad));
  for (const kernels::Isa isa : kernels::SupportedIsas()) {
    for (const int threads : {1, 3}) {
      INFO(std::string(kernels::IsaName(isa)) << ", " << threads << " threads\n" << graph.Dump());
      const Context context = MakeContext(threads, std::string(kernels::IsaName(isa)));
      CHECK(RunFor(context, graph, inputs, Decoding(WeightDecoding::kOnTheFly)) == expected);
    }
  }
}

TEST_CASE("weights are packed in pieces to the bytes that they have as a whole", "[runtime]") {
  Rng rng(11);
  const Context context = MakeContext(3);
  for (const bool outputs_first : {false, true}) {
    for (const int64_t block : {-1, 0, 16}) {
      const int64_t k = 50, n = 133;
      GraphBuilder b;
      const std::vector<int64_t> dims = outputs_first ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
      const int64_t output_axis = outputs_first ? 0 : 1;
      const int64_t axis = block < 0 ? -1 : block == 0 ? output_axis : 1 - output_axis;
      const WeightForm form = {4, axis, std::max<int64_t>(block, 0), outputs_first, /*corrected=*/block == 0};
      const Node& decode = b.graph.node(b.graph.value(Weight(b, rng, dims, form)).producer);
      const Value& constant = b.graph.value(decode.inputs[0]);
      const CodedLayout layout = {.outputs_first = outputs_first,
                                  .out_stride = outputs_first ? k : 1,
                                  .in_stride = outputs_first ? 1 : n,
                                  .tap_stride = 0};
      kernels::ConvF32Geometry geometry;
      geometry.in_channels = k, geometry.out_channels = n, geometry.in_h = geometry.in_w = 1;
      geometry.out_h = geometry.out_w = 1;
      for (const kernels::Isa isa : kernels::SupportedIsas()) {
        const kernels::ConvCodedKernels& kernels = kernels::ConvCoded(isa);
        const auto packed = [&](int64_t piece_elements, int64_t readers) {
          CodedWeight weight = {*constant.constant, *constant.quant, {}, readers};
          weight.form = {.bits = 4, .block_size = form.block_size, .shifted = form.corrected};
          std::vector<std::byte> bytes(static_cast<size_t>(kernels.packed_bytes(geometry, weight.form)), std::byte{7});
          PackCodedWeight(kernels, geometry, layout, context.executor(), weight, bytes.data(), piece_elements);
          return bytes;
        };
        const std::vector<std::byte> whole = packed(1 << 24, 1);
        for (const int64_t piece_elements : {1, 700, 3000}) {
          CHECK(packed(piece_elements, 1) == whole);
          CHECK(packed(piece_elements, 2) == whole);
        }
      }
    }
  }
}

TEST_CASE("products decode their weights to the bits of weights decoded at load", "[runtime]") {
  Rng rng(1);
  for (const int bits : {1, 2, 3, 4, 5, 8}) {
    for (const int64_t block : {0, 16}) {
      for (const int64_t rows : {1, 4}) {
        const bool packed = bits < 8 && rows == 1, corrected = block == 0;
        GraphBuilder b;
        const ValueId x = b.Input({rows, 50});
        const ValueId m = Weight(b, rng, {50, 70}, {bits, block > 0 ? 0 : 1, block, packed, corrected});
        const ValueId y = b.Add(OpType::kRelu, {b.Add(OpType::kMatMul, {x, m})});
        GemmAttrs attrs;
        attrs.trans_b = true;
        const ValueId g = Weight(b, rng, {33, 70}, {bits, block > 0 ? 1 : 0, block, packed, corrected});
        const ValueId bias = b.Constant(RandomTensor(rng, {33}));
        b.Finish({b.Add(OpType::kGemm, {y, g, bias}, attrs)});
        CheckSameBits(b.graph, {RandomArray(rng, {rows, 50})}, 2);
      }
    }
  }
}

TEST_CASE("convolutions decode their weights, with groups, residuals and clamps", "[runtime]") {
  Rng rng(2);
  for (const int64_t block : {0, 16}) {
    GraphBuilder b;
    const ValueId x = b.Input({1, 32, 9, 9});
    ConvAttrs attrs;
    attrs.pads = {1, 1, 1, 1};
    const ValueId first = Weight(b, rng, {32, 32, 3, 3}, {4, block > 0 ? 1 : 0, block, true, false});
    const ValueId y = b.Add(OpType::kRelu, {b.Add(OpType::kConv, {x, first}, attrs)});
    attrs.group = 2;
    const ValueId second = Weight(b, rng, {32, 16, 3, 3}, {8, -1, 0, false, true});
    const ValueId bias = b.Constant(RandomTensor(rng, {32}));
    const ValueId z = b.Add(OpType::kAdd, {b.Add(OpType::kConv, {y, second, bias}, attrs), y});
    b.Finish({b.Add(OpType::kGlobalAveragePool, {z})});
    CheckSameBits(b.graph, {RandomArray(rng, {1, 32, 9, 9})}, 2);
  }
}

TEST_CASE("a convolution of integer weights sums directly in whichever form they reach it", "[runtime]") {
  Rng rng(7);
  for (const bool float_weights : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input({1, 32, 20, 20});
    ConvAttrs attrs;
    attrs.pads = {1, 1, 1, 1};
    const ValueId weight = float_weights ? b.Constant(RandomTensor(rng, {32, 32, 3, 3}))
                                         : Weight(b, rng, {32, 32, 3, 3}, {8, 0, 0, false, false});
    b.Finish({b.Add(OpType::kConv, {x, weight}, attrs)});
    CheckSameBits(b.graph, {RandomArray(rng, {1, 32, 20, 20})}, float_weights ? 0 : 1);
  }
}

TEST_CASE("weights that are not read by products alone, or as they are not packed, are decoded at load", "[runtime]") {
  Rng rng(3);
  GraphBuilder b;
  const ValueId x = b.Input({4, 24});
  const ValueId along_input = Weight(b, rng, {24, 24}, {8, 0, 0, false, false});
  const ValueId y = b.Add(OpType::kMatMul, {x, along_input});
  const ValueId both = Weight(b, rng, {24, 24}, {8, 1, 0, false, false});
  const ValueId z = b.Add(OpType::kAdd, {b.Add(OpType::kMatMul, {y, both}), b.Add(OpType::kReduceSum, {both})});
  GemmAttrs attrs;
  attrs.alpha = 0.5f;
  const ValueId scaled = Weight(b, rng, {24, 8}, {8, 1, 0, false, false});
  const ValueId tied = Weight(b, rng, {24, 24}, {8, -1, 0, false, false});
  const ValueId w = b.Add(OpType::kMatMul, {b.Add(OpType::kMatMul, {z, tied}), tied});
  b.Finish({b.Add(OpType::kGemm, {w, scaled}, attrs)});
  CheckSameBits(b.graph, {RandomArray(rng, {4, 24})}, 1);
  const CodedPlan plan = PlanCodedWeights(b.graph);
  CHECK(plan.decoded.size() == 3);
}

TEST_CASE("the model says how weights are decoded, and the options overrule it", "[runtime]") {
  Rng rng(4);
  GraphBuilder b;
  const ValueId x = b.Input({1, 64});
  b.Finish({b.Add(OpType::kMatMul, {x, Weight(b, rng, {64, 64}, {8, 1, 0, false, false})})});
  const auto coded = [&](WeightDecoding decoding) {
    return MakeSession(MakeContext(), b.graph, Decoding(decoding))->memory();
  };
  CHECK(coded(WeightDecoding::kAsModelSays).coded_bytes == 0);
  const SessionMemory forced = coded(WeightDecoding::kOnTheFly);
  CHECK(forced.coded_bytes > 64 * 64);
  CHECK(forced.weights_bytes == forced.coded_bytes);
  CHECK(forced.weights_bytes * 3 < coded(WeightDecoding::kAtLoad).weights_bytes);
  b.graph.metadata["qlite.dequant_strategy"] = "ON_THE_FLY";
  CHECK(coded(WeightDecoding::kAsModelSays).coded_bytes > 0);
  CHECK(coded(WeightDecoding::kAtLoad).coded_bytes == 0);
}

TEST_CASE("a session that decodes on the fly can be tapped and forked", "[runtime]") {
  Rng rng(5);
  GraphBuilder b;
  const ValueId x = b.Input({2, 40});
  const ValueId y = b.Add(OpType::kMatMul, {x, Weight(b, rng, {40, 40}, {4, 0, 16, true, false})});
  b.Finish({b.Add(OpType::kRelu, {y})});
  const Array input = RandomArray(rng, {2, 40});
  const auto values = [&](WeightDecoding decoding) {
    std::map<int32_t, std::vector<float>> seen;
    const auto original = MakeSession(MakeContext(), b.graph, Decoding(decoding));
    const auto fork = original->Fork(MakeContext(2));
    REQUIRE(fork.ok());
    Fill(**fork, 0, input);
    REQUIRE((*fork)
                ->RunTapped([&](ValueId id, const TappedValue& value) {
                  std::vector<float> floats(static_cast<size_t>(value.elements));
                  CopyTappedValue(value, nullptr, floats.data());
                  seen[id.index] = std::move(floats);
                })
                .ok());
    return seen;
  };
  const auto expected = values(WeightDecoding::kAtLoad);
  CHECK(expected.size() == 3);
  CHECK(values(WeightDecoding::kOnTheFly) == expected);
}

}  // namespace
}  // namespace qlite::testing
