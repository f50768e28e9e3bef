// Float convolutions whose groups have a whole fraction of a vector of channels, as many in as out: 16, 8 or 4 where
// vectors have 16 lanes, 8, 4 or 2 where they have 8. The register tile of the matrix product would leave lanes empty.
// Here a vector of sums holds one pixel of as many groups as fill it, their channels interleaved: lane j * G + g is
// output channel j of group g of G. The input is copied, padded and interleaved likewise, so that one load broadcasts a
// channel of all G groups. Each lane adds in the order that conv_f32.h promises.
//
// Included by conv_f32.isa.cc alone.
#ifndef QLITE_KERNELS_CONV_LANES_F32_H_
#define QLITE_KERNELS_CONV_LANES_F32_H_

#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/conv_rows.h"
#include "kernels/unroll.h"

// Before a loop of constant length that is long enough unrolled as far as it is.
#if defined(__clang__)
#define QLITE_KEEP_LOOP _Pragma("clang loop unroll(disable)")
#else
#define QLITE_KEEP_LOOP _Pragma("GCC unroll 1")
#endif

namespace qlite::kernels::QLITE_ISA::product::lanes {

inline constexpr int kLanes = VecF32::kLanes;

#if QLITE_ISA_avx2 || QLITE_ISA_avx512
inline constexpr bool kAvailable = true;
#else
inline constexpr bool kAvailable = false;
#endif

// Groups in a vector, at most.
inline constexpr int64_t kMaxTuple = 4;
// Bytes of input that are copied at a time, part of a first-level cache.
inline constexpr int64_t kStripBytes = 32 * 1024;
// Units that a convolution has at least, size permitting.
inline constexpr int64_t kWantedUnits = 8;

// p[0], p[1], ..., p[kTuple - 1], p[0], ...
template <int kTuple>
inline VecF32 BroadcastTuple(const float* p) {
#if QLITE_ISA_avx512
  if constexpr (kTuple == 4) return VecF32(VecF32::Batch(_mm512_broadcast_f32x4(_mm_loadu_ps(p))));
  if constexpr (kTuple == 2) {
    const __m128d pair = _mm_load_sd(reinterpret_cast<const double*>(p));
    return VecF32(VecF32::Batch(_mm512_castpd_ps(_mm512_broadcastsd_pd(pair))));
  }
#elif QLITE_ISA_avx2
  if constexpr (kTuple == 4) return VecF32(VecF32::Batch(_mm256_broadcast_ps(reinterpret_cast<const __m128*>(p))));
  if constexpr (kTuple == 2) {
    return VecF32(VecF32::Batch(_mm256_castpd_ps(_mm256_broadcast_sd(reinterpret_cast<const double*>(p)))));
  }
#endif
  return VecF32(*p);
}

// Lane i of the result is lane order[i] of x.
inline VecF32 Permute(VecF32 x, const int32_t* order) {
#if QLITE_ISA_avx512
  return VecF32(VecF32::Batch(_mm512_permutexvar_ps(_mm512_loadu_si512(order), x.v)));
#elif QLITE_ISA_avx2
  const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(order));
  return VecF32(VecF32::Batch(_mm256_permutevar8x32_ps(x.v, lanes)));
#else
  static_cast<void>(order);
  return x;
#endif
}

// Channels of a vector that belong to a group, or 0 where this is not for the convolution. Weights are packed once for
// all sizes, strides and dilations, so it depends on channels, groups and kernel alone.
inline int64_t GroupWidth(const ConvF32Geometry& g) {
  const int64_t width = GroupChannels(g);
  if (!kAvailable || width == 0 || width != GroupOutputs(g) || kLanes % width != 0) return 0;
  const int64_t tuple = kLanes / width;
  if (tuple > kMaxTuple || g.groups < tuple) return 0;
  // One tap of full vectors is a matrix product.
  return tuple == 1 && g.kernel_h * g.kernel_w == 1 ? 0 : width;
}

