#include "kernels/observe_f32.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace qlite::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> RandomValues(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& x : values) x = random() % 3 == 0 ? 0.0f : normal(random);
  return values;
}

struct Columns {
  std::vector<float> min, max;
  std::vector<double> sum;
  friend bool operator==(const Columns&, const Columns&) = default;
};

Columns Run(Isa isa, bool by_row, const std::vector<float>& values, int64_t rows, int64_t columns) {
  const size_t channels = static_cast<size_t>(by_row ? rows : columns);
  Columns result{std::vector<float>(channels, kInfinity), std::vector<float>(channels, -kInfinity),
                 std::vector<double>(channels, 0.5)};
  const ObserveF32Kernels& kernels = ObserveF32(isa);
  (by_row ? kernels.row_statistics : kernels.column_statistics)(values.data(), rows, columns, result.min.data(),
                                                                result.max.data(), result.sum.data());
  // A zero's sign is unspecified.
  for (float& x : result.min) x += 0.0f;
  for (float& x : result.max) x += 0.0f;
  return result;
}

TEST_CASE("statistics of rows and columns are right, and the same bits with every instruction set") {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 1},
                                      {1, 100},
                                      {100, 1},
                                      {97, 3},
                                      {64, 24},
                                      {33, 31},
                                      {50, 32},
                                      {7, 100},
                                      {300, 5},
                                      {3, 257}}) {
    const std::vector<float> values = RandomValues(static_cast<size_t>(rows * columns), 3);
    for (const bool by_row : {false, true}) {
      const Columns generic = Run(Isa::kGeneric, by_row, values, rows, columns);
      for (size_t c = 0; c < generic.min.size(); ++c) {
        float min = kInfinity, max = -kInfinity;
        double sum = 0.5;
        for (int64_t i = 0; i < rows * columns; ++i) {
          if (static_cast<size_t>(by_row ? i / columns : i % columns) != c) continue;
          const float x = values[static_cast<size_t>(i)];
          min = std::min(min, x), max = std::max(max, x), sum += static_cast<double>(x);
        }
        REQUIRE(generic.min[c] == min);
        REQUIRE(generic.max[c] == max);
        REQUIRE(generic.sum[c] == Approx(sum).margin(1e-9));
      }
      for (const Isa isa : SupportedIsas()) REQUIRE(Run(isa, by_row, values, rows, columns) == generic);
    }
  }
}

TEST_CASE("a row's statistics are those of the row alone, to the bit") {
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{8, 2}, {17, 49}, {9, 64}, {24, 197}, {65, 192}, {8, 1056}, {11, 2500}}) {
    const std::vector<float> values = RandomValues(static_cast<size_t>(rows * columns), 5);
    for (const Isa isa : SupportedIsas()) {
      const Columns together = Run(isa, true, values, rows, columns);
      for (int64_t r = 0; r < rows; ++r) {
        const auto begin = values.begin() + r * columns;
        const Columns alone = Run(isa, true, {begin, begin + columns}, 1, columns);
        const auto row = static_cast<size_t>(r);
        REQUIRE(together.min[row] == alone.min[0]);
        REQUIRE(together.max[row] == alone.max[0]);
        REQUIRE(together.sum[row] == alone.sum[0]);
      }
    }
  }
}

TEST_CASE("statistics of columns may be taken in parts") {
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 32}, {32, 100}, {33, 40}, {200, 97}, {415, 64}}) {
    const std::vector<float> values = RandomValues(static_cast<size_t>(rows * columns), 7);
    const Columns whole = Run(Isa::kGeneric, false, values, rows, columns);
    const int64_t groups = (rows - 1) / kGroupRows + 1;
    for (const Isa isa : SupportedIsas()) {
      for (const int64_t part_rows : {1, 7, 32, 64, 100, 160}) {
        const size_t channels = static_cast<size_t>(columns);
        Columns parts{std::vector<float>(channels, kInfinity), std::vector<float>(channels, -kInfinity),
                      std::vector<double>(channels, 0.5)};
        std::vector<float> sums(static_cast<size_t>(groups) * channels);
        for (int64_t first = 0; first < rows; first += part_rows) {
          ObserveF32(isa).column_groups(values.data() + first * columns, first, std::min(part_rows, rows - first),
                                        columns, parts.min.data(), parts.max.data(), sums.data());
        }
        ObserveF32(isa).add_groups(sums.data(), groups, columns, parts.sum.data());
        for (float& x : parts.min) x += 0.0f;
        for (float& x : parts.max) x += 0.0f;
        REQUIRE(parts == whole);
      }
    }
  }
}

