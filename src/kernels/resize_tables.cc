// The parts of Resize that do not depend on the instruction set: the tables of taps, and nearest-neighbour rows.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/resize_f32.h"

namespace qlite::kernels {
namespace {

// The input coordinate of output position `position`, by the formulas of the ONNX standard.
float Coordinate(const ResizeAxis& axis, int64_t position) {
  const float x = static_cast<float>(position);
  const float in_length = static_cast<float>(axis.in_length), out_length = static_cast<float>(axis.out_length);
  switch (axis.coordinates) {
    case ResizeCoordinates::kHalfPixel:
      return (x + 0.5f) / axis.scale - 0.5f;
    case ResizeCoordinates::kPytorchHalfPixel:
      return axis.out_length > 1 ? (x + 0.5f) / axis.scale - 0.5f : 0.0f;
    case ResizeCoordinates::kAlignCorners:
      return axis.out_length > 1 ? x * (in_length - 1.0f) / (out_length - 1.0f) : 0.0f;
    case ResizeCoordinates::kAsymmetric:
      return x / axis.scale;
    case ResizeCoordinates::kTfHalfPixelForNn:
      return (x + 0.5f) / axis.scale;
    case ResizeCoordinates::kTfCropAndResize:
      return axis.out_length > 1 ? axis.roi_start * (in_length - 1.0f) +
                                       x * (axis.roi_end - axis.roi_start) * (in_length - 1.0f) / (out_length - 1.0f)
                                 : 0.5f * (axis.roi_start + axis.roi_end) * (in_length - 1.0f);
    case ResizeCoordinates::kHalfPixelSymmetric: {
      // Where the scale is not out/in exactly, the output is centred on the input.
      const float adjustment = out_length / (axis.scale * in_length);
      const float offset = in_length / 2.0f * (1.0f - adjustment);
      return offset + (x + 0.5f) / axis.scale - 0.5f;
    }
  }
  return 0.0f;
}

int32_t ClampIndex(float index, int64_t length) {
  const double last = static_cast<double>(length - 1);
  return static_cast<int32_t>(std::clamp(static_cast<double>(index), 0.0, last));
}

float NearestOf(ResizeNearest nearest, float x) {
  switch (nearest) {
    case ResizeNearest::kRoundPreferFloor:
      return x - std::floor(x) == 0.5f ? std::floor(x) : std::round(x);
    case ResizeNearest::kRoundPreferCeil:
      return x - std::floor(x) == 0.5f ? std::ceil(x) : std::round(x);
    case ResizeNearest::kFloor:
      return std::floor(x);
    case ResizeNearest::kCeil:
      return std::ceil(x);
  }
  return x;
}

void LinearTaps(const ResizeAxis& axis, float x, int32_t* index, float* weight) {
  const float inside = std::clamp(x, 0.0f, static_cast<float>(axis.in_length - 1));
  index[0] = ClampIndex(std::floor(inside), axis.in_length);
  index[1] = static_cast<int32_t>(std::min<int64_t>(int64_t{index[0]} + 1, axis.in_length - 1));
  weight[1] = inside - static_cast<float>(index[0]);
  weight[0] = 1.0f - weight[1];
}

// Keys, "Cubic convolution interpolation for digital image processing", 1981, with the coefficient a.
void CubicTaps(const ResizeAxis& axis, float x, int32_t* index, float* weight) {
  const float a = axis.cubic_coefficient;
  const float base = std::floor(x), s = x - base;
  const auto near = [a](float d) { return ((a + 2.0f) * d - (a + 3.0f)) * d * d + 1.0f; };
  const auto far = [a](float d) { return ((a * d - 5.0f * a) * d + 8.0f * a) * d - 4.0f * a; };
  weight[0] = far(s + 1.0f);
  weight[1] = near(s);
  weight[2] = near(1.0f - s);
  weight[3] = far(2.0f - s);
  float sum = 0.0f;
  for (int t = 0; t < 4; ++t) {
    const float position = base + static_cast<float>(t - 1);
    index[t] = ClampIndex(position, axis.in_length);
    const bool outside = position < 0.0f || position > static_cast<float>(axis.in_length - 1);
    if (axis.exclude_outside && outside) weight[t] = 0.0f;
    sum += weight[t];
  }
  if (!axis.exclude_outside) return;
  for (int t = 0; t < 4; ++t) weight[t] /= sum;
}

}  // namespace

int ResizeTaps(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::kNearest:
      return 1;
    case ResizeMode::kLinear:
      return 2;
    case ResizeMode::kCubic:
      return 4;
  }
  return 1;
}

bool BuildResizeTable(const ResizeAxis& axis, int32_t* index, float* weight) {
  const int64_t limit = std::numeric_limits<int32_t>::max();
  if (axis.in_length < 1 || axis.in_length > limit || axis.out_length < 1 || axis.out_length > limit) return false;
  if (!(axis.scale > 0.0f) || std::isinf(axis.scale)) return false;
  const int taps = ResizeTaps(axis.mode);
  const float last = static_cast<float>(axis.in_length - 1);
  for (int64_t position = 0; position < axis.out_length; ++position, index += taps) {
    const float exact = Coordinate(axis, position);
    // Far outside every tap is the edge; NaN (infinite regions of interest) is taken for the start.
    const float x = exact > -8.0f ? std::min(exact, last + 8.0f) : -8.0f;
    switch (axis.mode) {
      case ResizeMode::kNearest:
        index[0] = ClampIndex(NearestOf(axis.nearest, x), axis.in_length);
        if (weight != nullptr) weight[0] = 1.0f;
        break;
      case ResizeMode::kLinear:
        LinearTaps(axis, x, index, weight);
        break;
      case ResizeMode::kCubic:
        CubicTaps(axis, x, index, weight);
        break;
    }
    if (weight != nullptr) weight += taps;
    const bool outside = !(exact >= 0.0f && exact <= last);
    if (axis.coordinates == ResizeCoordinates::kTfCropAndResize && outside) index[0] = -1;
  }
  return true;
}

void ResizeNearestRows(const Resize2d& resize, int64_t element_size, const void* in, void* out,
                       const void* extrapolation, int64_t begin, int64_t end) {
  const int64_t pixel = resize.channels * element_size;
  const int64_t in_row = resize.in_width * pixel;
  for (int64_t row = begin; row < end; ++row) {
    const int32_t y = resize.rows.index[row % resize.out_height];
    const char* image = static_cast<const char*>(in) + row / resize.out_height * resize.in_height * in_row;
    char* target = static_cast<char*>(out) + row * resize.out_width * pixel;
    for (int64_t column = 0; column < resize.out_width; ++column, target += pixel) {
      const int32_t x = resize.columns.index[column];
      if (y >= 0 && x >= 0) {
        std::memcpy(target, image + y * in_row + x * pixel, static_cast<size_t>(pixel));
        continue;
      }
      for (int64_t c = 0; c < resize.channels; ++c) {
        std::memcpy(target + c * element_size, extrapolation, static_cast<size_t>(element_size));
      }
    }
  }
}

}  // namespace qlite::kernels
