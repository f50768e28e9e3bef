#include "kernels/conv_f32.h"

#include <catch2/catch.hpp>
#include <limits>

#include "kernels/f32_product_reference.h"

namespace qlite::kernels {
namespace {

using testing::CheckEverySet;
using testing::Complete;
using testing::ConvCase;
using testing::ForEachWindow;

void Check(const ConvF32Geometry& g, int features) { CheckEverySet(ConvCase(g, features, 7), ConvF32); }

TEST_CASE("conv_f32 gives the bits of the ordered fused sum for every stride, dilation and padding") {
  int features = 0;
  for (const int64_t channels : {1, 3, 17, 35}) {
    ForEachWindow({1, 2, 3, 5}, [&](ConvF32Geometry g) {
      g.in_h = 9;
      g.in_w = 11;
      g.in_channels = channels;
      g.out_channels = 18;
      Check(Complete(g, 2 * g.pad_top, 2 * g.pad_left), features++ % 8);
    });
  }
}

TEST_CASE("conv_f32 takes asymmetric geometry") {
  int features = 0;
  for (const int64_t channels : {2, 40}) {
    for (const int64_t pad_left : {-1, 0, 3, 8}) {
      for (const int64_t pad_top : {-2, 0, 4}) {
        const ConvF32Geometry g = {.batch = 2,
                                   .in_h = 6,
                                   .in_w = 5,
                                   .in_channels = channels,
                                   .out_channels = 9,
                                   .kernel_h = 2,
                                   .kernel_w = 4,
                                   .stride_h = 3,
                                   .stride_w = 1,
                                   .pad_top = pad_top,
                                   .pad_left = pad_left};
        Check(Complete(g, pad_top + 2, pad_left + 7), features++ % 8);
      }
    }
  }
}

TEST_CASE("conv_f32 takes any grouping") {
  int features = 0;
  for (const int64_t groups : {2, 3, 5}) {
    for (const int64_t inputs : {1, 2, 7, 19}) {
      for (const int64_t outputs : {1, 3, 16, 33}) {
        const ConvF32Geometry g = {.batch = 2,
                                   .in_h = 5,
                                   .in_w = 6,
                                   .in_channels = groups * inputs,
                                   .out_channels = groups * outputs,
                                   .groups = groups,
                                   .kernel_h = 3,
                                   .kernel_w = 3,
                                   .pad_top = 1,
                                   .pad_left = 1};
        Check(Complete(g, 2, 2), features++ % 8);
      }
    }
  }
}

TEST_CASE("conv_f32 computes groups that are fractions of a vector, in rows of any length") {
  int features = 0;
  for (const int64_t width : {2, 4, 8, 16}) {
    for (const int64_t groups : {1, 2, 3, 4, 5, 8, 13}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t kernel : {1, 3}) {
          const ConvF32Geometry g = {.batch = 2,
                                     .in_h = 5,
                                     .in_w = 4 * stride + features % 7,
                                     .in_channels = groups * width,
                                     .in_pixel_stride = groups * width + features % 3,
                                     .out_channels = groups * width,
                                     .out_pixel_stride = groups * width + features % 2,
                                     .groups = groups,
                                     .kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride_h = stride,
                                     .stride_w = stride,
                                     .dilation_h = 1 + features % 2,
                                     .dilation_w = 1 + features % 2,
                                     .pad_top = kernel / 2,
                                     .pad_left = kernel / 2};
          Check(Complete(g, kernel - 1, kernel - 1), features++ % 8);
        }
      }
    }
  }
  for (int64_t length = 1; length < 36; ++length) {
    const ConvF32Geometry g = {.in_h = 3,
                               .in_w = length,
                               .in_channels = 16,
                               .out_channels = 16,
                               .groups = 2,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1};
    Check(Complete(g, 2, 2), static_cast<int>(length % 8));
  }
  // Rows that runs of seven pixels fill, or almost, with a vector that is not full.
  for (const int64_t width : {4, 8}) {
    for (const int64_t length : {7, 13, 20, 28, 56}) {
      const ConvF32Geometry g = {.batch = 2,
                                 .in_h = 9,
                                 .in_w = length,
                                 .in_channels = 5 * width,
                                 .out_channels = 5 * width,
                                 .groups = 5,
                                 .kernel_h = 1 + length % 3,
                                 .kernel_w = 3,
                                 .stride_h = 1 + length % 2,
                                 .pad_top = 1,
                                 .pad_left = 1};
      Check(Complete(g, 2, 2), features++ % 8);
    }
  }
  for (const int64_t pad : {-1, 5}) {
    const ConvF32Geometry g = {.in_h = 6,
                               .in_w = 7,
                               .in_channels = 32,
                               .out_channels = 32,
                               .groups = 4,
                               .kernel_h = 3,
                               .kernel_w = 2,
                               .pad_top = pad,
                               .pad_left = pad};
    Check(Complete(g, pad + 2, pad + 3), 7);
  }
}

