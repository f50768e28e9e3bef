#include "passes/kernel_rounding.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace {

using qlite::RoundKernel;

std::vector<int8_t> Round(const std::vector<double>& scaled, double limit = 127) {
  std::vector<int8_t> rounded(scaled.size());
  RoundKernel(scaled, limit, rounded);
  return rounded;
}

TEST_CASE("a single tap rounds half to even and keeps to the limit") {
  CHECK(Round({2.5}) == std::vector<int8_t>{2});
  CHECK(Round({-3.5}) == std::vector<int8_t>{-4});
  CHECK(Round({126.6}) == std::vector<int8_t>{127});
  CHECK(Round({}).empty());
}

TEST_CASE("the tap that was rounded farthest goes to its other neighbour") {
  // Errors +0.4, +0.3, +0.2 add up to 0.9: one step down, at the largest.
  CHECK(Round({0.6, 1.7, 2.8}) == std::vector<int8_t>{0, 2, 3});
  CHECK(Round({-0.6, -1.7, -2.8}) == std::vector<int8_t>{0, -2, -3});
  CHECK(Round({0.6, 0.6, 0.6}) == std::vector<int8_t>{0, 1, 1});  // equal errors: the first
}

TEST_CASE("the sum of the errors is at most a half and no tap is off by a step or more") {
  std::mt19937 generator(7);
  std::uniform_real_distribution<double> weight(-126, 126);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> scaled(1 + static_cast<size_t>(round) % 49);
    for (double& w : scaled) w = weight(generator);
    const std::vector<int8_t> rounded = Round(scaled);
    double sum = 0;
    for (size_t i = 0; i < scaled.size(); ++i) {
      CHECK(std::abs(rounded[i] - scaled[i]) < 1);
      sum += rounded[i] - scaled[i];
    }
    CHECK(std::abs(sum) <= 0.5 + 1e-9);
  }
}

TEST_CASE("a tap at the limit is not moved beyond it") {
  for (const int8_t value : Round(std::vector<double>(9, 6.9), 7)) CHECK(std::abs(value) <= 7);
  for (const int8_t value : Round(std::vector<double>(9, -6.6), 6)) CHECK(value == -6);
}

}  // namespace
