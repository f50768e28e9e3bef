// The convolution of u8 images as its definition has it, for the tests of the int8 convolution kernels.
#ifndef QLITE_TESTS_KERNELS_CONV_U8S8_REFERENCE_H_
#define QLITE_TESTS_KERNELS_CONV_U8S8_REFERENCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/conv_u8s8.h"
#include "kernels/u8_test_util.h"

namespace qlite::kernels {

struct ConvCase {
  ConvGeometry geometry;
  int32_t input_zero_point = 117;
  OutputQuantization output{130, 0, 255};
  bool float_output = false;
  bool with_bias = true;
  Extremes extremes = Extremes::kSome;
  int64_t piece = 1 << 30;
};

// A dense geometry with the output size that the pads give.
inline ConvGeometry MakeGeometry(int64_t in_c, int64_t in_h, int64_t in_w, int64_t out_c, int64_t kernel_h,
                                 int64_t kernel_w, int64_t stride = 1, int64_t pad = 0, int64_t dilation = 1,
                                 int64_t groups = 1) {
  ConvGeometry g;
  g.in_h = in_h;
  g.in_w = in_w;
  g.in_c = g.in_pixel_stride = in_c;
  g.out_c = g.out_pixel_stride = out_c;
  g.kernel_h = kernel_h;
  g.kernel_w = kernel_w;
  g.stride_h = g.stride_w = stride;
  g.dilation_h = g.dilation_w = dilation;
  g.pad_top = g.pad_left = pad;
  g.groups = groups;
  g.out_h = (in_h + 2 * pad - dilation * (kernel_h - 1) - 1) / stride + 1;
  g.out_w = (in_w + 2 * pad - dilation * (kernel_w - 1) - 1) / stride + 1;
  return g;
}

inline std::string Describe(const ConvCase& c) {
  const ConvGeometry& g = c.geometry;
  return "batch " + std::to_string(g.batch) + " in " + std::to_string(g.in_h) + "x" + std::to_string(g.in_w) + "x" +
         std::to_string(g.in_c) + " out " + std::to_string(g.out_h) + "x" + std::to_string(g.out_w) + "x" +
         std::to_string(g.out_c) + " kernel " + std::to_string(g.kernel_h) + "x" + std::to_string(g.kernel_w) +
         " stride " + std::to_string(g.stride_h) + "," + std::to_string(g.stride_w) + " dilation " +
         std::to_string(g.dilation_h) + "," + std::to_string(g.dilation_w) + " pad " + std::to_string(g.pad_top) + "," +
         std::to_string(g.pad_left) + " groups " + std::to_string(g.groups) + " piece " + std::to_string(c.piece);
}

// What a convolution reads, and what it must give.
struct ConvData {
  explicit ConvData(const ConvCase& c) {
    const ConvGeometry& g = c.geometry;
    Sequence sequence(static_cast<uint64_t>(g.in_h * 31 + g.in_w * 7 + g.in_c * 1009 + g.out_c + g.kernel_h * 5));
    const int64_t group_in = g.in_c / g.groups;
    input = Bytes(sequence, g.batch * g.in_h * g.in_w * g.in_pixel_stride, c.extremes);
    weights = Weights(sequence, g.out_c * group_in * g.kernel_h * g.kernel_w, c.extremes);
    bias = Biases(sequence, g.out_c);
    multipliers = Multipliers(sequence, g.out_c, group_in * g.kernel_h * g.kernel_w);
    const int64_t elements = g.batch * g.out_h * g.out_w * g.out_pixel_stride;
    expected.assign(static_cast<size_t>(elements), 77);
    expected_float.assign(static_cast<size_t>(elements), 77.0f);
    for (int64_t pixel = 0; pixel < g.batch * g.out_h * g.out_w; ++pixel) {
      for (int64_t o = 0; o < g.out_c; ++o) {
        const int64_t sum = Sum(c, pixel, o);
        const auto at = static_cast<size_t>(pixel * g.out_pixel_stride + o);
        const float m = multipliers[static_cast<size_t>(o)];
        expected[at] = Requantize(sum, m, c.output);
        expected_float[at] = static_cast<float>(static_cast<int32_t>(sum)) * m;
      }
    }
  }

  int64_t Sum(const ConvCase& c, int64_t pixel, int64_t o) const {
    const ConvGeometry& g = c.geometry;
    const int64_t group_in = g.in_c / g.groups;
    const int64_t first = o / (g.out_c / g.groups) * group_in;
    const int64_t x0 = pixel % g.out_w * g.stride_w - g.pad_left;
    const int64_t y0 = pixel / g.out_w % g.out_h * g.stride_h - g.pad_top;
    const int64_t image = pixel / g.out_w / g.out_h;
    int64_t sum = c.with_bias ? bias[static_cast<size_t>(o)] : 0;
    for (int64_t ky = 0; ky < g.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < g.kernel_w; ++kx) {
        const int64_t y = y0 + ky * g.dilation_h;
        const int64_t x = x0 + kx * g.dilation_w;
        if (y < 0 || y >= g.in_h || x < 0 || x >= g.in_w) continue;
        const int64_t from = ((image * g.in_h + y) * g.in_w + x) * g.in_pixel_stride + first;
        for (int64_t i = 0; i < group_in; ++i) {
          const int64_t w = ((o * group_in + i) * g.kernel_h + ky) * g.kernel_w + kx;
          sum += (input[static_cast<size_t>(from + i)] - c.input_zero_point) * weights[static_cast<size_t>(w)];
        }
      }
    }
    return sum;
  }

  Guarded<uint8_t> input;
  std::vector<int8_t> weights;
  std::vector<int32_t> bias;
  std::vector<float> multipliers;
  Guarded<uint8_t> expected;
  Guarded<float> expected_float;
};

// Runs a convolution kernel on the data and tells whether every byte is as expected. `weights` says what it must of
// their shape.
template <class Kernels, class PackWeights, class Args>
bool MatchesReference(const Kernels& kernels, const ConvCase& c, const ConvData& data, PackWeights weights, Args args) {
  weights.data = data.weights.data();
  weights.bias = c.with_bias ? data.bias.data() : nullptr;
  weights.multipliers = data.multipliers.data();
  weights.input_zero_point = c.input_zero_point;
  AlignedBytes packed(kernels.packed_bytes(weights));
  kernels.pack(weights, packed.get());
  Guarded<uint8_t> output(data.expected.size(), 77);
  Guarded<float> output_float(data.expected.size(), 77.0f);
  args.geometry = c.geometry;
  args.input = data.input.data();
  args.input_zero_point = c.input_zero_point;
  args.packed = packed.get();
  args.output = c.float_output ? nullptr : output.data();
  args.output_float = c.float_output ? output_float.data() : nullptr;
  args.quantization = c.output;
  RunInPieces(kernels.units(args), c.piece, kernels.workspace_bytes(args),
              [&](int64_t begin, int64_t end, void* workspace) { kernels.run(args, begin, end, workspace); });
  return c.float_output ? SameFloats(output_float, data.expected_float) : output == data.expected;
}

}  // namespace qlite::kernels

#endif  // QLITE_TESTS_KERNELS_CONV_U8S8_REFERENCE_H_
