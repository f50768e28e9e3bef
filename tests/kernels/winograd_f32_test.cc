#include "kernels/winograd_f32.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/f32_product_reference.h"

namespace qlite::kernels {
namespace {

using testing::Complete;
using testing::ConvCase;
using testing::kSplits;
using testing::SameBits;

template <class T>
using Six = std::array<T, 6>;
template <class T>
using Patch = std::array<Six<T>, 6>;

// --- the arithmetic of winograd_f32.h in plain loops

Six<float> In(const Six<float>& x) {
  Six<float> v;
  v[0] = std::fma(81.0f / 64, x[0], std::fma(-45.0f / 16, x[2], x[4]));
  v[5] = std::fma(81.0f / 64, x[1], std::fma(-45.0f / 16, x[3], x[5]));
  const float even_a = std::fma(-9.0f / 4, x[2], x[4]), odd_a = std::fma(-9.0f / 4, x[1], x[3]);
  v[1] = std::fma(3.0f / 4, odd_a, even_a), v[2] = std::fma(-3.0f / 4, odd_a, even_a);
  const float even_b = std::fma(-9.0f / 16, x[2], x[4]), odd_b = std::fma(-9.0f / 16, x[1], x[3]);
  v[3] = std::fma(3.0f / 2, odd_b, even_b), v[4] = std::fma(-3.0f / 2, odd_b, even_b);
  return v;
}

std::array<float, 4> Out(const Six<float>& m) {
  const float s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
  return {(m[0] + s) + t, std::fma(3.0f / 4, d, 3.0f / 2 * e), std::fma(9.0f / 16, s, 9.0f / 4 * t),
          std::fma(27.0f / 64, d, std::fma(27.0f / 8, e, m[5]))};
}

// Values of the polynomial g0 + g1 p + g2 p^2 over the product of the differences of the points.
Six<double> Taps(const std::array<double, 3>& g) {
  const std::array<double, 5> points = {0, 0.75, -0.75, 1.5, -1.5};
  Six<double> u;
  for (size_t i = 0; i < points.size(); ++i) {
    double differences = 1;
    for (size_t j = 0; j < points.size(); ++j) differences *= j == i ? 1 : points[i] - points[j];
    u[i] = ((g[0] + points[i] * points[i] * g[2]) + points[i] * g[1]) * (1 / differences);
  }
  u[5] = g[2];
  return u;
}

Patch<float> TransformKernel(const float* kernel) {
  std::array<Six<double>, 3> columns;
  for (size_t j = 0; j < 3; ++j) columns[j] = Taps({kernel[j], kernel[3 + j], kernel[6 + j]});
  Patch<float> u;
  for (size_t i = 0; i < 6; ++i) {
    const Six<double> row = Taps({columns[0][i], columns[1][i], columns[2][i]});
    for (size_t j = 0; j < 6; ++j) u[i][j] = static_cast<float>(row[j]);
  }
  return u;
}

template <size_t kRows>
auto Transposed(const std::array<Six<float>, kRows>& x) {
  std::array<std::array<float, kRows>, 6> y;
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < 6; ++j) y[j][i] = x[i][j];
  }
  return y;
}

struct Tile {
  int64_t image, y, x;
};

float InputAt(const ConvF32Args& args, const Tile& tile, int64_t i, int64_t j, int64_t channel) {
  const ConvF32Geometry& g = args.geometry;
  const int64_t y = tile.y - g.pad_top + i, x = tile.x - g.pad_left + j;
  const bool needed = y + g.pad_top < g.out_h + 2 && x + g.pad_left < g.out_w + 2;
  if (!needed || y < 0 || x < 0 || y >= g.in_h || x >= g.in_w) return 0.0f;
  return args.input[((tile.image * g.in_h + y) * g.in_w + x) * g.in_pixel_stride + channel];
}

Patch<float> TransformedPatch(const ConvF32Args& args, const Tile& tile, int64_t channel) {
  Patch<float> columns;
  for (int64_t j = 0; j < 6; ++j) {
    Six<float> column;
    for (int64_t i = 0; i < 6; ++i) column[static_cast<size_t>(i)] = InputAt(args, tile, i, j, channel);
    columns[static_cast<size_t>(j)] = In(column);
  }
  Patch<float> rows = Transposed(columns);
  for (Six<float>& row : rows) row = In(row);
  return rows;
}

void StoreTile(const ConvF32Args& args, const Tile& tile, int64_t channel, const Patch<float>& sums,
               std::vector<float>& output) {
  const ConvF32Geometry& g = args.geometry;
  const Patch<float> columns = Transposed(sums);
  std::array<Six<float>, 4> rows;
  for (size_t j = 0; j < 6; ++j) {
    const std::array<float, 4> y = Out(columns[j]);
    for (size_t i = 0; i < 4; ++i) rows[i][j] = y[i];
  }
  for (int64_t i = 0; i < std::min<int64_t>(4, g.out_h - tile.y); ++i) {
    const std::array<float, 4> y = Out(rows[static_cast<size_t>(i)]);
    for (int64_t j = 0; j < std::min<int64_t>(4, g.out_w - tile.x); ++j) {
      const int64_t pixel = (tile.image * g.out_h + tile.y + i) * g.out_w + tile.x + j;
      float x = y[static_cast<size_t>(j)];
      if (args.bias) x += args.bias[channel];
      if (args.residual) x += args.residual[pixel * g.residual_pixel_stride + channel];
      output[static_cast<size_t>(pixel * g.out_pixel_stride + channel)] =
          testing::ReferenceClamp(x, args.act_min, args.act_max);
    }
  }
}

