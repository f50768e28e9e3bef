// int8 operators against the arithmetic of docs/numerics.md, bit for bit.
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/integer_support.h"
#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Dims = std::vector<int64_t>;

QuantParams RandomParams(Rng& rng) {
  return QuantParams::PerTensor(Uniform(rng, 0.01f, 0.05f), static_cast<int32_t>(Pick(rng, -60, 60)));
}

Array RandomBytes(Rng& rng, const Dims& dims) {
  Array array(dims);
  for (double& q : array.data) q = static_cast<double>(Pick(rng, -128, 127));
  return array;
}

Tensor Int8Tensor(const Array& array) { return Tensor::Of<int8_t>(array.dims, {array.data.begin(), array.data.end()}); }

// zero point + rne(clamp(t)), the clamp being that of int8 or narrower.
double Requantized(float t, const QuantParams& out, int32_t lowest = -128, int32_t highest = 127) {
  const int32_t zero = out.zero_points[0];
  const float bounded = std::min(static_cast<float>(highest - zero), std::max(static_cast<float>(lowest - zero), t));
  return zero + static_cast<double>(std::nearbyintf(bounded));
}

struct IntegerBuilder : GraphBuilder {
  ValueId Int8Input(const std::vector<int64_t>& dims, const QuantParams& params) {
    const ValueId id = Input(dims, ElementType::kInt8);
    graph.mutable_value(id).quant = params;
    return id;
  }
  ValueId Int8Constant(const Array& values, QuantParams params) {
    const ValueId id = Constant(Int8Tensor(values));
    graph.mutable_value(id).quant = std::move(params);
    return id;
  }
  ValueId AddInt8(OpType op, const std::vector<ValueId>& inputs, const OpAttrs& attrs, const QuantParams& params) {
    const ValueId id = Add(op, inputs, attrs);
    graph.mutable_value(id).quant = params;
    return id;
  }
};

// Runs on every instruction set; the int8 outputs equal `expected`.
void CheckExact(const Graph& graph, const std::vector<Array>& inputs, const Array& expected) {
  for (kernels::Isa isa : kernels::SupportedIsas()) {
    const auto got = RunFor(MakeContext(1 + static_cast<int>(isa), std::string(kernels::IsaName(isa))), graph, inputs);
    REQUIRE(got[0].size() == expected.data.size());
    size_t wrong = 0;
    for (size_t i = 0; i < got[0].size(); ++i)
      wrong += static_cast<int8_t>(got[0][i]) != static_cast<int8_t>(expected.data[i]);
    INFO(kernels::IsaName(isa) << "\n" << graph.Dump());
    CHECK(wrong == 0);
  }
}

Array Shifted(const Array& q, const QuantParams& params) {
  Array shifted = q;
  for (double& value : shifted.data) value -= params.zero_points[0];
  return shifted;
}

QuantParams WeightParams(Rng& rng, int64_t axis, int64_t channels) {
  QuantParams params;
  params.scheme = QuantScheme::kSymmetric;
  params.axis = channels == 1 ? -1 : axis;
  for (int64_t c = 0; c < channels; ++c) {
    params.scales.push_back(Uniform(rng, 0.002f, 0.02f));
    params.zero_points.push_back(0);
  }
  return params;
}

struct Product {
  OpType op;
  OpAttrs attrs;
  Dims x, w;
  int64_t weight_axis, channels, output_axis;
};

