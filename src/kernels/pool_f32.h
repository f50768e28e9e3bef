// Two-dimensional pooling on channels-last images. One-dimensional pooling is the case of height 1. Global pooling is
// ReduceMean/ReduceMax over (images, H*W, channels), see kernels/reduce_f32.h.
#ifndef QLITE_KERNELS_POOL_F32_H_
#define QLITE_KERNELS_POOL_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// Element (n, y, x, c) of the input is at ((n*in_height + y)*in_width + x)*in_pixel_stride + c, of the output likewise.
// Output (y, x) reads the input rows y*stride_height - pad_top + i*dilation_height, 0 <= i < kernel_height, that exist,
// and the columns likewise. Any output size is taken (the floor or ceiling rule is the caller's).
struct Pool2d {
  int64_t channels = 0;
  int64_t in_height = 0, in_width = 0, in_pixel_stride = 0;
  int64_t out_height = 0, out_width = 0, out_pixel_stride = 0;
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t dilation_height = 1, dilation_width = 1;
  int64_t pad_top = 0, pad_left = 0;
  // Read by the average alone, with count_include_pad: positions in the padding count, positions beyond it do not.
  int64_t pad_bottom = 0, pad_right = 0;
  bool count_include_pad = false;
};

// Output rows [begin, end) of images*out_height; row r is row r % out_height of image r / out_height. in and out do not
// overlap.
using PoolF32Function = void (*)(const Pool2d& pool, const float* in, float* out, int64_t begin, int64_t end);

struct PoolF32Kernels {
  // NaN where the window holds one, -infinity where it has no element inside the image.
  PoolF32Function max;
  // The sum of the window in row-major order by one accumulator, divided by the count; 0 where the count is 0.
  PoolF32Function average;
};

const PoolF32Kernels& PoolF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_POOL_F32_H_