std::vector<float> Reference(const ConvCase& conv) {
  const ConvF32Args& args = conv.args();
  const ConvF32Geometry& g = args.geometry;
  std::vector<float> output(static_cast<size_t>(g.batch * g.out_h * g.out_w * g.out_pixel_stride), testing::kUntouched);
  std::vector<Patch<float>> kernels;
  for (int64_t i = 0; i < g.out_channels * g.in_channels; ++i) {
    kernels.push_back(TransformKernel(conv.weights().data() + i * 9));
  }
  for (Tile tile = {}; tile.image < g.batch; ++tile.image) {
    for (tile.y = 0; tile.y < g.out_h; tile.y += 4) {
      for (tile.x = 0; tile.x < g.out_w; tile.x += 4) {
        std::vector<Patch<float>> patches;
        for (int64_t c = 0; c < g.in_channels; ++c) patches.push_back(TransformedPatch(args, tile, c));
        for (int64_t n = 0; n < g.out_channels; ++n) {
          Patch<float> sums = {};
          for (size_t c = 0; c < patches.size(); ++c) {
            const Patch<float>& kernel = kernels[static_cast<size_t>(n) * patches.size() + c];
            for (size_t i = 0; i < 6; ++i) {
              for (size_t j = 0; j < 6; ++j) sums[i][j] = std::fma(patches[c][i][j], kernel[i][j], sums[i][j]);
            }
          }
          StoreTile(args, tile, n, sums, output);
        }
      }
    }
  }
  return output;
}

ConvF32Geometry Padded(int64_t height, int64_t width, int64_t in_channels, int64_t out_channels, int64_t pad) {
  return Complete({.in_h = height,
                   .in_w = width,
                   .in_channels = in_channels,
                   .out_channels = out_channels,
                   .kernel_h = 3,
                   .kernel_w = 3,
                   .pad_top = pad,
                   .pad_left = pad},
                  2 * pad, 2 * pad);
}

void Check(const ConvF32Geometry& g, int features) {
  const ConvCase conv(g, features, 5);
  const std::vector<float> expected = Reference(conv);
  for (const Isa isa : SupportedIsas()) {
    for (int split = 0; split < kSplits; ++split) {
      INFO(std::string(IsaName(isa)) << " " << g.in_h << "x" << g.in_w << "x" << g.in_channels << " -> " << g.out_h
                                     << "x" << g.out_w << "x" << g.out_channels << " features " << features << " split "
                                     << split);
      CHECK(SameBits(conv.Run(WinogradF32(isa), split), expected));
    }
  }
}

TEST_CASE("winograd_f32 gives the bits of its formulas for every size, padding and number of channels") {
  int features = 0;
  for (const int64_t size : {1, 3, 4, 5, 8, 14}) {
    for (const int64_t pad : {0, 1, 2}) {
      for (const int64_t channels : {1, 5, 16, 35}) {
        if (size + 2 * pad < 3) continue;
        Check(Padded(size, size + features % 3, channels, channels + features % 5, pad), features % 8);
        ++features;
      }
    }
  }
  for (const int64_t outputs : {63, 64, 65, 130}) Check(Padded(6, 9, 20, outputs, 1), features++ % 8);
  // Several blocks of tiles, with and without a rest.
  for (const int64_t width : {100, 196, 203}) Check(Padded(9, width, 18, 17, 1), features++ % 8);
}

TEST_CASE("winograd_f32 takes batches, slices of wider images and cropping") {
  ConvF32Geometry slices = Padded(7, 8, 19, 21, 1);
  slices.batch = 3;
  slices.in_pixel_stride = 24;
  slices.out_pixel_stride = 30;
  slices.residual_pixel_stride = 25;
  Check(slices, 7);
  for (const int64_t pad_top : {-3, 0, 4}) {
    for (const int64_t pad_left : {-1, 2}) {
      ConvF32Geometry cropped = Padded(9, 10, 16, 16, 0);
      cropped.pad_top = pad_top;
      cropped.pad_left = pad_left;
      Check(Complete(cropped, pad_top - 1, pad_left + 3), 5);
    }
  }
}