// Accumulators by the float reference, which is exact for integers of this size, then one float product.
void CheckProduct(const Product& product, uint32_t seed) {
  Rng rng(seed);
  IntegerBuilder b;
  const QuantParams in = RandomParams(rng),
                    out = QuantParams::PerTensor(Uniform(rng, 0.05f, 0.3f), static_cast<int32_t>(Pick(rng, -60, 60)));
  const bool per_channel = seed % 3 != 0, has_bias = seed % 2 == 0, float_output = seed % 5 == 0;
  const QuantParams weight_params = WeightParams(rng, product.weight_axis, per_channel ? product.channels : 1);
  const Array x = RandomBytes(rng, product.x), w = RandomBytes(rng, product.w);
  std::vector<ValueId> inputs = {b.Int8Input(product.x, in), b.Int8Constant(w, weight_params)};
  std::vector<Array> plain = {Shifted(x, in), w};
  if (has_bias) {
    Array bias({product.channels});
    for (double& value : bias.data) value = static_cast<double>(Pick(rng, -5000, 5000));
    inputs.push_back(b.Constant(Tensor::Of<int32_t>({product.channels}, {bias.data.begin(), bias.data.end()})));
    plain.push_back(bias);
  }
  OpAttrs attrs = product.attrs;
  const OpAttrs unclamped = attrs;
  FusedClamp clamp;
  if (seed % 4 == 1) *FindClamp(attrs) = clamp = {0.0f, 6.0f};
  const ValueId y = b.Add(product.op, inputs, attrs);
  if (float_output) b.graph.mutable_value(y).type = ElementType::kFloat32;
  if (!float_output) b.graph.mutable_value(y).quant = out;
  b.Finish({y});
  INFO("seed " << seed << "\n" << b.graph.Dump());
  REQUIRE((b.graph.value(y).type == ElementType::kFloat32) == float_output);

  Node node;
  node.op = product.op;
  node.attrs = unclamped;
  const Dims dims = b.graph.value(y).shape.Extents();
  Array expected =
      product.op == OpType::kMatMul ? ReferenceMatMul(plain[0], plain[1], dims) : ReferenceNode(node, plain, {dims})[0];
  int32_t lowest = -128, highest = 127;
  if (clamp.active()) {
    lowest = static_cast<int32_t>(Requantized(0, out));
    highest = static_cast<int32_t>(Requantized(6.0f / out.scales[0], out));
  }
  ForEach(dims, [&](const Indices& o) {
    const auto channel = static_cast<size_t>(o[static_cast<size_t>(product.output_axis)]);
    if (product.op == OpType::kMatMul && has_bias) expected.at(o) += plain[2].data[channel];
    const float product_scale = in.scales[0] * weight_params.scales[channel % weight_params.scales.size()];
    const auto accumulator = static_cast<float>(expected.at(o));
    expected.at(o) = float_output ? Clamped(accumulator * product_scale, clamp)
                                  : Requantized(accumulator * (product_scale / out.scales[0]), out, lowest, highest);
  });
  if (!float_output) return CheckExact(b.graph, {x}, expected);
  CheckClose(RunFor(MakeContext(), b.graph, {x})[0], expected, 0);
}

TEST_CASE("int8 convolutions", "[runtime]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    ConvAttrs attrs;
    const int64_t kind = Pick(rng, 0, 3);
    attrs.group = kind == 0 ? Pick(rng, 2, 40) : kind == 1 ? 2 : 1;
    const int64_t in_each = kind == 0 ? 1 : Pick(rng, 1, 9), out_each = kind == 0 ? 1 : Pick(rng, 1, 20);
    const int64_t kernel = kind == 3 ? 1 : Pick(rng, 1, 3);
    attrs.strides = {Pick(rng, 1, 2), Pick(rng, 1, 2)};
    if (kind != 3) attrs.pads = {Pick(rng, 0, 1), Pick(rng, 0, 1), Pick(rng, 0, 1), Pick(rng, 0, 1)};
    if (seed % 6 == 0) attrs.dilations = {2, 1};
    const int64_t channels = attrs.group * out_each;
    CheckProduct({OpType::kConv,
                  attrs,
                  {Pick(rng, 1, 2), attrs.group * in_each, Pick(rng, 6, 10), Pick(rng, 6, 10)},
                  {channels, in_each, kernel, kernel},
                  0,
                  channels,
                  1},
                 seed);
  }
  for (uint32_t seed = 0; seed < 10; ++seed) {
    CheckProduct({OpType::kConv, ConvAttrs{}, {2, 3, 12}, {5, 3, 3}, 0, 5, 1}, seed);
  }
}

TEST_CASE("int8 convolutions whose kernels reach beyond the image", "[runtime]") {
  for (uint32_t seed = 0; seed < 24; ++seed) {
    Rng rng(seed);
    ConvAttrs attrs;
    attrs.group = seed % 4 == 0 ? 20 : 1;
    const int64_t in_each = attrs.group == 1 ? Pick(rng, 1, 40) : 1, out_each = attrs.group == 1 ? Pick(rng, 1, 40) : 1;
    const int64_t dilation = Pick(rng, 1, 5);
    attrs.dilations = {dilation, dilation};
    attrs.pads = {dilation, dilation, dilation, dilation};
    const int64_t channels = attrs.group * out_each;
    const Dims x = {Pick(rng, 1, 2), attrs.group * in_each, Pick(rng, 1, 5), Pick(rng, 1, 5)};
    CheckProduct({OpType::kConv, attrs, x, {channels, in_each, 3, 3}, 0, channels, 1}, seed);
  }
}