TEST_CASE("conv_f32 passes special values on within their group") {
  const ConvF32Geometry g = {.in_h = 4,
                             .in_w = 9,
                             .in_channels = 32,
                             .out_channels = 32,
                             .groups = 4,
                             .kernel_h = 3,
                             .kernel_w = 3,
                             .pad_top = 1,
                             .pad_left = 1};
  ConvCase conv(Complete(g, 2, 2), 0, 3);
  conv.input()[40] = std::numeric_limits<float>::infinity();
  conv.input()[300] = std::numeric_limits<float>::quiet_NaN();
  conv.weights()[70] = -0.0f;
  CheckEverySet(conv, ConvF32);
}

TEST_CASE("conv_f32 reads and writes slices of wider images") {
  int features = 0;
  for (const int64_t kernel : {1, 3}) {
    for (const int64_t channels : {3, 16, 50}) {
      const ConvF32Geometry g = {.batch = 2,
                                 .in_h = 7,
                                 .in_w = 8,
                                 .in_channels = channels,
                                 .in_pixel_stride = channels + 4,
                                 .out_channels = 21,
                                 .out_pixel_stride = 30,
                                 .residual_pixel_stride = 25,
                                 .kernel_h = kernel,
                                 .kernel_w = kernel,
                                 .pad_top = kernel / 2,
                                 .pad_left = kernel / 2};
      Check(Complete(g, kernel - 1, kernel - 1), features++ % 8);
    }
  }
}

TEST_CASE("conv_f32 passes the sums of a depth block on exactly") {
  for (const int64_t channels : {31, 32, 100, 300}) {
    const ConvF32Geometry g = {.in_h = 6,
                               .in_w = 7,
                               .in_channels = channels,
                               .out_channels = 20,
                               .kernel_h = 3,
                               .kernel_w = 3,
                               .pad_top = 1,
                               .pad_left = 1};
    Check(Complete(g, 2, 2), 7);
  }
}

TEST_CASE("conv_f32 computes the first layers of classifiers") {
  const ConvF32Geometry mobile = {.in_h = 33,
                                  .in_w = 32,
                                  .in_channels = 3,
                                  .out_channels = 32,
                                  .kernel_h = 3,
                                  .kernel_w = 3,
                                  .stride_h = 2,
                                  .stride_w = 2,
                                  .pad_top = 0,
                                  .pad_left = 0};
  Check(Complete(mobile, 1, 1), 5);
  const ConvF32Geometry residual = {.in_h = 30,
                                    .in_w = 29,
                                    .in_channels = 3,
                                    .out_channels = 64,
                                    .kernel_h = 7,
                                    .kernel_w = 7,
                                    .stride_h = 2,
                                    .stride_w = 2,
                                    .pad_top = 3,
                                    .pad_left = 3};
  Check(Complete(residual, 6, 6), 5);
}

TEST_CASE("conv_f32 computes one-dimensional and degenerate convolutions") {
  Check(Complete({.in_h = 1,
                  .in_w = 50,
                  .in_channels = 4,
                  .out_channels = 6,
                  .kernel_h = 1,
                  .kernel_w = 9,
                  .stride_w = 2,
                  .dilation_w = 3,
                  .pad_left = 5},
                 0, 8),
        7);
  Check(Complete({.in_h = 3, .in_w = 3, .in_channels = 5, .out_channels = 40, .kernel_h = 3, .kernel_w = 3}, 0, 0), 7);
  Check(Complete({.in_h = 2, .in_w = 2, .in_channels = 5, .out_channels = 4, .kernel_h = 3, .kernel_w = 3}, 0, 0), 0);
  Check(Complete({.batch = 0, .in_h = 2, .in_w = 2, .in_channels = 5, .out_channels = 4}, 0, 0), 0);
  Check(Complete({.in_h = 2, .in_w = 2, .in_channels = 0, .out_channels = 4, .kernel_h = 2, .kernel_w = 2}, 0, 0), 3);
  Check(Complete({.in_h = 2, .in_w = 2, .in_channels = 4, .out_channels = 0}, 0, 0), 3);
  Check(Complete({.in_h = 4,
                  .in_w = 1,
                  .in_channels = 3,
                  .out_channels = 5,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .pad_top = 9,
                  .pad_left = 9},
                 18, 18),
        3);
}

TEST_CASE("conv_f32 multiplies the padding by the weights everywhere") {
  for (const int64_t channels : {3, 40}) {
    const ConvF32Geometry g = Complete({.in_h = 5,
                                        .in_w = 5,
                                        .in_channels = channels,
                                        .out_channels = 17,
                                        .kernel_h = 3,
                                        .kernel_w = 3,
                                        .pad_top = 1,
                                        .pad_left = 1},
                                       2, 2);
    ConvCase conv(g, 4, 3);
    conv.weights()[0] = std::numeric_limits<float>::infinity();
    conv.weights()[30] = std::numeric_limits<float>::quiet_NaN();
    conv.input()[7] = -std::numeric_limits<float>::infinity();
    REQUIRE(std::isnan(conv.Reference()[0]));
    CheckEverySet(conv, ConvF32);
  }
}

}  // namespace
}  // namespace qlite::kernels
