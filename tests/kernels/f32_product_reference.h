// What the tests of the float32 product and convolution kernels share: data, comparison by bits, and the contract of
// conv_f32.h written as a plain loop.
#ifndef QLITE_TESTS_KERNELS_F32_PRODUCT_REFERENCE_H_
#define QLITE_TESTS_KERNELS_F32_PRODUCT_REFERENCE_H_

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernels/conv_f32.h"

namespace qlite::testing {

// Marks memory that a kernel must leave alone.
inline constexpr float kUntouched = -12345.0f;

// Values in [-1, 1) on a grid fine enough that every order of summation gives other bits; some are zero.
inline std::vector<float> RandomFloats(int64_t count, uint32_t seed) {
  std::vector<float> values(static_cast<size_t>(count));
  uint32_t state = seed * 2654435761u + 1;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = (state >> 28) == 0 ? 0.0f : static_cast<float>(static_cast<int32_t>(state)) / 2147483648.0f;
  }
  return values;
}

// Equal bits, or both NaN.
inline bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

inline float ReferenceClamp(float x, float low, float high) {
  const float raised = low > x ? low : x;
  return high < raised ? high : raised;
}

// Calls run(begin, end) over [0, units) in three ways: at once, in single units from the last to the first, and in two
// uneven ranges.
inline void ForEachSplit(int64_t units, int split, const std::function<void(int64_t, int64_t)>& run) {
  if (split == 0) return run(0, units);
  if (split == 1) {
    for (int64_t unit = units; unit > 0; --unit) run(unit - 1, unit);
    return;
  }
  run(units / 3, units);
  run(0, units / 3);
}
inline constexpr int kSplits = 3;

namespace reference_internal {

inline float OneOutput(const kernels::ConvF32Args& args, const std::vector<float>& weights, int64_t image, int64_t y,
                       int64_t x, int64_t channel) {
  const kernels::ConvF32Geometry& g = args.geometry;
  const int64_t group_inputs = g.in_channels / g.groups;
  const int64_t first_input = channel / (g.out_channels / g.groups) * group_inputs;
  float sum = args.bias ? args.bias[channel] : 0.0f;
  for (int64_t i = 0; i < g.kernel_h; ++i) {
    for (int64_t j = 0; j < g.kernel_w; ++j) {
      const int64_t in_y = y * g.stride_h - g.pad_top + i * g.dilation_h;
      const int64_t in_x = x * g.stride_w - g.pad_left + j * g.dilation_w;
      const bool inside = in_y >= 0 && in_y < g.in_h && in_x >= 0 && in_x < g.in_w;
      const int64_t pixel = (image * g.in_h + in_y) * g.in_w + in_x;
      for (int64_t c = 0; c < group_inputs; ++c) {
        const float input = inside ? args.input[pixel * g.in_pixel_stride + first_input + c] : 0.0f;
        sum = std::fma(input, weights[((channel * group_inputs + c) * g.kernel_h + i) * g.kernel_w + j], sum);
      }
    }
  }
  const int64_t pixel = (image * g.out_h + y) * g.out_w + x;
  if (args.residual) sum += args.residual[pixel * g.residual_pixel_stride + channel];
  return ReferenceClamp(sum, args.act_min, args.act_max);
}

}  // namespace reference_internal

// The output image of a convolution with weights in OIHW; what lies between its pixels is kUntouched.
inline std::vector<float> ReferenceConv(const kernels::ConvF32Args& args, const std::vector<float>& weights) {
  const kernels::ConvF32Geometry& g = args.geometry;
  std::vector<float> output(static_cast<size_t>(g.batch * g.out_h * g.out_w * g.out_pixel_stride), kUntouched);
  for (int64_t pixel = 0; pixel < g.batch * g.out_h * g.out_w; ++pixel) {
    const int64_t x = pixel % g.out_w;
    const int64_t y = pixel / g.out_w % g.out_h;
    for (int64_t channel = 0; channel < g.out_channels; ++channel) {
      output[static_cast<size_t>(pixel * g.out_pixel_stride + channel)] =
          reference_internal::OneOutput(args, weights, pixel / g.out_w / g.out_h, y, x, channel);
    }
  }
  return output;
}

// A convolution with random operands, and what a family of kernels with the signatures of ConvF32Kernels makes of it.
class ConvCase {
 public:
  // `features`: bit 0 gives a bias, bit 1 a residual, bit 2 a clamp.
  ConvCase(const kernels::ConvF32Geometry& geometry, int features, uint32_t seed)
      : weights_(RandomFloats(
            geometry.out_channels * (geometry.in_channels / geometry.groups) * geometry.kernel_h * geometry.kernel_w,
            seed)),
        input_(RandomFloats(geometry.batch * geometry.in_h * geometry.in_w * geometry.in_pixel_stride, seed + 1)),
        bias_(RandomFloats(geometry.out_channels, seed + 2)),
        residual_(
            RandomFloats(geometry.batch * geometry.out_h * geometry.out_w * geometry.residual_pixel_stride, seed + 3)),
        features_(features) {
    args_.geometry = geometry;
    args_.input = input_.data();
    if (features & 1) args_.bias = bias_.data();
    if (features & 2) args_.residual = residual_.data();
    if (features & 4) {
      args_.act_min = 0.0f;
      args_.act_max = 0.75f;
    }
  }

