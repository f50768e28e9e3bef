#include "kernels/depthwise_f32.h"

#include <array>
#include <cstring>
#include <utility>

#include "kernels/simd.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

constexpr int kLanes = VecF32::kLanes;
// Neighbouring output pixels that a tile computes, to use a loaded input pixel for as many of them as it touches.
constexpr int kTilePixels = kVectorRegisters >= 32 ? 8 : 4;
// Rows of them in a tile of 3x3 kernels. At stride 2 rows share one input row only: that pays where the weights of both
// fit in registers, too.
constexpr int TileRows(int stride) { return kVectorRegisters >= (stride == 1 ? 16 : 32) ? 2 : 1; }

// Floats of a cache line.
constexpr int64_t kLineFloats = 16;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t MinOf(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t MaxOf(int64_t a, int64_t b) { return a > b ? a : b; }

// Rows of up to kTilePixels output pixels, over channels [0, channels) of pointers that were moved to the first one.
struct Tile {
  const float* const* columns;  // input pixels: see the functions that read them
  int64_t kernel_h;
  int64_t kernel_w;
  const float* weights;
  int64_t channels;
  const float* bias;
  const float* residual;
  int64_t residual_pixel_stride;
  int64_t residual_row_stride;
  float* output;
  int64_t out_pixel_stride;
  int64_t out_row_stride;
  float act_min;
  float act_max;
  // What the tile below needs anew, to be fetched: pixels of its lowest input rows, of which there may be none, and its
  // output.
  const float* input_below;
  int64_t rows_below;
  int64_t in_pixel_stride;
  int64_t in_row_stride;
  const float* output_below;
};

template <bool kPartial>
[[gnu::always_inline]] inline VecF32 LoadChannels(const float* p, int count) {
  if constexpr (kPartial) return VecF32::LoadPartial(p, count);
  return VecF32::Load(p);
}

template <int kPixels, bool kPartial>
[[gnu::always_inline]] inline void Finish(const Tile& tile, int64_t row, int64_t c, int count, const VecF32* sum) {
  const float* residual = tile.residual ? tile.residual + row * tile.residual_row_stride + c : nullptr;
  float* out = tile.output + row * tile.out_row_stride + c;
  const VecF32 low(tile.act_min);
  const VecF32 high(tile.act_max);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) {
    VecF32 x = sum[t];
    if (residual) x = x + LoadChannels<kPartial>(residual + t * tile.residual_pixel_stride, count);
    x = Min(high, Max(low, x));
    if constexpr (kPartial) {
      x.StorePartial(out + t * tile.out_pixel_stride, count);
    } else {
      x.Store(out + t * tile.out_pixel_stride);
    }
  }
}

// Input columns that kPixels neighbouring output pixels read.
constexpr int ColumnCount(int kernel_w, int stride, int pixels) { return (pixels - 1) * stride + kernel_w; }

// Without dilation neighbouring pixels share columns: column j of kernel row i is at columns[i * pitch + j], where the
// pitch is that of a whole tile. The compiler keeps a column in a register while the pixels that share it use it.
template <int kKernelW, int kStride, int kPixels>
[[gnu::always_inline]] inline void SumSharedColumns(const Tile& tile, int64_t c, const float* weights) {
  constexpr int kColumns = ColumnCount(kKernelW, kStride, kPixels);
  constexpr int kPitch = ColumnCount(kKernelW, kStride, kTilePixels);
  VecF32 sum[kPixels];
  const VecF32 start = tile.bias ? VecF32::Load(tile.bias + c) : VecF32(0.0f);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] = start;
  const float* const* columns = tile.columns;
  for (int64_t i = 0; i < tile.kernel_h; ++i, columns += kPitch) {
    VecF32 w[kKernelW];
    QLITE_UNROLL for (int j = 0; j < kKernelW; ++j, weights += kLanes) w[j] = VecF32::Load(weights);
    VecF32 x[kColumns];
    QLITE_UNROLL for (int j = 0; j < kColumns; ++j) x[j] = VecF32::Load(columns[j] + c);
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) {
      QLITE_UNROLL for (int j = 0; j < kKernelW; ++j) sum[t] = MulAdd(x[t * kStride + j], w[j], sum[t]);
    }
  }
  Finish<kPixels, false>(tile, 0, c, kLanes, sum);
}

