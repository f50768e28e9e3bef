#include "kernels/binary_f32.h"

#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

using Shape = std::vector<int64_t>;

int64_t Count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape) count *= dim;
  return count;
}

// Where a dense tensor of `shape`, broadcast to `out`, has the element that flat index `flat` of `out` reads.
int64_t BroadcastIndex(const Shape& out, const Shape& shape, int64_t flat) {
  int64_t index = 0, stride = 1;
  for (size_t d = out.size(); d-- > 0;) {
    const int64_t coordinate = flat % out[d];
    flat /= out[d];
    if (d + shape.size() < out.size()) continue;
    const int64_t dim = shape[d + shape.size() - out.size()];
    if (dim != 1) index += coordinate * stride;
    stride *= dim;
  }
  return index;
}

float Reference(BinaryOp op, float a, float b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMin:
      return a < b ? a : b;
    case BinaryOp::kMax:
      return a > b ? a : b;
    case BinaryOp::kPRelu:
      return a < 0 ? a * b : a;
    case BinaryOp::kPow:
      break;
  }
  return 0;
}

std::vector<float> Run(Isa isa, BinaryOp op, const StridedPlan& plan, const std::vector<float>& a,
                       const std::vector<float>& b, int64_t pieces = 1) {
  std::vector<float> out(static_cast<size_t>(plan.elements));
  for (int64_t piece = 0; piece < pieces; ++piece) {
    BinaryF32(isa)[op](plan, a.data(), b.data(), out.data(), plan.elements * piece / pieces,
                       plan.elements * (piece + 1) / pieces);
  }
  return out;
}

TEST_CASE("Binary functions broadcast as the naive loop does, on every instruction set and for every split") {
  struct Case {
    Shape out, a, b;
  };
  const std::vector<Case> cases = {
      {{37}, {37}, {37}},
      {{}, {}, {}},
      {{0, 4}, {0, 4}, {4}},
      {{5, 7, 19}, {5, 7, 19}, {}},
      {{5, 7, 19}, {1}, {5, 7, 19}},
      {{5, 7, 19}, {5, 7, 19}, {19}},
      {{5, 7, 19}, {5, 7, 19}, {7, 1}},
      {{5, 7, 19}, {5, 1, 19}, {7, 1}},
      {{2, 3, 5, 7}, {2, 1, 5, 1}, {1, 3, 1, 7}},
      {{3, 2, 1, 2, 3, 1, 2, 17}, {3, 1, 1, 2, 1, 1, 2, 17}, {2, 1, 1, 3, 1, 1, 17}},
  };
  Sequence sequence(11);
  for (const Case& c : cases) {
    StridedPlan plan;
    REQUIRE(PlanBroadcast(c.out, c.a, c.b, &plan));
    REQUIRE(plan.elements == Count(c.out));
    const std::vector<float> a = sequence.Floats(Count(c.a)), b = sequence.Floats(Count(c.b));
    for (int i = 0; i < kBinaryOpCount; ++i) {
      const BinaryOp op = static_cast<BinaryOp>(i);
      std::vector<float> expected(static_cast<size_t>(plan.elements));
      for (int64_t k = 0; k < plan.elements; ++k) {
        const float x = a[static_cast<size_t>(BroadcastIndex(c.out, c.a, k))];
        const float y = b[static_cast<size_t>(BroadcastIndex(c.out, c.b, k))];
        expected[static_cast<size_t>(k)] = Reference(op, x, y);
      }
      if (op == BinaryOp::kPow) expected = Run(Isa::kGeneric, op, plan, a, b);
      for (const Isa isa : SupportedIsas()) {
        INFO("op " << i << " on " << IsaName(isa) << " rank " << c.out.size());
        CHECK(SameFloats(Run(isa, op, plan, a, b), expected));
        CHECK(SameFloats(Run(isa, op, plan, a, b, 7), expected));
      }
    }
  }
}

TEST_CASE("Binary functions write through output strides") {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  const Shape shape = {2, 3}, out_stride = {8, 2}, a_stride = {3, 1}, b_stride = {0, 0};
  const std::array<std::span<const int64_t>, 3> strides = {out_stride, a_stride, b_stride};
  StridedPlan plan;
  REQUIRE(PlanStrided(shape, strides, &plan));
  const float ten = 10;
  for (const Isa isa : SupportedIsas()) {
    std::vector<float> out(16, 0.0f);
    BinaryF32(isa)[BinaryOp::kAdd](plan, a.data(), &ten, out.data(), 0, plan.elements);
    CHECK(out == std::vector<float>{11, 0, 12, 0, 13, 0, 0, 0, 14, 0, 15, 0, 16, 0, 0, 0});
  }
}

TEST_CASE("Minimum and maximum let NaN win from either side") {
  StridedPlan plan;
  REQUIRE(PlanBroadcast(Shape{2}, Shape{2}, Shape{2}, &plan));
  for (const Isa isa : SupportedIsas()) {
    for (const BinaryOp op : {BinaryOp::kMin, BinaryOp::kMax}) {
      const std::vector<float> out = Run(isa, op, plan, {kNan, 1.0f}, {1.0f, kNan});
      CHECK(std::isnan(out[0]));
      CHECK(std::isnan(out[1]));
    }
  }
}

