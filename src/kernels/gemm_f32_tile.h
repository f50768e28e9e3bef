// Register-tiled product of float32 rows, found through pointers, with a packed matrix: the inner part that gemm_f32
// and conv_f32 share. Included by *.isa.cc alone; compiled in gemm_f32_tile.isa.cc.
//
// The reduction index runs over `taps` pieces of `run` floats each; row r of the left operand is the concatenation of
// the pieces at rows[tap][r]. A plain matrix has one tap, a convolution one for each position in the kernel.
//
// A packed [k, n] matrix is a sequence of panels, each [k][columns] and all as wide (Panels below) but the last, which
// is as wide as the whole vectors that its columns fill, and zero where they do not fill one.
#ifndef QLITE_KERNELS_GEMM_F32_TILE_H_
#define QLITE_KERNELS_GEMM_F32_TILE_H_

#include <cstdint>

#include "kernels/simd.h"

namespace qlite::kernels::QLITE_ISA::product {

// Vectors of the widest panel. Wide and low tiles load less for each multiply-add than narrow and high ones.
inline constexpr int kMaxPanelVectors = kVectorRegisters >= 32 ? 4 : 2;

// Rows of a tile with `vectors` vectors a row: the sums, one row of the panel and a broadcast fill the registers, and
// every row takes a general register for its address.
constexpr int TileRows(int vectors) {
  const int rows = (kVectorRegisters - 1 - vectors) / vectors;
  return rows < 14 ? rows : 14;
}
inline constexpr int kMaxTileRows = TileRows(1);

// Rows that share a block of a panel while it is in the first-level cache: whole tiles of every kind.
inline constexpr int64_t kBlockRows = 192;

inline int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t MinOf(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t MaxOf(int64_t a, int64_t b) { return a > b ? a : b; }

// Floats of a packed [k, n] matrix.
inline int64_t PackedFloats(int64_t k, int64_t n) { return k * CeilDiv(n, VecF32::kLanes) * VecF32::kLanes; }

// How the columns of a matrix are cut into panels.
struct Panels {
  explicit Panels(int64_t n) {
    const int64_t all = CeilDiv(n, VecF32::kLanes);
    // The last panel shall not be much narrower than the others.
    vectors = kMaxPanelVectors;
    if (kMaxPanelVectors == 4 && all % 4 != 0 && all % 4 != 3 && all % 3 != 1) vectors = 3;
    columns = vectors * VecF32::kLanes;
    count = CeilDiv(n, columns);
  }
  int64_t vectors;
  int64_t columns;
  int64_t count;
};

// Packs the `used` columns of one panel, B[i][j] = b[i * k_stride + j * n_stride]. Returns where the packed form ends.
float* PackPanel(const float* b, int64_t k, int64_t used, int64_t k_stride, int64_t n_stride, float* packed);

// Packs all of B.
void PackPanels(const float* b, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, float* packed);

// Where sums start and what happens to them when they are finished.
struct Epilogue {
  const float* bias;      // of the first column, or null
  const float* residual;  // of the first row and column, or null
  int64_t ldr;
  float* c;  // of the first row and column
  int64_t ldc;
  float act_min;
  float act_max;
  bool clamps;  // act_min and act_max are not infinite
};

inline bool IsClamp(float low, float high) { return low > -__builtin_inff() || high < __builtin_inff(); }

// `out` moved on by rows and columns.
inline Epilogue At(const Epilogue& out, int64_t row, int64_t column) {
  Epilogue moved = out;
  if (out.bias) moved.bias = out.bias + column;
  if (out.residual) moved.residual = out.residual + row * out.ldr + column;
  moved.c = out.c + row * out.ldc + column;
  return moved;
}

// The rows of a block are dealt to as few tiles as hold them, evenly, so that none is left with a few rows.
struct TileSplit {
  int64_t tiles;
  int64_t rows;   // of every tile
  int64_t extra;  // the first `extra` tiles have one row more
  TileSplit(int64_t row_count, int64_t vectors)
      : tiles(CeilDiv(row_count, TileRows(static_cast<int>(vectors)))), rows(row_count / MaxOf(tiles, 1)) {
    extra = row_count - rows * tiles;
  }
  int64_t Begin(int64_t tile) const { return tile * rows + MinOf(tile, extra); }
  int64_t Rows(int64_t tile) const { return rows + (tile < extra ? 1 : 0); }
};

// A block of up to kBlockRows rows against the panels [first_panel, end_panel) of a packed [taps * run, n] matrix.
struct Block {
  const float* const* rows;  // row r of a tap at rows[tap * kBlockRows + r]
  int64_t row_count;
  int64_t taps;
  int64_t run;
  const float* packed_b;
  int64_t n;
  int64_t first_panel;
  int64_t end_panel;
  Epilogue out;  // its pointers are those of the first row and of column 0
};

// Computes the elements of the block's rows and panels, each by the sum that gemm_f32.h promises.
void ComputeBlock(const Block& block);

// How an [m, k] x [k, n] product is cut into units: unit u is row block u % row_blocks and panel range u / row_blocks.
struct UnitGrid {
  int64_t block_rows;
  int64_t row_blocks;
  int64_t panel_ranges;
  int64_t panels;
  int64_t count() const { return row_blocks * panel_ranges; }
  int64_t FirstPanel(int64_t range) const { return panels * range / panel_ranges; }
};

UnitGrid MakeGrid(int64_t m, int64_t n, int64_t k);

// Rows [first_row, end_row) of the panels [first_panel, end_panel).
struct Rectangle {
  int64_t first_row;
  int64_t end_row;
  int64_t first_panel;
  int64_t end_panel;
};

// The largest rectangle that the units from *begin on fill, up to `end`; moves *begin behind it. The caches gain from
// more than a unit at a time: what a unit is matters only for dealing out the work.
Rectangle TakeRectangle(const UnitGrid& grid, int64_t m, int64_t* begin, int64_t end);

// Calls compute(first_row, row_count, first_panel, end_panel) for blocks of at most kBlockRows rows that cover the
// units [begin, end).
template <class Compute>
void ForEachBlock(const UnitGrid& grid, int64_t m, int64_t begin, int64_t end, const Compute& compute) {
  while (begin < end) {
    const Rectangle part = TakeRectangle(grid, m, &begin, end);
    // Blocks as even as whole tiles allow: one of a few rows would read all panels for little work.
    constexpr int64_t kRows = TileRows(kMaxPanelVectors);
    const int64_t all = part.end_row - part.first_row;
    const int64_t rows = CeilDiv(CeilDiv(all, CeilDiv(all, kBlockRows)), kRows) * kRows;
    for (int64_t row = part.first_row; row < part.end_row; row += rows) {
      compute(row, MinOf(rows, part.end_row - row), part.first_panel, part.end_panel);
    }
  }
}

}  // namespace qlite::kernels::QLITE_ISA::product

#endif  // QLITE_KERNELS_GEMM_F32_TILE_H_
