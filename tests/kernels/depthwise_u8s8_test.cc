#include "kernels/depthwise_u8s8.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "kernels/conv_u8s8_reference.h"

namespace qlite::kernels {
namespace {

ConvGeometry MakeDepthwise(int64_t channels, int64_t in_h, int64_t in_w, int64_t kernel_h, int64_t kernel_w,
                           int64_t stride = 1, int64_t pad = 0, int64_t dilation = 1) {
  return MakeGeometry(channels, in_h, in_w, channels, kernel_h, kernel_w, stride, pad, dilation, channels);
}

void Check(const ConvCase& c) {
  const ConvData data(c);
  DepthwiseU8S8Weights weights;
  weights.channels = c.geometry.in_c;
  weights.kernel_h = c.geometry.kernel_h;
  weights.kernel_w = c.geometry.kernel_w;
  for (const Isa isa : SupportedIsas()) {
    INFO(IsaName(isa) << " " << Describe(c));
    CHECK(MatchesReference(DepthwiseU8S8(isa), c, data, weights, DepthwiseU8S8Args{}));
  }
}

TEST_CASE("depthwise_u8s8 is exact for every number of channels") {
  for (const int64_t channels : {1, 3, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 96, 97, 127, 129, 144}) {
    for (const int64_t stride : {1, 2}) Check({MakeDepthwise(channels, 5, 9, 3, 3, stride, 1)});
  }
}

TEST_CASE("depthwise_u8s8 is exact for every geometry") {
  for (const int64_t kernel_h : {1, 2, 3, 4, 5, 7}) {
    for (const int64_t kernel_w : {1, 3, 5, 6}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t dilation : {1, 2}) {
          for (const int64_t pad : {0, 2}) {
            if (dilation * (kernel_h - 1) >= 11 + 2 * pad) continue;
            Check({MakeDepthwise(20, 11, 13, kernel_h, kernel_w, stride, pad, dilation)});
          }
        }
      }
    }
  }
}

TEST_CASE("depthwise_u8s8 is exact for every width") {
  for (int64_t width = 1; width < 14; ++width) {
    for (const int64_t stride : {1, 2}) {
      for (int64_t height = 2; height < 6; ++height) {
        Check({MakeDepthwise(70, height, width, 3, 3, stride, 1)});
        Check({MakeDepthwise(20, height + 1, width + 2, 3, 3, stride, 0)});
        ConvCase c = {MakeDepthwise(40, height, width, 3, 3, stride, 1)};
        c.output = {20, 20, 141};
        c.extremes = Extremes::kAll;
        Check(c);
      }
    }
  }
  for (const int64_t width : {100, 191, 400}) {
    Check({MakeDepthwise(65, 2, width, 3, 3, 1, 1)});
    Check({MakeDepthwise(65, 2, width, 3, 3, 2, 1)});
    Check({MakeDepthwise(16, 5, width, 5, 5, 1, 2)});
  }
}

TEST_CASE("depthwise_u8s8 reads and writes slices of the channels of wider buffers") {
  for (const int64_t stride : {1, 2}) {
    ConvCase c = {MakeDepthwise(40, 7, 9, 3, 3, stride, 1)};
    c.geometry.in_pixel_stride = 45;
    c.geometry.out_pixel_stride = 51;
    Check(c);
  }
}

TEST_CASE("depthwise_u8s8 takes windows beyond the image") {
  ConvCase c = {MakeDepthwise(18, 4, 4, 3, 3)};
  c.geometry.pad_top = 0;
  c.geometry.pad_left = 5;
  c.geometry.out_h = 6;
  c.geometry.out_w = 13;
  Check(c);
  c.geometry.stride_h = c.geometry.stride_w = 2;
  Check(c);
  c.geometry.stride_h = 1;
  Check(c);
  Check({MakeDepthwise(5, 1, 1, 3, 3, 1, 3)});
  Check({MakeDepthwise(5, 3, 3, 3, 3, 1, 30, 20)});
}

TEST_CASE("depthwise_u8s8 takes batches, and gives the same bytes however its units are split") {
  for (const int64_t piece : {1, 2, 5, 1000}) {
    ConvCase c = {MakeDepthwise(24, 9, 8, 3, 3, 1, 1)};
    c.geometry.batch = 3;
    c.piece = piece;
    Check(c);
  }
}

TEST_CASE("depthwise_u8s8 is exact for extreme values, bounds and floats") {
  ConvCase c = {MakeDepthwise(64, 6, 6, 5, 5, 1, 2)};
  c.extremes = Extremes::kAll;
  for (const int32_t zero_point : {0, 255}) {
    c.input_zero_point = zero_point;
    c.output = {zero_point, 0, 255};
    Check(c);
  }
  c.output = {20, 20, 141};
  Check(c);
  c.with_bias = false;
  c.float_output = true;
  Check(c);
  c.geometry = MakeDepthwise(21, 6, 6, 3, 3, 1, 1);
  Check(c);
}

TEST_CASE("depthwise_u8s8 does nothing for an empty batch or output") {
  ConvCase c = {MakeDepthwise(8, 5, 5, 3, 3)};
  c.geometry.batch = 0;
  Check(c);
  c = {MakeDepthwise(8, 5, 5, 3, 3)};
  c.geometry.out_w = 0;
  Check(c);
}

}  // namespace
}  // namespace qlite::kernels
