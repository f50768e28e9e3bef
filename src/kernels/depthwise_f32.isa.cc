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

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t MinOf(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t MaxOf(int64_t a, int64_t b) { return a > b ? a : b; }

// Channels of the packed weights, [kernel_h * kernel_w][channels], zero in the last incomplete vector.
int64_t PackedChannels(const ConvF32Geometry& g) { return CeilDiv(g.in_channels, kLanes) * kLanes; }
int64_t PackedWeights(const ConvF32Geometry& g) { return g.kernel_h * g.kernel_w * PackedChannels(g); }

void Pack(const ConvF32Geometry& g, const float* weights, float* packed) {
  const int64_t taps = g.kernel_h * g.kernel_w;
  const int64_t packed_channels = PackedChannels(g);
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t c = 0; c < packed_channels; ++c) {
      packed[tap * packed_channels + c] = c < g.in_channels ? weights[c * taps + tap] : 0.0f;
    }
  }
}

// One row of up to kTilePixels output pixels, over channels [0, channels) of pointers that were moved to the first one.
struct Tile {
  const float* const* columns;  // input pixels: see the two functions that read them
  int64_t kernel_h;
  int64_t kernel_w;
  const float* weights;
  int64_t packed_channels;
  int64_t channels;
  const float* bias;
  const float* residual;
  int64_t residual_pixel_stride;
  float* output;
  int64_t out_pixel_stride;
  float act_min;
  float act_max;
};

template <bool kPartial>
[[gnu::always_inline]] inline VecF32 LoadChannels(const float* p, int count) {
  if constexpr (kPartial) return VecF32::LoadPartial(p, count);
  return VecF32::Load(p);
}

template <int kPixels, bool kPartial>
[[gnu::always_inline]] inline void Finish(const Tile& tile, int64_t c, int count, const VecF32 (&sum)[kPixels]) {
  const VecF32 low(tile.act_min);
  const VecF32 high(tile.act_max);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) {
    VecF32 x = sum[t];
    if (tile.residual) {
      x = x + LoadChannels<kPartial>(tile.residual + t * tile.residual_pixel_stride + c, count);
    }
    x = Min(high, Max(low, x));
    float* out = tile.output + t * tile.out_pixel_stride + c;
    if constexpr (kPartial) {
      x.StorePartial(out, count);
    } else {
      x.Store(out);
    }
  }
}

// Input columns that kPixels neighbouring output pixels read.
constexpr int ColumnCount(int kernel_w, int stride, int pixels) { return (pixels - 1) * stride + kernel_w; }

// Without dilation neighbouring pixels share columns: column j of kernel row i is at columns[i * pitch + j], where the
// pitch is that of a whole tile. The compiler keeps a column in a register while the pixels that share it use it.
template <int kKernelW, int kStride, int kPixels>
[[gnu::always_inline]] inline void SumSharedColumns(const Tile& tile, int64_t c) {
  constexpr int kColumns = ColumnCount(kKernelW, kStride, kPixels);
  constexpr int kPitch = ColumnCount(kKernelW, kStride, kTilePixels);
  VecF32 sum[kPixels];
  const VecF32 start = tile.bias ? VecF32::Load(tile.bias + c) : VecF32(0.0f);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] = start;
  const float* weights = tile.weights + c;
  const float* const* columns = tile.columns;
  for (int64_t i = 0; i < tile.kernel_h; ++i, columns += kPitch) {
    VecF32 w[kKernelW];
    QLITE_UNROLL for (int j = 0; j < kKernelW; ++j, weights += tile.packed_channels) w[j] = VecF32::Load(weights);
    VecF32 x[kColumns];
    QLITE_UNROLL for (int j = 0; j < kColumns; ++j) x[j] = VecF32::Load(columns[j] + c);
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) {
      QLITE_UNROLL for (int j = 0; j < kKernelW; ++j) sum[t] = MulAdd(x[t * kStride + j], w[j], sum[t]);
    }
  }
  Finish<kPixels, false>(tile, c, kLanes, sum);
}

// At least kLanes channels. Channels that do not fill a vector are computed in one that begins before them, and the
// same values are then written twice.
template <int kKernelW, int kStride, int kPixels>
void SharedColumnsTile(const Tile& tile) {
  for (int64_t c = 0; c < tile.channels; c += kLanes) {
    SumSharedColumns<kKernelW, kStride, kPixels>(tile, MinOf(c, tile.channels - kLanes));
  }
}

// Any kernel and number of channels: the input of pixel t for a tap is at columns[tap * kTilePixels + t].
template <int kPixels, bool kPartial>
[[gnu::always_inline]] inline void SumTaps(const Tile& tile, int64_t c, int count) {
  VecF32 sum[kPixels];
  const VecF32 start = tile.bias ? LoadChannels<kPartial>(tile.bias + c, count) : VecF32(0.0f);
  QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] = start;
  const float* weights = tile.weights + c;
  const float* const* columns = tile.columns;
  for (int64_t tap = tile.kernel_h * tile.kernel_w; tap > 0; --tap) {
    const VecF32 w = VecF32::Load(weights);
    QLITE_UNROLL for (int t = 0; t < kPixels; ++t) sum[t] =
        MulAdd(LoadChannels<kPartial>(columns[t] + c, count), w, sum[t]);
    weights += tile.packed_channels;
    columns += kTilePixels;
  }
  Finish<kPixels, kPartial>(tile, c, count, sum);
}

