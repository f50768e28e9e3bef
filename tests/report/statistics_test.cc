#include "report/statistics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace qlite::report {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_CASE("quantiles are elements of the sorted tensor") {
  std::mt19937 generator(1);
  for (const size_t count : {1, 2, 3, 4, 5, 7, 8, 100, 1001}) {
    std::vector<float> values(count);
    for (float& x : values) x = static_cast<float>(generator() % 64) - 20;
    const TensorStatistics statistics = Describe(values);
    std::sort(values.begin(), values.end());
    CHECK(statistics.min == values.front());
    CHECK(statistics.quartile1 == values[count / 4]);
    CHECK(statistics.median == values[count / 2]);
    CHECK(statistics.quartile3 == values[3 * count / 4]);
    CHECK(statistics.max == values.back());
  }
}

TEST_CASE("mean, variance and sparsity") {
  const std::vector<float> values = {0, 2, 0, 6};
  const TensorStatistics statistics = Describe(values);
  CHECK(statistics.mean == 2);
  CHECK(statistics.variance == (4 + 0 + 4 + 16) / 4.0);
  CHECK(statistics.sparsity == 0.5);
  CHECK(Describe({}).mean == 0);
}

TEST_CASE("NaN is the largest element and spoils no order") {
  const std::vector<float> values = {kNan, 1, 3, kNan, 2};
  const TensorStatistics statistics = Describe(values);
  CHECK(statistics.min == 1);
  CHECK(statistics.median == 3);
  CHECK(std::isnan(statistics.max));
}

TEST_CASE("cosines") {
  CHECK(Cosine(std::vector<float>{1, 2}, std::vector<float>{2, 4}) == Approx(1));
  CHECK(Cosine(std::vector<float>{1, 0}, std::vector<float>{0, 1}) == 0);
  CHECK(Cosine(std::vector<float>{1, 0}, std::vector<float>{-3, 0}) == -1);
  CHECK(Cosine(std::vector<float>{0, 0}, std::vector<float>{0, 0}) == 1);
  CHECK(Cosine(std::vector<float>{1, 0}, std::vector<float>{0, 0}) == 0);
  CHECK(Cosine(std::vector<float>{kNan, 0}, std::vector<float>{1, 0}) == 0);
  CHECK(Cosine({}, {}) == 1);
}

TEST_CASE("what a quantized tensor lost") {
  const std::vector<float> original = {-4, 1, 2, 3}, quantized = {-2, 1, 2, 3};
  const TensorComparison comparison = Compare(original, quantized);
  CHECK(comparison.clip == 0.25);
  CHECK(comparison.snr_db == Approx(10 * std::log10(30.0 / 4.0)));
  CHECK(comparison.quantized.min == -2);
  CHECK(std::isinf(Compare(original, original).snr_db));
  CHECK(Compare(original, original).clip == 0);
}

}  // namespace
}  // namespace qlite::report