// The orders of lanes: of an interleaved vector's elements in a natural one, and the other way round.
struct Orders {
  explicit Orders(int64_t width) {
    const int64_t tuple = kLanes / width;
    for (int64_t i = 0; i < kLanes; ++i) {
      interleaved[i] = static_cast<int32_t>(i % tuple * width + i / tuple);
      natural[i] = static_cast<int32_t>(i % width * tuple + i / width);
    }
  }
  int32_t interleaved[kLanes];
  int32_t natural[kLanes];
};

// A unit is a strip of output rows of an image, for the channels of one vector. The columns of an input row are sorted
// by what is left of them modulo the stride, so that the pixels of an output row read neighbouring ones for every tap.
struct Plan {
  explicit Plan(const ConvF32Geometry& g) {
    blocks = CeilDiv(g.in_channels, kLanes);
    columns = MaxOf(0, (g.out_w - 1) * g.stride_w + (g.kernel_w - 1) * g.dilation_w + 1);
    sorted = CeilDiv(columns, g.stride_w);
    row_floats = g.stride_w * sorted * kLanes;
    const int64_t span = (g.kernel_h - 1) * g.dilation_h + 1;
    const int64_t row_bytes = row_floats * static_cast<int64_t>(sizeof(float));
    const int64_t fitting = (kStripBytes / MaxOf(row_bytes, 1) - span) / g.stride_h + 1;
    const int64_t wanted = CeilDiv(g.batch * g.out_h * blocks, kWantedUnits);
    rows = MinOf(g.out_h, MaxOf(1, MinOf(fitting, wanted)));
    strips = rows == 0 ? 0 : CeilDiv(g.out_h, rows);
    if (strips > 0) rows = CeilDiv(g.out_h, strips);
    units = g.out_w == 0 ? 0 : g.batch * strips * blocks;
    strip_offset = AlignedBytes(g.kernel_w * static_cast<int64_t>(sizeof(int64_t)));
    bytes = units == 0 ? 0 : strip_offset + ((rows - 1) * g.stride_h + span) * row_bytes;
  }
  int64_t blocks;
  int64_t columns;     // of the image that the taps of a row reach
  int64_t sorted;      // of them for each remainder, at most
  int64_t row_floats;  // of a strip
  int64_t rows;        // of the output in a strip, at most
  int64_t strips;      // of an image
  int64_t units;
  // The workspace holds where the taps of a kernel row begin, then a strip of the input.
  int64_t strip_offset;
  int64_t bytes;
};

inline int64_t PackedFloats(const ConvF32Geometry& g) {
  return ReductionLength(g) * CeilDiv(g.out_channels, kLanes) * kLanes;
}

// [block][kernel row][kernel column][channel of a group][lane], zero in lanes that the last block does not have.
inline void Pack(const ConvF32Geometry& g, const float* weights, float* packed) {
  const int64_t width = GroupWidth(g);
  const int64_t taps = g.kernel_h * g.kernel_w;
  const Orders orders(width);
  for (int64_t first = 0; first < g.out_channels; first += kLanes) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t k = 0; k < width; ++k) {
        for (int lane = 0; lane < kLanes; ++lane) {
          const int64_t channel = first + orders.interleaved[lane];
          *packed++ = channel < g.out_channels ? weights[(channel * width + k) * taps + tap] : 0.0f;
        }
      }
    }
  }
}

// The channels of a block, of which the last one may have fewer than lanes.
inline VecF32 LoadBlock(const float* p, int channels) {
  return channels == kLanes ? VecF32::Load(p) : VecF32::LoadPartial(p, channels);
}