// The same for kRows output rows and as many kernel rows as columns: rows share what they read, too.
template <int kKernel, int kStride, int kRows, int kPixels>
[[gnu::always_inline]] inline void SumSharedRows(const Tile& tile, int64_t c, const float* weights) {
  constexpr int kColumns = ColumnCount(kKernel, kStride, kPixels);
  constexpr int kPitch = ColumnCount(kKernel, kStride, kTilePixels);
  constexpr int kInputRows = ColumnCount(kKernel, kStride, kRows);
  VecF32 sum[kRows][kPixels];
  const VecF32 start = tile.bias ? VecF32::Load(tile.bias + c) : VecF32(0.0f);
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) { QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[r][t] = start; }
  VecF32 w[kKernel][kKernel];
  QLITE_UNROLL for (int i = 0; i < kKernel; ++i) {
    QLITE_UNROLL for (int j = 0; j < kKernel; ++j) w[i][j] = VecF32::Load(weights + (i * kKernel + j) * kLanes);
  }
  QLITE_UNROLL for (int i = 0; i < kInputRows; ++i) {
    VecF32 x[kColumns];
    QLITE_UNROLL for (int j = 0; j < kColumns; ++j) x[j] = VecF32::Load(tile.columns[i * kPitch + j] + c);
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      const int ky = i - r * kStride;
      if (ky < 0 || ky >= kKernel) continue;
      QLITE_UNROLL for (int t = 0; t < kPixels; ++t) {
        QLITE_UNROLL for (int j = 0; j < kKernel; ++j) sum[r][t] = MulAdd(x[t * kStride + j], w[ky][j], sum[r][t]);
      }
    }
  }
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) Finish<kPixels, false>(tile, r, c, kLanes, sum[r]);
}

// Into the first-level cache, at stride 1.
template <int kRows, int kPixels>
[[gnu::always_inline]] inline void PrefetchBelow(const Tile& tile, int64_t c) {
  const float* input = tile.input_below + c;
  for (int64_t i = 0; i < tile.rows_below; ++i, input += tile.in_row_stride) {
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) __builtin_prefetch(input + t * tile.in_pixel_stride, 0, 3);
  }
  const float* output = tile.output_below + c;
  QLITE_UNROLL for (int r = 0; r < kRows; ++r, output += tile.out_row_stride) {
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) __builtin_prefetch(output + t * tile.out_pixel_stride, 1, 3);
  }
}

// At least kLanes channels. Channels that do not fill a vector are computed in one that begins before them, and the
// same values are then written twice.
template <int kKernelW, int kStride, int kRows, int kPixels>
void SharedColumnsTile(const Tile& tile) {
  const float* weights = tile.weights;
  const int64_t taps = tile.kernel_h * tile.kernel_w;
  for (int64_t c = 0; c < tile.channels; c += kLanes, weights += taps * kLanes) {
    const int64_t at = MinOf(c, tile.channels - kLanes);
    if constexpr (kRows > 1) {
      SumSharedRows<kKernelW, kStride, kRows, kPixels>(tile, at, weights);
    } else {
      SumSharedColumns<kKernelW, kStride, kPixels>(tile, at, weights);
    }
    if (kStride == 1 && tile.rows_below > 0 && c % kLineFloats == 0) PrefetchBelow<kRows, kPixels>(tile, c);
  }
}

// Any kernel and number of channels: the input of pixel t for a tap is at columns[tap * kTilePixels + t].
template <int kPixels, bool kPartial>
[[gnu::always_inline]] inline void SumTaps(const Tile& tile, int64_t c, int count, const float* weights) {
  VecF32 sum[kPixels];
  const VecF32 start = tile.bias ? LoadChannels<kPartial>(tile.bias + c, count) : VecF32(0.0f);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] = start;
  const float* const* columns = tile.columns;
  for (int64_t tap = tile.kernel_h * tile.kernel_w; tap > 0; --tap) {
    const VecF32 w = VecF32::Load(weights);
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] =
        MulAdd(LoadChannels<kPartial>(columns[t] + c, count), w, sum[t]);
    weights += kLanes;
    columns += kTilePixels;
  }
  Finish<kPixels, kPartial>(tile, 0, c, count, sum);
}

template <int kPixels>
void TapsTile(const Tile& tile) {
  const float* weights = tile.weights;
  const int64_t taps = tile.kernel_h * tile.kernel_w;
  int64_t c = 0;
  for (; c + kLanes <= tile.channels; c += kLanes, weights += taps * kLanes) {
    SumTaps<kPixels, false>(tile, c, kLanes, weights);
  }
  if (c < tile.channels) SumTaps<kPixels, true>(tile, c, static_cast<int>(tile.channels - c), weights);
}

