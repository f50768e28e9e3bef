// Float operators against the reference, over the attributes and shapes that random graphs leave out.
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Dims = std::vector<int64_t>;

// Runs one node on a random input of `dims`; the other inputs are constants.
void CheckUnaryNode(OpType op, const OpAttrs& attrs, const Dims& dims, std::vector<Tensor> constants = {},
                    float low = -1, float high = 1, double tolerance = 2e-5) {
  Rng rng(7);
  GraphBuilder b;
  std::vector<ValueId> inputs = {b.Input(dims)};
  for (Tensor& constant : constants) inputs.push_back(b.Constant(std::move(constant)));
  b.Finish({b.Add(op, inputs, attrs)});
  CheckAgainstReference(b.graph, {RandomArray(rng, dims, low, high)}, tolerance);
}

// The same between two convolutions of 1x1, so that the input is channels-last in memory.
void CheckInChannelsLast(OpType op, const OpAttrs& attrs, const Dims& dims, std::vector<Tensor> constants = {}) {
  Rng rng(9);
  GraphBuilder b;
  const ValueId x = b.Input(dims);
  Dims kernel = {dims[1], dims[1]};
  kernel.resize(dims.size(), 1);
  std::vector<ValueId> inputs = {b.Add(OpType::kConv, {x, b.Constant(RandomTensor(rng, kernel))})};
  for (Tensor& constant : constants) inputs.push_back(b.Constant(std::move(constant)));
  b.Finish({b.Add(op, inputs, attrs)});
  CheckAgainstReference(b.graph, {RandomArray(rng, dims)});
}

void CheckBoth(OpType op, const OpAttrs& attrs, const Dims& dims, const std::vector<Tensor>& constants = {}) {
  CheckUnaryNode(op, attrs, dims, constants);
  if (dims.size() == 3 || dims.size() == 4) CheckInChannelsLast(op, attrs, dims, constants);
}

TEST_CASE("convolutions of any geometry", "[runtime]") {
  for (uint32_t seed = 0; seed < 120; ++seed) {
    Rng rng(seed);
    const bool flat = seed % 3 == 0;  // 1-D
    ConvAttrs attrs;
    const int64_t kind = Pick(rng, 0, 2);
    attrs.group = kind == 0 ? 1 : Pick(rng, 2, 6);
    const int64_t in_each = kind == 1 ? 1 : Pick(rng, 1, 5), out_each = kind == 1 ? 1 : Pick(rng, 1, 6);
    Dims x = {Pick(rng, 1, 3), attrs.group * in_each}, w = {attrs.group * out_each, in_each}, begin, end;
    for (int d = 0; d < (flat ? 1 : 2); ++d) {
      x.push_back(Pick(rng, 6, 14));
      w.push_back(Pick(rng, 1, 3));
      attrs.strides.push_back(Pick(rng, 1, 3));
      attrs.dilations.push_back(Pick(rng, 1, 2));
      begin.push_back(Pick(rng, 0, 3));
      end.push_back(Pick(rng, 0, 3));
    }
    if (seed % 5 == 4) {
      attrs.auto_pad = seed % 2 == 0 ? AutoPad::kSameUpper : AutoPad::kSameLower;
    } else {
      attrs.pads = begin;
      attrs.pads.insert(attrs.pads.end(), end.begin(), end.end());
    }
    if (seed % 7 == 0) attrs.clamp = {-0.2f, 0.6f};
    std::vector<Tensor> constants;
    constants.reserve(2);
    constants.push_back(RandomTensor(rng, w));
    if (seed % 2 == 0) constants.push_back(RandomTensor(rng, {w[0]}));
    INFO("seed " << seed);
    CheckUnaryNode(OpType::kConv, attrs, x, constants);
  }
}

