// Where the output pixels of a unit of a convolution are read and written.
// Included by *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_CONV_PIXELS_U8S8_H_
#define QLITE_KERNELS_CONV_PIXELS_U8S8_H_

#include <algorithm>
#include <cstdint>

#include "kernels/conv_plan_u8s8.h"
#include "kernels/conv_regions_u8s8.h"
#include "kernels/conv_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// The output pixels of a unit in the order in which tiles take them, region by region.
class Pixels {
 public:
  Pixels(const ConvGeometry& g, const ConvPlan& plan, void* memory)
      : g_(g),
        plan_(plan),
        regions_(static_cast<Region*>(memory)),
        inputs_(reinterpret_cast<int64_t*>(static_cast<uint8_t*>(memory) + plan.PixelsOffset())),
        outputs_(inputs_ + plan.pixels) {
    for (int i = 0; i < kMaxTileRows; ++i) row_outputs_[i] = i * g.out_pixel_stride;
  }

  void MoveTo(const ConvUnit& unit) {
    const int64_t top = unit.row * g_.stride_h - g_.pad_top;
    const int64_t above = plan_.omits_rows ? Larger(0, -top) : 0;
    const int64_t below = plan_.omits_rows ? Larger(0, top + InputRows(g_, unit.rows) - g_.in_h) : 0;
    if (unit.rows == rows_ && above == above_ && below == below_) return;
    rows_ = unit.rows;
    above_ = above;
    below_ = below;
    CutRegions(unit);
    PlacePixels();
  }

  int64_t regions() const { return count_; }
  const Region& region(int64_t i) const { return regions_[i]; }
  // What a tile reads, `at` pixels on without gaps between the regions: elements from the first pixel of the unit.
  const int64_t* Inputs(int64_t at) const { return inputs_ + at; }
  // Where it goes, elements from the output of the first pixel. Pixels of whole rows need no list of their own.
  struct Output {
    int64_t first;
    const int64_t* rows;
  };
  Output OutputsOf(const Region& region, int64_t at, int64_t first) const {
    if (region.columns.Size() < g_.out_w) return {0, outputs_ + at};
    return {(region.rows.begin * g_.out_w + first) * g_.out_pixel_stride, row_outputs_};
  }

 private:
  void CutRegions(const ConvUnit& unit) {
    const Side rows = {g_.in_h, g_.kernel_h, g_.stride_h, g_.dilation_h, g_.pad_top};
    const Side columns = {g_.in_w, g_.kernel_w, g_.stride_w, g_.dilation_w, g_.pad_left};
    const int64_t tap_steps = plan_.omits_rows ? plan_.reduction.Steps() / (g_.kernel_h * g_.kernel_w) : 0;
    const int64_t column_tap_steps = plan_.omits_columns ? tap_steps : 0;
    const int64_t end = unit.row + unit.rows;
    count_ = 0;
    for (int64_t y = unit.row; y < end;) {
      Span span = rows.NextSpan(y, end, g_.out_w, tap_steps * g_.kernel_w);
      y = span.end;
      span.begin -= unit.row;
      span.end -= unit.row;
      for (int64_t x = 0; x < g_.out_w;) {
        regions_[count_] = {span, columns.NextSpan(x, g_.out_w, span.Size(), column_tap_steps * span.Taps())};
        x = regions_[count_++].columns.end;
      }
    }
    // The largest first: its tiles use all weights, and fetch all of the next panel's.
    std::iter_swap(regions_, std::max_element(regions_, regions_ + count_, [](const Region& a, const Region& b) {
                     return a.Pixels() < b.Pixels();
                   }));
  }

  void PlacePixels() {
    int64_t* input = inputs_;
    int64_t* output = outputs_;
    for (const Region* region = regions_; region != regions_ + count_; ++region) {
      const int64_t width = region->columns.Size();
      for (int64_t y = region->rows.begin; y < region->rows.end; ++y, input += width, output += width) {
        const int64_t x = region->columns.begin;
        Count(y * g_.stride_h * plan_.row_pitch, g_.stride_w * plan_.pixel_pitch, x, width, input);
        if (width < g_.out_w) Count(y * g_.out_w * g_.out_pixel_stride, g_.out_pixel_stride, x, width, output);
      }
    }
  }

  // start + step * first, start + step * (first + 1) and so on.
  static void Count(int64_t start, int64_t step, int64_t first, int64_t n, int64_t* to) {
    start += step * first;
    for (int64_t i = 0; i < n; ++i, start += step) to[i] = start;
  }

  const ConvGeometry& g_;
  const ConvPlan& plan_;
  Region* regions_;
  int64_t* inputs_;
  int64_t* outputs_;
  int64_t row_outputs_[kMaxTileRows];
  int64_t count_ = 0;
  // Of the last unit: one with as many rows that lie outside the image alike has the same pixels.
  int64_t rows_ = 0;
  int64_t above_ = 0;
  int64_t below_ = 0;
};

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_CONV_PIXELS_U8S8_H_
