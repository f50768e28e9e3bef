#include "kernels/unary_f32.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

// Floats of every exponent and both signs, a stride of bit patterns, and the places where functions change branch.
std::vector<float> EveryKindOfFloat() {
  std::vector<float> values = {0.0f,       -0.0f,     1.0f,    -1.0f,   kInf,       -kInf,      kNan,    0x1p-149f,
                               -0x1p-149f, 0x1p-126f, 0.5f,    1.5f,    2.5f,       -0.5f,      -1.5f,   88.72f,
                               88.73f,     89.0f,     -87.33f, -87.34f, -103.97f,   -104.0f,    -150.f,  9.0f,
                               10.0f,      20.0f,     4.0f,    3.9f,    8388607.5f, 8388609.0f, 3.4e38f, -3.4e38f};
  for (uint64_t bits = 0; bits < 0x100000000u; bits += 52711)
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  Sequence sequence(7);
  for (int i = 0; i < 60000; ++i) values.push_back(sequence.Uniform(-12.0f, 12.0f));
  for (int i = 0; i < 20000; ++i) values.push_back(sequence.Uniform(-110.0f, 95.0f));
  for (int i = 0; i < 20000; ++i) values.push_back(1.0f + sequence.Uniform(-0.01f, 0.01f));
  return values;
}

std::vector<float> Run(Isa isa, UnaryOp op, const std::vector<float>& in, UnaryParams params) {
  std::vector<float> out(in.size());
  UnaryF32(isa)[op](in.data(), out.data(), static_cast<int64_t>(in.size()), params);
  return out;
}

UnaryParams ParamsOf(UnaryOp op) {
  switch (op) {
    case UnaryOp::kLeakyRelu:
      return {0.1f, 0.0f};
    case UnaryOp::kElu:
      return {1.25f, 0.0f};
    case UnaryOp::kClip:
      return {-1.0f, 6.0f};
    case UnaryOp::kHardSigmoid:
      return {0.2f, 0.5f};
    case UnaryOp::kSwish:
      return {1.0f, 0.0f};
    default:
      return {};
  }
}

TEST_CASE("Unary functions give the same bits on every instruction set, and NaN for NaN") {
  const std::vector<float> in = EveryKindOfFloat();
  for (int i = 0; i < kUnaryOpCount; ++i) {
    const UnaryOp op = static_cast<UnaryOp>(i);
    const std::vector<float> expected = Run(Isa::kGeneric, op, in, ParamsOf(op));
    CHECK(std::isnan(expected[6]));
    for (const Isa isa : SupportedIsas()) {
      INFO("op " << i << " on " << IsaName(isa));
      CHECK(SameFloats(Run(isa, op, in, ParamsOf(op)), expected));
    }
  }
}

TEST_CASE("Unary functions give the same bits however a range is split, and write nothing outside it") {
  Sequence sequence(3);
  const std::vector<float> in = sequence.Floats(70);
  for (const Isa isa : SupportedIsas()) {
    const std::vector<float> expected = Run(isa, UnaryOp::kTanh, in, {});
    for (size_t count = 0; count <= 35; ++count) {
      std::vector<float> out(in.size(), 99.0f);
      UnaryF32(isa)[UnaryOp::kTanh](in.data() + 1, out.data() + 1, static_cast<int64_t>(count), {});
      CHECK(out[0] == 99.0f);
      CHECK(out[count + 1] == 99.0f);
      for (size_t i = 1; i <= count; ++i) CHECK(SameFloat(out[i], expected[i]));
    }
  }
}