template <int kPixels>
void TapsTile(const Tile& tile) {
  int64_t c = 0;
  for (; c + kLanes <= tile.channels; c += kLanes) SumTaps<kPixels, false>(tile, c, kLanes);
  if (c < tile.channels) SumTaps<kPixels, true>(tile, c, static_cast<int>(tile.channels - c));
}

using TileFunction = void (*)(const Tile&);
using TileTable = std::array<TileFunction, kTilePixels>;  // [t - 1] computes t pixels

template <int kKernelW, int kStride, int... kPixel>
constexpr TileTable SharedColumnsTable(std::integer_sequence<int, kPixel...>) {
  return {SharedColumnsTile<kKernelW, kStride, kPixel + 1>...};
}

template <int... kPixel>
constexpr TileTable TapsTable(std::integer_sequence<int, kPixel...>) {
  return {TapsTile<kPixel + 1>...};
}

struct Method {
  const TileTable* tiles;
  bool shares_columns;
};

Method FindMethod(const ConvF32Geometry& g) {
  using Pixels = std::make_integer_sequence<int, kTilePixels>;
  static constexpr TileTable kThree[] = {SharedColumnsTable<3, 1>(Pixels()), SharedColumnsTable<3, 2>(Pixels())};
  static constexpr TileTable kFive[] = {SharedColumnsTable<5, 1>(Pixels()), SharedColumnsTable<5, 2>(Pixels())};
  static constexpr TileTable kAny = TapsTable(Pixels());
  if (g.dilation_w == 1 && g.stride_w <= 2 && g.in_channels >= kLanes) {
    if (g.kernel_w == 3) return {.tiles = &kThree[g.stride_w - 1], .shares_columns = true};
    if (g.kernel_w == 5) return {.tiles = &kFive[g.stride_w - 1], .shares_columns = true};
  }
  return {.tiles = &kAny, .shares_columns = false};
}

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
  // A tile that shares columns needs fewer pointers than one that does not.
  return ZeroBytes(g) + g.kernel_h * g.kernel_w * kTilePixels * static_cast<int64_t>(sizeof(float*));
}

// An output row of an image and a range of channels.
struct RowOfTiles {
  int64_t image;
  int64_t y;
  int64_t first_channel;
  int64_t end_channel;
};

// Keeps the pointers of a tile: those of the input pixels under the kernel, or of the zeros.
class TilePointers {
 public:
  TilePointers(const ConvF32Args& args, const Method& method, const Workspace& space, const RowOfTiles& row)
      : args_(args), method_(method), space_(space), row_(row) {
    const ConvF32Geometry& g = args.geometry;
    width_ = method.shares_columns ? (kTilePixels - 1) * g.stride_w + g.kernel_w : kTilePixels * g.kernel_w;
  }

  // Points at the tile that begins with output pixel x. From a tile inside the image to the next, all pointers move by
  // the same distance.
  void MoveTo(int64_t x) {
    const ConvF32Geometry& g = args_.geometry;
    const int64_t first = x * g.stride_w - g.pad_left;
    const int64_t last = first + (kTilePixels - 1) * g.stride_w + (g.kernel_w - 1) * g.dilation_w;
    const bool inside = first >= 0 && last < g.in_w;
    const int64_t distance = (x - x_) * g.stride_w * g.in_pixel_stride;
    const float** columns = space_.columns;
    for (int64_t i = 0; i < g.kernel_h; ++i, columns += width_) {
      const int64_t y = row_.y * g.stride_h - g.pad_top + i * g.dilation_h;
      if (y < 0 || y >= g.in_h) {
        for (int64_t j = 0; x == 0 && j < width_; ++j) columns[j] = space_.zeros;
      } else if (inside && inside_) {
        for (int64_t j = 0; j < width_; ++j) columns[j] += distance;
      } else {
        PointAtRow(y, first, columns);
      }
    }
    x_ = x;
    inside_ = inside;
  }

 private:
  // Points at the columns from `first` on of input row y.
  void PointAtRow(int64_t y, int64_t first, const float** columns) const {
    const ConvF32Geometry& g = args_.geometry;
    if (method_.shares_columns) return PointAt(y, first, 1, width_, columns);
    for (int64_t j = 0; j < g.kernel_w; ++j) {
      PointAt(y, first + j * g.dilation_w, g.stride_w, kTilePixels, columns + j * kTilePixels);
    }
  }

