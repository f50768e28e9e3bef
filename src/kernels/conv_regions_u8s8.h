// Parts of an image whose output pixels read the same taps of a kernel: the others lie outside the image. Included by
// *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_CONV_REGIONS_U8S8_H_
#define QLITE_KERNELS_CONV_REGIONS_U8S8_H_

#include <cstdint>

#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// Taps that lie outside the image are left out where that saves some pixels at least so many steps altogether: there
// are more and shorter tiles then. What the padding would have added is added to the bias.
inline constexpr int64_t kLeastOmittedSteps = 256;
inline constexpr int64_t kLeastRegionPixels = 4;
// Output positions [begin, end) on one side of the image, and the taps of that side that they read: the others lie
// outside the image.
struct Span {
  int64_t begin, end;
  int64_t first_tap, last_tap;
  int64_t Size() const { return end - begin; }
  int64_t Taps() const { return last_tap - first_tap; }
  bool HasTapsOf(const Span& other) const { return first_tap == other.first_tap && last_tap == other.last_tap; }
};

// A rectangle of output pixels that read the same taps, counted from the first row of their unit.
struct Region {
  Span rows, columns;
  int64_t Pixels() const { return rows.Size() * columns.Size(); }
  int64_t Taps() const { return rows.Taps() * columns.Taps(); }
};

// The rows or the columns of the image.
struct Side {
  int64_t in, kernel, stride, dilation, pad;

  // The taps inside the image; there may be none.
  Span TapsAt(int64_t position) const {
    const int64_t first = position * stride - pad;
    const int64_t begin = first < 0 ? DivideUp(-first, dilation) : 0;
    const int64_t end = first < in ? Smaller(kernel, DivideUp(in - first, dilation)) : 0;
    return begin < end ? Span{position, position + 1, begin, end} : Span{position, position + 1, 0, 0};
  }

  // The positions from `begin` on that have the same taps. `pixels`: of a position, `tap_steps`: of the reduction that
  // a pixel saves for each tap left out. Where the savings are small, there are all taps.
  Span EqualTaps(int64_t begin, int64_t end, int64_t pixels, int64_t tap_steps) const {
    Span span = TapsAt(begin);
    if (span.Taps() == kernel) {
      span.end = Smaller(end, (in - 1 - (kernel - 1) * dilation + pad) / stride + 1);
      return span;
    }
    while (span.end < end && span.HasTapsOf(TapsAt(span.end))) ++span.end;
    pixels *= span.Size();
    if (pixels < kLeastRegionPixels || pixels * (kernel - span.Taps()) * tap_steps < kLeastOmittedSteps) {
      span.first_tap = 0;
      span.last_tap = kernel;
    }
    return span;
  }

  Span NextSpan(int64_t begin, int64_t end, int64_t pixels, int64_t tap_steps) const {
    Span span = EqualTaps(begin, end, pixels, tap_steps);
    while (span.end < end) {
      const Span next = EqualTaps(span.end, end, pixels, tap_steps);
      if (!span.HasTapsOf(next)) break;
      span.end = next.end;
    }
    return span;
  }
};

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_CONV_REGIONS_U8S8_H_
