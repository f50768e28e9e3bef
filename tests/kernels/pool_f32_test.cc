#include "kernels/pool_f32.h"

#include <catch2/catch.hpp>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

float ReferencePixel(const Pool2d& p, bool max, const std::vector<float>& in, int64_t n, int64_t oy, int64_t ox,
                     int64_t c) {
  float value = max ? -kInf : 0.0f;
  int64_t count = 0;
  for (int64_t i = 0; i < p.kernel_height; ++i) {
    for (int64_t j = 0; j < p.kernel_width; ++j) {
      const int64_t y = oy * p.stride_height - p.pad_top + i * p.dilation_height;
      const int64_t x = ox * p.stride_width - p.pad_left + j * p.dilation_width;
      const bool inside = y >= 0 && y < p.in_height && x >= 0 && x < p.in_width;
      count += inside || (p.count_include_pad && y >= -p.pad_top && y < p.in_height + p.pad_bottom &&
                          x >= -p.pad_left && x < p.in_width + p.pad_right);
      if (!inside) continue;
      const float v = in[static_cast<size_t>(((n * p.in_height + y) * p.in_width + x) * p.in_pixel_stride + c)];
      if (max) {
        value = v > value || std::isnan(v) ? v : value;
      } else {
        value += v;
      }
    }
  }
  return max ? value : count == 0 ? 0.0f : value / static_cast<float>(count);
}

void CheckAgainstReference(const Pool2d& p, uint64_t seed) {
  const int64_t images = 2;
  Sequence sequence(seed);
  const std::vector<float> in = sequence.Floats(images * p.in_height * p.in_width * p.in_pixel_stride);
  const int64_t rows = images * p.out_height;
  for (const bool max : {true, false}) {
    std::vector<float> expected(static_cast<size_t>(rows * p.out_width * p.out_pixel_stride), 77.0f);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t x = 0; x < p.out_width; ++x) {
        for (int64_t c = 0; c < p.channels; ++c) {
          expected[static_cast<size_t>((row * p.out_width + x) * p.out_pixel_stride + c)] =
              ReferencePixel(p, max, in, row / p.out_height, row % p.out_height, x, c);
        }
      }
    }
    for (const Isa isa : SupportedIsas()) {
      const PoolF32Function run = max ? PoolF32(isa).max : PoolF32(isa).average;
      std::vector<float> out(expected.size(), 77.0f);
      run(p, in.data(), out.data(), 0, rows / 3);
      run(p, in.data(), out.data(), rows / 3, rows);
      INFO(IsaName(isa) << " max " << max << " channels " << p.channels << " kernel " << p.kernel_height);
      CHECK(SameFloats(out, expected));
    }
  }
}

TEST_CASE("Pooling is the naive loop on every instruction set") {
  for (const int64_t channels : {1, 3, 7, 8, 16, 17, 37, 131}) {
    for (const bool include_pad : {false, true}) {
      Pool2d p;
      p.channels = channels;
      p.in_height = 9, p.in_width = 7, p.in_pixel_stride = channels + 2;
      p.kernel_height = 3, p.kernel_width = 2;
      p.stride_height = 2, p.stride_width = 1;
      p.pad_top = 1, p.pad_left = 1, p.pad_bottom = 1, p.pad_right = 0;
      p.out_height = 6, p.out_width = 7, p.out_pixel_stride = channels + 1;  // one row by the ceiling rule
      p.count_include_pad = include_pad;
      CheckAgainstReference(p, static_cast<uint64_t>(channels));
      p.dilation_height = 3, p.dilation_width = 2;
      CheckAgainstReference(p, static_cast<uint64_t>(channels));
    }
  }
}

TEST_CASE("Windows without any element give -infinity and zero") {
  Pool2d p;
  p.channels = 3, p.in_height = 2, p.in_width = 2, p.in_pixel_stride = 3;
  p.kernel_height = 1, p.kernel_width = 1;
  p.pad_top = 5, p.pad_left = 5;
  p.out_height = 12, p.out_width = 12, p.out_pixel_stride = 3;
  CheckAgainstReference(p, 1);
}

TEST_CASE("NaN in a window makes its maximum NaN") {
  Pool2d p;
  p.channels = 20, p.in_height = 1, p.in_width = 3, p.in_pixel_stride = 20;
  p.kernel_width = 3, p.out_height = 1, p.out_width = 1, p.out_pixel_stride = 20;
  for (const Isa isa : SupportedIsas()) {
    for (size_t at = 0; at < 60; ++at) {
      std::vector<float> in(60, 1.0f), out(20);
      in[at] = kNan;
      PoolF32(isa).max(p, in.data(), out.data(), 0, 1);
      for (size_t c = 0; c < 20; ++c) CHECK(std::isnan(out[c]) == (c == at % 20));
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
