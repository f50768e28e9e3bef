#include "kernels/winograd_f32.h"

#include <cstring>

#include "kernels/gemm_f32_tile.h"
#include "kernels/simd.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

constexpr int64_t kLanes = VecF32::kLanes;
constexpr int kTile = kWinogradTile;
constexpr int kPatch = kTile + 2;
constexpr int kPositions = kPatch * kPatch;
// Output channels that a unit makes at most: their sums of all positions stay in the second-level cache.
constexpr int64_t kMostColumns = 64;
// Tiles of a unit at least: enough of them to read the weights for, and where there is no other way to share the work,
// so many that another thread gains something.
constexpr int64_t kFewestTiles = 12, kFewestTilesOfAll = 2;
// Tiles that share a reading of the weights, at most: so few that their transforms stay in that cache.
constexpr int64_t kMostTiles = 32;
// Keeps the positions of one tile from falling into the same few sets of a cache.
constexpr int64_t kSkew = 16;

int64_t RoundUp(int64_t a, int64_t b) { return CeilDiv(a, b) * b; }

// Units that are wanted: enough for several threads, and none so small that handing it over costs more than it.
int64_t WantedUnits(const ConvF32Geometry& g, int64_t tiles) {
  constexpr double kUnitProducts = 1 << 17, kUnits = 16;
  const double products = static_cast<double>(tiles * kPositions) * static_cast<double>(g.in_channels) *
                          static_cast<double>(g.out_channels);
  const double units = products / kUnitProducts;
  return MaxOf(1, static_cast<int64_t>(units < kUnits ? units : kUnits));
}

// How a convolution is cut: unit u is the block of tiles u / column_ranges and the range of output channels
// u % column_ranges. A thread that has neighbouring blocks takes several at once.
struct Cut {
  explicit Cut(const ConvF32Geometry& g)
      : tiles_down(CeilDiv(g.out_h, kTile)),
        tiles_across(CeilDiv(g.out_w, kTile)),
        tiles(g.batch * tiles_down * tiles_across),
        channels(RoundUp(g.in_channels, kSkew)),
        columns(RoundUp(CeilDiv(g.out_channels, CeilDiv(g.out_channels, kMostColumns)), kSkew)),
        column_ranges(CeilDiv(g.out_channels, columns)) {
    const int64_t wanted = CeilDiv(WantedUnits(g, tiles), column_ranges);
    const int64_t fewest = column_ranges == 1 ? kFewestTilesOfAll : kFewestTiles;
    blocks = MaxOf(CeilDiv(tiles, kMostTiles), MinOf(wanted, tiles / fewest));
    blocks_together = blocks == 0 ? 1 : MaxOf(1, kMostTiles / CeilDiv(tiles, blocks));
    most_tiles = MinOf(tiles, blocks_together * CeilDiv(tiles, MaxOf(blocks, 1)));
  }

  int64_t units() const { return blocks * column_ranges; }
  int64_t Begin(int64_t block) const { return tiles * block / blocks; }
  int64_t UsedColumns(const ConvF32Geometry& g, int64_t range) const {
    return MinOf(columns, g.out_channels - range * columns);
  }
  // Floats from one position to the next.
  int64_t PatchStep() const { return most_tiles * channels + kSkew; }
  int64_t SumStep() const { return most_tiles * columns + kSkew; }

  int64_t tiles_down, tiles_across, tiles;  // of the image, of all images
  int64_t channels;                         // floats of a transformed pixel
  int64_t columns, column_ranges;
  int64_t blocks;
  int64_t blocks_together, most_tiles;  // that are computed at a time
};

// The workspace: zeros to read in the padding, then the transformed patches of a block, [position][tile][channel], then
// the sums of a unit, [position][tile][column].
struct Space {
  float* zeros;
  float* patches;
  float* sums;
};

int64_t WorkspaceFloats(const Cut& cut) { return cut.channels + kPositions * (cut.PatchStep() + cut.SumStep()); }