TEST_CASE("int8 convolutions of many groups", "[runtime]") {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    Rng rng(seed);
    constexpr int64_t kWidths[] = {1, 4, 8, 16, 24, 32};
    ConvAttrs attrs;
    attrs.group = Pick(rng, 4, 9);
    const int64_t width = kWidths[seed % 6], channels = attrs.group * width, stride = 1 + seed / 6;
    attrs.strides = {stride, stride};
    attrs.pads = {1, 1, 1, 1};
    const Dims x = {Pick(rng, 1, 2), channels, Pick(rng, 3, 5), Pick(rng, 5, 20)};
    CheckProduct({OpType::kConv, attrs, x, {channels, width, 3, 3}, 0, channels, 1}, seed);
  }
}

TEST_CASE("int8 transposed convolutions", "[runtime]") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    ConvTransposeAttrs attrs;
    attrs.strides = {2, 1 + seed % 3};
    attrs.pads = {0, 1, 1, 0};
    CheckProduct({OpType::kConvTranspose, attrs, {2, 4, 4, 5}, {4, 6, 3, 3}, 1, 6, 1}, seed);
  }
}

TEST_CASE("int8 matrix products", "[runtime]") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    const int64_t m = Pick(rng, 1, 12), k = Pick(rng, 1, 70), n = Pick(rng, 1, 50);
    GemmAttrs attrs;
    attrs.trans_b = seed % 2 == 1;
    CheckProduct({OpType::kGemm, attrs, {m, k}, attrs.trans_b ? Dims{n, k} : Dims{k, n}, attrs.trans_b ? 0 : 1, n, 1},
                 seed);
    CheckProduct({OpType::kMatMul, MatMulAttrs{}, {2, m, k}, {k, n}, 1, n, 2}, seed);
  }
}

TEST_CASE("int8 sums, differences and products with broadcasting", "[runtime]") {
  const std::vector<std::pair<Dims, Dims>> shapes = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}}, {{2, 3, 4, 5}, {3, 1, 1}}, {{2, 3, 4, 5}, {2, 3, 1, 1}}, {{2, 3, 4, 5}, {5}},
      {{2, 3, 4, 5}, {1}},          {{3, 1, 1}, {2, 3, 4, 5}}, {{2, 1, 4, 1}, {1, 3, 1, 5}}, {{70, 90}, {70, 90}},
  };
  for (OpType op : {OpType::kAdd, OpType::kSub, OpType::kMul}) {
    for (const auto& [left, right] : shapes) {
      for (int form = 0; form < 3; ++form) {
        Rng rng(static_cast<uint32_t>(form));
        IntegerBuilder b;
        const QuantParams pa = RandomParams(rng), pb = RandomParams(rng), po = RandomParams(rng);
        const Array a = RandomBytes(rng, left), c = RandomBytes(rng, right);
        ValueId x = b.Int8Input(left, pa), y = form == 0 ? b.Int8Constant(c, pb) : b.Int8Input(right, pb);
        PoolAttrs identity;  // brings an image to channels-last memory
        identity.kernel_shape = {1, 1};
        if (form == 2 && left.size() == 4) x = b.AddInt8(OpType::kMaxPool, {x}, identity, pa);
        if (form == 2 && right.size() == 4) y = b.AddInt8(OpType::kMaxPool, {y}, identity, pb);
        const ValueId z = b.AddInt8(op, {x, y}, ElementwiseAttrs{}, po);
        b.Finish({z});
        const float ka = pa.scales[0] / po.scales[0], kb = pb.scales[0] / po.scales[0];
        const Dims dims = b.graph.value(z).shape.Extents();
        const Array expected = Make(dims, [&](const Indices& o) {
          const auto qa = a.Broadcast(o), qb = c.Broadcast(o);
          const int32_t za = pa.zero_points[0], zb = pb.zero_points[0];
          if (op == OpType::kMul) {
            const float multiplier = pa.scales[0] * pb.scales[0] / po.scales[0];
            return Requantized(static_cast<float>((qa - za) * (qb - zb)) * multiplier, po);
          }
          const double sign = op == OpType::kSub ? -1 : 1;
          const auto kc = static_cast<float>(-((za + 128) * (double{pa.scales[0]} / po.scales[0]) +
                                               sign * (zb + 128) * (double{pb.scales[0]} / po.scales[0])));
          const auto fa = static_cast<float>(qa + 128), fb = static_cast<float>(qb + 128);
          return Requantized(std::fmaf(fa, ka, std::fmaf(fb, static_cast<float>(sign) * kb, kc)), po);
        });
        std::vector<Array> inputs = {a};
        if (form != 0) inputs.push_back(c);
        INFO(OpName(op) << " form " << form);
        CheckExact(b.graph, inputs, expected);
      }
    }
  }
}