TEST_CASE("convolutions of groups as wide as a part of a vector", "[runtime]") {
  for (uint32_t seed = 0; seed < 16; ++seed) {
    Rng rng(seed);
    ConvAttrs attrs;
    attrs.group = Pick(rng, 0, 1) * 4 + 4;
    const int64_t width = int64_t{2} << seed % 4, channels = attrs.group * width, stride = Pick(rng, 1, 3);
    attrs.strides = {stride, stride};
    attrs.pads = {1, 1, 1, 1};
    if (seed % 5 == 0) attrs.clamp = {-4.0f, 6.0f};  // not much less than what is clamped, whose rounding is seen
    INFO("seed " << seed);
    // In this order on every compiler, unlike arguments.
    const Dims x = {Pick(rng, 1, 2), channels, Pick(rng, 3, 5), Pick(rng, 5, 20)};
    CheckBoth(OpType::kConv, attrs, x, {RandomTensor(rng, {channels, width, 3, 3}), RandomTensor(rng, {channels})});
  }
}

// Taps that lie in the padding for every output are left out.
TEST_CASE("convolutions whose kernels reach beyond the image", "[runtime]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    ConvAttrs attrs;
    attrs.group = seed % 4 == 0 ? 3 : 1;
    const int64_t in_each = Pick(rng, 1, 20), out_each = attrs.group == 3 ? in_each : Pick(rng, 1, 20);
    Dims x = {Pick(rng, 1, 2), attrs.group * in_each}, w = {attrs.group * out_each, in_each}, begin, end;
    for (int d = 0; d < 2; ++d) {
      x.push_back(Pick(rng, 1, 4));
      w.push_back(Pick(rng, 1, 4));
      attrs.strides.push_back(Pick(rng, 1, 3));
      attrs.dilations.push_back(Pick(rng, 1, 6));
      begin.push_back(Pick(rng, 0, 12));
      // At least one output.
      end.push_back(Pick(rng, 0, 6) +
                    std::max<int64_t>(0, attrs.dilations.back() * w.back() - x.back() - begin.back()));
    }
    attrs.pads = begin;
    attrs.pads.insert(attrs.pads.end(), end.begin(), end.end());
    INFO("seed " << seed);
    CheckUnaryNode(OpType::kConv, attrs, x, {RandomTensor(rng, w), RandomTensor(rng, {w[0]})});
  }
}

TEST_CASE("a convolution whose weights are computed", "[runtime]") {
  Rng rng(1);
  for (int64_t group : {1, 4}) {
    GraphBuilder b;
    const ValueId x = b.Input({1, 4, 5, 5}), w = b.Input({4, 4 / group, 3, 3}), c = b.Input({4});
    ConvAttrs attrs;
    attrs.group = group;
    b.Finish({b.Add(OpType::kConv, {x, w, c}, attrs)});
    CheckAgainstReference(
        b.graph, {RandomArray(rng, {1, 4, 5, 5}), RandomArray(rng, {4, 4 / group, 3, 3}), RandomArray(rng, {4})});
  }
}

TEST_CASE("transposed convolutions", "[runtime]") {
  for (uint32_t seed = 0; seed < 80; ++seed) {
    Rng rng(seed);
    const bool flat = seed % 4 == 0;
    ConvTransposeAttrs attrs;
    attrs.group = Pick(rng, 1, 3);
    const int64_t in_each = Pick(rng, 1, 3), out_each = Pick(rng, 1, 3);
    Dims x = {Pick(rng, 1, 2), attrs.group * in_each}, w = {attrs.group * in_each, out_each}, begin, end;
    for (int d = 0; d < (flat ? 1 : 2); ++d) {
      x.push_back(Pick(rng, 2, 6));
      w.push_back(Pick(rng, 1, 4));
      attrs.strides.push_back(Pick(rng, 1, 3));
      attrs.dilations.push_back(Pick(rng, 1, 2));
      attrs.output_padding.push_back(Pick(rng, 0, attrs.strides.back() - 1));
      begin.push_back(Pick(rng, 0, 1));
      end.push_back(Pick(rng, 0, 1));
    }
    attrs.pads = begin;
    attrs.pads.insert(attrs.pads.end(), end.begin(), end.end());
    std::vector<Tensor> constants;
    constants.reserve(2);
    constants.push_back(RandomTensor(rng, w));
    if (seed % 2 == 0) constants.push_back(RandomTensor(rng, {attrs.group * out_each}));
    INFO("seed " << seed);
    CheckUnaryNode(OpType::kConvTranspose, attrs, x, constants);
  }
}