Space CutSpace(const Cut& cut, void* workspace) {
  float* floats = static_cast<float*>(workspace);
  std::memset(floats, 0, static_cast<size_t>(cut.channels) * sizeof(float));
  return {
      .zeros = floats, .patches = floats + cut.channels, .sums = floats + cut.channels + kPositions * cut.PatchStep()};
}

[[gnu::always_inline]] inline void TransformIn(const VecF32 (&x)[kPatch], VecF32 (&v)[kPatch]) {
  const VecF32 ends(1.265625f), middle(-2.8125f);
  v[0] = MulAdd(ends, x[0], MulAdd(middle, x[2], x[4]));
  v[5] = MulAdd(ends, x[1], MulAdd(middle, x[3], x[5]));
  const auto pair = [&](float square, float point, VecF32* plus, VecF32* minus) {
    const VecF32 even = MulAdd(VecF32(-square), x[2], x[4]);
    const VecF32 odd = MulAdd(VecF32(-square), x[1], x[3]);
    *plus = MulAdd(VecF32(point), odd, even);
    *minus = MulAdd(VecF32(-point), odd, even);
  };
  pair(2.25f, 0.75f, &v[1], &v[2]);
  pair(0.5625f, 1.5f, &v[3], &v[4]);
}

[[gnu::always_inline]] inline void TransformOut(const VecF32 (&m)[kPatch], VecF32 (&y)[kTile]) {
  const VecF32 s = m[1] + m[2], d = m[1] - m[2];
  const VecF32 t = m[3] + m[4], e = m[3] - m[4];
  y[0] = (m[0] + s) + t;
  y[1] = MulAdd(VecF32(0.75f), d, VecF32(1.5f) * e);
  y[2] = MulAdd(VecF32(0.5625f), s, VecF32(2.25f) * t);
  y[3] = MulAdd(VecF32(0.421875f), d, MulAdd(VecF32(3.375f), e, m[5]));
}

// Kernels that are transformed together: a vector of doubles or more.
constexpr int kBatch = 16;
using Batch = double[kBatch];

// The transform of three taps. In double, so that nothing is lost but by the rounding to float.
void TransformTaps(const Batch& g0, const Batch& g1, const Batch& g2, Batch* u) {
  constexpr double kA = 0.75, kB = 1.5;
  constexpr double kScale0 = 1 / (kA * kA * kB * kB);
  constexpr double kScaleA = 1 / (2 * kA * kA * (kA * kA - kB * kB)), kScaleB = 1 / (2 * kB * kB * (kB * kB - kA * kA));
  for (int i = 0; i < kBatch; ++i) {
    const double even_a = g0[i] + kA * kA * g2[i], even_b = g0[i] + kB * kB * g2[i];
    u[0][i] = g0[i] * kScale0;
    u[1][i] = (even_a + kA * g1[i]) * kScaleA;
    u[2][i] = (even_a - kA * g1[i]) * kScaleA;
    u[3][i] = (even_b + kB * g1[i]) * kScaleB;
    u[4][i] = (even_b - kB * g1[i]) * kScaleB;
    u[5][i] = g2[i];
  }
}

// u[position], from kernels[row * 3 + column].
void TransformKernels(const Batch (&kernels)[9], Batch (&u)[kPositions]) {
  Batch columns[3][kPatch];
  for (int j = 0; j < 3; ++j) TransformTaps(kernels[j], kernels[3 + j], kernels[6 + j], columns[j]);
  for (int i = 0; i < kPatch; ++i) TransformTaps(columns[0][i], columns[1][i], columns[2][i], u + i * kPatch);
}

int64_t PackedRange(const ConvF32Geometry& g, const Cut& cut, int64_t range) {
  return PackedFloats(g.in_channels, cut.UsedColumns(g, range));
}

int64_t PackedWeights(const ConvF32Geometry& g) {
  const Cut cut(g);
  int64_t floats = 0;
  for (int64_t range = 0; range < cut.column_ranges; ++range) floats += kPositions * PackedRange(g, cut, range);
  return floats;
}

