#include "kernels/pool_u8.h"

#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA {
namespace u8 {
namespace {

using V = VecWide;

// Taps [begin, end) of a kernel of which the first is at position `first` that fall on [low, high).
struct TapRange {
  TapRange(int64_t first, int64_t dilation, int64_t kernel, int64_t low, int64_t high) {
    while (begin < kernel && first + begin * dilation < low) ++begin;
    end = begin;
    while (end < kernel && first + end * dilation < high) ++end;
  }
  int64_t Count() const { return end - begin; }
  int64_t begin = 0;
  int64_t end = 0;
};

// The window of an output: its taps inside the image, and where the first of them lies.
struct Window {
  Window(const PoolU8Args& a, int64_t row, int64_t out_x)
      : top(row % a.out_h * a.stride_h - a.pad_top),
        left(out_x * a.stride_w - a.pad_left),
        ys(top, a.dilation_h, a.kernel_h, 0, a.in_h),
        xs(left, a.dilation_w, a.kernel_w, 0, a.in_w),
        row_step(a.dilation_h * a.in_w * a.in_pixel_stride),
        pixel_step(a.dilation_w * a.in_pixel_stride) {
    const int64_t y = row / a.out_h * a.in_h + top + ys.begin * a.dilation_h;
    const int64_t x = left + xs.begin * a.dilation_w;
    first = Count() == 0 ? a.input : a.input + (y * a.in_w + x) * a.in_pixel_stride;
  }
  int64_t Count() const { return ys.Count() * xs.Count(); }
  int64_t top, left;
  TapRange ys, xs;
  const uint8_t* first;
  int64_t row_step, pixel_step;
};

template <class Visit>
inline QLITE_INLINE void VisitTaps(const Window& w, int64_t channel, const Visit& visit) {
  for (int64_t y = 0; y < w.ys.Count(); ++y) {
    const uint8_t* pixel = w.first + y * w.row_step + channel;
    for (int64_t x = 0; x < w.xs.Count(); ++x, pixel += w.pixel_step) visit(V::LoadU8(pixel));
  }
}

// Calls compute(window, output pixel, channel, count of channels) for every vector of outputs of the rows.
template <class Compute>
void ForEachOutput(const PoolU8Args& args, int64_t begin, int64_t end, const Compute& compute) {
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t x = 0; x < args.out_w; ++x) {
      const Window window(args, row, x);
      uint8_t* output = args.output + (row * args.out_w + x) * args.out_pixel_stride;
      for (int64_t c = 0; c < args.channels; c += V::kBytes) {
        const int64_t rest = args.channels - c;
        compute(window, output + c, c, static_cast<int>(rest < V::kBytes ? rest : V::kBytes));
      }
    }
  }
}

void Max(const PoolU8Args& args, int64_t begin, int64_t end) {
  ForEachOutput(args, begin, end, [](const Window& window, uint8_t* output, int64_t channel, int count) {
    V::U8 max = V::SetU8(0);
    VisitTaps(window, channel, [&](V::U8 x) QLITE_INLINE { max = V::Max(max, x); });
    V::StoreU8(output, max, count);
  });
}

// Positions that an average is over.
int64_t Divisor(const PoolU8Args& args, const AverageU8& average, const Window& w) {
  if (!average.count_include_pad) return w.Count();
  const TapRange ys(w.top, args.dilation_h, args.kernel_h, -args.pad_top, args.in_h + args.pad_bottom);
  const TapRange xs(w.left, args.dilation_w, args.kernel_w, -args.pad_left, args.in_w + args.pad_right);
  return ys.Count() * xs.Count();
}

void Average(const PoolU8Args& args, const AverageU8& average, int64_t begin, int64_t end) {
  const OutputMap map = MakeOutputMap(average.quantization);
  ForEachOutput(args, begin, end, [&](const Window& window, uint8_t* output, int64_t channel, int count) {
    const int64_t divisor = Divisor(args, average, window);
    const float multiplier = divisor == 0 ? 0.0f : average.ratio / static_cast<float>(divisor);
    const int32_t zeros = static_cast<int32_t>(-window.Count() * average.zero_in);
    V::I32 sums[4];
    Unroll<4>([&](auto j) QLITE_INLINE { sums[j.value] = V::SetI32(zeros); });
    VisitTaps(window, channel, [&](V::U8 x) QLITE_INLINE {
      V::I32 wide[4];
      V::Widen4(x, wide);
      Unroll<4>([&](auto j) QLITE_INLINE { sums[j.value] = V::Add(sums[j.value], wide[j.value]); });
    });
    V::I32 rounded[4];
    Unroll<4>([&](auto j) QLITE_INLINE {
      rounded[j.value] = V::Round<Epilogue::kClamped>(V::Scale(sums[j.value], V::SetF32(multiplier)), map);
    });
    V::StoreU8(output, V::Narrow4<Epilogue::kClamped>(rounded, map), count);
  });
}

constexpr PoolU8Kernels kKernels = {&Max, &Average};

}  // namespace
}  // namespace u8

extern const PoolU8Kernels kPoolU8Kernels;
const PoolU8Kernels kPoolU8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