TEST_CASE("int8 values of different scales are joined", "[runtime]") {
  for (int64_t axis = 0; axis < 4; ++axis) {
    for (const bool same : {true, false}) {
      Rng rng(4);
      IntegerBuilder b;
      const QuantParams pa = RandomParams(rng), pb = same ? pa : RandomParams(rng);
      Dims left = {2, 3, 4, 5}, right = left;
      right[static_cast<size_t>(axis)] = 2;
      const Array a = RandomBytes(rng, left), c = RandomBytes(rng, right);
      const ValueId z =
          b.AddInt8(OpType::kConcat, {b.Int8Input(left, pa), b.Int8Input(right, pb)}, AxisAttrs{axis}, pa);
      b.Finish({z});
      Array moved = c;
      for (double& q : moved.data) {
        if (!same) q = Requantized(static_cast<float>(q - pb.zero_points[0]) * (pb.scales[0] / pa.scales[0]), pa);
      }
      CheckExact(b.graph, {a, c},
                 ReferenceConcat({a, moved}, static_cast<size_t>(axis), b.graph.value(z).shape.Extents()));
    }
  }
}

TEST_CASE("int8 results of convolutions are joined in place", "[runtime]") {
  Rng rng(4);
  IntegerBuilder b;
  const QuantParams in = RandomParams(rng), out = RandomParams(rng);
  const ValueId x = b.Int8Input({1, 3, 4, 4}, in);
  std::vector<ValueId> parts;
  for (int64_t channels : {5, 8}) {
    const Array w = RandomBytes(rng, {channels, 3, 1, 1});
    parts.push_back(b.AddInt8(OpType::kConv, {x, b.Int8Constant(w, WeightParams(rng, 0, channels))}, ConvAttrs{}, out));
  }
  const ValueId z = b.AddInt8(OpType::kConcat, parts, AxisAttrs{1}, out);
  b.Finish({z});
  const Array input = RandomBytes(rng, {1, 3, 4, 4});
  const auto fused = RunFor(MakeContext(), b.graph, {input});
  auto session = MakeSession(MakeContext(), b.graph);
  Fill(*session, 0, input);
  REQUIRE(session->RunTapped([](ValueId, const TappedValue&) {}).ok());
  CHECK((OutputBytes(*session) == fused));
}

// Sums of convolutions, whose additions may join the convolutions' steps, in the bits of a run in which none do.
TEST_CASE("int8 residuals are added behind convolutions", "[runtime]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    IntegerBuilder b;
    const int64_t channels = Pick(rng, 1, 40), kernel = 2 * Pick(rng, 0, 1) + 1, kind = Pick(rng, 0, 6);
    const Dims dims = {Pick(rng, 1, 2), channels, Pick(rng, 3, 9), Pick(rng, 3, 9)};
    const QuantParams in = RandomParams(rng);
    const ValueId x = b.Int8Input(dims, in);
    const auto conv = [&](ValueId from, int64_t groups) {
      ConvAttrs attrs;
      attrs.group = groups;
      attrs.pads.assign(4, kernel / 2);
      const Array w = RandomBytes(rng, {channels, channels / groups, kernel, kernel});
      return b.AddInt8(OpType::kConv, {from, b.Int8Constant(w, WeightParams(rng, 0, channels))}, attrs,
                       RandomParams(rng));
    };
    const auto params_of = [&](ValueId id) { return *b.graph.value(id).quant; };
    ValueId other = kind == 0 ? x : conv(x, 1);
    if (kind == 1) other = b.AddInt8(OpType::kRelu, {other}, NoAttrs{}, params_of(other));
    const ValueId last = conv(kind == 2 ? other : x, kind == 3 ? channels : 1);
    std::vector<ValueId> operands = {last, other};
    if (seed % 2 == 1) std::swap(operands[0], operands[1]);
    ValueId sum = b.AddInt8(OpType::kAdd, operands, ElementwiseAttrs{}, RandomParams(rng));
    if (seed % 3 == 0) sum = b.AddInt8(OpType::kRelu, {sum}, NoAttrs{}, params_of(sum));
    std::vector<ValueId> results = {sum};
    if (kind == 4) results.push_back(last);  // seen from outside: it has to exist
    if (kind == 5) results[0] = b.AddInt8(OpType::kAdd, {conv(sum, 1), sum}, ElementwiseAttrs{}, RandomParams(rng));
    if (kind == 6) {
      results[0] = b.AddInt8(OpType::kConcat, {sum, other}, AxisAttrs{1}, params_of(sum));
    }
    b.Finish(results);
    const Array input = RandomBytes(rng, dims);
    auto session = MakeSession(MakeContext(), b.graph);
    Fill(*session, 0, input);
    REQUIRE(session->RunTapped([](ValueId, const TappedValue&) {}).ok());
    const auto expected = OutputBytes(*session);
    INFO("seed " << seed << "\n" << b.graph.Dump());
    for (kernels::Isa isa : kernels::SupportedIsas()) {
      for (int threads : {1, 3}) {
        CHECK((RunFor(MakeContext(threads, std::string(kernels::IsaName(isa))), b.graph, {input}) == expected));
      }
    }
  }
}

