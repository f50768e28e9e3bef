#include "calib/channel_statistics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

namespace qlite::calib {
namespace {

std::vector<float> RandomValues(size_t n, float scale) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(n);
  for (float& x : values) x = normal(random);
  return values;
}

TappedValue Image(const std::vector<float>& values, int64_t channels) {
  TappedValue value;
  value.dims = {1, channels, std::ssize(values) / channels, 1};
  value.data = values.data();
  value.elements = std::ssize(values);
  value.channels_last = true;
  return value;
}

bool Same(const ChannelStatistics& a, const ChannelStatistics& b) {
  const auto same_sum = [](const FixedSum& x, const FixedSum& y) { return x.high == y.high && x.low == y.low; };
  return a.min == b.min && a.max == b.max && a.count == b.count &&
         std::equal(a.sum.begin(), a.sum.end(), b.sum.begin(), b.sum.end(), same_sum);
}

TEST_CASE("a value scanned in parts has the statistics of the whole") {
  for (const int64_t channels : {3, 32, 40, 96}) {
    for (const int64_t rows : {1, 31, 64, 1000}) {
      for (const float scale : {1e-9f, 1.0f, 1e20f}) {
        const std::vector<float> values = RandomValues(static_cast<size_t>(rows * channels), scale);
        const TappedValue image = Image(values, channels);
        ChannelScan scan;
        ChannelStatistics whole, parts;
        const auto expected = scan.Add(image, &whole);
        REQUIRE(expected);
        REQUIRE(scan.Add(image, &whole));
        for (const int64_t step : {1, 7, 100}) {
          parts = {};
          for (int sample = 0; sample < 2; ++sample) {
            for (int64_t row = step; row < rows; row += step) scan.Begin(image, row * channels);
            const auto range = scan.Add(image, &parts);
            REQUIRE(range);
            CHECK(range->min == expected->min);
            CHECK(range->max == expected->max);
          }
          CHECK(Same(parts, whole));
        }
      }
    }
  }
}

TEST_CASE("a value of one element a channel has that element's statistics") {
  constexpr int64_t kBatch = 2, kChannels = 70;
  std::vector<float> values(size_t{kBatch * kChannels});
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 4 - 10;
  TappedValue value;
  value.dims = {kBatch, kChannels, 1, 1};
  value.data = values.data();
  value.elements = std::ssize(values);
  ChannelScan scan;
  ChannelStatistics statistics;
  const auto range = scan.Add(value, &statistics);
  REQUIRE(range);
  CHECK(range->min == values.front());
  CHECK(range->max == values.back());
  CHECK(statistics.count == kBatch);
  for (size_t c = 0; c < kChannels; ++c) {
    CHECK(statistics.min[c] == values[c]);
    CHECK(statistics.max[c] == values[kChannels + c]);
    CHECK(statistics.Mean(c) == (values[c] + values[kChannels + c]) / 2);
  }
}

TEST_CASE("a value in parts that is not finite somewhere is refused") {
  std::vector<float> values = RandomValues(size_t{200} * 40, 1);
  for (const size_t at : {size_t{3}, size_t{150} * 40 + 7, values.size() - 1}) {
    std::vector<float> faulty = values;
    faulty[at] = std::numeric_limits<float>::quiet_NaN();
    const TappedValue image = Image(faulty, 40);
    ChannelScan scan;
    ChannelStatistics statistics;
    scan.Begin(image, 100 * 40);
    CHECK_FALSE(scan.Add(image, &statistics));
  }
}

}  // namespace
}  // namespace qlite::calib
