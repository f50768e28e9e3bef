#include "calib/kl_threshold.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace qlite::calib {
namespace {

// The definition of kl_threshold.h, bin by bin.
double BruteForce(const SignedHistogram& histogram, int64_t negative_bins, int64_t positive_bins, int64_t levels) {
  std::vector<double> axis(histogram.negative.rbegin(), histogram.negative.rend());
  axis.insert(axis.end(), histogram.positive.begin(), histogram.positive.end());
  const size_t begin = histogram.negative.size() - static_cast<size_t>(negative_bins);
  const size_t span = static_cast<size_t>(negative_bins + positive_bins);
  std::vector<double> p(axis.begin() + static_cast<std::ptrdiff_t>(begin),
                        axis.begin() + static_cast<std::ptrdiff_t>(begin + span));
  const std::vector<double> counts = p;
  for (size_t i = 0; i < axis.size(); ++i) {
    if (i < begin) p.front() += axis[i];
    if (i >= begin + span) p.back() += axis[i];
  }
  std::vector<double> q(span);
  const double cell = static_cast<double>(span) / static_cast<double>(levels);
  for (int64_t t = 0; t < levels; ++t) {
    const double from = static_cast<double>(t) * cell, to = from + cell;
    const auto share = [&](size_t i) {
      return std::max(0.0, std::min(to, static_cast<double>(i + 1)) - std::max(from, static_cast<double>(i)));
    };
    double mass = 0, filled = 0;
    for (size_t i = 0; i < span; ++i) mass += share(i) * counts[i], filled += p[i] > 0 ? share(i) : 0;
    if (filled == 0) continue;
    for (size_t i = 0; i < span; ++i) q[i] += p[i] > 0 ? mass / filled * share(i) : 0;
  }
  double p_sum = 0, q_sum = 0, divergence = 0;
  for (size_t i = 0; i < span; ++i) p_sum += p[i], q_sum += q[i];
  for (size_t i = 0; i < span; ++i) {
    if (p[i] == 0) continue;
    if (q[i] <= 0) return std::numeric_limits<double>::infinity();
    divergence += p[i] / p_sum * std::log(p[i] / p_sum / (q[i] / q_sum));
  }
  return divergence;
}

SignedHistogram RandomHistogram(size_t negative, size_t positive, double fill, unsigned seed) {
  std::mt19937 random(seed);
  const auto side = [&](size_t bins) {
    std::vector<uint64_t> counts(bins);
    for (size_t i = 0; i < bins; ++i) {
      const bool filled = i + 1 == bins || std::uniform_real_distribution<>()(random) < fill;
      counts[i] = filled ? 1 + random() % (1 + 10000 / (i + 1)) : 0;
    }
    return counts;
  };
  SignedHistogram histogram;
  histogram.negative = side(negative), histogram.positive = side(positive);
  histogram.bin_width = 0.25;
  histogram.max = positive == 0 ? -0.1f : static_cast<float>(positive) * 0.25f - 0.1f;
  histogram.min = negative == 0 ? 0.0f : -static_cast<float>(negative) * 0.25f + 0.1f;
  return histogram;
}

TEST_CASE("the divergence of a candidate is its definition's") {
  unsigned seed = 0;
  for (const double fill : {1.0, 0.6, 0.1}) {
    for (const auto& [negative, positive] : {std::pair<size_t, size_t>{0, 60}, {40, 60}, {60, 5}, {50, 0}, {1, 1}}) {
      const SignedHistogram histogram = RandomHistogram(negative, positive, fill, ++seed);
      const RangeDivergence divergence(histogram);
      for (int64_t n = 0; n <= static_cast<int64_t>(negative); n += 3) {
        for (int64_t p = 0; p <= static_cast<int64_t>(positive); p += 5) {
          if (n + p == 0) continue;
          for (const int64_t levels : {1, 4, 16, 64}) {
            const double expected = BruteForce(histogram, n, p, levels);
            const double found = divergence.Compute(n, p, levels);
            INFO("bins " << n << " " << p << " levels " << levels);
            if (std::isfinite(expected)) {
              REQUIRE(found == Approx(expected).margin(1e-9));
            } else {
              REQUIRE(found == expected);
            }
          }
        }
      }
    }
  }
}

// Rounding inside, four times the squared distance outside, value by value.
double BruteForceNoise(const SignedHistogram& histogram, int64_t negative_bins, int64_t positive_bins, int64_t levels) {
  const double step =
      static_cast<double>(negative_bins + positive_bins) * histogram.bin_width / static_cast<double>(levels - 1);
  double noise = 0;
  for (const auto& [counts, bins] :
       {std::pair(&histogram.negative, negative_bins), {&histogram.positive, positive_bins}}) {
    for (size_t i = 0; i < counts->size(); ++i) {
      const double beyond = (static_cast<double>(i) + 0.5 - static_cast<double>(bins)) * histogram.bin_width;
      noise += static_cast<double>((*counts)[i]) * (beyond < 0 ? step * step / 12 : 4 * beyond * beyond);
    }
  }
  return noise;
}

TEST_CASE("the range chosen is the best candidate") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const SignedHistogram histogram = RandomHistogram(seed % 3 * 50, 90 + seed, seed % 2 == 0 ? 1.0 : 0.5, seed);
    const int64_t last = static_cast<int64_t>(std::max(histogram.negative.size(), histogram.positive.size()));
    double best = std::numeric_limits<double>::infinity(), least_noise = best;
    int64_t best_bins = last;
    const auto bins_of = [&](int64_t bins, const std::vector<uint64_t>& counts) {
      return std::min(bins, static_cast<int64_t>(counts.size()));
    };
    for (int64_t bins = 1; bins <= last; ++bins) {
      const int64_t n = bins_of(bins, histogram.negative), p = bins_of(bins, histogram.positive);
      if (n + p >= 16) least_noise = std::min(least_noise, BruteForceNoise(histogram, n, p, 16));
    }
    for (int64_t bins = 1; bins <= last; ++bins) {
      const int64_t n = bins_of(bins, histogram.negative), p = bins_of(bins, histogram.positive);
      if (n + p < 16 || BruteForceNoise(histogram, n, p, 16) > 1.1 * least_noise) continue;
      const double found = BruteForce(histogram, n, p, 16);
      if (found < best - 1e-12) best = found, best_bins = bins;
    }
    const ObservedRange range = FindRangeByDivergence(histogram, 4);
    const float threshold = static_cast<float>(best_bins) * 0.25f;
    CHECK(range.max == std::min(histogram.max, threshold));
    CHECK(range.min == std::max(histogram.min, -threshold));
  }
}

