#include "kernels/conv_f16.h"

#include <array>
#include <utility>

#include "kernels/conv_rows.h"
#include "kernels/simd_f16.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

#if QLITE_ISA_float16
constexpr bool kArithmetic = true;
constexpr int64_t kLanes = VecF16::kLanes;
#else
constexpr bool kArithmetic = false;
constexpr int64_t kLanes = VecF32::kLanes;
#endif
constexpr int64_t kPanelVectors = kMaxPanelVectors;
constexpr int64_t kPanelColumns = kPanelVectors * kLanes;

// The work on one group: panels of kPanelColumns outputs, the last one as wide as the vectors it fills, against blocks
// of pixels. Unit u is block u / panels, panel u % panels.
struct Grid {
  explicit Grid(const ConvF32Geometry& g) : k(ReductionLength(g)), n(GroupOutputs(g)), pixels(PixelCount(g)) {
    panels = CeilDiv(n, kPanelColumns);
    // Rows of a block that a second-level cache keeps.
    constexpr int64_t kBlockElements = 256 * 1024;
    const int64_t most = MaxOf(TileRows(1), MinOf(kBlockRows, kBlockElements / MaxOf(k, 1)));
    blocks = CeilDiv(pixels, most);
    block_rows = CeilDiv(pixels, MaxOf(blocks, 1));
  }
  int64_t count() const { return blocks * panels; }
  int64_t Columns(int64_t panel) const { return MinOf(kPanelColumns, n - panel * kPanelColumns); }
  int64_t Width(int64_t panel) const { return CeilDiv(Columns(panel), kLanes) * kLanes; }
  int64_t AllWidths() const { return CeilDiv(n, kLanes) * kLanes; }
  // Bytes of a packed group: 2^e of each output, then the panels, each [k][width].
  int64_t ScaleBytes() const { return AlignedBytes(AllWidths() * static_cast<int64_t>(sizeof(float))); }
  int64_t GroupBytes() const {
    return ScaleBytes() + AlignedBytes(k * AllWidths() * static_cast<int64_t>(sizeof(uint16_t)));
  }
  int64_t k, n, pixels, panels, blocks, block_rows;
};

int64_t PackedBytes(const ConvF32Geometry& g) { return g.groups * Grid(g).GroupBytes(); }

// 2^e, such that the largest of the output's weights is less than half of it, and at least a quarter.
float ScaleOf(const ConvF32Geometry& g, const ConvF16Weights& weights, int64_t output) {
  float largest = 0.0f;
  for (int64_t tap = 0; tap < g.kernel_h * g.kernel_w; ++tap) {
    for (int64_t c = 0; c < GroupChannels(g); ++c) {
      const float w = weights.data[output * weights.out_stride + c * weights.in_stride + tap * weights.tap_stride];
      const float magnitude = __builtin_fabsf(w * weights.factor);
      if (magnitude > largest) largest = magnitude;
    }
  }
  if (!(largest > 0.0f) || !__builtin_isfinite(largest)) return 1.0f;
  constexpr int kLargestExponent = 100;
  const int exponent = __builtin_ilogbf(largest) + 2;
  return __builtin_ldexpf(1.0f, exponent < -kLargestExponent  ? -kLargestExponent
                                : exponent > kLargestExponent ? kLargestExponent
                                                              : exponent);
}

// The reduction runs over (tap, channel), as the rows do.
void PackColumn(const ConvF32Geometry& g, const ConvF16Weights& weights, int64_t output, float scale, int64_t width,
                uint16_t* column) {
  const float factor = weights.factor / scale;
  for (int64_t tap = 0; tap < g.kernel_h * g.kernel_w; ++tap) {
    for (int64_t c = 0; c < GroupChannels(g); ++c, column += width) {
      const float w = weights.data[output * weights.out_stride + c * weights.in_stride + tap * weights.tap_stride];
      *column = FloatToFloat16(w * factor);
    }
  }
}

void Pack(const ConvF32Geometry& g, const ConvF16Weights& weights, void* packed) {
  const Grid grid(g);
  char* bytes = static_cast<char*>(packed);
  std::memset(bytes, 0, static_cast<size_t>(PackedBytes(g)));
  for (int64_t group = 0; group < g.groups; ++group, bytes += grid.GroupBytes()) {
    float* scales = reinterpret_cast<float*>(bytes);
    uint16_t* panels = reinterpret_cast<uint16_t*>(bytes + grid.ScaleBytes());
    for (int64_t j = 0; j < grid.n; ++j) {
      const int64_t output = group * grid.n + j, panel = j / kPanelColumns;
      scales[j] = ScaleOf(g, weights, output);
      PackColumn(g, weights, output, scales[j], grid.Width(panel),
                 panels + panel * kPanelColumns * grid.k + j % kPanelColumns);
    }
  }
}

// One panel of one group.
struct Panel {
  const float* scales;
  const uint16_t* halves;  // [k][width]
  int64_t k;
  int64_t columns;
  int64_t width;
};

