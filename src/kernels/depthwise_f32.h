// Depthwise convolution of float32 images in NHWC memory: groups == in_channels == out_channels, any kernel size,
// stride, dilation and padding; 3x3 and 5x5 kernels without dilation and of stride 1 and 2 are the fast cases. With a
// channel multiplier above 1, use conv_f32.h.
//
// Arithmetic as in conv_f32.h, and the same bits as that family gives on the same geometry: bias, then one fused
// multiply-add for each (kernel row, kernel column) in that order with +0 in the padding, then the residual, then
// min(act_max, max(act_min, x)). Vectors run across channels.
#ifndef QLITE_KERNELS_DEPTHWISE_F32_H_
#define QLITE_KERNELS_DEPTHWISE_F32_H_

#include <cstdint>

#include "kernels/conv_f32.h"
#include "kernels/isa.h"

namespace qlite::kernels {

// The functions have the meaning and the guarantees of those in ConvF32Kernels, for weights [channels, 1, kernel_h,
// kernel_w].
struct DepthwiseF32Kernels {
  int64_t (*packed_floats)(const ConvF32Geometry& geometry);
  void (*pack)(const ConvF32Geometry& geometry, const float* weights, float* packed);
  int64_t (*workspace_bytes)(const ConvF32Geometry& geometry);
  int64_t (*units)(const ConvF32Geometry& geometry);
  void (*run)(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end);
};

const DepthwiseF32Kernels& DepthwiseF32(Isa isa);

// True when the geometry is one that this family computes.
bool IsDepthwise(const ConvF32Geometry& geometry);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_DEPTHWISE_F32_H_
