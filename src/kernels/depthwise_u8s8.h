// Depthwise convolution of a u8 NHWC image with int8 weights: groups == in_c == out_c. The arithmetic is that of
// kernels/quantized.h; positions outside the image read z. Vectors run across channels. A depthwise convolution with a
// channel multiplier is a grouped convolution for kernels/conv_u8s8.h.
#ifndef QLITE_KERNELS_DEPTHWISE_U8S8_H_
#define QLITE_KERNELS_DEPTHWISE_U8S8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/conv_u8s8.h"
#include "kernels/isa.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

// What goes into the packed weights. Pointers are read during packing only.
struct DepthwiseU8S8Weights {
  int64_t channels = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  const int8_t* data = nullptr;        // [channels, 1, kernel_h, kernel_w]
  const int32_t* bias = nullptr;       // [channels], or null for none
  const float* multipliers = nullptr;  // [channels]; finite
  int32_t input_zero_point = 0;        // z
};

struct DepthwiseU8S8Args {
  ConvGeometry geometry;           // groups == in_c == out_c
  const uint8_t* input = nullptr;  // kReadSlackBytes readable behind it
  int32_t input_zero_point = 0;    // the z that was packed
  const void* packed = nullptr;
  // Exactly one of the two is set. A float output is float(acc) * m[c].
  uint8_t* output = nullptr;
  float* output_float = nullptr;
  OutputQuantization quantization;
};

// Units, workspaces and thread safety as in kernels/gemm_u8s8.h. Packed weights serve every image size, stride,
// dilation and padding.
struct DepthwiseU8S8Kernels {
  size_t (*packed_bytes)(const DepthwiseU8S8Weights& weights);
  void (*pack)(const DepthwiseU8S8Weights& weights, void* packed);
  size_t (*workspace_bytes)(const DepthwiseU8S8Args& args);
  int64_t (*units)(const DepthwiseU8S8Args& args);
  void (*run)(const DepthwiseU8S8Args& args, int64_t begin, int64_t end, void* workspace);
};

const DepthwiseU8S8Kernels& DepthwiseU8S8(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_DEPTHWISE_U8S8_H_
