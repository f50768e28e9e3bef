#include "kernels/resize_f32.h"

#include "kernels/line_tree.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

// One output pixel: rows[t] points to the image row of row tap t.
template <int kTaps>
inline void InterpolatePixel(const Resize2d& resize, const float* const* rows, const float* row_weight,
                             const int32_t* column, const float* column_weight, float* out) {
  const int64_t channels = resize.channels;
  ForEachVector(channels, [&](int64_t c, auto lanes) {
    VecF32 sum = 0.0f;
#pragma GCC unroll 4
    for (int i = 0; i < kTaps; ++i) {
      VecF32 along = lanes.Load(rows[i] + column[0] * channels + c) * column_weight[0];
#pragma GCC unroll 4
      for (int j = 1; j < kTaps; ++j) {
        along = MulAdd(lanes.Load(rows[i] + column[j] * channels + c), column_weight[j], along);
      }
      sum = i == 0 ? along * row_weight[0] : MulAdd(along, row_weight[i], sum);
    }
    lanes.Store(sum, out + c);
  });
}

inline void FillPixel(float* out, int64_t channels, float value) {
  for (int64_t c = 0; c < channels; ++c) out[c] = value;
}

template <int kTaps>
void InterpolateRows(const Resize2d& resize, const float* in, float* out, int64_t begin, int64_t end) {
  const int64_t channels = resize.channels, in_row = resize.in_width * channels;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t y = row % resize.out_height;
    const float* image = in + row / resize.out_height * resize.in_height * in_row;
    const int32_t* row_index = resize.rows.index + y * kTaps;
    const float* rows[kTaps];
    for (int t = 0; t < kTaps; ++t) rows[t] = image + (row_index[t] < 0 ? 0 : row_index[t]) * in_row;
    float* target = out + row * resize.out_width * channels;
    for (int64_t x = 0; x < resize.out_width; ++x, target += channels) {
      const int32_t* column = resize.columns.index + x * kTaps;
      if (row_index[0] < 0 || column[0] < 0) {
        FillPixel(target, channels, resize.extrapolation_value);
        continue;
      }
      InterpolatePixel<kTaps>(resize, rows, resize.rows.weight + y * kTaps, column, resize.columns.weight + x * kTaps,
                              target);
    }
  }
}

void Interpolate(const Resize2d& resize, const float* in, float* out, int64_t begin, int64_t end) {
  if (resize.rows.taps == 4) return InterpolateRows<4>(resize, in, out, begin, end);
  if (resize.rows.taps == 2) return InterpolateRows<2>(resize, in, out, begin, end);
  InterpolateRows<1>(resize, in, out, begin, end);
}

}  // namespace

extern const ResizeF32Kernels kResizeF32Kernels;
const ResizeF32Kernels kResizeF32Kernels = {Interpolate};

}  // namespace qlite::kernels::QLITE_ISA
