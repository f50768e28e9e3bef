// Two-dimensional convolution of float32 images in NHWC memory, any stride, dilation, padding and number of groups.
// A 1-D convolution is one with in_h = kernel_h = 1. For groups == channels, depthwise_f32.h is faster.
//
// Arithmetic, the same bits for every instruction set and every split into units: an output element starts at its bias
// (+0 without one) and takes one fused multiply-add for each (kernel row, kernel column, input channel of its group) in
// that lexicographic order, where a tap in the padding is an input of +0; then the residual is added; then the sum x is
// clamped as min(act_max, max(act_min, x)), where a NaN x stays NaN and a zero keeps its sign. Only the payload of a
// NaN is unspecified.
//
// Method: the matrix product of gemm_f32.h over pointers to the input pixels instead of a copied matrix (Dukhan, "The
// Indirect Convolution Algorithm", 2019).
#ifndef QLITE_KERNELS_CONV_F32_H_
#define QLITE_KERNELS_CONV_F32_H_

#include <cstdint>
#include <limits>

#include "kernels/isa.h"

namespace qlite::kernels {

// Shape of a convolution. An image is [height][width] pixels, `*_pixel_stride` floats apart (at least the number of
// channels; more when the channels are a slice of a wider image), and the images of a batch follow each other without
// gap. The output size is given: output row y reads input rows y * stride_h - pad_top + i * dilation_h, i < kernel_h,
// and those that do not exist are padding, so padding at the bottom and right needs no number.
struct ConvF32Geometry {
  int64_t batch = 1;
  int64_t in_h = 0;
  int64_t in_w = 0;
  int64_t in_channels = 0;  // multiple of groups
  int64_t in_pixel_stride = 0;
  int64_t out_h = 0;
  int64_t out_w = 0;
  int64_t out_channels = 0;  // multiple of groups
  int64_t out_pixel_stride = 0;
  int64_t residual_pixel_stride = 0;  // read when there is a residual
  int64_t groups = 1;                 // >= 1
  int64_t kernel_h = 1;               // >= 1, as the strides and dilations
  int64_t kernel_w = 1;
  int64_t stride_h = 1;
  int64_t stride_w = 1;
  int64_t dilation_h = 1;
  int64_t dilation_w = 1;
  int64_t pad_top = 0;  // may be negative (cropping)
  int64_t pad_left = 0;
};

// One convolution. The output overlaps no input; its channels beyond out_channels are not touched.
struct ConvF32Args {
  ConvF32Geometry geometry;
  const float* input = nullptr;
  const float* packed_weights = nullptr;  // from `pack` of the same instruction set
  const float* bias = nullptr;            // [out_channels], or null
  const float* residual = nullptr;        // an image of the output's size, or null
  float* output = nullptr;
  float act_min = -std::numeric_limits<float>::infinity();
  float act_max = std::numeric_limits<float>::infinity();
};

// The functions are thread-safe, allocate nothing and check nothing: the caller has validated the geometry, including
// that its products do not overflow.
struct ConvF32Kernels {
  // Number of floats of the packed weights. Depends on channels, groups and kernel size alone.
  int64_t (*packed_floats)(const ConvF32Geometry& geometry);

  // Packs weights [out_channels, in_channels / groups, kernel_h, kernel_w] (OIHW). The packed form belongs to this
  // instruction set: it is neither stored in files nor shared with another one.
  void (*pack)(const ConvF32Geometry& geometry, const float* weights, float* packed);

  // Bytes of scratch memory, 64-byte aligned, that each concurrent `run` needs for itself; its contents do not matter.
  int64_t (*workspace_bytes)(const ConvF32Geometry& geometry);

  // Number of independent pieces of work; 0 when the output is empty. Every unit costs about the same. Neighbouring
  // units share operands: give a thread a contiguous range.
  int64_t (*units)(const ConvF32Geometry& geometry);

  // Computes the units [begin, end), 0 <= begin <= end <= units(geometry). Different units write different output
  // elements, so ranges may run at the same time, each with its own workspace.
  void (*run)(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end);
};

const ConvF32Kernels& ConvF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_CONV_F32_H_