TEST_CASE("int8 pools", "[runtime]") {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Rng rng(seed);
    const QuantParams in = RandomParams(rng), out = seed % 2 ? RandomParams(rng) : in;
    const Dims dims = {2, Pick(rng, 1, 40), 6, 7};
    const Array x = RandomBytes(rng, dims);
    PoolAttrs attrs;
    attrs.kernel_shape = {Pick(rng, 1, 3), Pick(rng, 1, 3)};
    attrs.strides = {Pick(rng, 1, 2), Pick(rng, 1, 2)};
    if (attrs.kernel_shape[0] > 1 && attrs.kernel_shape[1] > 1) attrs.pads = {1, 0, 0, 1};
    const float ratio = in.scales[0] / out.scales[0];
    for (OpType op : {OpType::kMaxPool, OpType::kAveragePool, OpType::kGlobalAveragePool, OpType::kGlobalMaxPool}) {
      const bool global = op == OpType::kGlobalAveragePool || op == OpType::kGlobalMaxPool;
      IntegerBuilder b;
      const ValueId y = b.AddInt8(op, {b.Int8Input(dims, in)}, global ? OpAttrs(NoAttrs{}) : OpAttrs(attrs), out);
      b.Finish({y});
      Node node;
      node.op = op;
      node.attrs = global ? OpAttrs(NoAttrs{}) : OpAttrs(attrs);
      const Dims result = b.graph.value(y).shape.Extents();
      Array expected = ReferenceNode(node, {Shifted(x, in)}, {result})[0];
      const bool mean = op == OpType::kAveragePool || op == OpType::kGlobalAveragePool;
      const Array ones = Make(dims, [](const Indices&) { return 1.0; });
      ForEach(result, [&](const Indices& o) {
        int64_t count = dims[2] * dims[3];
        if (op == OpType::kAveragePool) {
          count = 0;
          ForWindow(*PoolGeometry(attrs, SpatialDims(dims)), dims, o, [&](const Indices&, const Indices&) { ++count; });
        }
        double& value = expected.at(o);
        if (mean) {
          const auto sum = static_cast<float>(std::nearbyint(value * static_cast<double>(count)));
          value = Requantized(sum * (ratio / static_cast<float>(count)), out);
        } else {
          value = in == out ? value + in.zero_points[0] : Requantized(static_cast<float>(value) * ratio, out);
        }
      });
      INFO("seed " << seed << " " << OpName(op));
      CheckExact(b.graph, {x}, expected);
    }
  }
}

TEST_CASE("the mean over an int8 image", "[runtime]") {
  Rng rng(1);
  const QuantParams in = RandomParams(rng), out = RandomParams(rng);
  const Array x = RandomBytes(rng, {2, 20, 3, 5});
  std::vector<std::vector<Bytes>> results;
  for (const bool reduce : {true, false}) {
    IntegerBuilder b;
    ReduceAttrs attrs;
    attrs.axes = {2, -1};
    const ValueId input = b.Int8Input({2, 20, 3, 5}, in);
    const ValueId y = reduce ? b.AddInt8(OpType::kReduceMean, {input}, attrs, out)
                             : b.AddInt8(OpType::kGlobalAveragePool, {input}, NoAttrs{}, out);
    b.Finish({y});
    results.push_back(RunFor(MakeContext(), b.graph, {x}));
  }
  CHECK((results[0] == results[1]));
}