using TileFunction = void (*)(const Tile&);
using TileTable = std::array<TileFunction, kTilePixels>;  // [t - 1] computes t pixels

template <int kKernelW, int kStride, int kRows, int... kPixel>
constexpr TileTable SharedColumnsTable(std::integer_sequence<int, kPixel...>) {
  return {SharedColumnsTile<kKernelW, kStride, kRows, kPixel + 1>...};
}

template <int... kPixel>
constexpr TileTable TapsTable(std::integer_sequence<int, kPixel...>) {
  return {TapsTile<kPixel + 1>...};
}

struct Method {
  const TileTable* tiles;  // of one row
  bool shares_columns;
  const TileTable* tiles_of_rows = tiles;  // of `rows` rows
  int64_t rows = 1;
  bool prefetches = false;  // the data come from beyond the second-level cache
};

Method FindMethod(const ConvF32Geometry& g) {
  using Pixels = std::make_integer_sequence<int, kTilePixels>;
  static constexpr TileTable kThree[] = {SharedColumnsTable<3, 1, 1>(Pixels()), SharedColumnsTable<3, 2, 1>(Pixels())};
  static constexpr TileTable kThreeRows[] = {SharedColumnsTable<3, 1, TileRows(1)>(Pixels()),
                                             SharedColumnsTable<3, 2, TileRows(2)>(Pixels())};
  static constexpr TileTable kFive[] = {SharedColumnsTable<5, 1, 1>(Pixels()), SharedColumnsTable<5, 2, 1>(Pixels())};
  static constexpr TileTable kAny = TapsTable(Pixels());
  if (g.dilation_w > 1 || g.stride_w > 2 || (g.kernel_w != 3 && g.kernel_w != 5) || g.in_channels < kLanes) {
    return {.tiles = &kAny, .shares_columns = false};
  }
  const auto stride = static_cast<int>(g.stride_w);
  Method method = {.tiles = &(g.kernel_w == 3 ? kThree : kFive)[stride - 1], .shares_columns = true};
  if (g.kernel_w == 3 && g.kernel_h == 3 && g.dilation_h == 1 && g.stride_h == stride) {
    method.tiles_of_rows = &kThreeRows[stride - 1];
    method.rows = TileRows(stride);
  }
  return method;
}

// Packed weights: for each vector of channels those of all taps. The last vector may be incomplete: it is filled up
// with zeros, or, where tiles share columns, begins before the channels that are left.
int64_t PackedWeights(const ConvF32Geometry& g) {
  return CeilDiv(g.in_channels, kLanes) * g.kernel_h * g.kernel_w * kLanes;
}

void Pack(const ConvF32Geometry& g, const float* weights, float* packed) {
  const int64_t taps = g.kernel_h * g.kernel_w;
  const int64_t last = FindMethod(g).shares_columns ? g.in_channels - kLanes : g.in_channels;
  for (int64_t c = 0; c < g.in_channels; c += kLanes) {
    const int64_t first = MinOf(c, last);
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t lane = 0; lane < kLanes; ++lane, ++packed) {
        *packed = first + lane < g.in_channels ? weights[(first + lane) * taps + tap] : 0.0f;
      }
    }
  }
}

// Pointers of an input row of a tile.
int64_t RowPointers(const ConvF32Geometry& g, const Method& method) {
  return method.shares_columns ? ColumnCount(static_cast<int>(g.kernel_w), static_cast<int>(g.stride_w), kTilePixels)
                               : kTilePixels * g.kernel_w;
}

// Input rows, `dilation_h` apart, of a tile of output rows; without dilation where these are several.
int64_t PointerRows(const ConvF32Geometry& g, int64_t tile_rows) { return (tile_rows - 1) * g.stride_h + g.kernel_h; }

// The workspace: zeros to read in the padding, then the pointers of a tile.
struct Workspace {
  float* zeros;
  const float** columns;
};

int64_t ZeroBytes(const ConvF32Geometry& g) {
  constexpr int64_t kAlignment = 64;
  return CeilDiv(g.in_channels * static_cast<int64_t>(sizeof(float)), kAlignment) * kAlignment;
}