// The kernels of one input channel and `count` output channels, from `weights` on, to `packed` with a step for each
// position; zeros behind them, up to `width`.
void PackKernels(const ConvF32Geometry& g, const float* weights, int64_t count, int64_t width, float* packed,
                 int64_t step) {
  Batch kernels[9] = {}, u[kPositions];
  for (int64_t i = 0; i < count; ++i, weights += g.in_channels * 9) {
    for (int tap = 0; tap < 9; ++tap) kernels[tap][i] = weights[tap];
  }
  TransformKernels(kernels, u);
  for (int p = 0; p < kPositions; ++p) {
    for (int64_t i = 0; i < width; ++i) packed[p * step + i] = i < count ? static_cast<float>(u[p][i]) : 0.0f;
  }
}

// [range of output channels][position], each a packed matrix of its own.
void Pack(const ConvF32Geometry& g, const float* weights, float* packed) {
  const Cut cut(g);
  for (int64_t range = 0; range < cut.column_ranges; ++range) {
    const int64_t used = cut.UsedColumns(g, range), step = PackedRange(g, cut, range);
    const Panels panels(used);
    for (int64_t column = 0, count = 0; column < used; column += count) {
      const int64_t first = column / panels.columns * panels.columns;  // of the panel
      const int64_t end = MinOf(used, first + panels.columns), width = RoundUp(end - first, kLanes);
      count = MinOf(kBatch, end - column);
      const int64_t filled = RoundUp(count, kLanes);
      const float* from = weights + (range * cut.columns + column) * g.in_channels * 9;
      float* to = packed + first * g.in_channels + column - first;
      for (int64_t c = 0; c < g.in_channels; ++c) {
        PackKernels(g, from + c * 9, count, filled, to + c * width, step);
      }
    }
    packed += kPositions * step;
  }
}

// Where a tile lies.
struct TilePlace {
  TilePlace(const Cut& cut, int64_t tile)
      : image(tile / (cut.tiles_down * cut.tiles_across)),
        y(tile / cut.tiles_across % cut.tiles_down * kTile),
        x(tile % cut.tiles_across * kTile) {}
  int64_t image, y, x;  // of the first output
};

// The pixels of a tile's patch, or zeros.
void PointAtPatch(const ConvF32Args& args, const TilePlace& place, const float* zeros,
                  const float* (&pixels)[kPositions]) {
  const ConvF32Geometry& g = args.geometry;
  // Not the image's end: what no output needs is zero whether it is there or not.
  const int64_t end_y = MinOf(g.in_h, g.out_h + 2 - g.pad_top), end_x = MinOf(g.in_w, g.out_w + 2 - g.pad_left);
  const int64_t first_y = place.y - g.pad_top, first_x = place.x - g.pad_left;
  for (int i = 0; i < kPatch; ++i) {
    const int64_t y = first_y + i;
    const bool row_inside = y >= 0 && y < end_y;
    const float* row = args.input + (place.image * g.in_h + y) * g.in_w * g.in_pixel_stride;
    for (int j = 0; j < kPatch; ++j) {
      const int64_t x = first_x + j;
      pixels[i * kPatch + j] = row_inside && x >= 0 && x < end_x ? row + x * g.in_pixel_stride : zeros;
    }
  }
}

