// Resize of height and width of channels-last images, as ONNX Resize (opset 19 without antialias) defines it.
//
// The two axes are prepared once, each into a table of taps (input positions and weights) in memory of the caller; the
// kernels then run the tables. Coordinates are computed in float, in the operations that the standard's formulas show.
#ifndef QLITE_KERNELS_RESIZE_F32_H_
#define QLITE_KERNELS_RESIZE_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

enum class ResizeMode : int { kNearest, kLinear, kCubic };
enum class ResizeNearest : int { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class ResizeCoordinates : int {
  kHalfPixel,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfHalfPixelForNn,
  kTfCropAndResize,
  kHalfPixelSymmetric,
};

struct ResizeAxis {
  ResizeMode mode = ResizeMode::kNearest;
  ResizeNearest nearest = ResizeNearest::kRoundPreferFloor;
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  int64_t in_length = 0;   // > 0
  int64_t out_length = 0;  // > 0
  float scale = 1.0f;      // out over in as the model states it; out_length/in_length where it states sizes
  float cubic_coefficient = -0.75f;
  bool exclude_outside = false;            // cubic: taps outside have weight 0 and the others are rescaled to sum 1
  float roi_start = 0.0f, roi_end = 1.0f;  // kTfCropAndResize alone
};

// Taps of an output position: 1 for nearest, 2 for linear, 4 for cubic.
int ResizeTaps(ResizeMode mode);

// Output position o reads index[o*taps + t] with weight[o*taps + t]. index[o*taps] is -1 where the position lies
// outside the image under kTfCropAndResize, and takes the extrapolation value.
struct ResizeTable {
  int taps = 0;
  const int32_t* index = nullptr;
  const float* weight = nullptr;
};

// Fills index and weight, out_length*ResizeTaps(mode) elements each. weight may be null for kNearest. False when
// lengths are not in [1, 2^31) or the scale is not a positive finite number.
bool BuildResizeTable(const ResizeAxis& axis, int32_t* index, float* weight);

// Dense channels-last images; in and out do not overlap.
struct Resize2d {
  int64_t channels = 0;
  int64_t in_height = 0, in_width = 0;
  int64_t out_height = 0, out_width = 0;
  ResizeTable rows;     // out_height positions
  ResizeTable columns;  // out_width positions, of the same mode
  float extrapolation_value = 0.0f;
};

struct ResizeF32Kernels {
  // Output rows [begin, end) of images*out_height. For every row tap in ascending order a fused sum over the column
  // taps in ascending order (started by a product), then a fused sum over the row taps likewise.
  void (*interpolate)(const Resize2d& resize, const float* in, float* out, int64_t begin, int64_t end);
};

const ResizeF32Kernels& ResizeF32(Isa isa);

// Nearest for elements of any size: output rows [begin, end) of images*out_height. `extrapolation` points to one
// element, and may be null when no index of the tables is negative.
void ResizeNearestRows(const Resize2d& resize, int64_t element_size, const void* in, void* out,
                       const void* extrapolation, int64_t begin, int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_RESIZE_F32_H_