TEST_CASE("int8 functions by table", "[runtime]") {
  const std::vector<std::pair<OpType, OpAttrs>> functions = {
      {OpType::kRelu, NoAttrs{}},       {OpType::kLeakyRelu, AlphaAttrs{0.1f}},
      {OpType::kElu, AlphaAttrs{1.0f}}, {OpType::kSigmoid, NoAttrs{}},
      {OpType::kTanh, NoAttrs{}},       {OpType::kHardSigmoid, HardSigmoidAttrs{}},
      {OpType::kHardSwish, NoAttrs{}},  {OpType::kClip, ClipAttrs{{0, 1}}},
      {OpType::kExp, NoAttrs{}},        {OpType::kNeg, NoAttrs{}},
      {OpType::kAbs, NoAttrs{}},
  };
  for (const auto& [op, attrs] : functions) {
    Rng rng(1);
    const QuantParams in = RandomParams(rng), out = RandomParams(rng);
    IntegerBuilder b;
    b.Finish({b.AddInt8(op, {b.Int8Input({1, 256}, in)}, attrs, out)});
    const Array x = Make({1, 256}, [](const Indices& i) { return static_cast<double>(i[1] - 128); });
    const auto got = RunFor(MakeContext(), b.graph, {x});
    Node node;
    node.op = op;
    node.attrs = attrs;
    int largest = 0;
    for (size_t i = 0; i < 256; ++i) {
      const double real = (x.data[i] - in.zero_points[0]) * in.scales[0];
      const double expected = Requantized(static_cast<float>(ReferenceUnary(node, real)) / out.scales[0], out);
      largest = std::max(largest, std::abs(static_cast<int8_t>(got[0][i]) - static_cast<int>(expected)));
    }
    INFO(OpName(op));
    CHECK(largest <= 1);  // a function's last bit may decide a tie
    if (op == OpType::kRelu || op == OpType::kClip || op == OpType::kNeg) CHECK(largest == 0);
  }
}

TEST_CASE("int8 values are moved", "[runtime]") {
  Rng rng(1);
  const QuantParams params = RandomParams(rng);
  const Dims dims = {2, 12, 6, 4};
  ResizeAttrs resize;
  resize.coordinates = CoordinateMode::kAsymmetric;
  resize.nearest = NearestMode::kFloor;
  const std::vector<std::tuple<OpType, OpAttrs, std::vector<Tensor>>> moves = {
      {OpType::kTranspose, TransposeAttrs{{0, 2, 3, 1}}, {}},
      {OpType::kTranspose, TransposeAttrs{{1, 0, 3, 2}}, {}},
      {OpType::kReshape, ReshapeAttrs{}, {Int64s({2, -1})}},
      {OpType::kFlatten, AxisAttrs{1}, {}},
      {OpType::kSlice, NoAttrs{}, {Int64s({1}), Int64s({9}), Int64s({1}), Int64s({2})}},
      {OpType::kGather, AxisAttrs{1}, {Int64s({3, -1, 0})}},
      {OpType::kExpand, NoAttrs{}, {Int64s({3, 1, 1, 1, 1})}},
      {OpType::kDepthToSpace, DepthToSpaceAttrs{2, DepthToSpaceMode::kDcr}, {}},
      {OpType::kSpaceToDepth, SpaceToDepthAttrs{2}, {}},
      {OpType::kResize, resize, {Tensor::Of<float>({4}, {1, 1, 2, 3})}},
      {OpType::kIdentity, NoAttrs{}, {}},
      {OpType::kPad, PadAttrs{PadMode::kEdge}, {Int64s({0, 1, 1, 0, 0, 0, 2, 1})}},
  };
  for (const auto& [op, attrs, constants] : moves) {
    for (const bool last : {false, true}) {
      IntegerBuilder b;
      ValueId x = b.Int8Input(dims, params);
      PoolAttrs identity;
      identity.kernel_shape = {1, 1};
      if (last) x = b.AddInt8(OpType::kMaxPool, {x}, identity, params);
      std::vector<ValueId> inputs = {x};
      for (const Tensor& constant : constants) inputs.push_back(b.Constant(constant));
      const ValueId y = b.AddInt8(op, inputs, attrs, params);
      b.Finish({y});
      const Array q = RandomBytes(rng, dims);
      const Array expected = ReferenceRun(b.graph, {q})[static_cast<size_t>(y.index)];
      INFO(OpName(op));
      CheckExact(b.graph, {q}, expected);
    }
  }
}