TEST_CASE("a transposed convolution whose weights are computed", "[runtime]") {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input({1, 4, 3, 3}), w = b.Input({4, 3, 3, 2});
  ConvTransposeAttrs attrs;
  attrs.group = 2;
  attrs.strides = {2, 1};
  b.Finish({b.Add(OpType::kConvTranspose, {x, w}, attrs)});
  CheckAgainstReference(b.graph, {RandomArray(rng, {1, 4, 3, 3}), RandomArray(rng, {4, 3, 3, 2})});
}

TEST_CASE("pools", "[runtime]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    PoolAttrs attrs;
    Dims x = {Pick(rng, 1, 2), Pick(rng, 1, 20)}, begin, end;
    for (uint32_t d = 0; d < 1 + seed % 2; ++d) {
      x.push_back(Pick(rng, 5, 11));
      attrs.kernel_shape.push_back(Pick(rng, 2, 3));
      attrs.strides.push_back(Pick(rng, 1, 3));
      begin.push_back(Pick(rng, 0, 1));
      end.push_back(Pick(rng, 0, 1));
    }
    attrs.pads = begin;
    attrs.pads.insert(attrs.pads.end(), end.begin(), end.end());
    attrs.ceil_mode = seed % 3 == 0;
    if (seed % 4 == 0) attrs.dilations = Dims(attrs.kernel_shape.size(), 2);
    INFO("seed " << seed);
    CheckUnaryNode(OpType::kMaxPool, attrs, x);
    attrs.count_include_pad = seed % 5 == 0;
    CheckUnaryNode(OpType::kAveragePool, attrs, x);
  }
  for (OpType op : {OpType::kGlobalAveragePool, OpType::kGlobalMaxPool}) {
    for (const Dims& dims : {Dims{2, 5, 7}, Dims{2, 5, 3, 4}}) CheckBoth(op, NoAttrs{}, dims);
    CheckUnaryNode(op, NoAttrs{}, {1, 2, 3, 2, 2});
  }
}

TEST_CASE("Gemm in every form", "[runtime]") {
  for (uint32_t seed = 0; seed < 64; ++seed) {
    Rng rng(seed);
    GemmAttrs attrs;
    attrs.trans_a = seed & 1, attrs.trans_b = seed & 2;
    attrs.alpha = seed & 4 ? 0.5f : 1.0f;
    attrs.beta = seed & 8 ? -2.0f : 1.0f;
    if (seed % 5 == 0) attrs.clamp = {0, 1};
    const int64_t m = Pick(rng, 1, 20), n = Pick(rng, 1, 40), k = Pick(rng, 1, 30);
    const Dims a = attrs.trans_a ? Dims{k, m} : Dims{m, k}, w = attrs.trans_b ? Dims{n, k} : Dims{k, n};
    const std::vector<Dims> shapes = {{n}, {m, n}, {m, 1}, {1}, {1, n}, {}};
    const Dims c = shapes[seed % shapes.size()];
    const bool constant = seed & 16;
    GraphBuilder b;
    std::vector<ValueId> inputs = {b.Input(a)};
    std::vector<Array> arrays = {RandomArray(rng, a)};
    const auto add = [&](const Dims& dims) {
      if (constant) {
        inputs.push_back(b.Constant(RandomTensor(rng, dims)));
      } else {
        inputs.push_back(b.Input(dims));
        arrays.push_back(RandomArray(rng, dims));
      }
    };
    add(w);
    if (seed % 7 != 0) add(c);
    b.Finish({b.Add(OpType::kGemm, inputs, attrs)});
    INFO("seed " << seed);
    CheckAgainstReference(b.graph, arrays);
  }
}

TEST_CASE("matrix products with broadcasting", "[runtime]") {
  const std::vector<std::pair<Dims, Dims>> shapes = {
      {{3, 4}, {4, 5}},    {{2, 3, 4}, {4, 5}}, {{2, 3, 4}, {2, 4, 5}},          {{2, 1, 3, 4}, {1, 6, 4, 5}},
      {{3, 4}, {2, 4, 5}}, {{1, 1, 7}, {7, 1}}, {{2, 3, 17, 33}, {2, 3, 33, 9}},
  };
  for (const auto& [a, c] : shapes) {
    for (const bool constant : {true, false}) {
      Rng rng(3);
      GraphBuilder b;
      const ValueId x = b.Input(a);
      const ValueId y = constant ? b.Constant(RandomTensor(rng, c)) : b.Input(c);
      b.Finish({b.Add(OpType::kMatMul, {x, y})});
      std::vector<Array> inputs = {RandomArray(rng, a)};
      if (!constant) inputs.push_back(RandomArray(rng, c));
      CheckAgainstReference(b.graph, inputs);
    }
  }
}

