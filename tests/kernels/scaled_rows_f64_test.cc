#include "kernels/scaled_rows_f64.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

std::vector<double> Doubles(Sequence& random, int64_t count) {
  std::vector<double> values;
  for (const float value : random.Floats(count)) values.push_back(value * 1.000000000123);
  return values;
}

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<uint64_t>(a[i]) != std::bit_cast<uint64_t>(b[i])) return false;
  }
  return a.size() == b.size();
}

TEST_CASE("scaled rows have the bits of the plain sum on every instruction set") {
  Sequence random(7);
  for (const int64_t n : {0, 1, 2, 7, 31, 64, 257}) {
    const std::vector<double> factors = Doubles(random, n), rows = Doubles(random, n * kScaledRowLanes);
    const std::vector<double> start = Doubles(random, kScaledRowLanes);
    std::vector<double> expected = start;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t lane = 0; lane < kScaledRowLanes; ++lane) {
        const volatile double product =
            factors[static_cast<size_t>(i)] * rows[static_cast<size_t>(i * kScaledRowLanes + lane)];
        expected[static_cast<size_t>(lane)] += product;
      }
    }
    for (const Isa isa : SupportedIsas()) {
      CAPTURE(n, IsaName(isa));
      std::vector<double> sums = start;
      ScaledRowsF64(isa).add_rows(factors.data(), rows.data(), n, sums.data());
      CHECK(SameBits(sums, expected));
    }
  }
}

TEST_CASE("a scaled row has the bits of the plain sum, and nothing behind it changes") {
  Sequence random(8);
  for (const int64_t n : {0, 1, 5, 16, 100, 1001}) {
    const std::vector<double> from = Doubles(random, n), start = Doubles(random, n + 1);
    const double factor = Doubles(random, 1)[0];
    std::vector<double> expected = start;
    for (size_t i = 0; i < from.size(); ++i) {
      const volatile double product = factor * from[i];
      expected[i] += product;
    }
    for (const Isa isa : SupportedIsas()) {
      CAPTURE(n, IsaName(isa));
      std::vector<double> to = start;
      ScaledRowsF64(isa).add_scaled(factor, from.data(), n, to.data());
      CHECK(SameBits(to, expected));
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