TEST_CASE("winograd_f32 makes an image in pieces of whole tiles") {
  const ConvF32Geometry whole = Padded(21, 11, 16, 18, 1);
  const ConvCase conv(whole, 1, 9);
  const std::vector<float> expected = conv.Run(WinogradF32(BestIsa()), 0);
  std::vector<float> pieces;
  for (int64_t row = 0; row < whole.out_h; row += 2 * kWinogradTile) {
    ConvF32Geometry g = whole;
    const int64_t end = std::min(row + 2 * kWinogradTile, whole.out_h);
    const int64_t first_in = std::max<int64_t>(row - 1, 0), end_in = std::min(end + 1, whole.in_h);
    g.out_h = end - row, g.in_h = end_in - first_in, g.pad_top = row == 0 ? 1 : 0;
    ConvCase piece(g, 1, 9);
    piece.weights() = conv.weights();
    const float* from = conv.args().input + first_in * g.in_w * g.in_channels;
    piece.input().assign(from, from + g.in_h * g.in_w * g.in_channels);
    const std::vector<float> made = piece.Run(WinogradF32(BestIsa()), 0);
    pieces.insert(pieces.end(), made.begin(), made.end());
  }
  CHECK(SameBits(pieces, expected));
}

// Root of the mean square of the differences from sums in double, over that of the sums.
double RelativeError(const ConvCase& conv, const std::vector<float>& output) {
  const ConvF32Args& args = conv.args();
  const ConvF32Geometry& g = args.geometry;
  double errors = 0, squares = 0;
  for (int64_t pixel = 0; pixel < g.out_h * g.out_w; ++pixel) {
    const Tile origin = {0, pixel / g.out_w, pixel % g.out_w};
    for (int64_t n = 0; n < g.out_channels; ++n) {
      double sum = 0;
      for (int64_t c = 0; c < g.in_channels; ++c) {
        const float* kernel = conv.weights().data() + (n * g.in_channels + c) * 9;
        for (int64_t tap = 0; tap < 9; ++tap) {
          sum += static_cast<double>(InputAt(args, origin, tap / 3, tap % 3, c)) * kernel[tap];
        }
      }
      const double error = output[static_cast<size_t>(pixel * g.out_channels + n)] - sum;
      errors += error * error;
      squares += sum * sum;
    }
  }
  return std::sqrt(errors / squares);
}

TEST_CASE("winograd_f32 errs at most three times as much as the direct sum") {
  for (const int64_t channels : {16, 64, 256}) {
    const ConvCase conv(Padded(12, 12, channels, 16, 1), 0, 11);
    const double direct = RelativeError(conv, conv.Run(ConvF32(BestIsa()), 0));
    const double ours = RelativeError(conv, conv.Run(WinogradF32(BestIsa()), 0));
    INFO(channels << " channels: direct " << direct << ", ours " << ours);
    CHECK(ours < 3 * direct);
    CHECK(ours < 3e-6);
  }
}

TEST_CASE("winograd_f32 hides no value that is not finite") {
  for (const float value : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    ConvCase conv(Padded(8, 8, 16, 16, 1), 0, 3);
    conv.input()[(3 * 8 + 3) * 16 + 5] = value;
    const std::vector<float> output = conv.Run(WinogradF32(BestIsa()), 0);
    for (int64_t y = 2; y < 5; ++y) {
      for (int64_t x = 2; x < 5; ++x) CHECK_FALSE(std::isfinite(output[static_cast<size_t>((y * 8 + x) * 16 + 1)]));
    }
  }
}

TEST_CASE("winograd_f32 shares even a small image between threads") {
  CHECK(WinogradF32(BestIsa()).units(Padded(8, 8, 64, 64, 1)) == 2);
  CHECK(WinogradF32(BestIsa()).units(Padded(16, 16, 32, 32, 1)) > 2);
}

TEST_CASE("Winograd's method is taken where it pays, whatever the batch") {
  CHECK(PaysWinograd(Padded(56, 56, 64, 64, 1)));
  CHECK(PaysWinograd(Padded(14, 14, 64, 128, 1)));
  CHECK(PaysWinograd(Padded(28, 28, 256, 256, 1)));
  CHECK(PaysWinograd(Padded(8, 8, 64, 64, 1)));
  CHECK(PaysWinograd(Padded(14, 14, 256, 256, 1)));
  CHECK_FALSE(PaysWinograd(Padded(13, 13, 256, 256, 1)));  // reading the weights costs what the products save
  CHECK_FALSE(PaysWinograd(Padded(7, 7, 64, 64, 1)));
  CHECK_FALSE(PaysWinograd(Padded(56, 56, 3, 64, 1)));     // so do the transforms
  CHECK_FALSE(PaysWinograd(Padded(56, 56, 512, 512, 1)));  // the weights would take much memory
  CHECK_FALSE(PaysWinograd(Padded(1, 200, 64, 64, 1)));    // most of every tile would be thrown away
  ConvF32Geometry g = Padded(7, 7, 64, 64, 1);
  g.batch = 100;
  CHECK_FALSE(PaysWinograd(g));
  for (int64_t ConvF32Geometry::*field :
       {&ConvF32Geometry::stride_h, &ConvF32Geometry::stride_w, &ConvF32Geometry::dilation_h,
        &ConvF32Geometry::dilation_w, &ConvF32Geometry::groups}) {
    g = Padded(56, 56, 64, 64, 1);
    g.*field = 2;
    CHECK_FALSE(PaysWinograd(g));
  }
}

}  // namespace
}  // namespace qlite::kernels