Panel FindPanel(const Grid& grid, const void* packed, int64_t group, int64_t panel) {
  const char* bytes = static_cast<const char*>(packed) + group * grid.GroupBytes();
  const int64_t column = panel * kPanelColumns;
  return {.scales = reinterpret_cast<const float*>(bytes) + column,
          .halves = reinterpret_cast<const uint16_t*>(bytes + grid.ScaleBytes()) + column * grid.k,
          .k = grid.k,
          .columns = grid.Columns(panel),
          .width = grid.Width(panel)};
}

#if QLITE_ISA_float16

// Products whose part of a panel the second-level cache keeps while all rows pass it; whole sums in float16.
constexpr int64_t kPieceDepth = 8 * kFloat16Terms;

// The scratch memory behind that of the pointers: sums of a panel, [row][width], and the rows of a block in float16,
// [row][k].
struct Scratch {
  Scratch(const Grid& grid, void* memory)
      : sums(static_cast<float*>(memory)),
        rows(reinterpret_cast<VecF16::Repeated*>(sums + grid.block_rows * kPanelColumns)) {}
  float* sums;
  VecF16::Repeated* rows;
};

int64_t ScratchBytes(const Grid& grid) {
  return grid.block_rows * kPanelColumns * static_cast<int64_t>(sizeof(float)) +
         (grid.block_rows * grid.k + VecF16::kRepeatSlack) * static_cast<int64_t>(sizeof(VecF16::Repeated));
}

void PrepareBlock(const Grid& grid, const Runs& runs, const Workspace& space, int64_t row_count, void* memory) {
  VecF16::Repeated* out = Scratch(grid, memory).rows;
  for (int64_t r = 0; r < row_count; ++r) {
    for (int64_t tap = 0; tap < runs.taps; ++tap, out += runs.run) {
      VecF16::Repeat(space.rows[tap * kBlockRows + r], runs.run, out);
    }
  }
}

// Part of a panel that a tile passes: `depth` products of each sum.
struct Piece {
  const uint16_t* halves;
  int64_t depth;
  int64_t row_stride;  // of the left rows
  // What is fetched into the second-level cache meanwhile, and the bytes passed at each product.
  const char* ahead;
  int64_t ahead_step;
};

// sums[kRows][kVectors * kLanes] += rows * piece.
template <int kRows, int kVectors>
void SumTile(const VecF16::Repeated* rows, const Piece& piece, float* sums) {
  constexpr int64_t kWidth = kVectors * kLanes;
  const uint16_t* b = piece.halves;
  const char* ahead = piece.ahead;
  for (int64_t begin = 0; begin < piece.depth; begin += kFloat16Terms) {
    VecF16 sum[kRows][kVectors];
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = VecF16::Zero();
    }
    const VecF16::Repeated* a = rows + begin;
    for (int64_t left = MinOf(kFloat16Terms, piece.depth - begin); left > 0; --left, ++a, b += kWidth) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += piece.ahead_step;
      VecF16 w[kVectors];
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) w[v] = VecF16::Load(b + v * kLanes);
      QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
        const VecF16 x = VecF16::Broadcast(a + r * piece.row_stride);
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = MulAdd(x, w[v], sum[r][v]);
      }
    }
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v].AddTo(sums + r * kWidth + v * kLanes);
    }
  }
}

using SumFunction = void (*)(const VecF16::Repeated*, const Piece&, float*);

template <int kVectors, int... kRow>
constexpr std::array<SumFunction, kMaxTileRows> MakeSums(std::integer_sequence<int, kRow...>) {
  return {SumTile<kRow + 1, kVectors>...};
}
template <int... kVector>
constexpr std::array<std::array<SumFunction, kMaxTileRows>, kPanelVectors> MakeAllSums(
    std::integer_sequence<int, kVector...>) {
  return {MakeSums<kVector + 1>(std::make_integer_sequence<int, TileRows(kVector + 1)>())...};
}
// [vectors - 1][rows - 1]
constexpr auto kSums = MakeAllSums(std::make_integer_sequence<int, kPanelVectors>());

// A row of the result from its sums.
void FinishRow(const Panel& panel, const float* sums, const Epilogue& out) {
  for (int64_t j = 0; j < panel.columns; j += VecF32::kLanes) {
    const int count = static_cast<int>(MinOf(panel.columns - j, VecF32::kLanes));
    VecF32 x = VecF32::Load(sums + j) * VecF32::LoadPartial(panel.scales + j, count);
    if (out.bias) x = x + VecF32::LoadPartial(out.bias + j, count);
    if (out.residual) x = x + VecF32::LoadPartial(out.residual + j, count);
    if (out.clamps) x = Min(VecF32(out.act_max), Max(VecF32(out.act_min), x));
    x.StorePartial(out.c + j, count);
  }
}

