#include "kernels/gemm_f32_tile.h"

#include <array>
#include <utility>

namespace qlite::kernels::QLITE_ISA::product {
namespace {

// Panel rows of a block: 256 of 128 bytes and a tile of left rows fit into 48 KB.
constexpr int64_t kBlockDepth = 256;
// Panel rows that may stay in the first-level cache with the rows of a tile.
constexpr int64_t kCachedPanelRows = 256;
// Panels that a single row passes at once, to have enough sums under way.
constexpr int kRowPanels = 4;

// Piece of the reduction: `run` floats from `offset` on in each of `taps` taps.
struct Depth {
  int64_t tap;
  int64_t taps;
  int64_t offset;
  int64_t run;
  bool first;  // sums start from the bias, otherwise from c
  bool last;   // sums are finished, otherwise go to c as they are
};

VecF32 LoadColumns(const float* p, int columns) {
  return columns >= VecF32::kLanes ? VecF32::Load(p) : VecF32::LoadPartial(p, columns);
}

VecF32 Clamp(VecF32 x, VecF32 low, VecF32 high) { return Min(high, Max(low, x)); }

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void StartSums(VecF32 (&sum)[kRows][kVectors], int columns, const Depth& depth,
                                             const Epilogue& out) {
  constexpr int kLanes = VecF32::kLanes;
  if (depth.first) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const VecF32 start = out.bias ? LoadColumns(out.bias + v * kLanes, columns - v * kLanes) : VecF32(0.0f);
      QLITE_UNROLL for (int r = 0; r < kRows; ++r) sum[r][v] = start;
    }
    return;
  }
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = LoadColumns(out.c + r * out.ldc + v * kLanes, columns - v * kLanes);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void FinishSums(VecF32 (&sum)[kRows][kVectors], int columns, const Depth& depth,
                                              const Epilogue& out) {
  constexpr int kLanes = VecF32::kLanes;
  if (depth.last) {
    const VecF32 low(out.act_min);
    const VecF32 high(out.act_max);
    if (out.residual) {
      QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
          sum[r][v] = sum[r][v] + LoadColumns(out.residual + r * out.ldr + v * kLanes, columns - v * kLanes);
        }
      }
    }
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = Clamp(sum[r][v], low, high);
    }
  }
  if (columns == kVectors * kLanes) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v].Store(out.c + r * out.ldc + v * kLanes);
    }
    return;
  }
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
    float* c = out.c + r * out.ldc;
    QLITE_UNROLL for (int v = 0; v + 1 < kVectors; ++v) sum[r][v].Store(c + v * kLanes);
    sum[r][kVectors - 1].StorePartial(c + (kVectors - 1) * kLanes, columns - (kVectors - 1) * kLanes);
  }
}

// One tile: rows[tap * kTileRows + r] for r < kRows, kVectors vectors of `b`, of which `columns` columns are wanted.
template <int kRows, int kVectors>
void ComputeTile(const float* const* rows, const float* b, int columns, const Depth& depth, const Epilogue& out) {
  VecF32 sum[kRows][kVectors];
  StartSums(sum, columns, depth, out);
  const float* const* tap_rows = rows + depth.tap * kTileRows;
  for (int64_t tap = 0; tap < depth.taps; ++tap, tap_rows += kTileRows) {
    const float* a[kRows];
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) a[r] = tap_rows[r] + depth.offset;
    for (int64_t k = 0; k < depth.run; ++k, b += kVectors * VecF32::kLanes) {
      VecF32 panel[kVectors];
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) panel[v] = VecF32::Load(b + v * VecF32::kLanes);
      QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
        const VecF32 x(a[r][k]);
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = MulAdd(x, panel[v], sum[r][v]);
      }
    }
  }
  FinishSums(sum, columns, depth, out);
}

using TileFunction = void (*)(const float* const*, const float*, int, const Depth&, const Epilogue&);

