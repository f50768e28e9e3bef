#include "calib/channel_statistics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

#include "core/aligned_memory.h"
#include "kernels/depthwise_f32.h"
#include "kernels/observe_f32.h"
#include "kernels/winograd_f32.h"
#include "runtime/steps/conv_parts.h"

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
            std::vector<float> passing = values;
            const TappedValue passing_image = Image(passing, channels);
            for (int64_t row = step; row < rows; row += step) {
              scan.Begin(passing_image, row * channels);
              if (channels >= kernels::kGroupedColumns) std::fill_n(passing.begin(), row * channels, 1e30f);  // gone
            }
            const auto range = scan.Add(passing_image, &parts);
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

// A convolution that is made and scanned `rows` rows of an image at a time, at once where `rows` is 0.
template <class Kernels>
ChannelStatistics StatisticsOf(const Kernels& kernels, const kernels::ConvF32Geometry& g, int64_t rows) {
  const auto floats = [](int64_t n, float scale) { return RandomValues(static_cast<size_t>(n), scale); };
  const std::vector<float> input = floats(g.batch * g.in_h * g.in_w * g.in_channels, 1);
  const std::vector<float> weights = floats(g.out_channels * g.in_channels / g.groups * g.kernel_h * g.kernel_w, 0.1f);
  const std::vector<float> bias = floats(g.out_channels, 1);
  std::vector<float> packed(static_cast<size_t>(kernels.packed_floats(g)));
  kernels.pack(g, weights.data(), packed.data());
  std::vector<float> output(static_cast<size_t>(g.batch * g.out_h * g.out_w * g.out_channels));
  const TappedValue value = Image(output, g.out_channels);
  kernels::ConvF32Args whole;
  whole.geometry = g;
  whole.input = input.data(), whole.packed_weights = packed.data(), whole.bias = bias.data();
  whole.output = output.data();
  ChannelScan scan;
  ChannelStatistics statistics;
  const auto run = [&](const kernels::ConvF32Args& args) {
    const auto workspace = AllocateAligned(static_cast<size_t>(kernels.workspace_bytes(args.geometry)));
    kernels.run(args, workspace.get(), 0, kernels.units(args.geometry));
  };
  if (rows == 0) run(whole);
  ForEachPart(g, rows, [&](const ConvPart& part) {
    run(ArgsOfPart(whole, part));
    if (part.elements_made < value.elements) scan.Begin(value, part.elements_made);
  });
  REQUIRE(scan.Add(value, &statistics));
  return statistics;
}

TEST_CASE("the size of a convolution's parts does not change its statistics") {
  const kernels::Isa isa = kernels::BestVectorIsa();
  kernels::ConvF32Geometry g;
  g.batch = 2;
  g.in_h = 41, g.in_w = 20, g.in_channels = 48, g.in_pixel_stride = 48;
  g.out_h = 41, g.out_w = 20, g.out_channels = 48, g.out_pixel_stride = 48;
  g.kernel_h = 3, g.kernel_w = 3, g.pad_top = 1, g.pad_left = 1;
  kernels::ConvF32Geometry depthwise = g;
  depthwise.groups = 48;
  const auto direct = StatisticsOf(kernels::ConvF32(isa), g, 0);
  const auto winograd = StatisticsOf(kernels::WinogradF32(isa), g, 0);
  const auto by_channel = StatisticsOf(kernels::DepthwiseF32(isa), depthwise, 0);
  for (const int64_t rows : {1, 3, 4, 8, 20, 40, 41}) {
    CHECK(Same(StatisticsOf(kernels::ConvF32(isa), g, rows), direct));
    CHECK(Same(StatisticsOf(kernels::DepthwiseF32(isa), depthwise, rows), by_channel));
    if (rows % kernels::kWinogradTile != 0) continue;
    CHECK(Same(StatisticsOf(kernels::WinogradF32(isa), g, rows), winograd));
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