void ComputePanel(const Grid& grid, const Runs&, const Workspace&, const Panel& panel, int64_t row_count, void* memory,
                  const Epilogue& out) {
  const Scratch scratch(grid, memory);
  const auto vectors = static_cast<size_t>(panel.width / kLanes);
  const TileSplit split(row_count, panel.width / kLanes);
  std::memset(scratch.sums, 0, static_cast<size_t>(row_count * panel.width) * sizeof(float));
  for (int64_t k = 0; k < panel.k; k += kPieceDepth) {
    Piece piece = {.halves = panel.halves + k * panel.width,
                   .depth = MinOf(kPieceDepth, panel.k - k),
                   .row_stride = panel.k,
                   .ahead = nullptr,
                   .ahead_step = MinOf(64, CeilDiv(2 * panel.width, split.tiles))};
    for (int64_t tile = 0; tile < split.tiles; ++tile) {
      const int64_t begin = split.Begin(tile), count = split.Rows(tile);
      // The tiles fetch equal parts of what follows in memory: the next piece, or the next panel.
      piece.ahead = reinterpret_cast<const char*>(piece.halves + piece.depth * panel.width) +
                    tile * piece.depth * piece.ahead_step;
      kSums[vectors - 1][static_cast<size_t>(count - 1)](scratch.rows + begin * panel.k + k, piece,
                                                         scratch.sums + begin * panel.width);
    }
  }
  for (int64_t r = 0; r < row_count; ++r) FinishRow(panel, scratch.sums + r * panel.width, At(out, r, 0));
}

#else

// The scratch memory behind that of the pointers: a panel in float32.
int64_t ScratchBytes(const Grid& grid) { return grid.k * kPanelColumns * static_cast<int64_t>(sizeof(float)); }

void PrepareBlock(const Grid&, const Runs&, const Workspace&, int64_t, void*) {}

void ComputePanel(const Grid&, const Runs& runs, const Workspace& space, const Panel& panel, int64_t row_count,
                  void* scratch, const Epilogue& out) {
  auto* weights = static_cast<float*>(scratch);
  for (int64_t i = 0; i < panel.k; ++i) {
    float* row = weights + i * panel.width;
    WidenFloat16(panel.halves + i * panel.width, panel.width, row);
    for (int64_t j = 0; j < panel.width; j += VecF32::kLanes) {
      (VecF32::Load(row + j) * VecF32::Load(panel.scales + j)).Store(row + j);
    }
  }
  ComputeBlock({.rows = space.rows,
                .row_count = row_count,
                .taps = runs.taps,
                .run = runs.run,
                .packed_b = weights,
                .n = panel.columns,
                .first_panel = 0,
                .end_panel = 1,
                .out = out});
}

#endif

int64_t PointerBytes(const ConvF32Geometry& g) { return AlignedBytes(WorkspaceBytes(g)); }

int64_t AllBytes(const ConvF32Geometry& g) { return PointerBytes(Flattened(g)) + ScratchBytes(Grid(g)); }

int64_t Units(const ConvF32Geometry& g) { return g.groups * Grid(g).count(); }

// The panels [first, end) of a block of pixels of a group.
void RunBlock(const ConvF16Args& args, const Grid& grid, void* workspace, int64_t group, int64_t block, int64_t first,
              int64_t end) {
  const ConvF32Geometry& g = args.conv.geometry;
  const Runs runs = FindRuns(g);
  const Workspace space = CutWorkspace(runs, workspace);
  void* scratch = static_cast<char*>(workspace) + PointerBytes(g);
  const int64_t row = block * grid.block_rows, rows = MinOf(grid.block_rows, grid.pixels - row);
  const Epilogue out = OutputOf(args.conv);
  PointAtBlock(g, runs, args.conv.input + group * GroupChannels(g), row, rows, space);
  PrepareBlock(grid, runs, space, rows, scratch);
  for (int64_t panel = first; panel < end; ++panel) {
    ComputePanel(grid, runs, space, FindPanel(grid, args.packed, group, panel), rows, scratch,
                 At(out, row, group * grid.n + panel * kPanelColumns));
  }
}

void Run(const ConvF16Args& args, void* workspace, int64_t begin, int64_t end) {
  ConvF16Args flat = args;
  flat.conv.geometry = Flattened(args.conv.geometry);
  const Grid grid(flat.conv.geometry);
  ForEachPanelRange(grid.panels, begin, end, [&](int64_t block, int64_t first, int64_t stop) {
    RunBlock(flat, grid, workspace, block / grid.blocks, block % grid.blocks, first, stop);
  });
}

}  // namespace
}  // namespace product

extern const ConvF16Kernels kConvF16Kernels;
const ConvF16Kernels kConvF16Kernels = {.float16_arithmetic = product::kArithmetic,
                                        .packed_bytes = product::PackedBytes,
                                        .pack = product::Pack,
                                        .workspace_bytes = product::AllBytes,
                                        .units = product::Units,
                                        .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
