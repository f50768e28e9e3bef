#include "runtime/steps/trimmed_kernel.h"

#include <algorithm>

namespace qlite {

TapRange TapsOfImage(const ConvShape& shape, int axis) {
  const int64_t stride = shape.stride[axis];
  const auto meets_image = [&](int64_t tap) {
    const int64_t at = tap * shape.dilation[axis] - shape.pad[axis];  // what the first output reads through it
    const int64_t output = at < 0 ? (-at + stride - 1) / stride : 0;  // the first that reads behind the image's begin
    return output < shape.out[axis] && at + output * stride < shape.in[axis];
  };
  const int64_t taps = shape.kernel[axis];
  TapRange kept = {taps, 0};
  for (int64_t tap = 0; tap < taps; ++tap) {
    if (meets_image(tap)) kept = {std::min(kept.begin, tap), tap + 1};
  }
  if (kept.begin >= kept.end) return {0, taps};
  // Kernels have no negative padding.
  kept.begin = std::min(kept.begin, std::max<int64_t>(0, shape.pad[axis] / shape.dilation[axis]));
  return kept;
}

}  // namespace qlite