TEST_CASE("functions of one element", "[runtime]") {
  const std::vector<std::pair<OpType, OpAttrs>> functions = {
      {OpType::kRelu, NoAttrs{}},
      {OpType::kLeakyRelu, AlphaAttrs{0.1f}},
      {OpType::kElu, AlphaAttrs{1.5f}},
      {OpType::kSigmoid, NoAttrs{}},
      {OpType::kTanh, NoAttrs{}},
      {OpType::kHardSigmoid, HardSigmoidAttrs{}},
      {OpType::kHardSwish, NoAttrs{}},
      {OpType::kExp, NoAttrs{}},
      {OpType::kErf, NoAttrs{}},
      {OpType::kNeg, NoAttrs{}},
      {OpType::kAbs, NoAttrs{}},
      {OpType::kFloor, NoAttrs{}},
      {OpType::kCeil, NoAttrs{}},
      {OpType::kRound, NoAttrs{}},
      {OpType::kClip, ClipAttrs{{-0.5f, 2.0f}}},
  };
  for (const auto& [op, attrs] : functions) {
    INFO(OpName(op));
    CheckUnaryNode(op, attrs, {2, 3, 5, 7}, {}, -4, 4);
    CheckInChannelsLast(op, attrs, {2, 3, 5, 7});
  }
  for (OpType op : {OpType::kSqrt, OpType::kLog, OpType::kReciprocal})
    CheckUnaryNode(op, NoAttrs{}, {3, 50}, {}, 0.25f, 4);
}

TEST_CASE("functions of two elements with every kind of broadcasting", "[runtime]") {
  const std::vector<std::pair<Dims, Dims>> shapes = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}}, {{2, 3, 4, 5}, {3, 1, 1}},    {{2, 3, 4, 5}, {2, 3, 1, 1}},
      {{2, 3, 4, 5}, {5}},          {{2, 3, 4, 5}, {}},           {{1}, {2, 3, 4, 5}},
      {{2, 1, 4, 1}, {1, 3, 1, 5}}, {{2, 3, 4, 5}, {1, 1, 4, 5}}, {{3, 4}, {2, 3, 4}},
      {{2, 6, 4}, {6, 1}},
  };
  for (OpType op : {OpType::kAdd, OpType::kSub, OpType::kMul, OpType::kDiv, OpType::kPow, OpType::kMin, OpType::kMax}) {
    for (const auto& [left, right] : shapes) {
      for (int form = 0; form < 3; ++form) {
        Rng rng(5);
        GraphBuilder b;
        ValueId x = b.Input(left), y = form == 0 ? b.Constant(RandomTensor(rng, right, 0.5f, 2)) : b.Input(right);
        std::vector<Array> inputs = {RandomArray(rng, left, 0.5f, 2)};
        if (form != 0) inputs.push_back(RandomArray(rng, right, 0.5f, 2));
        PoolAttrs identity;  // brings an image to channels-last memory
        identity.kernel_shape = {1, 1};
        if (form == 2 && left.size() == 4) x = b.Add(OpType::kMaxPool, {x}, identity);
        if (form == 2 && right.size() == 4) y = b.Add(OpType::kMaxPool, {y}, identity);
        b.Finish({b.Add(op, {x, y})});
        INFO(OpName(op) << " form " << form);
        CheckAgainstReference(b.graph, inputs);
      }
    }
  }
}

TEST_CASE("a square has the same bits whether the exponent is known or computed", "[runtime]") {
  Rng rng(7);
  Array x = RandomArray(rng, {4000}, -3, 3);
  const double specials[] = {0, -0.0, 1e-30, -1e-30, 1e20, -1e20, INFINITY, -INFINITY};
  std::copy(std::begin(specials), std::end(specials), x.data.begin());
  GraphBuilder known, computed;
  const ValueId two = known.Constant(Tensor::Of<float>({}, {2.0f}));
  known.Finish({known.Add(OpType::kPow, {known.Input({4000}), two})});
  const ValueId base = computed.Input({4000}), exponent = computed.Input({4000});
  computed.Finish({computed.Add(OpType::kPow, {base, exponent})});
  Array twos = x;
  std::fill(twos.data.begin(), twos.data.end(), 2.0);
  CHECK(RunFor(MakeContext(), known.graph, {x}) == RunFor(MakeContext(), computed.graph, {x, twos}));
}