// Copies the input columns that the taps reach of row y of an image, `from` being the first pixel of the image and the
// block; all zero where there is no such row.
inline void CopyRow(const ConvF32Geometry& g, const Plan& plan, const float* from, int64_t y, int channels,
                    const Orders& orders, float* to) {
  const bool inside = y >= 0 && y < g.in_h;
  const float* row = from + y * g.in_w * g.in_pixel_stride;
  for (int64_t phase = 0; phase < g.stride_w; ++phase, to += plan.sorted * kLanes) {
    const int64_t first = phase - g.pad_left;
    int64_t begin = 0, end = 0;
    if (inside) StepsInside(first, g.stride_w, g.in_w, plan.sorted, &begin, &end);
    const float* pixel = row + (first + begin * g.stride_w) * g.in_pixel_stride;
    constexpr size_t kBytes = kLanes * sizeof(float);
    std::memset(to, 0, static_cast<size_t>(begin) * kBytes);
    for (int64_t x = begin; x < end; ++x, pixel += g.stride_w * g.in_pixel_stride) {
      Permute(LoadBlock(pixel, channels), orders.interleaved).Store(to + x * kLanes);
    }
    std::memset(to + end * kLanes, 0, static_cast<size_t>(plan.sorted - end) * kBytes);
  }
}

// An output row.
struct Job {
  const float* input;          // of the strip, under the first tap of the first pixel
  const int64_t* tap_offsets;  // of a kernel row
  int64_t row_step;            // from one kernel row to the next
  int64_t kernel_h;
  int64_t kernel_w;
  const float* weights;
  VecF32 start;  // interleaved
  int channels;  // to store
  const int32_t* natural;
  Epilogue out;  // of the first pixel
};

// Stores the sums of the pixels from `pixel` on.
template <int kPixels, int kTuple>
[[gnu::always_inline]] inline void FinishPixels(const Job& job, VecF32 (&sum)[kPixels], int64_t pixel) {
  if constexpr (kTuple > 1) {
    QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p] = Permute(sum[p], job.natural);
  }
  if (job.out.residual) {
    const float* residual = job.out.residual + pixel * job.out.ldr;
    QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p] =
        sum[p] + LoadBlock(residual + p * job.out.ldr, job.channels);
  }
  if (job.out.clamps) {
    const VecF32 low(job.out.act_min);
    const VecF32 high(job.out.act_max);
    QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p] = Min(high, Max(low, sum[p]));
  }
  float* c = job.out.c + pixel * job.out.ldc;
  if (job.channels < kLanes) {
    QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p].StorePartial(c + p * job.out.ldc, job.channels);
    return;
  }
  QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p].Store(c + p * job.out.ldc);
}

// The pixels [first, first + kPixels) of a row, with kTuple groups in a vector.
template <int kPixels, int kTuple>
[[gnu::noinline]] void ComputePixels(const Job& job, int64_t first) {
  constexpr int kWidth = kLanes / kTuple;
  // The body of the loop over the channels of a tap.
  constexpr int kUnrolled = 2;
  VecF32 sum[kPixels];
  QLITE_UNROLL for (int p = 0; p < kPixels; ++p) sum[p] = job.start;
  const float* row = job.input + first * kLanes;
  const float* w = job.weights;
  for (int64_t i = 0; i < job.kernel_h; ++i, row += job.row_step) {
    for (int64_t j = 0; j < job.kernel_w; ++j) {
      const float* x = row + job.tap_offsets[j];
      QLITE_KEEP_LOOP for (int k = 0; k < kWidth; k += kUnrolled, w += kUnrolled * kLanes) {
        QLITE_UNROLL for (int u = 0; u < kUnrolled; ++u) {
          const VecF32 weights = VecF32::Load(w + u * kLanes);
          QLITE_UNROLL for (int p = 0; p < kPixels; ++p) {
            const VecF32 input = BroadcastTuple<kTuple>(x + p * kLanes + (k + u) * kTuple);
            sum[p] = MulAdd(input, weights, sum[p]);
          }
        }
      }
    }
  }
  FinishPixels<kPixels, kTuple>(job, sum, first);
}

// Runs of neighbouring pixels that are computed together, and their length.
inline constexpr int kRuns = 4, kRunPixels = 7;

// Where registers hold the sums of the runs. A broadcast of a single number is an operand of the multiply-add and
// costs nothing.
template <int kTuple>
inline constexpr bool kByRuns = kTuple > 1 && kVectorRegisters >= 32;