template <int kVectors, int... kRow>
constexpr std::array<TileFunction, sizeof...(kRow)> TileTable(std::integer_sequence<int, kRow...>) {
  return {ComputeTile<kRow + 1, kVectors>...};
}

// The tile of `rows` rows and `vectors` vectors.
TileFunction FindTile(int64_t rows, int64_t vectors) {
  using Rows = std::make_integer_sequence<int, kTileRows>;
  static constexpr std::array<TileFunction, kTileRows> kOne = TileTable<1>(Rows());
  static constexpr std::array<TileFunction, kTileRows> kTwo = TileTable<2>(Rows());
  return vectors == 1 ? kOne[rows - 1] : kTwo[rows - 1];
}

// kRowPanels whole panels, k floats of a panel apart, for a single row: enough independent sums to keep memory busy.
void ComputeRowOfPanels(const float* const* rows, const float* b, int64_t taps, int64_t run, const Epilogue& out) {
  constexpr int kLanes = VecF32::kLanes;
  VecF32 sum[kRowPanels][kPanelVectors];
  for (int p = 0; p < kRowPanels; ++p) {
    for (int v = 0; v < kPanelVectors; ++v) {
      sum[p][v] = out.bias ? VecF32::Load(out.bias + p * kPanelColumns + v * kLanes) : VecF32(0.0f);
    }
  }
  const int64_t panel_floats = taps * run * kPanelColumns;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const float* a = rows[tap * kTileRows];
    for (int64_t k = 0; k < run; ++k, b += kPanelColumns) {
      const VecF32 x(a[k]);
      for (int p = 0; p < kRowPanels; ++p) {
        const float* panel = b + p * panel_floats;
        for (int v = 0; v < kPanelVectors; ++v) sum[p][v] = MulAdd(x, VecF32::Load(panel + v * kLanes), sum[p][v]);
      }
    }
  }
  for (int p = 0; p < kRowPanels; ++p) {
    for (int v = 0; v < kPanelVectors; ++v) {
      const int64_t column = p * kPanelColumns + v * kLanes;
      VecF32 x = sum[p][v];
      if (out.residual) x = x + VecF32::Load(out.residual + column);
      Clamp(x, out.act_min, out.act_max).Store(out.c + column);
    }
  }
}

void ComputeDepth(const Block& block, const Depth& depth) {
  const int64_t k = block.taps * block.run;
  const int64_t first_k = depth.tap * block.run + depth.offset;
  const TileSplit split(block.row_count);
  const auto compute = [&](int64_t panel, int64_t tile) {
    const int64_t column = panel * kPanelColumns;
    const int columns = static_cast<int>(MinOf(block.n - column, kPanelColumns));
    const int64_t vectors = columns > VecF32::kLanes ? kPanelVectors : 1;
    const float* b = block.packed_b + column * k + first_k * vectors * VecF32::kLanes;
    const int64_t begin = split.Begin(tile);
    FindTile(split.Begin(tile + 1) - begin, vectors)(block.rows + tile * block.taps * kTileRows, b, columns, depth,
                                                     At(block.out, begin, column));
  };
  // The operand that is passed over again and again is the one that fits into the first-level cache: all panels where
  // they are few and short, and the rows of c are then written one after the other; otherwise a panel.
  if (depth.taps * depth.run * (block.end_panel - block.first_panel) <= kCachedPanelRows) {
    for (int64_t tile = 0; tile < split.tiles; ++tile) {
      for (int64_t panel = block.first_panel; panel < block.end_panel; ++panel) compute(panel, tile);
    }
    return;
  }
  for (int64_t panel = block.first_panel; panel < block.end_panel; ++panel) {
    for (int64_t tile = 0; tile < split.tiles; ++tile) compute(panel, tile);
  }
}

