// Two-dimensional convolution of a u8 NHWC image with int8 weights. The arithmetic is that of kernels/quantized.h;
// positions outside the image read z, the zero point of the input, and so contribute nothing.
//
// The method is an implicit matrix product: the taps of an output row that are contiguous in a (padded) input row form
// one run of the reduction, and the register tile of the GEMM walks the runs. A 1x1 convolution of stride 1 without
// padding is the GEMM itself.
#ifndef QLITE_KERNELS_CONV_U8S8_H_
#define QLITE_KERNELS_CONV_U8S8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elementwise_u8.h"
#include "kernels/isa.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

// Geometry of a convolution or depthwise convolution. Strides and dilations are >= 1, pads >= 0.
struct ConvGeometry {
  int64_t batch = 1;
  int64_t in_h = 0, in_w = 0, in_c = 0;
  int64_t out_h = 0, out_w = 0, out_c = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  // Rows above and columns left of the image. Those below and to the right follow from the output size.
  int64_t pad_top = 0, pad_left = 0;
  int64_t groups = 1;  // divides in_c and out_c
  // Elements from one pixel to the next: at least in_c and out_c; more where the tensor is a slice of the channels of a
  // wider buffer. A row is in_w * in_pixel_stride elements, an image in_h rows.
  int64_t in_pixel_stride = 0, out_pixel_stride = 0;
};

// What goes into the packed weights. Pointers are read during packing only.
struct ConvU8S8Weights {
  int64_t in_c = 0, out_c = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t dilation_w = 1;
  int64_t groups = 1;
  const int8_t* data = nullptr;        // [out_c, in_c / groups, kernel_h, kernel_w]
  const int32_t* bias = nullptr;       // [out_c], or null for none
  const float* multipliers = nullptr;  // [out_c]; finite
  int32_t input_zero_point = 0;        // z
};

struct ConvU8S8Args {
  ConvGeometry geometry;
  const uint8_t* input = nullptr;  // kReadSlackBytes readable behind it
  int32_t input_zero_point = 0;    // the z that was packed
  const void* packed = nullptr;
  // Exactly one of the two is set. A float output is float(acc) * m[c].
  uint8_t* output = nullptr;
  float* output_float = nullptr;
  OutputQuantization quantization;
  ResidualU8 residual;  // of an output of bytes
};

// Units, workspaces and thread safety as in kernels/gemm_u8s8.h. Packed weights serve every image size, stride and
// padding; they depend on the fields of ConvU8S8Weights and on the instruction set.
struct ConvU8S8Kernels {
  size_t (*packed_bytes)(const ConvU8S8Weights& weights);
  void (*pack)(const ConvU8S8Weights& weights, void* packed);
  size_t (*workspace_bytes)(const ConvU8S8Args& args);
  int64_t (*units)(const ConvU8S8Args& args);
  void (*run)(const ConvU8S8Args& args, int64_t begin, int64_t end, void* workspace);
};

const ConvU8S8Kernels& ConvU8S8(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_CONV_U8S8_H_