TEST_CASE("int8 padding stands for a real number", "[runtime]") {
  Rng rng(1);
  const QuantParams params = RandomParams(rng);
  for (const bool given : {false, true}) {
    IntegerBuilder b;
    std::vector<ValueId> inputs = {b.Int8Input({1, 2}, params), b.Constant(Int64s({0, 1, 0, 0}))};
    if (given) inputs.push_back(b.Constant(Tensor::Of<int8_t>({}, {5})));
    const ValueId y = b.AddInt8(OpType::kPad, inputs, PadAttrs{}, params);
    b.Finish({y});
    Array expected({1, 3});
    expected.data = {given ? 5.0 : params.zero_points[0], 7, -8};
    Array x({1, 2});
    x.data = {7, -8};
    CheckExact(b.graph, {x}, expected);
  }
}

TEST_CASE("moving to other parameters requantizes", "[runtime]") {
  Rng rng(1);
  const QuantParams in = RandomParams(rng), out = RandomParams(rng);
  IntegerBuilder b;
  b.Finish({b.AddInt8(OpType::kReshape, {b.Int8Input({4, 50}, in), b.Constant(Int64s({200}))}, ReshapeAttrs{}, out)});
  const Array x = RandomBytes(rng, {4, 50});
  Array expected({200});
  for (size_t i = 0; i < 200; ++i) {
    expected.data[i] =
        Requantized(static_cast<float>(x.data[i] - in.zero_points[0]) * (in.scales[0] / out.scales[0]), out);
  }
  CheckExact(b.graph, {x}, expected);
}

TEST_CASE("quantizing and back", "[runtime]") {
  Rng rng(1);
  for (const bool per_channel : {false, true}) {
    QuantParams params = RandomParams(rng);
    if (per_channel) {
      params = WeightParams(rng, 1, 3);
      params.scheme = QuantScheme::kAsymmetric;
      params.zero_points = {-3, 4, 100};
    }
    IntegerBuilder b;
    const ValueId x = b.Input({2, 3, 4, 5});
    const ValueId q = b.AddInt8(OpType::kQuantize, {x}, QuantizeAttrs{}, params);
    const ValueId y = b.Add(OpType::kDequantize, {q}, QuantizeAttrs{});
    b.Finish({q, y});
    const Array input = RandomArray(rng, {2, 3, 4, 5}, -2, 2);
    const auto outputs = RunFor(MakeContext(), b.graph, {input});
    const std::vector<float> back = Floats(outputs[1]);
    size_t wrong = 0, at = 0;
    ForEach(input.dims, [&](const Indices& i) {
      const size_t c = per_channel ? static_cast<size_t>(i[1]) : 0;
      const QuantParams one = QuantParams::PerTensor(params.scales[c], params.zero_points[c]);
      const double expected = Requantized(static_cast<float>(input.at(i)) / one.scales[0], one);
      wrong += static_cast<int8_t>(outputs[0][at]) != static_cast<int8_t>(expected);
      wrong += back[at] != static_cast<float>(expected - one.zero_points[0]) * one.scales[0];
      ++at;
    });
    CHECK(wrong == 0);
  }
}

TEST_CASE("what has no integer step is named, and asked for beforehand", "[runtime]") {
  Rng rng(1);
  const QuantParams params = RandomParams(rng);
  for (OpType op : {OpType::kSoftmax, OpType::kDiv, OpType::kLRN, OpType::kInstanceNormalization, OpType::kReduceMax}) {
    IntegerBuilder b;
    const ValueId x = b.Int8Input({1, 2, 3, 4}, params);
    std::vector<ValueId> inputs = {x};
    if (op == OpType::kDiv) inputs.push_back(x);
    if (op == OpType::kInstanceNormalization) {
      inputs.push_back(b.Constant(RandomTensor(rng, {2})));
      inputs.push_back(b.Constant(RandomTensor(rng, {2})));
    }
    auto added = b.graph.AddNode("the_node", op, DefaultAttrs(op), inputs, "y");
    REQUIRE(added.ok());
    b.graph.mutable_value(*added).quant = params;
    b.graph.SetOutputs({*added});
    const auto session = Session::Create(MakeContext(), b.graph);
    REQUIRE_FALSE(session.ok());
    INFO(OpName(op) << ": " << std::string(Message(session.status())));
    CHECK_THAT(std::string(Message(session.status())), Catch::Contains("the_node"));
    CHECK_FALSE(HasIntegerStep(b.graph, b.graph.node(*b.graph.FindNode("the_node"))));
  }
}

