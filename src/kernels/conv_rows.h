// How a convolution finds its input: pointers to the rows that an output pixel reads, for a block of pixels. What the
// convolutions over matrix products share. Included by *.isa.cc alone.
//
// Method: Dukhan, "The Indirect Convolution Algorithm", 2019.
#ifndef QLITE_KERNELS_CONV_ROWS_H_
#define QLITE_KERNELS_CONV_ROWS_H_

#include <cstdint>
#include <cstring>

#include "kernels/conv_f32.h"
#include "kernels/gemm_f32_tile.h"

namespace qlite::kernels::QLITE_ISA::product {

// With fewer channels than this, a kernel row of a pixel is read as one run of floats.
inline constexpr int64_t kMergedChannels = 48;

inline int64_t GroupChannels(const ConvF32Geometry& g) { return g.in_channels / g.groups; }
inline int64_t GroupOutputs(const ConvF32Geometry& g) { return g.out_channels / g.groups; }
inline int64_t ReductionLength(const ConvF32Geometry& g) { return g.kernel_h * g.kernel_w * GroupChannels(g); }
inline int64_t PixelCount(const ConvF32Geometry& g) { return g.batch * g.out_h * g.out_w; }

// How the input of an output pixel is found: `taps` runs of `run` floats.
struct Runs {
  bool merged;  // a run is a whole row of the kernel, contiguous in memory; otherwise a single tap
  int64_t taps;
  int64_t run;
};

inline Runs FindRuns(const ConvF32Geometry& g) {
  const bool contiguous = g.dilation_w == 1 && g.groups == 1 && g.in_pixel_stride == g.in_channels;
  if (contiguous && g.kernel_w > 1 && g.in_channels > 0 && g.in_channels < kMergedChannels) {
    return {.merged = true, .taps = g.kernel_h, .run = g.kernel_w * g.in_channels};
  }
  return {.merged = false, .taps = g.kernel_h * g.kernel_w, .run = GroupChannels(g)};
}

// The workspace: zeros to read in the padding, then the pointers of a block, then, for merged runs, copies of the runs
// that lie in the padding in part.
struct Workspace {
  float* zeros;
  const float** rows;
  float* copies;
};

inline constexpr int64_t kAlignment = 64;
inline int64_t AlignedBytes(int64_t bytes) { return CeilDiv(bytes, kAlignment) * kAlignment; }
inline int64_t ZeroBytes(const Runs& runs) { return AlignedBytes(runs.run * static_cast<int64_t>(sizeof(float))); }
inline int64_t RowBytes(const Runs& runs) {
  return AlignedBytes(kBlockRows * runs.taps * static_cast<int64_t>(sizeof(float*)));
}
inline int64_t CopyBytes(const Runs& runs) {
  return runs.merged ? kBlockRows * runs.taps * runs.run * static_cast<int64_t>(sizeof(float)) : 0;
}

inline int64_t WorkspaceBytes(const ConvF32Geometry& g) {
  const Runs runs = FindRuns(g);
  return ZeroBytes(runs) + RowBytes(runs) + CopyBytes(runs);
}

inline Workspace CutWorkspace(const Runs& runs, void* memory) {
  char* bytes = static_cast<char*>(memory);
  Workspace space;
  space.zeros = reinterpret_cast<float*>(bytes);
  space.rows = reinterpret_cast<const float**>(bytes + ZeroBytes(runs));
  space.copies = reinterpret_cast<float*>(bytes + ZeroBytes(runs) + RowBytes(runs));
  std::memset(space.zeros, 0, static_cast<size_t>(runs.run) * sizeof(float));
  return space;
}

// A stretch of output pixels in one output row, whose pointers go to consecutive columns of the table.
struct Stretch {
  int64_t image;
  int64_t y;
  int64_t x;
  int64_t count;
  const float** rows;
};

// Divisions are slow, and most strides are 1.
inline int64_t StepsOver(int64_t distance, int64_t stride) {
  return stride == 1 ? distance : CeilDiv(distance, stride);
}

// The steps j in [0, count) for which 0 <= first + j * stride < size are [*begin, *end).
inline void StepsInside(int64_t first, int64_t stride, int64_t size, int64_t count, int64_t* begin, int64_t* end) {
  *begin = first >= 0 ? 0 : MinOf(StepsOver(-first, stride), count);
  *end = first >= size ? *begin : MaxOf(*begin, MinOf(StepsOver(size - first, stride), count));
}

inline void PointAtZeros(const Stretch& stretch, int64_t tap, const float* zeros) {
  for (int64_t j = 0; j < stretch.count; ++j) stretch.rows[tap * kBlockRows + j] = zeros;
}

inline void PointAtTaps(const ConvF32Geometry& g, const float* input, const Stretch& stretch, const Workspace& space) {
  int64_t tap = 0;
  for (int64_t i = 0; i < g.kernel_h; ++i) {
    const int64_t y = stretch.y * g.stride_h - g.pad_top + i * g.dilation_h;
    const bool row_inside = y >= 0 && y < g.in_h;
    for (int64_t j = 0; j < g.kernel_w; ++j, ++tap) {
      if (!row_inside) {
        PointAtZeros(stretch, tap, space.zeros);
        continue;
      }
      const int64_t x = stretch.x * g.stride_w - g.pad_left + j * g.dilation_w;
      int64_t begin, end;
      StepsInside(x, g.stride_w, g.in_w, stretch.count, &begin, &end);
      const float** rows = stretch.rows + tap * kBlockRows;
      const int64_t pixel = (stretch.image * g.in_h + y) * g.in_w + x;
      for (int64_t s = 0; s < begin; ++s) rows[s] = space.zeros;
      for (int64_t s = begin; s < end; ++s) rows[s] = input + (pixel + s * g.stride_w) * g.in_pixel_stride;
      for (int64_t s = end; s < stretch.count; ++s) rows[s] = space.zeros;
    }
  }
}

// Copies a kernel row that begins at input column x and leaves the image; the columns outside are zero.
inline void CopyRun(const ConvF32Geometry& g, const float* image_row, int64_t x, float* copy) {
  const int64_t begin = MinOf(MaxOf(-x, 0), g.kernel_w);
  const int64_t end = MaxOf(begin, MinOf(g.in_w - x, g.kernel_w));
  const int64_t channels = g.in_channels;
  constexpr size_t kFloat = sizeof(float);
  if (begin > 0) std::memset(copy, 0, static_cast<size_t>(begin * channels) * kFloat);
  if (begin < end) {
    std::memcpy(copy + begin * channels, image_row + (x + begin) * channels,
                static_cast<size_t>((end - begin) * channels) * kFloat);
  }
  if (end < g.kernel_w)
    std::memset(copy + end * channels, 0, static_cast<size_t>((g.kernel_w - end) * channels) * kFloat);
}

// As PointAtTaps, for merged runs. Returns the copies that are still free.
inline float* PointAtRows(const ConvF32Geometry& g, const float* input, const Stretch& stretch, const Workspace& space,
                          float* copies) {
  const int64_t x = stretch.x * g.stride_w - g.pad_left;
  int64_t begin, end;
  StepsInside(x, g.stride_w, g.in_w - g.kernel_w + 1, stretch.count, &begin, &end);
  for (int64_t i = 0; i < g.kernel_h; ++i) {
    const int64_t y = stretch.y * g.stride_h - g.pad_top + i * g.dilation_h;
    if (y < 0 || y >= g.in_h) {
      PointAtZeros(stretch, i, space.zeros);
      continue;
    }
    const float* image_row = input + (stretch.image * g.in_h + y) * g.in_w * g.in_channels;
    const float** rows = stretch.rows + i * kBlockRows;
    for (int64_t s = begin; s < end; ++s) rows[s] = image_row + (x + s * g.stride_w) * g.in_channels;
    for (int64_t s = 0; s < stretch.count; ++s) {
      if (s == begin) s = end;
      if (s == stretch.count) break;
      CopyRun(g, image_row, x + s * g.stride_w, copies);
      rows[s] = copies;
      copies += g.kernel_w * g.in_channels;
    }
  }
  return copies;
}

// Fills the pointers of the output pixels [first, first + count).
inline void PointAtBlock(const ConvF32Geometry& g, const Runs& runs, const float* input, int64_t first, int64_t count,
                         const Workspace& space) {
  Stretch stretch;
  stretch.x = first % g.out_w;
  stretch.y = first / g.out_w % g.out_h;
  stretch.image = first / g.out_w / g.out_h;
  stretch.rows = space.rows;
  float* copies = space.copies;
  for (int64_t left = count; left > 0; left -= stretch.count) {
    stretch.count = MinOf(left, g.out_w - stretch.x);
    if (runs.merged) {
      copies = PointAtRows(g, input, stretch, space, copies);
    } else {
      PointAtTaps(g, input, stretch, space);
    }
    stretch.rows += stretch.count;
    stretch.x += stretch.count;
    if (stretch.x == g.out_w) {
      stretch.x = 0;
      if (++stretch.y == g.out_h) {
        stretch.y = 0;
        ++stretch.image;
      }
    }
  }
}

// A kernel of one tap that reads every pixel sees no rows: all pixels are one long row.
inline ConvF32Geometry Flattened(const ConvF32Geometry& g) {
  if (g.kernel_h * g.kernel_w * g.stride_h * g.stride_w != 1 || g.pad_top != 0 || g.pad_left != 0 ||
      g.in_h != g.out_h || g.in_w != g.out_w) {
    return g;
  }
  ConvF32Geometry flat = g;
  flat.batch = flat.in_h = flat.out_h = 1;
  flat.in_w = flat.out_w = PixelCount(g);
  return flat;
}

// The whole output.
inline Epilogue OutputOf(const ConvF32Args& args) {
  return {.bias = args.bias,
          .residual = args.residual,
          .ldr = args.geometry.residual_pixel_stride,
          .c = args.output,
          .ldc = args.geometry.out_pixel_stride,
          .act_min = args.act_min,
          .act_max = args.act_max,
          .clamps = IsClamp(args.act_min, args.act_max)};
}

// Units that are a panel against a block of rows, the panels of a block one after the other: calls
// run(block, first_panel, end_panel) for the parts of blocks that the units [begin, end) cover.
template <class Run>
void ForEachPanelRange(int64_t panels, int64_t begin, int64_t end, const Run& run) {
  for (int64_t unit = begin; unit < end;) {
    const int64_t first = unit % panels, stop = MinOf(panels, first + end - unit);
    run(unit / panels, first, stop);
    unit += stop - first;
  }
}

}  // namespace qlite::kernels::QLITE_ISA::product

#endif  // QLITE_KERNELS_CONV_ROWS_H_