// The patch over one vector of channels from c on, of which `count` exist, to `patch` with kPositions steps.
template <bool kPartial>
[[gnu::always_inline]] inline void TransformPatch(const float* const (&pixels)[kPositions], int64_t c, int count,
                                                  int64_t step, float* patch) {
  VecF32 columns[kPatch][kPatch];  // [column][row]
  QLITE_UNROLL for (int j = 0; j < kPatch; ++j) {
    VecF32 x[kPatch];
    QLITE_UNROLL for (int i = 0; i < kPatch; ++i) {
      const float* p = pixels[i * kPatch + j] + c;
      if constexpr (kPartial) {
        x[i] = VecF32::LoadPartial(p, count);
      } else {
        x[i] = VecF32::Load(p);
      }
    }
    TransformIn(x, columns[j]);
  }
  QLITE_UNROLL for (int i = 0; i < kPatch; ++i) {
    VecF32 x[kPatch], v[kPatch];
    QLITE_UNROLL for (int j = 0; j < kPatch; ++j) x[j] = columns[j][i];
    TransformIn(x, v);
    QLITE_UNROLL for (int j = 0; j < kPatch; ++j) v[j].Store(patch + (i * kPatch + j) * step);
  }
}

void TransformPatches(const ConvF32Args& args, const Cut& cut, const Space& space, int64_t first, int64_t end) {
  const int64_t channels = args.geometry.in_channels, whole = channels / kLanes * kLanes;
  for (int64_t tile = first; tile < end; ++tile) {
    const float* pixels[kPositions];
    PointAtPatch(args, TilePlace(cut, tile), space.zeros, pixels);
    float* patch = space.patches + (tile - first) * cut.channels;
    for (int64_t c = 0; c < whole; c += kLanes) TransformPatch<false>(pixels, c, kLanes, cut.PatchStep(), patch + c);
    if (whole < channels) {
      TransformPatch<true>(pixels, whole, static_cast<int>(channels - whole), cut.PatchStep(), patch + whole);
    }
  }
}

// The sums of all positions, over one range of output channels.
void Multiply(const ConvF32Args& args, const Cut& cut, const Space& space, int64_t range, int64_t tiles) {
  const int64_t used = cut.UsedColumns(args.geometry, range), step = PackedRange(args.geometry, cut, range);
  const float* packed = args.packed_weights + range * kPositions * PackedRange(args.geometry, cut, 0);
  const float* rows[kMostTiles];
  for (int p = 0; p < kPositions; ++p) {
    for (int64_t t = 0; t < tiles; ++t) rows[t] = space.patches + p * cut.PatchStep() + t * cut.channels;
    ComputeBlock({.rows = rows,
                  .row_count = tiles,
                  .taps = 1,
                  .run = args.geometry.in_channels,
                  .packed_b = packed + p * step,
                  .n = used,
                  .first_panel = 0,
                  .end_panel = Panels(used).count,
                  .out = {.bias = nullptr,
                          .residual = nullptr,
                          .ldr = 0,
                          .c = space.sums + p * cut.SumStep(),
                          .ldc = cut.columns,
                          .act_min = -__builtin_inff(),
                          .act_max = __builtin_inff(),
                          .clamps = false}});
  }
}

// The part of a tile that exists, and where its first output lies.
struct TileOutput {
  int64_t rows, columns;
  float* output;
  const float* residual;
};

TileOutput OutputOfTile(const ConvF32Args& args, const TilePlace& place) {
  const ConvF32Geometry& g = args.geometry;
  const int64_t pixel = (place.image * g.out_h + place.y) * g.out_w + place.x;
  return {.rows = MinOf(kTile, g.out_h - place.y),
          .columns = MinOf(kTile, g.out_w - place.x),
          .output = args.output + pixel * g.out_pixel_stride,
          .residual = args.residual ? args.residual + pixel * g.residual_pixel_stride : nullptr};
}