int64_t WorkspaceBytes(const ConvF32Geometry& g) {
  const Method method = FindMethod(g);
  return ZeroBytes(g) + PointerRows(g, method.rows) * RowPointers(g, method) * static_cast<int64_t>(sizeof(float*));
}

// Output rows of an image and a range of channels.
struct Rectangle {
  int64_t image;
  int64_t first_row;
  int64_t end_row;
  int64_t first_channel;
  int64_t end_channel;
};

// Keeps the pointers of a tile: those of the input pixels under the kernel, or of the zeros.
class TilePointers {
 public:
  TilePointers(const ConvF32Args& args, const Method& method, const Workspace& space, const Rectangle& part)
      : geometry_(args.geometry),
        input_(args.input + part.image * geometry_.in_h * geometry_.in_w * geometry_.in_pixel_stride +
               part.first_channel),
        method_(method),
        space_(space),
        rows_(PointerRows(geometry_, method.rows)),
        width_(RowPointers(geometry_, method)),
        step_(method.rows * geometry_.stride_h) {}

  // Points at the tile that begins with output pixel (y, x).
  void PointAt(int64_t y, int64_t x) {
    x_ = x * geometry_.stride_w - geometry_.pad_left;
    y_ = y * geometry_.stride_h - geometry_.pad_top;
    for (int64_t i = 0; i < rows_; ++i) PointAtRow(i);
  }

  // Points at the tile below.
  void MoveDown() {
    const ConvF32Geometry& g = geometry_;
    const int64_t distance = step_ * g.in_w * g.in_pixel_stride;
    y_ += step_;
    for (int64_t i = 0; i < rows_; ++i) {
      const int64_t y = y_ + i * g.dilation_h;
      if (y < step_ || y >= g.in_h) {
        PointAtRow(i);
        continue;
      }
      const float** columns = space_.columns + i * width_;
      for (int64_t j = 0; j < width_; ++j) columns[j] += columns[j] == space_.zeros ? 0 : distance;
    }
  }

  // Lets the tile fetch the pixels of the lowest rows of the tile below that no tile to the left reads.
  void FetchBelow(Tile* tile) const {
    const ConvF32Geometry& g = geometry_;
    const int64_t y = y_ + (rows_ - 1) * g.dilation_h + 1;
    tile->rows_below = y < 0 ? 0 : MaxOf(0, MinOf(step_, g.in_h - y));
    if (tile->rows_below == 0) return;
    tile->input_below = input_ + (y * g.in_w + x_ + g.kernel_w - g.stride_w) * g.in_pixel_stride;
  }

 private:
  // Sets the pointers of input row i.
  void PointAtRow(int64_t i) const {
    const ConvF32Geometry& g = geometry_;
    const int64_t y = y_ + i * g.dilation_h;
    const float** columns = space_.columns + i * width_;
    if (method_.shares_columns) return PointAtColumns(y, x_, 1, width_, columns);
    for (int64_t j = 0; j < g.kernel_w; ++j, columns += kTilePixels) {
      PointAtColumns(y, x_ + j * g.dilation_w, g.stride_w, kTilePixels, columns);
    }
  }

  void PointAtColumns(int64_t y, int64_t x, int64_t step, int64_t count, const float** columns) const {
    const ConvF32Geometry& g = geometry_;
    const bool row_inside = y >= 0 && y < g.in_h;
    for (int64_t j = 0; j < count; ++j, x += step) {
      const bool inside = row_inside && x >= 0 && x < g.in_w;
      columns[j] = inside ? input_ + (y * g.in_w + x) * g.in_pixel_stride : space_.zeros;
    }
  }

  const ConvF32Geometry& geometry_;
  const float* input_;  // of the image and the first channel
  const Method& method_;
  const Workspace& space_;
  int64_t rows_;   // of pointers
  int64_t width_;  // pointers of a row
  int64_t step_;   // input rows from a tile to the one below
  int64_t x_ = 0;  // of the first tap of the first pixel
  int64_t y_ = 0;
};