  // The operands, to put special values into them.
  std::vector<float>& weights() { return weights_; }
  std::vector<float>& input() { return input_; }
  // All but packed weights and an output.
  const kernels::ConvF32Args& args() const { return args_; }
  const std::vector<float>& weights() const { return weights_; }

  std::vector<float> Reference() const { return ReferenceConv(args_, weights_); }

  // For messages.
  std::string ToString() const {
    const kernels::ConvF32Geometry& g = args_.geometry;
    const auto product = [](std::initializer_list<int64_t> extents) {
      std::string text;
      for (const int64_t extent : extents) {
        if (!text.empty()) text += 'x';
        text += std::to_string(extent);
      }
      return text;
    };
    return product({g.in_h, g.in_w, g.in_channels}) + " -> " + product({g.out_h, g.out_w, g.out_channels}) +
           " kernel " + product({g.kernel_h, g.kernel_w}) + " stride " + product({g.stride_h, g.stride_w}) +
           " groups " + std::to_string(g.groups) + " features " + std::to_string(features_);
  }

  template <typename Kernels>
  std::vector<float> Run(const Kernels& kernels, int split) const {
    const kernels::ConvF32Geometry& g = args_.geometry;
    std::vector<float> packed(static_cast<size_t>(kernels.packed_floats(g)));
    kernels.pack(g, weights_.data(), packed.data());
    std::vector<float> output(static_cast<size_t>(g.batch * g.out_h * g.out_w * g.out_pixel_stride), kUntouched);
    kernels::ConvF32Args args = args_;
    args.packed_weights = packed.data();
    args.output = output.data();
    ForEachSplit(kernels.units(g), split, [&](int64_t begin, int64_t end) {
      // A new workspace full of NaN for each range: nothing may be expected from its contents.
      std::vector<Line> workspace(static_cast<size_t>(kernels.workspace_bytes(g)) / sizeof(Line) + 1);
      std::memset(workspace.data(), 0xff, workspace.size() * sizeof(Line));
      kernels.run(args, workspace.data(), begin, end);
    });
    return output;
  }

 private:
  struct alignas(64) Line {
    unsigned char bytes[64];
  };

  std::vector<float> weights_;
  std::vector<float> input_;
  std::vector<float> bias_;
  std::vector<float> residual_;
  kernels::ConvF32Args args_;
  int features_;
};

// The kernels that `family`, ConvF32 or another, has for every instruction set give the reference's bits, however the
// units are divided.
template <typename Family>
void CheckEverySet(const ConvCase& conv, Family family) {
  const std::vector<float> expected = conv.Reference();
  for (const kernels::Isa isa : kernels::SupportedIsas()) {
    for (int split = 0; split < kSplits; ++split) {
      INFO(kernels::IsaName(isa) << " " << conv.ToString() << " split " << split);
      CHECK(SameBits(conv.Run(family(isa), split), expected));
    }
  }
}

// The output size for total paddings of pad_h and pad_w, and dense strides where none is set.
inline kernels::ConvF32Geometry Complete(kernels::ConvF32Geometry g, int64_t pad_h, int64_t pad_w) {
  const auto size = [](int64_t in, int64_t pad, int64_t kernel, int64_t dilation, int64_t stride) {
    const int64_t room = in + pad - (kernel - 1) * dilation - 1;
    return room < 0 ? int64_t{0} : room / stride + 1;
  };
  g.out_h = size(g.in_h, pad_h, g.kernel_h, g.dilation_h, g.stride_h);
  g.out_w = size(g.in_w, pad_w, g.kernel_w, g.dilation_w, g.stride_w);
  if (g.in_pixel_stride == 0) g.in_pixel_stride = g.in_channels;
  if (g.out_pixel_stride == 0) g.out_pixel_stride = g.out_channels;
  if (g.residual_pixel_stride == 0) g.residual_pixel_stride = g.out_channels;
  return g;
}

// Calls run with square windows of the given sizes, with every stride and dilation and some equal padding on all sides;
// the images are the caller's.
inline void ForEachWindow(std::initializer_list<int64_t> sizes,
                          const std::function<void(kernels::ConvF32Geometry)>& run) {
  for (const int64_t size : sizes) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t dilation : {1, 2}) {
        for (const int64_t pad : {0, 1, 2}) {
          run({.kernel_h = size,
               .kernel_w = size,
               .stride_h = stride,
               .stride_w = stride,
               .dilation_h = dilation,
               .dilation_w = dilation,
               .pad_top = pad,
               .pad_left = pad});
        }
      }
    }
  }
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_KERNELS_F32_PRODUCT_REFERENCE_H_
