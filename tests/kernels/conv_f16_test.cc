#include "kernels/conv_f16.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/f32_product_reference.h"

namespace qlite::kernels {
namespace {

using testing::Complete;
using testing::ConvCase;
using testing::kSplits;

// The signatures of ConvF32Kernels over weights in OIHW.
struct AsFloat {
  const ConvF16Kernels& kernels;
  float factor = 1.0f;
  int64_t packed_floats(const ConvF32Geometry& g) const {
    return kernels.packed_bytes(g) / static_cast<int64_t>(sizeof(float));
  }
  void pack(const ConvF32Geometry& g, const float* weights, float* packed) const {
    const int64_t taps = g.kernel_h * g.kernel_w, channels = g.in_channels / g.groups;
    kernels.pack(g, {weights, channels * taps, taps, 1, factor}, packed);
  }
  int64_t workspace_bytes(const ConvF32Geometry& g) const { return kernels.workspace_bytes(g); }
  int64_t units(const ConvF32Geometry& g) const { return kernels.units(g); }
  void run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) const {
    kernels.run({args, args.packed_weights}, workspace, begin, end);
  }
};

// Every output is within the bound on its rounding errors, relative to the sum of the magnitudes of its terms.
void Check(const ConvF32Geometry& g, int features) {
  const ConvCase conv(g, features, 11);
  ConvCase magnitudes(g, 0, 11);
  for (float& x : magnitudes.input()) x = std::fabs(x);
  for (float& x : magnitudes.weights()) x = std::fabs(x);
  const std::vector<float> expected = conv.Reference(), sums = magnitudes.Reference();
  for (const Isa isa : SupportedIsas()) {
    const ConvF16Kernels& kernels = ConvF16(isa);
    // Half a step of each operand, and of the partial sums.
    const double bound = kernels.float16_arithmetic ? (2.0 + static_cast<double>(kFloat16Terms)) * 0x1p-11 : 0x1.02p-11;
    for (int split = 0; split < kSplits; ++split) {
      const std::vector<float> found = conv.Run(AsFloat{kernels}, split);
      INFO(std::string(IsaName(isa)) << " " << g.in_h << "x" << g.in_w << "x" << g.in_channels << " -> "
                                     << g.out_channels << " kernel " << g.kernel_h << "x" << g.kernel_w << " groups "
                                     << g.groups << " features " << features << " split " << split);
      bool within = found.size() == expected.size();
      for (size_t i = 0; within && i < found.size(); ++i) {
        if (expected[i] == testing::kUntouched) {
          within = found[i] == expected[i];
        } else {
          within = std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i])) <=
                   bound * static_cast<double>(sums[i]) + 1e-5;
        }
      }
      CHECK(within);
    }
  }
}

TEST_CASE("conv_f16 is within its bound for every kernel, stride, padding and grouping") {
  int features = 0;
  for (const int64_t groups : {1, 2}) {
    for (const int64_t channels : {1, 3, 17, 50}) {
      for (const int64_t outputs : {1, 16, 35, 131}) {
        for (const int64_t kernel : {1, 3}) {
          const ConvF32Geometry g = {.batch = 2,
                                     .in_h = 7,
                                     .in_w = 6,
                                     .in_channels = groups * channels,
                                     .out_channels = groups * outputs,
                                     .groups = groups,
                                     .kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride_h = 1 + features % 2,
                                     .stride_w = 1 + features % 2,
                                     .pad_top = features % 3,
                                     .pad_left = 1};
          Check(Complete(g, 2, 2), features++ % 8);
        }
      }
    }
  }
}

TEST_CASE("conv_f16 reads and writes slices of wider images, and divides deep sums into blocks") {
  const ConvF32Geometry slice = {
      .in_h = 15, .in_w = 19, .in_channels = 24, .in_pixel_stride = 31, .out_channels = 40, .out_pixel_stride = 47};
  Check(Complete(slice, 0, 0), 3);
  const ConvF32Geometry deep = {.in_h = 12, .in_w = 12, .in_channels = 600, .out_channels = 20, .kernel_h = 3};
  Check(Complete(deep, 0, 0), 1);
  const ConvF32Geometry empty = {.in_h = 0, .in_w = 5, .in_channels = 8, .out_channels = 16};
  Check(Complete(empty, 0, 0), 1);
}

// Sums in float16 alone would lose a term of 2304 once the others have added up.
TEST_CASE("conv_f16 stays close to float on deep reductions of equal signs") {
  const ConvF32Geometry g = Complete({.in_h = 1, .in_w = 30, .in_channels = 2304, .out_channels = 64}, 0, 0);
  ConvCase conv(g, 0, 5);
  for (float& x : conv.input()) x = std::fabs(x);
  for (float& x : conv.weights()) x = std::fabs(x);
  const std::vector<float> expected = conv.Reference();
  for (const Isa isa : SupportedIsas()) {
    const std::vector<float> found = conv.Run(AsFloat{ConvF16(isa)}, 0);
    double worst = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      worst = std::max(worst, std::fabs(static_cast<double>(found[i]) / static_cast<double>(expected[i]) - 1.0));
    }
    INFO(std::string(IsaName(isa)));
    CHECK(worst < 1e-3);
  }
}

TEST_CASE("conv_f16 keeps the precision of weights of any size") {
  const ConvF32Geometry g = Complete({.in_h = 1, .in_w = 9, .in_channels = 40, .out_channels = 3}, 0, 0);
  for (const float factor : {0x1p-80f, 0x1p-20f, 0x1p+40f}) {
    const ConvCase conv(g, 0, 5);
    for (const Isa isa : SupportedIsas()) {
      const std::vector<float> found = conv.Run(AsFloat{ConvF16(isa), factor}, 0);
      const std::vector<float> unit = conv.Run(AsFloat{ConvF16(isa)}, 0);
      INFO(std::string(IsaName(isa)) << " " << factor);
      bool scaled = true;
      for (size_t i = 0; i < found.size(); ++i) scaled &= found[i] == unit[i] * factor;
      CHECK(scaled);
    }
  }
}

TEST_CASE("conv_f16 keeps weights of zero and ones that are not finite") {
  const ConvF32Geometry g = Complete({.in_h = 1, .in_w = 2, .in_channels = 4, .out_channels = 3}, 0, 0);
  ConvCase conv(g, 0, 5);
  for (size_t i = 0; i < 4; ++i) {
    conv.weights()[i] = 0.0f;
    conv.weights()[4 + i] = INFINITY;
    conv.input()[i] = conv.input()[4 + i] = 1.0f;
  }
  for (const Isa isa : SupportedIsas()) {
    const std::vector<float> found = conv.Run(AsFloat{ConvF16(isa)}, 0);
    INFO(std::string(IsaName(isa)));
    CHECK(found[0] == 0.0f);
    CHECK(found[1] == INFINITY);
    CHECK(std::isfinite(found[2]));
  }
}

}  // namespace
}  // namespace qlite::kernels