// Tiles below each other, so that of the rows that a tile reads all but the lowest are still in the first-level cache.
void RunColumnOfTiles(const ConvF32Args& args, const Method& method, const Workspace& space, const Rectangle& part,
                      int64_t x, int64_t pixels) {
  const ConvF32Geometry& g = args.geometry;
  const int64_t first_pixel = (part.image * g.out_h + part.first_row) * g.out_w + x;
  const int64_t channel = part.first_channel;
  Tile tile = {.columns = space.columns,
               .kernel_h = g.kernel_h,
               .kernel_w = g.kernel_w,
               .weights = args.packed_weights + channel * g.kernel_h * g.kernel_w,
               .channels = part.end_channel - channel,
               .bias = args.bias ? args.bias + channel : nullptr,
               .residual = args.residual ? args.residual + first_pixel * g.residual_pixel_stride + channel : nullptr,
               .residual_pixel_stride = g.residual_pixel_stride,
               .residual_row_stride = g.out_w * g.residual_pixel_stride,
               .output = args.output + first_pixel * g.out_pixel_stride + channel,
               .out_pixel_stride = g.out_pixel_stride,
               .out_row_stride = g.out_w * g.out_pixel_stride,
               .act_min = args.act_min,
               .act_max = args.act_max,
               .input_below = nullptr,
               .rows_below = 0,
               .in_pixel_stride = g.in_pixel_stride,
               .in_row_stride = g.in_w * g.in_pixel_stride,
               .output_below = nullptr};
  TilePointers pointers(args, method, space, part);
  pointers.PointAt(part.first_row, x);
  for (int64_t y = part.first_row, rows; y < part.end_row; y += rows) {
    const bool whole = part.end_row - y >= method.rows;
    rows = whole ? method.rows : 1;
    if (y > part.first_row) pointers.MoveDown();
    tile.rows_below = 0;
    if (method.prefetches && y + rows < part.end_row) pointers.FetchBelow(&tile);
    tile.output_below = tile.output + rows * tile.out_row_stride;
    (whole ? *method.tiles_of_rows : *method.tiles)[pixels - 1](tile);
    tile.output += rows * tile.out_row_stride;
    if (tile.residual) tile.residual += rows * tile.residual_row_stride;
  }
}

// Ranges of channels, one after the other, so that the pixels which a tile shares with the one below stay in the
// first-level cache.
int64_t ChannelRanges(const ConvF32Geometry& g, int64_t channels) {
  // Floats of a tile's pixels that may stay whole, and those of a range otherwise: each costs the pointers anew.
  constexpr int64_t kCachedFloats = 8 * 1024;
  constexpr int64_t kRangeFloats = 6 * 1024;
  // Pixels a multiple of this apart fall into few sets of the cache, however few of their channels are read.
  constexpr int64_t kSetFloats = 256;
  const int64_t columns = (MinOf(g.out_w, kTilePixels) - 1) * g.stride_w + g.kernel_w;
  const int64_t floats = g.kernel_h * MinOf(columns, g.in_w) * channels;
  if (floats <= kCachedFloats || g.in_pixel_stride % kSetFloats == 0) return 1;
  return MinOf(CeilDiv(floats, kRangeFloats), MaxOf(channels / kLanes, 1));
}

void RunTiles(const ConvF32Args& args, const Method& method, const Workspace& space, const Rectangle& part) {
  const int64_t width = args.geometry.out_w;
  const int64_t tiles = CeilDiv(width, kTilePixels);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t x = width * i / tiles;
    RunColumnOfTiles(args, method, space, part, x, width * (i + 1) / tiles - x);
  }
}

void RunRectangle(const ConvF32Args& args, const Method& method, const Workspace& space, const Rectangle& part) {
  const int64_t channels = part.end_channel - part.first_channel;
  const int64_t ranges = ChannelRanges(args.geometry, channels);
  Rectangle range = part;
  for (int64_t i = 0; i < ranges; ++i, range.first_channel = range.end_channel) {
    // The last one has the channels that fill no vector, too.
    range.end_channel =
        i + 1 < ranges ? part.first_channel + channels / kLanes * (i + 1) / ranges * kLanes : part.end_channel;
    RunTiles(args, method, space, range);
  }
}

// Block by block of rows: the second-level cache keeps the columns that neighbouring tiles share.
void RunInBlocks(const ConvF32Args& args, const Method& method, const Workspace& space, const Rectangle& part) {
  constexpr int64_t kBlockFloats = 128 * 1024;
  // Fewer rows would not pay for reading those above them again.
  constexpr int64_t kLeastRows = 8;
  const ConvF32Geometry& g = args.geometry;
  const int64_t row_floats = (g.in_w * g.stride_h + g.out_w) * (part.end_channel - part.first_channel);
  const int64_t rows = MaxOf(kLeastRows, kBlockFloats / row_floats / method.rows * method.rows);
  Rectangle block = part;
  for (; block.first_row < part.end_row; block.first_row = block.end_row) {
    block.end_row = MinOf(block.first_row + rows, part.end_row);
    RunRectangle(args, method, space, block);
  }
}

