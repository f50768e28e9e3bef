#include "kernels/pool_f32.h"

#include "kernels/line_tree.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

// The taps of a window along one axis that lie inside the image: [first, last), at positions start + i*dilation.
struct Window {
  int64_t start, first, last;
};

inline Window MakeWindow(int64_t start, int64_t kernel, int64_t dilation, int64_t length) {
  const int64_t first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  const int64_t inside = length > start ? (length - start + dilation - 1) / dilation : 0;
  return {start, first < kernel ? first : kernel, inside < kernel ? inside : kernel};
}

// How many taps lie in [-before, length + after).
inline int64_t CountPadded(const Window& w, int64_t kernel, int64_t dilation, int64_t length, int64_t before,
                           int64_t after) {
  const Window padded = MakeWindow(w.start + before, kernel, dilation, length + before + after);
  return padded.last > padded.first ? padded.last - padded.first : 0;
}

struct MaxPool {
  static constexpr float kStart = -__builtin_inff();
  static VecF32 Step(VecF32 acc, VecF32 x) { return MaxNan(acc, x); }
  static VecF32 Finish(VecF32 acc, float) { return acc; }
};
struct AveragePool {
  static constexpr float kStart = 0.0f;
  static VecF32 Step(VecF32 acc, VecF32 x) { return acc + x; }
  static VecF32 Finish(VecF32 acc, float count) { return count == 0.0f ? VecF32(0.0f) : acc / count; }
};

// kVectors vectors of channels at a time, so that the walk over the window is paid once for them.
template <typename Op, int kVectors, typename Lanes>
inline void RunChannels(const Pool2d& pool, const Window& rows, const Window& columns, float count, const float* image,
                        float* out, Lanes lanes) {
  VecF32 acc[kVectors];
  for (int v = 0; v < kVectors; ++v) acc[v] = Op::kStart;
  for (int64_t i = rows.first; i < rows.last; ++i) {
    const int64_t y = rows.start + i * pool.dilation_height;
    const int64_t x = columns.start + columns.first * pool.dilation_width;
    const float* p = image + (y * pool.in_width + x) * pool.in_pixel_stride;
    for (int64_t j = columns.first; j < columns.last; ++j, p += pool.dilation_width * pool.in_pixel_stride) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[v] = Op::Step(acc[v], lanes.Load(p + v * VecF32::kLanes));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) lanes.Store(Op::Finish(acc[v], count), out + v * VecF32::kLanes);
}

template <typename Op>
inline void RunPixel(const Pool2d& pool, const Window& rows, const Window& columns, float count, const float* image,
                     float* out) {
  constexpr int kVectors = 4;
  constexpr int kBlock = kVectors * VecF32::kLanes;
  int64_t c = 0;
  for (; c + kBlock <= pool.channels; c += kBlock) {
    RunChannels<Op, kVectors>(pool, rows, columns, count, image + c, out + c, AllLanes{});
  }
  ForEachVector(pool.channels - c, [&](int64_t at, auto lanes) {
    RunChannels<Op, 1>(pool, rows, columns, count, image + c + at, out + c + at, lanes);
  });
}

template <typename Op>
void Run(const Pool2d& pool, const float* in, float* out, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    const int64_t image_index = row / pool.out_height, out_y = row % pool.out_height;
    const float* image = in + image_index * pool.in_height * pool.in_width * pool.in_pixel_stride;
    const Window rows =
        MakeWindow(out_y * pool.stride_height - pool.pad_top, pool.kernel_height, pool.dilation_height, pool.in_height);
    const int64_t row_count = pool.count_include_pad ? CountPadded(rows, pool.kernel_height, pool.dilation_height,
                                                                   pool.in_height, pool.pad_top, pool.pad_bottom)
                                                     : (rows.last > rows.first ? rows.last - rows.first : 0);
    for (int64_t out_x = 0; out_x < pool.out_width; ++out_x) {
      const Window columns =
          MakeWindow(out_x * pool.stride_width - pool.pad_left, pool.kernel_width, pool.dilation_width, pool.in_width);
      const int64_t column_count = pool.count_include_pad
                                       ? CountPadded(columns, pool.kernel_width, pool.dilation_width, pool.in_width,
                                                     pool.pad_left, pool.pad_right)
                                       : (columns.last > columns.first ? columns.last - columns.first : 0);
      RunPixel<Op>(pool, rows, columns, static_cast<float>(row_count * column_count), image,
                   out + (row * pool.out_width + out_x) * pool.out_pixel_stride);
    }
  }
}

}  // namespace

extern const PoolF32Kernels kPoolF32Kernels;
const PoolF32Kernels kPoolF32Kernels = {Run<MaxPool>, Run<AveragePool>};

}  // namespace qlite::kernels::QLITE_ISA