// Whether ComputeRuns is for this convolution: what is wasted where runs do not divide a row must be less than it
// gains.
inline bool HasRuns(const ConvF32Geometry& g) {
  return g.kernel_w == 3 && g.stride_w == 1 && g.dilation_w == 1 && g.out_w >= kRunPixels &&
         8 * CeilDiv(g.out_w, kRunPixels) * kRunPixels <= 9 * g.out_w;
}

// Runs that begin at the pixels `first` of the strip's output, for kernels of three columns. Column by column of the
// input: a broadcast, which costs as much as a multiply-add, serves the pixels of all three taps. A pixel meets its
// taps in their order, as ever.
template <int kTuple>
[[gnu::noinline]] void ComputeRuns(const Job& job, const float* const (&input)[kRuns], const int64_t (&first)[kRuns]) {
  constexpr int kWidth = kLanes / kTuple, kTaps = 3;
  VecF32 sum[kRuns][kRunPixels];
  u8::Unroll<kRuns>([&](auto r) QLITE_INLINE {
    u8::Unroll<kRunPixels>([&](auto p) QLITE_INLINE { sum[r.value][p.value] = job.start; });
  });
  const float* w = job.weights;
  for (int64_t i = 0; i < job.kernel_h; ++i, w += kTaps * kWidth * kLanes) {
    u8::Unroll<kRunPixels + kTaps - 1>([&](auto column) QLITE_INLINE {
      constexpr int kColumn = decltype(column)::value;
      const int64_t x = i * job.row_step + kColumn * kLanes;
      QLITE_KEEP_LOOP for (int k = 0; k < kWidth; ++k) {
        VecF32 weights[kTaps];
        u8::Unroll<kTaps>(
            [&](auto tap) QLITE_INLINE { weights[tap.value] = VecF32::Load(w + (tap.value * kWidth + k) * kLanes); });
        u8::Unroll<kRuns>([&](auto r) QLITE_INLINE {
          const VecF32 value = BroadcastTuple<kTuple>(input[r.value] + x + k * kTuple);
          u8::Unroll<kTaps>([&](auto tap) QLITE_INLINE {
            constexpr int kPixel = kColumn - decltype(tap)::value;
            if constexpr (kPixel >= 0 && kPixel < kRunPixels) {
              VecF32& one = sum[r.value][kPixel];
              one = MulAdd(value, weights[tap.value], one);
            }
          });
        });
      }
    });
  }
  u8::Unroll<kRuns>([&](auto r) QLITE_INLINE { FinishPixels<kRunPixels, kTuple>(job, sum[r.value], first[r.value]); });
}

// All rows of a strip by runs; job.input and job.out are those of its first row.
template <int kTuple>
void ComputeStrip(const ConvF32Geometry& g, const Plan& plan, const Job& job, int64_t rows) {
  const int64_t of_row = CeilDiv(g.out_w, kRunPixels), all = rows * of_row;
  for (int64_t run = 0; run < all; run += kRuns) {
    const float* input[kRuns];
    int64_t first[kRuns];
    for (int r = 0; r < kRuns; ++r) {
      // Where runs do not divide, the last one and the last pixels are computed again: the same values are stored.
      const int64_t one = MinOf(run + r, all - 1), y = one / of_row;
      const int64_t x = MinOf(one % of_row * kRunPixels, g.out_w - kRunPixels);
      input[r] = job.input + y * g.stride_h * plan.row_floats + x * kLanes;
      first[r] = y * g.out_w + x;
    }
    ComputeRuns<kTuple>(job, input, first);
  }
}

using PixelFunction = void (*)(const Job&, int64_t);

// Pixels that are computed together: one of these numbers.
inline constexpr int kPixelCounts[] = {1, 4, 7, 8, 11, 14};
inline constexpr int kCounts = sizeof kPixelCounts / sizeof *kPixelCounts;

template <int kTuple, int... kIndices>
PixelFunction FunctionAt(int index, std::integer_sequence<int, kIndices...>) {
  static constexpr PixelFunction kFunctions[] = {&ComputePixels<kPixelCounts[kIndices], kTuple>...};
  return kFunctions[index];
}