// Unit u is row range u % row_ranges of all images' output rows and channel range u / row_ranges.
struct UnitGrid {
  int64_t rows;
  int64_t row_ranges;
  int64_t vectors;  // whole ones; the last range has the channels that fill none, too
  int64_t channel_ranges;
  int64_t count() const { return row_ranges * channel_ranges; }
};

UnitGrid MakeGrid(const ConvF32Geometry& g) {
  // A unit smaller than this costs less than handing it to another thread; more units than that balance no better.
  constexpr double kUnitProducts = 1 << 15;
  constexpr double kUnits = 32;
  UnitGrid grid = {
      .rows = g.batch * g.out_h, .row_ranges = 0, .vectors = MaxOf(g.in_channels / kLanes, 1), .channel_ranges = 1};
  if (grid.rows == 0 || g.out_w == 0 || g.in_channels == 0) return grid;
  const double products = static_cast<double>(grid.rows) * static_cast<double>(g.out_w * g.in_channels) *
                          static_cast<double>(g.kernel_h * g.kernel_w);
  const double units = products / kUnitProducts;
  const int64_t wanted = MaxOf(1, static_cast<int64_t>(units < kUnits ? units : kUnits));
  grid.row_ranges = MinOf(grid.rows, wanted);
  // Rows as long as they suffice: those that the layer before left in a processor's cache stay with it.
  if (grid.rows < wanted / 4) grid.channel_ranges = MinOf(grid.vectors, CeilDiv(wanted, grid.row_ranges));
  return grid;
}

int64_t Units(const ConvF32Geometry& g) { return MakeGrid(g).count(); }

// Rows [first_row, end_row) of all images, numbered through, over one range of channels.
void RunRows(const ConvF32Args& args, const Method& method, const UnitGrid& grid, const Workspace& space,
             int64_t channel_range, int64_t first_row, int64_t end_row) {
  const ConvF32Geometry& g = args.geometry;
  Rectangle part;
  part.first_channel = grid.vectors * channel_range / grid.channel_ranges * kLanes;
  part.end_channel = grid.vectors * (channel_range + 1) / grid.channel_ranges * kLanes;
  if (channel_range + 1 == grid.channel_ranges) part.end_channel = g.in_channels;
  for (int64_t row = first_row; row < end_row; row += part.end_row - part.first_row) {
    part.image = row / g.out_h;
    part.first_row = row % g.out_h;
    part.end_row = MinOf(g.out_h, part.first_row + end_row - row);
    RunInBlocks(args, method, space, part);
  }
}

void Run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  if (begin == end) return;
  const ConvF32Geometry& g = args.geometry;
  // Floats that a second-level cache holds.
  constexpr int64_t kCachedFloats = 512 * 1024;
  const UnitGrid grid = MakeGrid(g);
  const int64_t floats = g.batch * (g.in_h * g.in_w + g.out_h * g.out_w) * g.in_channels;
  Method method = FindMethod(g);
  method.prefetches = floats / grid.count() * (end - begin) > kCachedFloats;
  char* bytes = static_cast<char*>(workspace);
  const Workspace space = {.zeros = reinterpret_cast<float*>(bytes),
                           .columns = reinterpret_cast<const float**>(bytes + ZeroBytes(g))};
  std::memset(space.zeros, 0, static_cast<size_t>(ZeroBytes(g)));
  // The caches gain from more than a unit at a time: what a unit is matters only for dealing out the work.
  for (int64_t unit = begin; unit < end;) {
    const int64_t first = unit % grid.row_ranges;
    const int64_t count = MinOf(grid.row_ranges - first, end - unit);
    RunRows(args, method, grid, space, unit / grid.row_ranges, grid.rows * first / grid.row_ranges,
            grid.rows * (first + count) / grid.row_ranges);
    unit += count;
  }
}

}  // namespace

extern const DepthwiseF32Kernels kDepthwiseF32Kernels;
const DepthwiseF32Kernels kDepthwiseF32Kernels = {
    .packed_floats = PackedWeights, .pack = Pack, .workspace_bytes = WorkspaceBytes, .units = Units, .run = Run};

}  // namespace qlite::kernels::QLITE_ISA
