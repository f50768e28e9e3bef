#include "kernels/depthwise_f32.h"

#include <catch2/catch.hpp>
#include <limits>

#include "kernels/f32_product_reference.h"

namespace qlite::kernels {
namespace {

using testing::CheckEverySet;
using testing::Complete;
using testing::ConvCase;
using testing::ForEachWindow;

ConvF32Geometry Depthwise(ConvF32Geometry g, int64_t channels, int64_t pad_h, int64_t pad_w) {
  g.groups = g.in_channels = g.out_channels = channels;
  return Complete(g, pad_h, pad_w);
}

void Check(const ConvF32Geometry& g, int features) { CheckEverySet(ConvCase(g, features, 5), DepthwiseF32); }

TEST_CASE("depthwise_f32 gives the bits of the ordered fused sum for every kernel, stride and dilation") {
  int features = 0;
  ForEachWindow({1, 2, 3, 4, 5, 7}, [&](ConvF32Geometry g) {
    g.in_h = 15;
    g.in_w = 19;
    Check(Depthwise(g, 21, 2 * g.pad_top, 2 * g.pad_left), features++ % 8);
  });
}

TEST_CASE("depthwise_f32 takes any number of channels and columns") {
  int features = 0;
  for (const int64_t channels : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 96}) {
    for (const int64_t width : {1, 2, 7, 8, 9, 17}) {
      for (const int64_t kernel : {3, 5}) {
        for (const int64_t stride : {1, 2}) {
          const ConvF32Geometry g = {.batch = 2,
                                     .in_h = 4,
                                     .in_w = width,
                                     .kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride_h = stride,
                                     .stride_w = stride,
                                     .pad_top = 1,
                                     .pad_left = 2};
          Check(Depthwise(g, channels, 2, 4), features++ % 8);
        }
      }
    }
  }
}

TEST_CASE("depthwise_f32 makes output rows in pairs and one by one") {
  int features = 0;
  for (const int64_t stride : {1, 2}) {
    for (const int64_t pad_top : {-2, 0, 1, 5}) {
      for (const int64_t height : {4, 5, 6, 7}) {
        const ConvF32Geometry g = {.batch = 2,
                                   .in_h = height,
                                   .in_w = 11,
                                   .kernel_h = 3,
                                   .kernel_w = 3,
                                   .stride_h = stride,
                                   .stride_w = stride,
                                   .pad_top = pad_top,
                                   .pad_left = 1};
        Check(Depthwise(g, 37, pad_top + 1, 2), features++ % 8);
      }
    }
  }
}

TEST_CASE("depthwise_f32 takes asymmetric geometry and slices of wider images") {
  int features = 0;
  for (const int64_t pad_left : {-1, 0, 3, 9}) {
    for (const int64_t pad_top : {-2, 0, 5}) {
      for (const int64_t kernel_w : {3, 4}) {
        const ConvF32Geometry g = {.batch = 2,
                                   .in_h = 6,
                                   .in_w = 7,
                                   .in_pixel_stride = 26,
                                   .out_pixel_stride = 21,
                                   .residual_pixel_stride = 23,
                                   .kernel_h = 2,
                                   .kernel_w = kernel_w,
                                   .stride_h = 1,
                                   .stride_w = 2,
                                   .dilation_h = 2,
                                   .pad_top = pad_top,
                                   .pad_left = pad_left};
        Check(Depthwise(g, 19, pad_top + 3, pad_left + 8), features++ % 8);
      }
    }
  }
}

TEST_CASE("depthwise_f32 divides large and small images into units") {
  int64_t small_units = 0;
  for (const Isa isa : SupportedIsas()) {
    CHECK(DepthwiseF32(isa).units(Depthwise({.in_h = 112, .in_w = 112, .kernel_h = 3, .kernel_w = 3}, 96, 0, 0)) >= 16);
    small_units = DepthwiseF32(isa).units(Depthwise({.in_h = 7, .in_w = 7, .kernel_h = 3, .kernel_w = 3}, 960, 2, 2));
    CHECK(small_units > 1);
    CHECK(DepthwiseF32(isa).units(Depthwise({.batch = 0, .in_h = 7, .in_w = 7}, 4, 0, 0)) == 0);
  }
  Check(Depthwise({.in_h = 7, .in_w = 7, .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 700, 2, 2), 5);
  Check(Depthwise({.in_h = 2, .in_w = 9, .kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2}, 4000, 4, 4), 5);
  Check(Depthwise({.in_h = 40, .in_w = 41, .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 40, 2, 2), 7);
}

TEST_CASE("depthwise_f32 takes many channels range by range") {
  int features = 0;
  for (const int64_t channels : {272, 301, 1000}) {
    for (const int64_t kernel : {3, 4, 5}) {
      const ConvF32Geometry g = {.in_h = 12,
                                 .in_w = 19,
                                 .kernel_h = kernel,
                                 .kernel_w = kernel,
                                 .stride_h = 1 + features % 2,
                                 .stride_w = 1 + features % 2,
                                 .pad_top = 1,
                                 .pad_left = 2};
      Check(Depthwise(g, channels, 2, 4), features++ % 8);
    }
  }
}

TEST_CASE("depthwise_f32 fetches ahead inside and at the edges of images larger than a cache") {
  Check(Depthwise({.in_h = 70, .in_w = 83, .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 49, 2, 2), 7);
  Check(Depthwise({.in_h = 70, .in_w = 83, .kernel_h = 2, .kernel_w = 5, .dilation_h = 9, .pad_top = -2}, 48, 5, 0), 4);
}

TEST_CASE("depthwise_f32 multiplies the padding by the weights everywhere") {
  ConvCase conv(Depthwise({.in_h = 5, .in_w = 5, .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}, 18, 2, 2),
                4, 3);
  conv.weights()[0] = std::numeric_limits<float>::infinity();
  conv.weights()[30] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE(std::isnan(conv.Reference()[0]));
  CheckEverySet(conv, DepthwiseF32);
}

TEST_CASE("IsDepthwise holds for one input and one output channel a group") {
  CHECK(IsDepthwise({.in_channels = 8, .out_channels = 8, .groups = 8}));
  CHECK_FALSE(IsDepthwise({.in_channels = 8, .out_channels = 16, .groups = 8}));
  CHECK_FALSE(IsDepthwise({.in_channels = 8, .out_channels = 8, .groups = 4}));
  CHECK_FALSE(IsDepthwise({.in_channels = 1, .out_channels = 1, .groups = 1}));
}

}  // namespace
}  // namespace qlite::kernels