TEST_CASE("the largest of many, and a clamp behind a sum", "[runtime]") {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input({2, 3, 4}), y = b.Input({3, 1}), z = b.Input({4});
  const ValueId most = b.Add(OpType::kMax, {x, y, z}), one = b.Add(OpType::kMin, {x});
  const ValueId sum = b.Add(OpType::kAdd, {most, one}, ElementwiseAttrs{{0, 1}});
  b.Finish({most, sum});
  CheckAgainstReference(b.graph, {RandomArray(rng, {2, 3, 4}), RandomArray(rng, {3, 1}), RandomArray(rng, {4})});
}

TEST_CASE("reductions over every set of axes", "[runtime]") {
  for (OpType op : {OpType::kReduceMean, OpType::kReduceSum, OpType::kReduceMax, OpType::kReduceMin}) {
    for (uint32_t mask = 0; mask < 16; ++mask) {
      ReduceAttrs attrs;
      for (int64_t axis = 0; axis < 4; ++axis) {
        if (mask >> axis & 1) attrs.axes.push_back(axis % 2 == 0 ? axis : axis - 4);
      }
      for (const bool keep : {false, true}) {
        attrs.keep_dims = keep;
        INFO(OpName(op) << " axes " << mask << " keep " << keep);
        CheckBoth(op, attrs, {2, 5, 3, 4});
      }
    }
  }
}

TEST_CASE("elements are moved", "[runtime]") {
  const Dims dims = {2, 4, 6, 5};
  Dims perm = {0, 1, 2, 3};
  do {
    CheckBoth(OpType::kTranspose, TransposeAttrs{perm}, dims);
  } while (std::next_permutation(perm.begin(), perm.end()));
  CheckUnaryNode(OpType::kTranspose, TransposeAttrs{}, {2, 3, 4});
  for (int64_t axis = -4; axis < 4; ++axis) {
    CheckBoth(OpType::kFlatten, AxisAttrs{axis}, dims);
    CheckBoth(OpType::kSoftmax, AxisAttrs{axis}, dims);
    CheckBoth(OpType::kLogSoftmax, AxisAttrs{axis}, dims);
    CheckBoth(OpType::kGather, AxisAttrs{axis}, dims, {Tensor::Of<int64_t>({2, 2}, {0, -1, 1, 0})});
    CheckBoth(OpType::kUnsqueeze, AxesAttrs{{axis}}, dims);
  }
  for (const Dims& target : {Dims{2, 120}, Dims{48, 5}, Dims{0, 2, 2, -1}, Dims{240}, Dims{2, 1, 4, 6, 5}}) {
    CheckBoth(OpType::kReshape, ReshapeAttrs{}, dims, {Int64s(target)});
  }
  CheckBoth(OpType::kSqueeze, AxesAttrs{}, {2, 3, 1, 1});
  CheckBoth(OpType::kFlatten, AxisAttrs{1}, {2, 3, 1, 1});
  CheckBoth(OpType::kExpand, NoAttrs{}, {2, 3, 1, 5}, {Int64s({2, 3, 4, 5})});
  CheckUnaryNode(OpType::kExpand, NoAttrs{}, {3, 1}, {Int64s({2, 3, 4})});
}

TEST_CASE("slices with every sign", "[runtime]") {
  CheckBoth(OpType::kSlice, NoAttrs{}, {2, 4, 9, 7},
            {Int64s({-1, 100}), Int64s({-100, 1}), Int64s({2, -1}), Int64s({-2, -3})});
  CheckBoth(OpType::kSlice, NoAttrs{}, {2, 4, 9, 7}, {Int64s({0, 1}), Int64s({2, 3})});
  CheckBoth(OpType::kSlice, NoAttrs{}, {2, 4, 9, 7}, {Int64s({3}), Int64s({3}), Int64s({2})});
}