TEST_CASE("Transcendental functions keep to their error bounds") {
  struct Bound {
    UnaryOp op;
    double ulp;
    std::function<double(double)> exact;
  };
  const std::vector<Bound> bounds = {
      {UnaryOp::kExp, 1.0, [](double x) { return std::exp(x); }},
      {UnaryOp::kLog, 1.0, [](double x) { return std::log(x); }},
      {UnaryOp::kErf, 2.0, [](double x) { return std::erf(x); }},
      {UnaryOp::kTanh, 3.0, [](double x) { return std::tanh(x); }},
      {UnaryOp::kSigmoid, 3.0,
       [](double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }},
      {UnaryOp::kElu, 3.0, [](double x) { return x < 0 ? 1.25 * std::expm1(x) : x; }},
      {UnaryOp::kSoftplus, 3.0,
       [](double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))) + (std::isnan(x) ? x : 0); }},
      {UnaryOp::kSqrt, 0.5, [](double x) { return std::sqrt(x); }},
      {UnaryOp::kReciprocal, 0.5, [](double x) { return 1.0 / x; }},
  };
  const std::vector<float> in = EveryKindOfFloat();
  for (const Bound& bound : bounds) {
    const std::vector<float> out = Run(BestIsa(), bound.op, in, ParamsOf(bound.op));
    double worst = 0;
    float worst_at = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double error = UlpError(out[i], bound.exact(in[i]));
      if (error > worst) {
        worst = error;
        worst_at = in[i];
      }
    }
    INFO("op " << static_cast<int>(bound.op) << " worst at " << worst_at);
    CHECK(worst <= bound.ulp);
  }
}

TEST_CASE("Piecewise functions are what they say") {
  const std::vector<float> in = EveryKindOfFloat();
  const auto check = [&](UnaryOp op, const std::function<float(float)>& expected) {
    const std::vector<float> out = Run(BestIsa(), op, in, ParamsOf(op));
    int64_t wrong = 0;
    for (size_t i = 0; i < in.size(); ++i) wrong += !SameFloat(out[i], expected(in[i]));
    INFO("op " << static_cast<int>(op));
    CHECK(wrong == 0);
  };
  check(UnaryOp::kRelu, [](float x) { return x < 0 ? 0.0f : x; });
  check(UnaryOp::kLeakyRelu, [](float x) { return x < 0 ? x * 0.1f : x; });
  check(UnaryOp::kClip, [](float x) { return x < -1.0f ? -1.0f : x > 6.0f ? 6.0f : x; });
  check(UnaryOp::kHardSigmoid, [](float x) {
    const float y = std::fma(x, 0.2f, 0.5f);
    return y < 0 ? 0.0f : y > 1 ? 1.0f : y;
  });
  check(UnaryOp::kNeg, [](float x) { return -x; });
  check(UnaryOp::kAbs, [](float x) { return std::fabs(x); });
  check(UnaryOp::kFloor, [](float x) { return std::floor(x); });
  check(UnaryOp::kCeil, [](float x) { return std::ceil(x); });
  check(UnaryOp::kRound, [](float x) { return std::nearbyint(x); });
}

TEST_CASE("Values at the limits of the unary functions") {
  const auto at = [](UnaryOp op, float x) { return Run(BestIsa(), op, {x}, ParamsOf(op))[0]; };
  CHECK(at(UnaryOp::kExp, 0.0f) == 1.0f);
  CHECK(at(UnaryOp::kExp, -kInf) == 0.0f);
  CHECK(at(UnaryOp::kExp, kInf) == kInf);
  CHECK(at(UnaryOp::kLog, 1.0f) == 0.0f);
  CHECK(at(UnaryOp::kLog, 0.0f) == -kInf);
  CHECK(std::isnan(at(UnaryOp::kLog, -1.0f)));
  CHECK(at(UnaryOp::kTanh, -kInf) == -1.0f);
  CHECK(SameFloat(at(UnaryOp::kTanh, -0.0f), -0.0f));
  CHECK(at(UnaryOp::kSigmoid, -kInf) == 0.0f);
  CHECK(at(UnaryOp::kSigmoid, 0.0f) == 0.5f);
  CHECK(at(UnaryOp::kErf, kInf) == 1.0f);
  CHECK(at(UnaryOp::kElu, -kInf) == -1.25f);
  CHECK(at(UnaryOp::kHardSwish, 3.0f) == 3.0f);
  CHECK(at(UnaryOp::kHardSwish, -3.0f) == 0.0f);
  CHECK(at(UnaryOp::kGelu, 10.0f) == 10.0f);
  CHECK(at(UnaryOp::kSwish, 0.0f) == 0.0f);
}

}  // namespace
}  // namespace qlite::kernels