// A random chain of integer operators between Quantize and Dequantize.
Graph RandomIntegerGraph(uint32_t seed, int64_t batch) {
  Rng rng(seed);
  IntegerBuilder b;
  const int64_t channels = Pick(rng, 2, 20);
  QuantParams params = RandomParams(rng);
  ValueId x = b.AddInt8(OpType::kQuantize, {b.Input({batch, channels, 8, 9})}, QuantizeAttrs{}, params);
  for (int i = 0; i < 8; ++i) {
    const Dims dims = b.Dims(x);
    const QuantParams next = RandomParams(rng);
    switch (Pick(rng, 0, 6)) {
      case 0: {
        const int64_t out = Pick(rng, 1, 30);
        ConvAttrs attrs;
        attrs.pads = {1, 1, 1, 1};
        x = b.AddInt8(OpType::kConv,
                      {x, b.Int8Constant(RandomBytes(rng, {out, dims[1], 3, 3}), WeightParams(rng, 0, out))}, attrs,
                      next);
        params = next;
        break;
      }
      case 1: {
        ConvAttrs attrs;
        attrs.group = dims[1];
        x = b.AddInt8(OpType::kConv,
                      {x, b.Int8Constant(RandomBytes(rng, {dims[1], 1, 1, 1}), WeightParams(rng, 0, dims[1]))}, attrs,
                      next);
        params = next;
        break;
      }
      case 2:
        x = b.AddInt8(OpType::kAdd, {x, x}, ElementwiseAttrs{}, next), params = next;
        break;
      case 3:
        x = b.AddInt8(OpType::kSigmoid, {x}, NoAttrs{}, next), params = next;
        break;
      case 4: {
        const ValueId gate = b.AddInt8(OpType::kGlobalAveragePool, {x}, NoAttrs{}, params);
        x = b.AddInt8(OpType::kMul, {x, gate}, ElementwiseAttrs{}, next), params = next;
        break;
      }
      case 5: {
        const ValueId other = b.AddInt8(OpType::kRelu, {x}, NoAttrs{}, next);
        x = b.AddInt8(OpType::kConcat, {x, other}, AxisAttrs{1}, params);
        break;
      }
      default: {
        const auto parts = b.AddMany(OpType::kSplit, {x}, SplitAttrs{1, {1, dims[1] - 1}}, 2);
        if (dims[1] < 3) return RandomIntegerGraph(seed + 1000, batch);
        for (ValueId part : parts) b.graph.mutable_value(part).quant = params;
        x = b.AddInt8(OpType::kConcat, {parts[1], parts[0]}, AxisAttrs{1}, params);
      }
    }
  }
  return b.Finish({b.Add(OpType::kDequantize, {x}, QuantizeAttrs{})});
}

TEST_CASE("integer graphs have the same bits everywhere", "[runtime]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const Graph graph = RandomIntegerGraph(seed, 2), one = RandomIntegerGraph(seed, 1);
    Rng rng(seed);
    const Array input = RandomArray(rng, graph.value(graph.inputs()[0]).shape.Extents());
    const auto expected = RunFor(MakeContext(1, "generic"), graph, {input});
    INFO("seed " << seed << "\n" << graph.Dump());
    for (kernels::Isa isa : kernels::SupportedIsas()) {
      CHECK((RunFor(MakeContext(1 + static_cast<int>(isa), std::string(kernels::IsaName(isa))), graph, {input}) ==
             expected));
    }
    auto session = MakeSession(MakeContext(2), graph);
    Fill(*session, 0, input);
    REQUIRE(session->RunTapped([](ValueId, const TappedValue&) {}).ok());
    CHECK((OutputBytes(*session) == expected));

    Array first(one.value(one.inputs()[0]).shape.Extents());
    std::copy_n(input.data.begin(), first.data.size(), first.data.begin());
    const auto alone = RunFor(MakeContext(), one, {first});
    CHECK(std::equal(alone[0].begin(), alone[0].end(), expected[0].begin()));
  }
}

}  // namespace
}  // namespace qlite::testing