TEST_CASE("Pow has C's special cases, keeps to its error bound, and has the same bits everywhere") {
  const std::vector<float> special = {
      0.0f,  -0.0f,  1.0f,  -1.0f, 2.0f,        -2.0f,       3.0f,         -3.0f,       0.5f,      -0.5f,
      0.3f,  kInf,   -kInf, kNan,  1.5f,        -1.5f,       127.0f,       -149.0f,     0x1p-149f, 0x1p-126f,
      3e38f, -3e38f, 7.0f,  -7.0f, 16777216.0f, 16777215.0f, -16777215.0f, 0.99999994f, 1.0000001f};
  std::vector<float> x, y;
  for (const float a : special) {
    for (const float b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  Sequence sequence(5);
  for (int i = 0; i < 200000; ++i) {
    // Bases of every size with exponents that give finite results, and bases near 1 with large exponents.
    const float base = i % 2 == 0 ? std::exp2(sequence.Uniform(-140.0f, 127.0f)) : 1.0f + sequence.Uniform(-0.4f, 0.4f);
    const float limit = 150.0f / std::fmax(std::fabs(std::log2(base)), 1e-3f);
    x.push_back(base);
    y.push_back(sequence.Uniform(-limit, limit));
  }
  StridedPlan plan;
  const Shape shape = {static_cast<int64_t>(x.size())};
  REQUIRE(PlanBroadcast(shape, shape, shape, &plan));
  const std::vector<float> out = Run(Isa::kGeneric, BinaryOp::kPow, plan, x, y);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = UlpError(out[i], std::pow(static_cast<double>(x[i]), static_cast<double>(y[i])));
    worst = std::fmax(worst, error);
    if (error > 2.0) FAIL_CHECK("pow(" << x[i] << ", " << y[i] << ") = " << out[i] << ", off by " << error);
  }
  CHECK(worst <= 2.0);
  for (const Isa isa : SupportedIsas()) CHECK(SameFloats(Run(isa, BinaryOp::kPow, plan, x, y), out));
}

TEST_CASE("Pow with the exponents 1, 2, 3 and 1/2 is a product or a square root") {
  Sequence sequence(6);
  const std::vector<float> x = sequence.Floats(1000, 0.001f, 50.0f);
  const std::vector<float> one = {1.0f}, two = {2.0f}, three = {3.0f}, half = {0.5f};
  StridedPlan plan;
  REQUIRE(PlanBroadcast(Shape{1000}, Shape{1000}, Shape{}, &plan));
  for (const Isa isa : SupportedIsas()) {
    const auto pow1 = Run(isa, BinaryOp::kPow, plan, x, one), pow2 = Run(isa, BinaryOp::kPow, plan, x, two);
    const auto pow3 = Run(isa, BinaryOp::kPow, plan, x, three), root = Run(isa, BinaryOp::kPow, plan, x, half);
    for (size_t i = 0; i < x.size(); ++i) {
      CHECK((pow1[i] == x[i] && pow2[i] == x[i] * x[i] && pow3[i] == x[i] * x[i] * x[i] && root[i] == std::sqrt(x[i])));
    }
  }
}

TEST_CASE("Plans are refused for shapes that do not broadcast, are too deep, or overflow") {
  StridedPlan plan;
  CHECK_FALSE(PlanBroadcast(Shape{2, 3}, Shape{2, 3}, Shape{2}, &plan));
  CHECK_FALSE(PlanBroadcast(Shape{3}, Shape{2, 3}, Shape{3}, &plan));
  CHECK_FALSE(PlanBroadcast(Shape{-1}, Shape{-1}, Shape{}, &plan));
  const int64_t huge = int64_t{1} << 62;
  CHECK_FALSE(PlanBroadcast(Shape{huge, 4}, Shape{}, Shape{}, &plan));
  CHECK_FALSE(PlanBroadcast(Shape(9, 1), Shape{}, Shape{}, &plan));
  int64_t out[kMaxPlanRank];
  int rank = 0;
  CHECK(BroadcastShapes(Shape{4, 1, 3}, Shape{5, 1}, out, &rank));
  CHECK((rank == 3 && out[0] == 4 && out[1] == 5 && out[2] == 3));
  CHECK(BroadcastShapes(Shape{1}, Shape{0}, out, &rank));
  CHECK((rank == 1 && out[0] == 0));
  CHECK_FALSE(BroadcastShapes(Shape{2}, Shape{3}, out, &rank));
}

TEST_CASE("Plans merge what can be walked as one") {
  StridedPlan plan;
  REQUIRE(PlanBroadcast(Shape{2, 3, 4, 5}, Shape{2, 3, 4, 5}, Shape{5}, &plan));
  CHECK((plan.rank == 2 && plan.shape[0] == 24 && plan.shape[1] == 5));
  REQUIRE(PlanBroadcast(Shape{2, 3, 4, 5}, Shape{2, 3, 4, 5}, Shape{1, 1}, &plan));
  CHECK((plan.rank == 1 && plan.shape[0] == 120));
}

}  // namespace
}  // namespace qlite::kernels