// The count that makes a row cheapest, where a call costs as much as two pixels.
inline int ChooseCount(int64_t pixels) {
  constexpr int64_t kCall = 2;
  int best = 0;
  const auto cost = [&](int index) { return CeilDiv(pixels, kPixelCounts[index]) * (kPixelCounts[index] + kCall); };
  for (int index = 1; index < kCounts; ++index) {
    if (kPixelCounts[index] <= pixels && cost(index) < cost(best)) best = index;
  }
  return best;
}

template <int kTuple>
void RunUnits(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  const ConvF32Geometry& g = args.geometry;
  const Plan plan(g);
  const Orders orders(kLanes / kTuple);
  const int index = ChooseCount(g.out_w);
  const int64_t count = kPixelCounts[index];
  const PixelFunction compute = FunctionAt<kTuple>(index, std::make_integer_sequence<int, kCounts>());
  auto* tap_offsets = static_cast<int64_t*>(workspace);
  auto* strip = reinterpret_cast<float*>(static_cast<char*>(workspace) + plan.strip_offset);
  for (int64_t j = 0; j < g.kernel_w; ++j) {
    const int64_t column = j * g.dilation_w;
    tap_offsets[j] = (column % g.stride_w * plan.sorted + column / g.stride_w) * kLanes;
  }
  Job job;
  job.tap_offsets = tap_offsets;
  job.row_step = g.dilation_h * plan.row_floats;
  job.kernel_h = g.kernel_h;
  job.kernel_w = g.kernel_w;
  job.natural = orders.natural;
  Epilogue out = OutputOf(args);
  out.bias = nullptr;  // the sums begin with it
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t block = unit % plan.blocks;
    const int64_t image = unit / plan.blocks / plan.strips;
    const int64_t first = unit / plan.blocks % plan.strips * plan.rows;
    const int64_t rows = MinOf(plan.rows, g.out_h - first);
    const float* input = args.input + image * g.in_h * g.in_w * g.in_pixel_stride + block * kLanes;
    const int64_t in_rows = (rows - 1) * g.stride_h + (g.kernel_h - 1) * g.dilation_h + 1;
    job.channels = static_cast<int>(MinOf(kLanes, g.in_channels - block * kLanes));
    for (int64_t r = 0; r < in_rows; ++r) {
      CopyRow(g, plan, input, first * g.stride_h - g.pad_top + r, job.channels, orders, strip + r * plan.row_floats);
    }
    job.weights = args.packed_weights + block * ReductionLength(g) * kLanes;
    job.start = VecF32(0.0f);
    if (args.bias) job.start = Permute(LoadBlock(args.bias + block * kLanes, job.channels), orders.interleaved);
    job.input = strip;
    job.out = At(out, (image * g.out_h + first) * g.out_w, block * kLanes);
    if constexpr (kByRuns<kTuple>) {
      if (HasRuns(g)) {
        ComputeStrip<kTuple>(g, plan, job, rows);
        continue;
      }
    }
    for (int64_t r = 0; r < rows; ++r) {
      job.input = strip + r * g.stride_h * plan.row_floats;
      job.out = At(out, (image * g.out_h + first + r) * g.out_w, block * kLanes);
      // Where the pixels do not divide, the last ones are computed twice: the same values are stored.
      for (int64_t x = 0; x < g.out_w; x += count) compute(job, MinOf(x, g.out_w - count));
    }
  }
}

inline void Run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  switch (kLanes / GroupWidth(args.geometry)) {
    case 1:
      return RunUnits<1>(args, workspace, begin, end);
    case 2:
      return RunUnits<2>(args, workspace, begin, end);
    default:
      return RunUnits<4>(args, workspace, begin, end);
  }
}

}  // namespace qlite::kernels::QLITE_ISA::product::lanes

#undef QLITE_KEEP_LOOP

#endif  // QLITE_KERNELS_CONV_LANES_F32_H_