TEST_CASE("few bins keep the full range") {
  SignedHistogram histogram;
  histogram.positive = {4, 0, 7}, histogram.bin_width = 1, histogram.min = 0, histogram.max = 2.5f;
  const ObservedRange range = FindRangeByDivergence(histogram, 8);
  CHECK(range.min == 0);
  CHECK(range.max == 2.5f);
}

TEST_CASE("a lone far outlier is clipped, a pile at the end is not") {
  SignedHistogram histogram;
  histogram.bin_width = 1.0 / 4096;
  histogram.positive.assign(4096, 0);
  for (size_t i = 0; i < 1500; ++i)
    histogram.positive[i] = static_cast<uint64_t>(1e7 * std::exp(-static_cast<double>(i) / 150));
  histogram.positive[4095] = 1;
  histogram.max = 1;
  CHECK(FindRangeByDivergence(histogram, 8).max < 0.75f);
  histogram.positive[4095] = 100000000;
  CHECK(FindRangeByDivergence(histogram, 8).max == 1);
}

TEST_CASE("the logarithm is that of the C library but for rounding") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const double x = std::exp(std::uniform_real_distribution<>(-60, 60)(random));
    REQUIRE(PortableLog(x) == Approx(std::log(x)).epsilon(1e-14).margin(1e-15));
  }
  CHECK(PortableLog(1) == 0);
}

}  // namespace
}  // namespace qlite::calib
