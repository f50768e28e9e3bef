// Convolutions whose outer taps lie in the padding for every output: of a small image, or with a dilation as large as
// the image, as in atrous pyramids on small pictures. Without those taps the results are the same.
#ifndef QLITE_RUNTIME_STEPS_TRIMMED_KERNEL_H_
#define QLITE_RUNTIME_STEPS_TRIMMED_KERNEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/steps/conv_steps.h"

namespace qlite {

// The taps [begin, end) of an axis that are kept.
struct TapRange {
  int64_t begin = 0, end = 0;
};

// Of the axis, 0 or 1, those between the first and the last tap that meets the image; all where none does.
TapRange TapsOfImage(const ConvShape& shape, int axis);

// Makes `shape` that of the convolution without the other taps, and returns its weights: `weights`, which are [out
// channels, in channels / groups, kernel...], where nothing is cut, else what is put into `trimmed`.
template <class Weight>
std::span<const Weight> TrimKernel(ConvShape& shape, std::span<const Weight> weights, std::vector<Weight>& trimmed) {
  const TapRange y = TapsOfImage(shape, 0), x = TapsOfImage(shape, 1);
  const int64_t height = shape.kernel[0], width = shape.kernel[1];
  if (y.end - y.begin == height && x.end - x.begin == width) return weights;
  const int64_t planes = shape.out_channels * (shape.in_channels / shape.groups);
  trimmed.reserve(static_cast<size_t>(planes * (y.end - y.begin) * (x.end - x.begin)));
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t row = y.begin; row < y.end; ++row) {
      const Weight* const taps = weights.data() + (plane * height + row) * width;
      trimmed.insert(trimmed.end(), taps + x.begin, taps + x.end);
    }
  }
  for (const int axis : {0, 1}) {
    const TapRange& kept = axis == 0 ? y : x;
    shape.kernel[axis] = kept.end - kept.begin;
    shape.pad[axis] -= kept.begin * shape.dilation[axis];
  }
  return trimmed;
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_TRIMMED_KERNEL_H_