// The outputs of a tile over one vector of channels from c on, of which `count` exist, from sums with kPositions steps.
template <bool kPartial>
[[gnu::always_inline]] inline void TransformTile(const ConvF32Args& args, const TileOutput& tile, const float* sums,
                                                 int64_t step, int64_t c, int count) {
  const ConvF32Geometry& g = args.geometry;
  const auto load = [&](const float* p) {
    if constexpr (kPartial) return VecF32::LoadPartial(p, count);
    return VecF32::Load(p);
  };
  VecF32 columns[kPatch][kTile];  // [column][row]
  QLITE_UNROLL for (int j = 0; j < kPatch; ++j) {
    VecF32 m[kPatch];
    QLITE_UNROLL for (int i = 0; i < kPatch; ++i) m[i] = VecF32::Load(sums + (i * kPatch + j) * step);
    TransformOut(m, columns[j]);
  }
  const VecF32 low(args.act_min), high(args.act_max);
  const VecF32 bias = args.bias ? load(args.bias + c) : VecF32(0.0f);
  QLITE_UNROLL for (int i = 0; i < kTile; ++i) {
    if (i >= tile.rows) return;
    VecF32 m[kPatch], y[kTile];
    QLITE_UNROLL for (int j = 0; j < kPatch; ++j) m[j] = columns[j][i];
    TransformOut(m, y);
    QLITE_UNROLL for (int j = 0; j < kTile; ++j) {
      if (j >= tile.columns) break;
      const int64_t pixel = i * g.out_w + j;
      VecF32 x = args.bias ? y[j] + bias : y[j];
      if (tile.residual) x = x + load(tile.residual + pixel * g.residual_pixel_stride + c);
      x = Min(high, Max(low, x));
      float* out = tile.output + pixel * g.out_pixel_stride + c;
      if constexpr (kPartial) {
        x.StorePartial(out, count);
      } else {
        x.Store(out);
      }
    }
  }
}

void TransformTiles(const ConvF32Args& args, const Cut& cut, const Space& space, int64_t range, int64_t first,
                    int64_t end) {
  const int64_t used = cut.UsedColumns(args.geometry, range), whole = used / kLanes * kLanes;
  const int64_t channel = range * cut.columns;
  for (int64_t t = first; t < end; ++t) {
    const TileOutput tile = OutputOfTile(args, TilePlace(cut, t));
    const float* sums = space.sums + (t - first) * cut.columns;
    for (int64_t c = 0; c < whole; c += kLanes) {
      TransformTile<false>(args, tile, sums + c, cut.SumStep(), channel + c, kLanes);
    }
    if (whole < used) {
      TransformTile<true>(args, tile, sums + whole, cut.SumStep(), channel + whole, static_cast<int>(used - whole));
    }
  }
}

int64_t WorkspaceBytes(const ConvF32Geometry& g) {
  return WorkspaceFloats(Cut(g)) * static_cast<int64_t>(sizeof(float));
}

int64_t Units(const ConvF32Geometry& g) { return Cut(g).units(); }

// The blocks [block, end_block), for the ranges [range, end_range) of output channels.
void RunBlocks(const ConvF32Args& args, const Cut& cut, const Space& space, int64_t block, int64_t end_block,
               int64_t range, int64_t end_range) {
  const int64_t first = cut.Begin(block), end = cut.Begin(end_block);
  TransformPatches(args, cut, space, first, end);
  for (; range < end_range; ++range) {
    Multiply(args, cut, space, range, end - first);
    TransformTiles(args, cut, space, range, first, end);
  }
}

void Run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) {
  if (begin == end) return;
  const Cut cut(args.geometry);
  const Space space = CutSpace(cut, workspace);
  for (int64_t unit = begin; unit < end;) {
    const int64_t block = unit / cut.column_ranges, range = unit % cut.column_ranges;
    const int64_t whole = range == 0 ? (end - unit) / cut.column_ranges : 0;
    const int64_t blocks = whole == 0 ? 1 : CeilDiv(whole, CeilDiv(whole, cut.blocks_together));
    const int64_t end_range = MinOf(cut.column_ranges, range + end - unit);
    RunBlocks(args, cut, space, block, block + blocks, range, end_range);
    unit += blocks * (end_range - range);
  }
}

}  // namespace
}  // namespace product

extern const WinogradF32Kernels kWinogradF32Kernels;
const WinogradF32Kernels kWinogradF32Kernels = {.packed_floats = product::PackedWeights,
                                                .pack = product::Pack,
                                                .workspace_bytes = product::WorkspaceBytes,
                                                .units = product::Units,
                                                .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
