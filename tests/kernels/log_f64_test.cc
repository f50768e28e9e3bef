#include "kernels/log_f64.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

uint64_t BitsOf(double x) { return std::bit_cast<uint64_t>(x); }

std::vector<double> PositiveDoubles(int64_t count, double magnitude, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<> exponents(-magnitude, magnitude);
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) value = std::exp(exponents(random));
  return values;
}

TEST_CASE("logarithms are those of the C library but for rounding, with the same bits on every instruction set") {
  std::vector<double> x = PositiveDoubles(20011, 600, 1);
  for (const double special : {1.0, 0.5, 2.0, std::sqrt(0.5), std::sqrt(2.0), std::numeric_limits<double>::min(),
                               std::numeric_limits<double>::max()}) {
    for (const double toward : {0.0, special, std::numeric_limits<double>::infinity()}) {
      const double near = std::nextafter(special, toward);
      if (std::isnormal(near)) x.push_back(near);
    }
  }
  std::vector<double> generic(x.size());
  LogF64(Isa::kGeneric).log(x.data(), std::ssize(x), generic.data());
  for (size_t i = 0; i < x.size(); ++i) REQUIRE(generic[i] == Approx(std::log(x[i])).epsilon(1e-14).margin(1e-15));
  for (const Isa isa : SupportedIsas()) {
    for (const size_t n : {size_t{0}, size_t{1}, size_t{3}, size_t{17}, x.size()}) {
      CAPTURE(IsaName(isa), n);
      std::vector<double> logs(n + 1, -5);
      LogF64(isa).log(x.data() + (x.size() - n), static_cast<int64_t>(n), logs.data());
      bool same = logs.back() == -5;
      for (size_t i = 0; i < n; ++i) same = same && BitsOf(logs[i]) == BitsOf(generic[x.size() - n + i]);
      CHECK(same);
    }
  }
}

TEST_CASE("a weighted sum of logarithms has the bits of the plain sum, term by term") {
  for (const int64_t n : {0, 1, 2, 31, 255, 256, 257, 1000}) {
    std::vector<double> x = PositiveDoubles(n, 10, 2), weights = PositiveDoubles(n, 5, 3), logs(x.size());
    for (size_t i = 0; i < x.size(); i += 3) weights[i] = i % 2 == 0 ? 0 : -1;
    for (size_t i = 0; i < x.size(); i += 6) x[i] = 0;  // behind a weight that counts for nothing
    LogF64(Isa::kGeneric).log(x.data(), n, logs.data());
    double expected = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      if (weights[i] <= 0) continue;
      const volatile double term = weights[i] * logs[i];
      expected += term;
    }
    for (const Isa isa : SupportedIsas()) {
      CAPTURE(IsaName(isa), n);
      CHECK(BitsOf(LogF64(isa).weighted_log_sum(weights.data(), x.data(), n)) == BitsOf(expected));
      if (n < 2) continue;
      std::vector<double> impossible = x;
      impossible[1] = 0;
      CHECK(LogF64(isa).weighted_log_sum(weights.data(), impossible.data(), n) ==
            -std::numeric_limits<double>::infinity());
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
