// The input of a strip of output rows, copied: padded, widened, without gaps between the pixels.
// Included by *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_CONV_STRIP_U8S8_H_
#define QLITE_KERNELS_CONV_STRIP_U8S8_H_

#include <cstdint>
#include <cstring>

#include "kernels/conv_plan_u8s8.h"
#include "kernels/conv_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

inline void Fill(DotInput* to, int64_t n, int32_t value) {
  if constexpr (sizeof(DotInput) == 1) {
    std::memset(to, value, static_cast<size_t>(n));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<DotInput>(value);
  }
}

// Copies pixels of `channels` elements, `pitch` apart, one behind the other. Few channels go in whole vectors; what is
// read and written too much behind a pixel is overwritten by the next one, and behind the last there is slack.
inline void CopyPixels(const uint8_t* from, int64_t count, int64_t channels, int64_t pitch, DotInput* to) {
  constexpr int64_t kVector = 16;
  if (pitch == channels) return CopyInput(from, to, count * channels);
  if (channels > 4 * kVector) {
    for (int64_t x = 0; x < count; ++x) CopyInput(from + x * pitch, to + x * channels, channels);
    return;
  }
  for (int64_t x = 0; x < count; ++x, from += pitch, to += channels) {
    for (int64_t i = 0; i < channels; i += kVector) CopyInput(from + i, to + i, kVector);
  }
}

// The first `kept` rows of the strip are there already.
inline void CopyStrip(const ConvU8S8Args& args, const ConvPlan& plan, const ConvUnit& unit, int64_t kept,
                      DotInput* strip) {
  const ConvGeometry& g = args.geometry;
  const int64_t channels = plan.block_channels;
  const int64_t in_rows = InputRows(g, unit.rows);
  const int64_t left = Smaller(g.pad_left, plan.strip_w);
  const int64_t inside = Larger(0, Smaller(g.in_w, plan.strip_w - left));
  const uint8_t* input = args.input + unit.image * g.in_h * g.in_w * g.in_pixel_stride + unit.block * channels;
  for (int64_t r = kept; r < in_rows; ++r) {
    DotInput* to = strip + r * plan.row_pitch;
    const int64_t y = unit.row * g.stride_h - g.pad_top + r;
    if (y < 0 || y >= g.in_h) {
      Fill(to, plan.row_pitch, args.input_zero_point);
      continue;
    }
    Fill(to, left * channels, args.input_zero_point);
    to += left * channels;
    CopyPixels(input + y * g.in_w * g.in_pixel_stride, inside, channels, g.in_pixel_stride, to);
    Fill(to + inside * channels, (plan.strip_w - left - inside) * channels, args.input_zero_point);
  }
}

// The strips of a thread, one after the other in the same memory.
class StripCopies {
 public:
  StripCopies(const ConvU8S8Args& args, const ConvPlan& plan, DotInput* strip)
      : args_(args), plan_(plan), strip_(strip) {}

  // Most follow on the one before, with some input rows in common.
  const DotInput* Strip(const ConvUnit& unit) {
    const ConvGeometry& g = args_.geometry;
    const bool same_image = unit.image == image_ && unit.block == block_;
    if (same_image && unit.row == row_) return strip_;
    const int64_t moved = (unit.row - row_) * g.stride_h;
    const int64_t kept = same_image && moved > 0 ? Larger(0, in_rows_ - moved) : 0;
    if (kept > 0) {
      std::memmove(strip_, strip_ + moved * plan_.row_pitch,
                   static_cast<size_t>(kept * plan_.row_pitch) * sizeof(DotInput));
    }
    CopyStrip(args_, plan_, unit, kept, strip_);
    image_ = unit.image;
    block_ = unit.block;
    row_ = unit.row;
    in_rows_ = InputRows(g, unit.rows);
    return strip_;
  }

 private:
  const ConvU8S8Args& args_;
  const ConvPlan& plan_;
  DotInput* strip_;
  int64_t image_ = -1;
  int64_t block_ = -1;
  int64_t row_ = -1;
  int64_t in_rows_ = 0;
};

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_CONV_STRIP_U8S8_H_