TEST_CASE("channels widen by those of a sample") {
  const std::vector<float> from_min = {-1, -0.0f, 3, -5}, from_max = {2, 0, 4, -5};
  for (const Isa isa : SupportedIsas()) {
    std::vector<float> min = {0, 1, -2, kInfinity}, max = {0, 1, 9, -kInfinity};
    float least = from_min[0], greatest = from_max[0];
    ObserveF32(isa).widen(from_min.data(), from_max.data(), 4, min.data(), max.data(), &least, &greatest);
    CHECK(min == std::vector<float>{-1, 0, -2, -5});
    CHECK_FALSE(std::signbit(min[1]));
    CHECK(max == std::vector<float>{2, 1, 9, -5});
    CHECK(least == -5);
    CHECK(greatest == 4);
  }
}

TEST_CASE("sums become whole numbers of quanta, half to even") {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> sums = {0,        0x1p-41, 0x3p-41, -0x1p-41, -0x3p-41, 0x1p-42, 0x1p12, 0x1.00000000000018p12,
                              4194303.7};
  for (int i = 0; i < 200; ++i) sums.push_back(std::ldexp(normal(random), static_cast<int>(random() % 60) - 42));
  for (const Isa isa : SupportedIsas()) {
    std::vector<int64_t> quanta(sums.size());
    REQUIRE(ObserveF32(isa).to_quanta(sums.data(), std::ssize(sums), quanta.data()));
    for (size_t i = 0; i < sums.size(); ++i) REQUIRE(quanta[i] == std::llrint(std::ldexp(sums[i], 40)));
    for (const double bad : {0x1p22, -0x1p22, 1e300, double{kInfinity}, std::numeric_limits<double>::quiet_NaN()}) {
      std::vector<double> beyond = sums;
      beyond[17] = bad;
      CHECK_FALSE(ObserveF32(isa).to_quanta(beyond.data(), std::ssize(beyond), quanta.data()));
    }
  }
}

TEST_CASE("a value that is not finite makes its sum not finite") {
  for (const Isa isa : SupportedIsas()) {
    for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      for (size_t at = 0; at < 40 * 7; at += 11) {
        std::vector<float> values = RandomValues(40 * 7, 1);
        values[at] = bad;
        CHECK_FALSE(std::isfinite(Run(isa, false, values, 40, 7).sum[at % 7]));
        CHECK_FALSE(std::isfinite(Run(isa, true, values, 7, 40).sum[at / 40]));
      }
    }
  }
}

TEST_CASE("ranges widen to the extremes") {
  for (const Isa isa : SupportedIsas()) {
    for (size_t n = 0; n < 150; ++n) {
      const std::vector<float> values = RandomValues(n, static_cast<unsigned>(n));
      float min = -0.25f, max = 0.25f;
      ObserveF32(isa).range(values.data(), static_cast<int64_t>(n), &min, &max);
      float expected_min = -0.25f, expected_max = 0.25f;
      for (const float x : values) expected_min = std::min(expected_min, x), expected_max = std::max(expected_max, x);
      REQUIRE(min == expected_min);
      REQUIRE(max == expected_max);
    }
  }
}

TEST_CASE("magnitudes are counted by bin and sign, zeros not at all") {
  constexpr int32_t kBins = 64;
  for (const Isa isa : SupportedIsas()) {
    for (const size_t n : {0u, 1u, 31u, 32u, 33u, 1000u, 65535u}) {
      for (const CountedRuns runs : {CountedRuns{}, {40, 100}, {64, 64}, {5000, 40000}}) {
        const std::vector<float> values = RandomValues(n, 5);
        std::vector<uint16_t> counters(CounterCount(kBins));
        ObserveF32(isa).count_magnitudes(values.data(), static_cast<int64_t>(n), runs, 8.0f, kBins, counters.data());
        std::vector<uint64_t> expected(2 * kBins, 7);
        for (size_t i = 0; i < n; ++i) {
          if (values[i] == 0 || static_cast<int64_t>(i) % runs.period >= runs.run) continue;
          ++expected[static_cast<size_t>(std::fabs(values[i]) * 8) + (values[i] < 0 ? kBins : 0)];
        }
        std::vector<uint64_t> found(2 * kBins, 7);
        ObserveF32(isa).add_counters(counters.data(), 2 * kBins, found.data());
        REQUIRE(found == expected);
      }
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
