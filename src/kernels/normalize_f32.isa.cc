#include "kernels/normalize_f32.h"

#include "kernels/line_tree.h"
#include "kernels/simd_math.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

void ScaleShift(const float* in, float* out, const float* scale, const float* shift, int64_t channels, int64_t begin,
                int64_t end) {
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const float* x = in + pixel * channels;
    float* y = out + pixel * channels;
    ForEachVector(channels, [&](int64_t c, auto lanes) {
      lanes.Store(MulAdd(lanes.Load(x + c), lanes.Load(scale + c), lanes.Load(shift + c)), y + c);
    });
  }
}

void ScaleShiftPlanes(const float* in, float* out, const float* scale, const float* shift, int64_t channels,
                      int64_t inner, int64_t begin, int64_t end) {
  for (int64_t plane = begin; plane < end; ++plane) {
    const float* x = in + plane * inner;
    float* y = out + plane * inner;
    const VecF32 plane_scale = scale[plane % channels], plane_shift = shift[plane % channels];
    ForEachVector(
        inner, [&](int64_t i, auto lanes) { lanes.Store(MulAdd(lanes.Load(x + i), plane_scale, plane_shift), y + i); });
  }
}

// Adds the squares of differences: the accumulator after x.
inline VecF32 AddSquare(VecF32 acc, VecF32 x, VecF32 mean) {
  const VecF32 difference = x - mean;
  return MulAdd(difference, difference, acc);
}

struct Moments {
  VecF32 mean, variance;
};

inline Moments MomentsAlong(const float* x, int64_t length) {
  const VecF32 count = static_cast<float>(length);
  const VecF32 sum =
      TreeAlong<SumTree>(length, 0.0f, [&](VecF32 acc, int64_t at, auto lanes) { return acc + lanes.Load(x + at); });
  const VecF32 mean = sum / count;
  const VecF32 squares = TreeAlong<SumTree>(
      length, 0.0f, [&](VecF32 acc, int64_t at, auto lanes) { return AddSquare(acc, lanes.Load(x + at), mean); });
  return {mean, squares / count};
}

// Moments of a group of lines side by side.
template <typename Lanes>
inline Moments MomentsAcross(const float* x, int64_t length, int64_t inner, Lanes lanes) {
  const VecF32 count = static_cast<float>(length);
  const VecF32 sum =
      TreeAcross<SumTree>(length, inner, 0.0f, [&](VecF32 acc, int64_t at) { return acc + lanes.Load(x + at); });
  const VecF32 mean = sum / count;
  const VecF32 squares = TreeAcross<SumTree>(
      length, inner, 0.0f, [&](VecF32 acc, int64_t at) { return AddSquare(acc, lanes.Load(x + at), mean); });
  return {mean, squares / count};
}

// gamma and beta of the lines [line, line + lanes); channels repeat, so a group may wrap around.
inline VecF32 LoadChannels(const float* values, int64_t channels, int64_t line) {
  float lanes[VecF32::kLanes];
  for (int i = 0; i < VecF32::kLanes; ++i) lanes[i] = values[(line + i) % channels];
  return VecF32::Load(lanes);
}

void InstanceNorm(const float* in, float* out, const float* gamma, const float* beta, const LineNorm& norm,
                  int64_t begin, int64_t end) {
  const int64_t length = norm.length, inner = norm.inner;
  if (inner == 1) {
    for (int64_t line = begin; line < end; ++line) {
      const float* x = in + line * length;
      float* y = out + line * length;
      const Moments m = MomentsAlong(x, length);
      const VecF32 scale = VecF32(gamma[line % norm.channels]) / Sqrt(m.variance + norm.epsilon);
      const VecF32 shift = beta[line % norm.channels];
      ForEachVector(
          length, [&](int64_t i, auto lanes) { lanes.Store(MulAdd(lanes.Load(x + i) - m.mean, scale, shift), y + i); });
    }
    return;
  }
  ForEachLineGroup(length, inner, begin, end, [&](int64_t line, int64_t offset, auto lanes) {
    const Moments m = MomentsAcross(in + offset, length, inner, lanes);
    const VecF32 scale = LoadChannels(gamma, norm.channels, line) / Sqrt(m.variance + norm.epsilon);
    const VecF32 shift = LoadChannels(beta, norm.channels, line);
    for (int64_t at = offset; at < offset + length * inner; at += inner) {
      lanes.Store(MulAdd(lanes.Load(in + at) - m.mean, scale, shift), out + at);
    }
  });
}

void LayerNorm(const float* in, float* out, const float* gamma, const float* beta, int64_t length, float epsilon,
               int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    const float* x = in + row * length;
    float* y = out + row * length;
    const Moments m = MomentsAlong(x, length);
    const VecF32 scale = VecF32(1.0f) / Sqrt(m.variance + epsilon);
    ForEachVector(length, [&](int64_t i, auto lanes) {
      const VecF32 normalized = (lanes.Load(x + i) - m.mean) * scale;
      const VecF32 g = lanes.Load(gamma + i);
      lanes.Store(beta == nullptr ? normalized * g : MulAdd(normalized, g, lanes.Load(beta + i)), y + i);
    });
  }
}

// The vector of channels [c, c + kLanes), zero for those that do not exist.
inline VecF32 LoadInside(const float* x, int64_t c, int64_t channels) {
  if (c >= 0 && c + VecF32::kLanes <= channels) return VecF32::Load(x + c);
  float lanes[VecF32::kLanes];
  for (int i = 0; i < VecF32::kLanes; ++i) lanes[i] = c + i >= 0 && c + i < channels ? x[c + i] : 0.0f;
  return VecF32::Load(lanes);
}

void Lrn(const float* in, float* out, int64_t channels, int64_t size, float alpha, float beta, float bias,
         int64_t begin, int64_t end) {
  // Neighbours that no channel has are not visited, however large the window. A zero that stands in for a missing one
  // leaves a sum of squares as it is.
  const int64_t most = channels - 1;
  const int64_t before = (size - 1) / 2 < most ? (size - 1) / 2 : most;
  const int64_t after = size / 2 < most ? size / 2 : most;
  const VecF32 factor = alpha / static_cast<float>(size);
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const float* x = in + pixel * channels;
    float* y = out + pixel * channels;
    ForEachVector(channels, [&](int64_t c, auto lanes) {
      VecF32 sum = 0.0f;
      for (int64_t d = -before; d <= after; ++d) {
        const VecF32 neighbour = LoadInside(x, c + d, channels);
        sum = MulAdd(neighbour, neighbour, sum);
      }
      lanes.Store(lanes.Load(x + c) / Pow(MulAdd(factor, sum, bias), beta), y + c);
    });
  }
}

}  // namespace

extern const NormalizeF32Kernels kNormalizeF32Kernels;
const NormalizeF32Kernels kNormalizeF32Kernels = {ScaleShift, ScaleShiftPlanes, InstanceNorm, LayerNorm, Lrn};

}  // namespace qlite::kernels::QLITE_ISA
