// The taps of output pixels gathered behind each other, where the runs that they form in the image would be short.
// Included by *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_CONV_GATHER_U8S8_H_
#define QLITE_KERNELS_CONV_GATHER_U8S8_H_

#include <cstdint>
#include <cstring>

#include "kernels/conv_plan_u8s8.h"
#include "kernels/unroll.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// Pixels next to each other, from the first tap of the first one on.
struct GatherJob {
  const DotInput* from;
  int64_t pixels;
  int64_t pixel_step;
  int64_t rows;  // of the kernel
  int64_t row_step;
  int64_t run;  // elements of a row that are taps
  DotInput* to;
  int64_t pitch;  // of the gathered pixels
};

// Copies kCopied elements for each row of taps: what is too much is overwritten by the next one, and behind the last
// pixel there is slack. kRows: of the kernel, or 0 for any number. (A function of its own, lest the loop have to do
// with the registers that its surroundings leave: a copy is one load and one store.)
template <int kCopied, int kRows>
__attribute__((noinline)) void GatherRows(const GatherJob& job) {
  const GatherJob j = job;  // a copy, which what is stored cannot alias
  const DotInput* from = j.from;
  DotInput* to = j.to;
  for (int64_t i = 0; i < j.pixels; ++i, from += j.pixel_step, to += j.pitch) {
    if constexpr (kRows > 0) {
      Unroll<kRows>([&](auto row) QLITE_INLINE {
        std::memcpy(to + row.value * j.run, from + row.value * j.row_step, kCopied * sizeof(DotInput));
      });
    } else {
      const DotInput* row = from;
      DotInput* taps = to;
      for (int64_t left = j.rows; left > 0; --left, row += j.row_step, taps += j.run) {
        std::memcpy(taps, row, kCopied * sizeof(DotInput));
      }
    }
  }
}

// The usual heights of the first kernels are unrolled, where counting rows would take as long as copying them.
template <int kCopied>
void GatherPixels(const GatherJob& job) {
  if (job.rows == 3) return GatherRows<kCopied, 3>(job);
  if (job.rows == 7) return GatherRows<kCopied, 7>(job);
  GatherRows<kCopied, 0>(job);
}

// Gathers the taps of the output pixels [first, first + count) of a unit whose input begins at `strip`.
inline void GatherTaps(const ConvGeometry& g, const ConvPlan& plan, const DotInput* strip, int64_t first, int64_t count,
                       DotInput* to) {
  GatherJob job;
  job.pixel_step = g.stride_w * plan.pixel_pitch;
  job.rows = g.kernel_h;
  job.row_step = g.dilation_h * plan.row_pitch;
  job.run = g.kernel_w * plan.block_channels;
  job.pitch = plan.gathered_pitch;
  job.to = to;
  int64_t y = first / g.out_w, x = first % g.out_w;
  for (; count > 0; count -= job.pixels, job.to += job.pixels * job.pitch, ++y, x = 0) {
    job.pixels = Smaller(count, g.out_w - x);
    job.from = strip + y * g.stride_h * plan.row_pitch + x * job.pixel_step;
    if (job.run <= 16) {
      GatherPixels<16>(job);
    } else if (job.run <= 32) {
      GatherPixels<32>(job);
    } else {
      GatherPixels<kMaxGatheredRun>(job);
    }
  }
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_CONV_GATHER_U8S8_H_
