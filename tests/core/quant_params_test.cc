#include "qlite/quant_params.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace qlite {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kSmallest = std::numeric_limits<float>::min();

TEST_CASE("asymmetric parameters cover the range and hold zero exactly") {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-30, 30), sign(-1, 1);
  for (int i = 0; i < 20000; ++i) {
    const float a = sign(random) * std::exp2(exponent(random));
    const float b = sign(random) * std::exp2(exponent(random));
    for (const int bits : {2, 4, 8, 16}) {
      const QuantParams params = AsymmetricParams(std::min(a, b), std::max(a, b), bits);
      REQUIRE(params.Validate().ok());
      const double scale = params.scales[0];
      const double zero = params.zero_points[0];
      // The grid spans the range but for half a step of rounding and the rounding of the scale itself.
      const double slack = scale * (0.5 + 1e-7 * std::exp2(bits));
      REQUIRE(scale * (params.qmin() - zero) <= std::min({a, b, 0.0f}) + slack);
      REQUIRE(scale * (params.qmax() - zero) >= std::max({a, b, 0.0f}) - slack);
    }
  }
}

TEST_CASE("known asymmetric parameters") {
  const QuantParams params = AsymmetricParams(0, 255);
  CHECK(params.scales[0] == 1);
  CHECK(params.zero_points[0] == -128);
  CHECK(AsymmetricParams(-255, 0).zero_points[0] == 127);
  CHECK(AsymmetricParams(-128, 127).zero_points[0] == 0);
  CHECK(AsymmetricParams(3, 255).scales[0] == 1);  // widened to 0
  CHECK(AsymmetricParams(-255, -3).scales[0] == 1);
  CHECK(AsymmetricParams(0, 15, 4).scales[0] == 1);
  CHECK(AsymmetricParams(0, 15, 4).zero_points[0] == -8);
}

TEST_CASE("the zero point is rounded half to even") {
  // scale 1: the zero point is -128 - min.
  CHECK(AsymmetricParams(-0.5f, 254.5f).zero_points[0] == -128);
  CHECK(AsymmetricParams(-1.5f, 253.5f).zero_points[0] == -126);
  CHECK(AsymmetricParams(-2.5f, 252.5f).zero_points[0] == -126);
  CHECK(AsymmetricParams(-128.5f, 126.5f).zero_points[0] == 0);
  CHECK(AsymmetricParams(-129.5f, 125.5f).zero_points[0] == 2);
}

TEST_CASE("degenerate and huge ranges give valid parameters") {
  for (const int bits : {1, 2, 8, 16, 31, 32}) {
    for (const float min : {0.0f, -0.0f, -1e-45f, -kSmallest, -1.0f, -kLargest, -kInfinity, kNan, kInfinity, 5.0f}) {
      for (const float max : {0.0f, 1e-45f, kSmallest, 1.0f, kLargest, kInfinity, kNan, -kInfinity, -5.0f}) {
        INFO(bits << " bits [" << min << ", " << max << "]");
        const QuantParams params = AsymmetricParams(min, max, bits);
        CHECK(params.Validate().ok());
        CHECK(params.scales[0] >= kSmallest);
        if (bits < 2) continue;
        const QuantParams symmetric = SymmetricParams(max, bits);
        CHECK(symmetric.Validate().ok());
        CHECK(symmetric.zero_points[0] == 0);
      }
    }
  }
}

TEST_CASE("symmetric parameters have a narrow range") {
  const QuantParams params = SymmetricParams(127);
  CHECK(params.scales[0] == 1);
  CHECK(params.qmin() == -127);
  CHECK(params.qmax() == 127);
  CHECK(SymmetricParams(-127).scales[0] == 1);
  CHECK(SymmetricParams(7, 4).scales[0] == 1);
}

TEST_CASE("ranges of integers of every width") {
  QuantParams params = QuantParams::PerTensor(1, 0, 32);
  CHECK(params.qmin() == std::numeric_limits<int32_t>::min());
  CHECK(params.qmax() == std::numeric_limits<int32_t>::max());
  params.bits = 1;
  CHECK(params.qmin() == -1);
  CHECK(params.qmax() == 0);
  params.bits = 8;
  params.narrow_range = true;
  CHECK(params.qmin() == -127);
}

TEST_CASE("Validate refuses what cannot be") {
  const auto valid = [](auto&& change) {
    QuantParams params = QuantParams::PerTensor(0.5f, 3);
    change(params);
    return params.Validate().ok();
  };
  CHECK(valid([](QuantParams&) {}));
  CHECK_FALSE(valid([](QuantParams& p) { p.bits = 0; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.bits = 33; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {1, 1}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {0}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {-1}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {kNan}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {kInfinity}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.zero_points = {128}; }));
  CHECK(valid([](QuantParams& p) { p.zero_points = {-128}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.zero_points = {-129}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scheme = QuantScheme::kSymmetric; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.block_size = 32; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.axis = -2; }));
  CHECK(valid([](QuantParams& p) { p.variance_ratios = {1.5f}, p.mean_shifts = {-2}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.variance_ratios = {1, 1}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.variance_ratios = {0}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.variance_ratios = {kNan}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.scales = {3e38f}, p.variance_ratios = {3}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.mean_shifts = {0, 0}; }));
  CHECK_FALSE(valid([](QuantParams& p) { p.mean_shifts = {kInfinity}; }));
  CHECK(QuantParams::PerTensor(1, 0).scheme == QuantScheme::kSymmetric);
}

TEST_CASE("parameters as text") {
  CHECK(QuantParams::PerTensor(0.5f, 3).ToString() == "q8 asymmetric scale=0.5 zero=3");
  QuantParams params = SymmetricParams(7, 4);
  params.axis = 1;
  params.scales.assign(6, 2);
  params.zero_points.assign(6, 0);
  CHECK(params.ToString() == "q4 symmetric narrow axis=1 scale=2,2,2,2,... zero=0,0,0,0,...");
}

}  // namespace
}  // namespace qlite