TEST_CASE("padding in every mode", "[runtime]") {
  for (PadMode mode : {PadMode::kConstant, PadMode::kReflect, PadMode::kEdge, PadMode::kWrap}) {
    CheckBoth(OpType::kPad, PadAttrs{mode}, {2, 4, 5, 6},
              {Int64s({0, 1, 2, 3, 1, 0, 3, 1}), Tensor::Of<float>({}, {0.5f})});
  }
  CheckBoth(OpType::kPad, PadAttrs{}, {2, 4, 5, 6}, {Int64s({0, 0, -1, 1, 0, -2, 1, -1})});
}

TEST_CASE("blocks become depth and back", "[runtime]") {
  for (DepthToSpaceMode mode : {DepthToSpaceMode::kDcr, DepthToSpaceMode::kCrd}) {
    CheckBoth(OpType::kDepthToSpace, DepthToSpaceAttrs{2, mode}, {2, 12, 3, 4});
    CheckBoth(OpType::kDepthToSpace, DepthToSpaceAttrs{3, mode}, {1, 9, 2, 2});
  }
  CheckBoth(OpType::kSpaceToDepth, SpaceToDepthAttrs{2}, {2, 3, 4, 6});
}

TEST_CASE("normalisations", "[runtime]") {
  Rng rng(2);
  const auto vector = [&](float low) { return RandomTensor(rng, {5}, low, 2); };
  for (const Dims& dims : {Dims{2, 5, 3, 4}, Dims{2, 5, 6}}) {
    CheckBoth(OpType::kBatchNormalization, BatchNormAttrs{}, dims, {vector(-1), vector(-1), vector(-1), vector(0.5f)});
    CheckBoth(OpType::kInstanceNormalization, InstanceNormAttrs{}, dims, {vector(-1), vector(-1)});
  }
  CheckUnaryNode(OpType::kBatchNormalization, BatchNormAttrs{}, {7, 5},
                 {vector(-1), vector(-1), vector(-1), vector(0.5f)});
  LrnAttrs lrn;
  lrn.size = 3;
  lrn.alpha = 0.5f;
  CheckBoth(OpType::kLRN, lrn, {2, 5, 3, 4});
}

TEST_CASE("a resized image", "[runtime]") {
  ResizeAttrs attrs;
  attrs.coordinates = CoordinateMode::kAsymmetric;
  attrs.nearest = NearestMode::kFloor;
  CheckBoth(OpType::kResize, attrs, {2, 3, 4, 5}, {Tensor::Of<float>({4}, {1, 1, 2, 3})});
  CheckBoth(OpType::kResize, attrs, {2, 3, 4}, {Tensor::Of<float>({3}, {1, 1, 2})});
  CheckUnaryNode(OpType::kResize, attrs, {3, 4}, {Tensor::Of<float>({2}, {2, 2})});
}

TEST_CASE("images of an NHWC model stay as they lie", "[runtime]") {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input({2, 6, 7, 3});
  const ValueId image = b.Add(OpType::kTranspose, {x}, TransposeAttrs{{0, 3, 1, 2}});
  const ValueId y = b.Add(OpType::kConv, {image, b.Constant(RandomTensor(rng, {4, 3, 3, 3}))});
  const ValueId back = b.Add(OpType::kTranspose, {y}, TransposeAttrs{{0, 2, 3, 1}});
  b.Finish({back});
  SessionOptions options;
  options.profile = true;
  auto session = MakeSession(MakeContext(), b.graph, options);
  Fill(*session, 0, RandomArray(rng, {2, 6, 7, 3}));
  REQUIRE(session->Run().ok());
  for (const NodeProfile& node : session->profile()) CHECK(node.op != "Transpose");
  CheckAgainstReference(b.graph, {RandomArray(rng, {2, 6, 7, 3})});
}

TEST_CASE("empty values", "[runtime]") {
  CheckUnaryNode(OpType::kRelu, NoAttrs{}, {0, 3});
  CheckUnaryNode(OpType::kReshape, ReshapeAttrs{true}, {0, 3}, {Int64s({3, 0})});
  CheckUnaryNode(OpType::kTranspose, TransposeAttrs{}, {2, 0});
}

}  // namespace
}  // namespace qlite::testing