  void PointAt(int64_t y, int64_t x, int64_t step, int64_t count, const float** columns) const {
    const ConvF32Geometry& g = args_.geometry;
    const int64_t first_pixel = (row_.image * g.in_h + y) * g.in_w;
    for (int64_t j = 0; j < count; ++j, x += step) {
      columns[j] = x >= 0 && x < g.in_w ? args_.input + (first_pixel + x) * g.in_pixel_stride + row_.first_channel
                                        : space_.zeros;
    }
  }

  const ConvF32Args& args_;
  const Method& method_;
  const Workspace& space_;
  const RowOfTiles& row_;
  int64_t width_;  // pointers of a kernel row
  int64_t x_ = 0;
  bool inside_ = false;
};

void RunRow(const ConvF32Args& args, const Method& method, const Workspace& space, const RowOfTiles& row) {
  const ConvF32Geometry& g = args.geometry;
  TilePointers pointers(args, method, space, row);
  const int64_t first_pixel = (row.image * g.out_h + row.y) * g.out_w;
  Tile tile = {.columns = space.columns,
               .kernel_h = g.kernel_h,
               .kernel_w = g.kernel_w,
               .weights = args.packed_weights + row.first_channel,
               .packed_channels = PackedChannels(g),
               .channels = row.end_channel - row.first_channel,
               .bias = args.bias ? args.bias + row.first_channel : nullptr,
               .residual = nullptr,
               .residual_pixel_stride = g.residual_pixel_stride,
               .output = nullptr,
               .out_pixel_stride = g.out_pixel_stride,
               .act_min = args.act_min,
               .act_max = args.act_max};
  const int64_t tiles = CeilDiv(g.out_w, kTilePixels);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t x = g.out_w * i / tiles;
    const int64_t pixels = g.out_w * (i + 1) / tiles - x;
    pointers.MoveTo(x);
    if (args.residual) tile.residual = args.residual + (first_pixel + x) * g.residual_pixel_stride + row.first_channel;
    tile.output = args.output + (first_pixel + x) * g.out_pixel_stride + row.first_channel;
    (*method.tiles)[pixels - 1](tile);
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
  constexpr double kUnitProducts = 1 << 17;
  constexpr double kUnits = 32;
  UnitGrid grid = {
      .rows = g.batch * g.out_h, .row_ranges = 0, .vectors = MaxOf(g.in_channels / kLanes, 1), .channel_ranges = 1};
  if (grid.rows == 0 || g.out_w == 0 || g.in_channels == 0) return grid;
  const double products = static_cast<double>(grid.rows) * static_cast<double>(g.out_w * g.in_channels) *
                          static_cast<double>(g.kernel_h * g.kernel_w);
  const double units = products / kUnitProducts;
  const int64_t wanted = MaxOf(1, static_cast<int64_t>(units < kUnits ? units : kUnits));
  grid.row_ranges = MinOf(grid.rows, wanted);
  grid.channel_ranges = MinOf(grid.vectors, CeilDiv(wanted, grid.row_ranges));
  return grid;
}

int64_t Units(const ConvF32Geometry& g) { return MakeGrid(g).count(); }

void RunUnit(const ConvF32Args& args, const Method& method, const UnitGrid& grid, const Workspace& space,
             int64_t unit) {
  const ConvF32Geometry& g = args.geometry;
  const int64_t channel_range = unit / grid.row_ranges;
  const int64_t row_range = unit % grid.row_ranges;
  RowOfTiles row;
  row.first_channel = grid.vectors * channel_range / grid.channel_ranges * kLanes;
  row.end_channel = grid.vectors * (channel_range + 1) / grid.channel_ranges * kLanes;
  if (channel_range + 1 == grid.channel_ranges) row.end_channel = g.in_channels;
  const int64_t end = grid.rows * (row_range + 1) / grid.row_ranges;
  for (int64_t y = grid.rows * row_range / grid.row_ranges; y < end; ++y) {
    row.image = y / g.out_h;
    row.y = y % g.out_h;
    RunRow(args, method, space, row);
  }
}

void Run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  if (begin == end) return;
  const ConvF32Geometry& g = args.geometry;
  const Method method = FindMethod(g);
  const UnitGrid grid = MakeGrid(g);
  char* bytes = static_cast<char*>(workspace);
  const Workspace space = {.zeros = reinterpret_cast<float*>(bytes),
                           .columns = reinterpret_cast<const float**>(bytes + ZeroBytes(g))};
  std::memset(space.zeros, 0, static_cast<size_t>(ZeroBytes(g)));
  for (int64_t unit = begin; unit < end; ++unit) RunUnit(args, method, grid, space, unit);
}

}  // namespace

extern const DepthwiseF32Kernels kDepthwiseF32Kernels;
const DepthwiseF32Kernels kDepthwiseF32Kernels = {
    .packed_floats = PackedWeights, .pack = Pack, .workspace_bytes = WorkspaceBytes, .units = Units, .run = Run};

}  // namespace qlite::kernels::QLITE_ISA