void ComputeSingleRow(Block block) {
  const int64_t k = block.taps * block.run;
  const int64_t whole_panels = MinOf(block.end_panel, block.n / kPanelColumns);
  for (; block.first_panel + kRowPanels <= whole_panels; block.first_panel += kRowPanels) {
    const int64_t column = block.first_panel * kPanelColumns;
    ComputeRowOfPanels(block.rows, block.packed_b + column * k, block.taps, block.run, At(block.out, 0, column));
  }
  ComputeDepth(block, {.tap = 0, .taps = block.taps, .offset = 0, .run = block.run, .first = true, .last = true});
}

}  // namespace

void ComputeBlock(const Block& block) {
  if (block.row_count == 1) return ComputeSingleRow(block);
  Depth depth = {.tap = 0, .taps = block.taps, .offset = 0, .run = block.run, .first = true, .last = true};
  // A panel that one tile alone reads gains nothing from being read in pieces.
  if (block.taps * block.run <= kBlockDepth || block.row_count <= kTileRows) return ComputeDepth(block, depth);
  if (block.run > kBlockDepth) {
    const int64_t length = CeilDiv(block.run, CeilDiv(block.run, kBlockDepth));
    depth.taps = 1;
    for (depth.tap = 0; depth.tap < block.taps; ++depth.tap) {
      for (depth.offset = 0; depth.offset < block.run; depth.offset += length) {
        depth.run = MinOf(length, block.run - depth.offset);
        depth.first = depth.tap == 0 && depth.offset == 0;
        depth.last = depth.tap + 1 == block.taps && depth.offset + depth.run == block.run;
        ComputeDepth(block, depth);
      }
    }
    return;
  }
  const int64_t length = CeilDiv(block.taps, CeilDiv(block.taps, kBlockDepth / block.run));
  for (depth.tap = 0; depth.tap < block.taps; depth.tap += length) {
    depth.taps = MinOf(length, block.taps - depth.tap);
    depth.first = depth.tap == 0;
    depth.last = depth.tap + depth.taps == block.taps;
    ComputeDepth(block, depth);
  }
}

void PackPanels(const float* b, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, float* packed) {
  for (int64_t column = 0; column < n; column += kPanelColumns) {
    const int64_t used = MinOf(n - column, kPanelColumns);
    const int64_t width = CeilDiv(used, VecF32::kLanes) * VecF32::kLanes;
    for (int64_t i = 0; i < k; ++i, packed += width) {
      const float* row = b + i * k_stride + column * n_stride;
      for (int64_t j = 0; j < used; ++j) packed[j] = row[j * n_stride];
      for (int64_t j = used; j < width; ++j) packed[j] = 0.0f;
    }
  }
}

UnitGrid MakeGrid(int64_t m, int64_t n, int64_t k) {
  // A unit smaller than this costs less than handing it to another thread; more units than that balance no better.
  constexpr double kUnitProducts = 1 << 17;
  constexpr int64_t kUnits = 32;
  UnitGrid grid = {.block_rows = kBlockRows, .row_blocks = 0, .panel_ranges = 1, .panels = CeilDiv(n, kPanelColumns)};
  if (m == 0 || n == 0) return grid;
  const double products = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const int64_t wanted = products < kUnitProducts            ? 1
                         : products < kUnitProducts * kUnits ? static_cast<int64_t>(products / kUnitProducts)
                                                             : kUnits;
  grid.row_blocks = CeilDiv(m, grid.block_rows);
  if (grid.row_blocks < wanted / 2) grid.panel_ranges = MinOf(grid.panels, CeilDiv(wanted, grid.row_blocks));
  if (grid.count() < wanted / 2) {
    const int64_t tiles = CeilDiv(m, kTileRows);
    grid.block_rows = kTileRows * MaxOf(1, tiles * grid.panel_ranges / wanted);
    grid.row_blocks = CeilDiv(m, grid.block_rows);
  }
  return grid;
}

}  // namespace qlite::kernels::QLITE_ISA::product
