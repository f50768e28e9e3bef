#include "kernels/gemm_f32_tile.h"

#include <array>
#include <utility>

#include "kernels/transpose_block.h"

namespace qlite::kernels::QLITE_ISA::product {
namespace {

// Rows of a panel that all rows of a block pass before the next ones: part of a second-level cache.
constexpr int64_t kBlockDepth = 768;
// Floats of panels that a first-level cache keeps.
constexpr int64_t kCachedFloats = 16 * 1024;
// Floats of rows that a second-level cache keeps beside pieces of panels.
constexpr int64_t kCachedRowFloats = 128 * 1024;

// Steps of the reduction in the body of the inner loop.
constexpr int kUnrolled = 4;
// Lines of sums are fetched before a tile stores to them or goes on with them, where they are whole vectors.
constexpr bool kPrefetchSums = VecF32::kLanes == 16;
// Floats of a cache line.
constexpr int64_t kLineFloats = 16;

// Into the second-level cache. Any address will do.
inline void Prefetch(const char* p) { __builtin_prefetch(p, 0, 2); }
// Into the first-level cache, to be written.
inline void PrefetchToWrite(const float* p) { __builtin_prefetch(p, 1, 3); }

// Piece of the reduction: `run` floats from `offset` on in each of `taps` taps.
struct Depth {
  int64_t tap;
  int64_t taps;
  int64_t offset;
  int64_t run;
  bool first;  // sums start from the bias, otherwise from c
  bool last;   // sums are finished, otherwise go to c as they are
  // Distance in bytes to the rows of the next tile, which are prefetched.
  int64_t rows_ahead = 0;
  // The piece of a panel that is computed next, which is prefetched, or null.
  const float* next_panel = nullptr;
  // The part of it that a tile prefetches: where it begins, and the bytes passed at each step.
  const char* panel_ahead = nullptr;
  int64_t panel_step = 0;
};

VecF32 Clamp(VecF32 x, VecF32 low, VecF32 high) { return Min(high, Max(low, x)); }

// A row of the result or of what is added to it; of its last vector, the first `tail` columns.
template <int kVectors>
[[gnu::always_inline]] inline void LoadRow(const float* p, int tail, VecF32 (&row)[kVectors]) {
  constexpr int kLanes = VecF32::kLanes;
  constexpr int kLast = kVectors - 1;
  QLITE_UNROLL for (int v = 0; v < kLast; ++v) row[v] = VecF32::Load(p + v * kLanes);
  row[kLast] = tail == kLanes ? VecF32::Load(p + kLast * kLanes) : VecF32::LoadPartial(p + kLast * kLanes, tail);
}

// Fetches the lines of a tile's sums.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void PrefetchSums(const float* c, int64_t ldc) {
  if constexpr (kPrefetchSums) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r, c += ldc) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) PrefetchToWrite(c + v * VecF32::kLanes);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void StartSums(VecF32 (&sum)[kRows][kVectors], int tail, const Depth& depth,
                                             const Epilogue& out) {
  if (depth.first) {
    VecF32 start[kVectors];
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) start[v] = VecF32(0.0f);
    if (out.bias) LoadRow(out.bias, tail, start);
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = start[v];
    }
    // A store that waits for its line keeps those behind it waiting.
    PrefetchSums<kRows, kVectors>(out.c, out.ldc);
    return;
  }
  const float* c = out.c;
  QLITE_UNROLL for (int r = 0; r < kRows; ++r, c += out.ldc) LoadRow(c, tail, sum[r]);
  // The panels that passed since have driven the sums out of the second-level cache: those of the tile below, too.
  PrefetchSums<kRows, kVectors>(c, out.ldc);
}

// Clamp, side by side: most functions bound one, and a comparison takes the place of a multiply-add.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void ClampSums(VecF32 (&sum)[kRows][kVectors], float low, float high) {
  if (low > -__builtin_inff()) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = Max(VecF32(low), sum[r][v]);
    }
  }
  if (high < __builtin_inff()) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = Min(VecF32(high), sum[r][v]);
    }
  }
}

template <int kRows, int kVectors>
[[gnu::always_inline]] inline void FinishSums(VecF32 (&sum)[kRows][kVectors], int tail, const Depth& depth,
                                              const Epilogue& out) {
  constexpr int kLanes = VecF32::kLanes;
  constexpr int kLast = kVectors - 1;
  if (depth.last) {
    if (out.residual) {
      const float* residual = out.residual;
      QLITE_UNROLL for (int r = 0; r < kRows; ++r, residual += out.ldr) {
        VecF32 row[kVectors];
        LoadRow(residual, tail, row);
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v] + row[v];
      }
    }
    if (out.clamps) ClampSums(sum, out.act_min, out.act_max);
  }
  float* c = out.c;
  if (tail == kLanes) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r, c += out.ldc) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v].Store(c + v * kLanes);
    }
    return;
  }
  QLITE_UNROLL for (int r = 0; r < kRows; ++r, c += out.ldc) {
    QLITE_UNROLL for (int v = 0; v < kLast; ++v) sum[r][v].Store(c + v * kLanes);
    sum[r][kLast].StorePartial(c + kLast * kLanes, tail);
  }
}

// Whether there are tiles whose last vector counts half: where vectors are long enough that columns often leave it half
// empty, and a processor may take as long for one as for two halves.
constexpr bool kHasHalves = VecF32::kLanes == 16;

// MulAdd of the first half of the lanes; the others are of no account.
[[gnu::always_inline]] inline VecF32 MulAddHalf(VecF32 a, VecF32 b, VecF32 c) {
#if QLITE_ISA_avx512
  const auto half = [](VecF32 x) { return _mm512_castps512_ps256(x.v); };
  return VecF32(VecF32::Batch(_mm512_castps256_ps512(_mm256_fmadd_ps(half(a), half(b), half(c)))));
#else
  return MulAdd(a, b, c);
#endif
}

// Adds one product to every sum. Row r of the left operand is at a + offset[r].
template <bool kHalf, int kRows, int kVectors>
[[gnu::always_inline]] inline void Step(const char* a, const intptr_t (&offset)[kRows], const float* b,
                                        VecF32 (&sum)[kRows][kVectors]) {
  VecF32 panel[kVectors];
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) panel[v] = VecF32::Load(b + v * VecF32::kLanes);
  QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
    const VecF32 x(*reinterpret_cast<const float*>(a + offset[r]));
    constexpr int kWhole = kVectors - (kHalf ? 1 : 0);
    QLITE_UNROLL for (int v = 0; v < kWhole; ++v) sum[r][v] = MulAdd(x, panel[v], sum[r][v]);
    if constexpr (kHalf) sum[r][kWhole] = MulAddHalf(x, panel[kWhole], sum[r][kWhole]);
  }
}

// One tile: rows[tap * kBlockRows + r] for r < kRows, kVectors vectors of `b`; of the last one, `tail` columns are
// wanted, which are in its first half if kHalf.
template <int kRows, int kVectors, bool kHalf>
void ComputeTile(const float* const* rows, const float* b, int tail, const Depth& depth, const Epilogue& out) {
  constexpr int kWidth = kVectors * VecF32::kLanes;
  VecF32 sum[kRows][kVectors];
  StartSums(sum, tail, depth, out);
  const float* const* tap_rows = rows + depth.tap * kBlockRows;
  const char* panel_ahead = depth.panel_ahead;
  for (int64_t tap = 0; tap < depth.taps; ++tap, tap_rows += kBlockRows) {
    // Rows relative to the first one, which saves a register of the many that addresses take.
    const char* a = reinterpret_cast<const char*>(tap_rows[0] + depth.offset);
    intptr_t offset[kRows];
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      offset[r] = reinterpret_cast<intptr_t>(tap_rows[r]) - reinterpret_cast<intptr_t>(tap_rows[0]);
    }
    int64_t left = depth.run;
    for (; left >= kUnrolled; left -= kUnrolled) {
      if (depth.rows_ahead != 0 && left % kLineFloats < kUnrolled) {
        QLITE_UNROLL for (int r = 0; r < kRows; ++r) Prefetch(a + depth.rows_ahead + offset[r]);
      }
      // A single vector leaves no load to spare.
      if constexpr (kVectors > 1) {
        Prefetch(panel_ahead);
        Prefetch(panel_ahead + kLineFloats * sizeof(float));
        panel_ahead += kUnrolled * depth.panel_step;
      }
      QLITE_UNROLL for (int i = 0; i < kUnrolled; ++i, a += sizeof(float), b += kWidth) {
        Step<kHalf>(a, offset, b, sum);
      }
    }
    for (; left > 0; --left, a += sizeof(float), b += kWidth) Step<kHalf>(a, offset, b, sum);
  }
  FinishSums(sum, tail, depth, out);
}

using TileFunction = void (*)(const float* const*, const float*, int, const Depth&, const Epilogue&);
using TileTable = std::array<TileFunction, kMaxTileRows>;

// Of tiles with a half vector only high ones, which do most of the work: the code of all would be half as large again.
constexpr bool IsHalf(bool wanted, int rows, int vectors) {
  return wanted && kHasHalves && vectors > 1 && 4 * rows > 3 * TileRows(vectors);
}

template <bool kHalf, int kVectors, int... kRow>
constexpr TileTable MakeTileTable(std::integer_sequence<int, kRow...>) {
  return {ComputeTile<kRow + 1, kVectors, IsHalf(kHalf, kRow + 1, kVectors)>...};
}

template <bool kHalf, int... kVector>
constexpr std::array<TileTable, kMaxPanelVectors> MakeTileTables(std::integer_sequence<int, kVector...>) {
  return {MakeTileTable<kHalf, kVector + 1>(std::make_integer_sequence<int, TileRows(kVector + 1)>())...};
}

// [last vector is half empty][vectors - 1][rows - 1]
constexpr std::array<TileTable, kMaxPanelVectors> kTiles[2] = {
    MakeTileTables<false>(std::make_integer_sequence<int, kMaxPanelVectors>()),
    MakeTileTables<true>(std::make_integer_sequence<int, kMaxPanelVectors>())};

// Vectors that a single row passes at once, to have enough sums under way.
constexpr int kRowVectors = 8;

// kPanels whole panels of kVectors vectors each, one row.
template <int kPanels, int kVectors>
void ComputeRowOfPanels(const float* const* rows, const float* b, int64_t taps, int64_t run, const Epilogue& out) {
  constexpr int kLanes = VecF32::kLanes;
  constexpr int kWidth = kVectors * kLanes;
  VecF32 sum[kPanels][kVectors];
  QLITE_UNROLL for (int p = 0; p < kPanels; ++p) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      sum[p][v] = out.bias ? VecF32::Load(out.bias + p * kWidth + v * kLanes) : VecF32(0.0f);
    }
  }
  const int64_t panel_floats = taps * run * kWidth;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const float* a = rows[tap * kBlockRows];
    for (int64_t k = 0; k < run; ++k, b += kWidth) {
      const VecF32 x(a[k]);
      QLITE_UNROLL for (int p = 0; p < kPanels; ++p) {
        const float* panel = b + p * panel_floats;
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[p][v] =
            MulAdd(x, VecF32::Load(panel + v * kLanes), sum[p][v]);
      }
    }
  }
  QLITE_UNROLL for (int p = 0; p < kPanels; ++p) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const int64_t column = p * kWidth + v * kLanes;
      VecF32 x = sum[p][v];
      if (out.residual) x = x + VecF32::Load(out.residual + column);
      Clamp(x, out.act_min, out.act_max).Store(out.c + column);
    }
  }
}

// Floats from one row of a panel to the next.
int64_t PanelWidth(const Block& block, const Panels& panels, int64_t panel) {
  return MinOf(panels.vectors, CeilDiv(block.n - panel * panels.columns, VecF32::kLanes)) * VecF32::kLanes;
}

// Where row k of a panel lies.
const float* PanelRow(const Block& block, const Panels& panels, int64_t panel, int64_t k) {
  return block.packed_b + panel * panels.columns * block.taps * block.run + k * PanelWidth(block, panels, panel);
}

// What the tiles of a panel share, over one piece of the reduction.
struct PanelPart {
  PanelPart(const Block& block, const Panels& panels, int64_t panel, const Depth& depth)
      : width(PanelWidth(block, panels, panel)),
        b(PanelRow(block, panels, panel, depth.tap * block.run + depth.offset)),
        tail(VecF32::kLanes - static_cast<int>(MaxOf(panel * panels.columns + width - block.n, 0))),
        tiles(kTiles[2 * tail <= VecF32::kLanes][width / VecF32::kLanes - 1].data()) {}
  int64_t width;
  const float* b;
  int tail;                   // columns of the last vector
  const TileFunction* tiles;  // [rows - 1]
};

// Moves `out` in place: a tile must not wait for a copy of what was just written.
[[gnu::always_inline]] inline void Move(Epilogue* out, int64_t rows, int64_t columns) {
  if (out->bias) out->bias += columns;
  if (out->residual) out->residual += rows * out->ldr + columns;
  out->c += rows * out->ldc + columns;
}

// Distance in bytes from a tile's rows to those of the tile below.
int64_t RowsAhead(const float* const* rows, int64_t count) {
  return reinterpret_cast<intptr_t>(rows[count]) - reinterpret_cast<intptr_t>(rows[0]);
}

// A panel against all rows, over one piece of the reduction.
void ComputeDepth(const Block& block, const Panels& panels, int64_t panel, Depth depth) {
  const PanelPart part(block, panels, panel, depth);
  const TileSplit split(block.row_count, part.width / VecF32::kLanes);
  // The tiles fetch equal parts of the next piece, at most two lines in an unrolled body.
  depth.panel_ahead = reinterpret_cast<const char*>(depth.next_panel ? depth.next_panel : part.b);
  if (depth.next_panel) {
    depth.panel_step =
        MinOf(CeilDiv(part.width, split.tiles), 2 * kLineFloats / kUnrolled) * static_cast<int64_t>(sizeof(float));
  }
  const int64_t tile_step = depth.taps * depth.run * depth.panel_step;
  const bool fetches_rows = panel == block.first_panel;
  const float* const* rows = block.rows;
  Epilogue out = At(block.out, 0, panel * panels.columns);
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t count = split.Rows(tile);
    depth.rows_ahead = fetches_rows && tile + 1 < split.tiles ? RowsAhead(rows + depth.tap * kBlockRows, count) : 0;
    part.tiles[count - 1](rows, part.b, part.tail, depth, out);
    rows += count;
    depth.panel_ahead += tile_step;
    Move(&out, count, 0);
  }
}

// Tile by tile, all panels: where these stay in the first-level cache, rows are read once and those of c are written
// one after the other.
void ComputeRowByRow(const Block& block, const Panels& panels) {
  Depth depth = {.tap = 0, .taps = block.taps, .offset = 0, .run = block.run, .first = true, .last = true};
  const PanelPart first(block, panels, block.first_panel, depth);
  const PanelPart last(block, panels, block.end_panel - 1, depth);
  const int64_t panel_floats = panels.columns * block.taps * block.run;
  const int64_t others = block.end_panel - 1 - block.first_panel;
  // As high as the widest panel allows. (Of a single vector, low tiles keep the addresses of their rows in registers.)
  const int64_t widest = first.width / VecF32::kLanes;
  const TileSplit split(block.row_count, widest > 1 ? widest : panels.vectors);
  const float* const* rows = block.rows;
  Epilogue out = At(block.out, 0, block.first_panel * panels.columns);
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const int64_t count = split.Rows(tile);
    depth.rows_ahead = tile + 1 < split.tiles ? RowsAhead(rows, count) : 0;
    const float* b = first.b;
    for (int64_t panel = 0; panel < others; ++panel, b += panel_floats) {
      depth.panel_ahead = reinterpret_cast<const char*>(b);
      first.tiles[count - 1](rows, b, VecF32::kLanes, depth, out);
      Move(&out, 0, panels.columns);
      depth.rows_ahead = 0;
    }
    depth.panel_ahead = reinterpret_cast<const char*>(last.b);
    last.tiles[count - 1](rows, last.b, last.tail, depth, out);
    rows += count;
    Move(&out, count, -others * panels.columns);
  }
}

// Calls compute(depth) for the pieces of the reduction, in order: those whose part of a panel the second-level cache
// keeps while all rows pass it.
template <class Compute>
void ForEachPiece(const Block& block, const Compute& compute) {
  Depth depth = {.tap = 0, .taps = block.taps, .offset = 0, .run = block.run, .first = true, .last = true};
  // A panel that one tile alone reads gains nothing from being read in pieces.
  if (block.taps * block.run <= kBlockDepth || block.row_count <= TileRows(kMaxPanelVectors)) return compute(depth);
  if (block.run > kBlockDepth) {
    const int64_t length = CeilDiv(block.run, CeilDiv(block.run, kBlockDepth));
    depth.taps = 1;
    for (depth.tap = 0; depth.tap < block.taps; ++depth.tap) {
      for (depth.offset = 0; depth.offset < block.run; depth.offset += length) {
        depth.run = MinOf(length, block.run - depth.offset);
        depth.first = depth.tap == 0 && depth.offset == 0;
        depth.last = depth.tap + 1 == block.taps && depth.offset + depth.run == block.run;
        compute(depth);
      }
    }
    return;
  }
  const int64_t length = CeilDiv(block.taps, CeilDiv(block.taps, kBlockDepth / block.run));
  for (depth.tap = 0; depth.tap < block.taps; depth.tap += length) {
    depth.taps = MinOf(length, block.taps - depth.tap);
    depth.first = depth.tap == 0;
    depth.last = depth.tap + depth.taps == block.taps;
    compute(depth);
  }
}

// Panels that pass a piece of the rows together, so that it is fetched once for all of them: as many as leave their
// sums in the second-level cache beside it. One where the whole rows stay there.
int64_t PanelsTogether(const Block& block, const Panels& panels) {
  if (block.row_count * block.taps * block.run <= kCachedRowFloats) return 1;
  return MaxOf(1, kCachedRowFloats / (block.row_count * panels.columns));
}

// Piece by piece, all panels of [first, end).
void ComputePanels(const Block& block, const Panels& panels, int64_t first, int64_t end) {
  ForEachPiece(block, [&](Depth depth) {
    const int64_t begin_k = depth.tap * block.run + depth.offset;
    for (int64_t panel = first; panel < end; ++panel) {
      if (panel + 1 < end) {
        depth.next_panel = PanelRow(block, panels, panel + 1, begin_k);
      } else if (!depth.last) {
        depth.next_panel = PanelRow(block, panels, first, begin_k + depth.taps * depth.run);
      } else {
        depth.next_panel = end < block.end_panel ? PanelRow(block, panels, end, 0) : nullptr;
      }
      ComputeDepth(block, panels, panel, depth);
    }
  });
}

// Computes as many groups of kPanels panels as there are.
template <int kVectors>
void ComputeRowOfWidePanels(Block* block) {
  constexpr int kPanels = kRowVectors / kVectors;
  const int64_t k = block->taps * block->run;
  const int64_t whole_panels = MinOf(block->end_panel, block->n / (kVectors * VecF32::kLanes));
  for (; block->first_panel + kPanels <= whole_panels; block->first_panel += kPanels) {
    const int64_t column = block->first_panel * kVectors * VecF32::kLanes;
    ComputeRowOfPanels<kPanels, kVectors>(block->rows, block->packed_b + column * k, block->taps, block->run,
                                          At(block->out, 0, column));
  }
}

void ComputeSingleRow(Block block) {
  const Panels panels(block.n);
  if (panels.vectors == kMaxPanelVectors) {
    ComputeRowOfWidePanels<kMaxPanelVectors>(&block);
  } else {
    ComputeRowOfWidePanels<kMaxPanelVectors - 1>(&block);
  }
  for (; block.first_panel < block.end_panel; ++block.first_panel) {
    ComputePanels(block, panels, block.first_panel, block.first_panel + 1);
  }
}

}  // namespace

void ComputeBlock(const Block& block) {
  if (block.row_count == 1) return ComputeSingleRow(block);
  const Panels panels(block.n);
  const int64_t k = block.taps * block.run;
  if (k * (block.end_panel - block.first_panel) * panels.columns > kCachedFloats) {
    const int64_t together = PanelsTogether(block, panels);
    for (int64_t first = block.first_panel; first < block.end_panel; first += together) {
      ComputePanels(block, panels, first, MinOf(block.end_panel, first + together));
    }
    return;
  }
  ComputeRowByRow(block, panels);
}

// packed[row * width + j] = b[row + j * n_stride] for kRows rows, in blocks. Returns the first of `used` columns that
// is left.
template <int64_t kRows>
int64_t PackBlocks(const float* b, int64_t used, int64_t n_stride, int64_t width, float* packed) {
  constexpr int kSide = kBlockSide<float>;
  int64_t j = 0;
  for (; j + kSide <= used; j += kSide) {
    QLITE_UNROLL for (int64_t row = 0; row < kRows; row += kSide) {
      TransposeBlock(b + row + j * n_stride, n_stride, packed + row * width + j, width);
    }
  }
  return j;
}

float* PackPanel(const float* b, int64_t k, int64_t used, int64_t k_stride, int64_t n_stride, float* packed) {
  const int64_t width = CeilDiv(used, VecF32::kLanes) * VecF32::kLanes;
  // Of columns that lie far apart a few rows are taken at a time, which share their cache lines: the lines of all
  // columns would not stay in the nearest cache from one row to the next.
  constexpr int64_t kFewRows = 16;
  for (int64_t i = 0; i < k; i += kFewRows) {
    const int64_t rows = MinOf(kFewRows, k - i);
    if (n_stride == 1) {
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t j = 0; j < used; ++j) packed[row * width + j] = b[row * k_stride + j];
      }
    } else {
      int64_t j = k_stride == 1 && rows == kFewRows ? PackBlocks<kFewRows>(b, used, n_stride, width, packed) : 0;
      for (; j < used; ++j) {
        for (int64_t row = 0; row < rows; ++row) packed[row * width + j] = b[row * k_stride + j * n_stride];
      }
    }
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t j = used; j < width; ++j) packed[row * width + j] = 0.0f;
    }
    b += rows * k_stride;
    packed += rows * width;
  }
  return packed;
}

void PackPanels(const float* b, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, float* packed) {
  const Panels panels(n);
  for (int64_t column = 0; column < n; column += panels.columns) {
    packed = PackPanel(b + column * n_stride, k, MinOf(n - column, panels.columns), k_stride, n_stride, packed);
  }
}

UnitGrid MakeGrid(int64_t m, int64_t n, int64_t k) {
  // A unit smaller than this costs less than handing it to another thread; more units than that balance no better.
  constexpr double kUnitProducts = 1 << 17;
  constexpr int64_t kUnits = 32;
  UnitGrid grid = {.block_rows = kBlockRows, .row_blocks = 0, .panel_ranges = 1, .panels = Panels(n).count};
  if (m == 0 || n == 0) return grid;
  constexpr int64_t kReading = 4;  // reading a weight takes as long as so many products with it
  const double products = static_cast<double>(m + kReading) * static_cast<double>(n) * static_cast<double>(k);
  const int64_t wanted = products < kUnitProducts            ? 1
                         : products < kUnitProducts * kUnits ? static_cast<int64_t>(products / kUnitProducts)
                                                             : kUnits;
  grid.row_blocks = CeilDiv(m, grid.block_rows);
  const bool one_tile = m <= TileRows(kMaxPanelVectors);  // rows that cannot be shared, as in the product of a vector
  if (grid.row_blocks < wanted / 2 || one_tile) {
    grid.panel_ranges = MinOf(grid.panels, CeilDiv(wanted, grid.row_blocks));
  }
  // Few units deal out unevenly, and small ones cost nothing: a thread takes those of its rows as one (TakeRectangle).
  if (grid.count() < wanted) {
    constexpr int64_t kRows = TileRows(kMaxPanelVectors);
    const int64_t tiles = CeilDiv(m, kRows);
    grid.block_rows = kRows * MaxOf(1, tiles * grid.panel_ranges / wanted);
    grid.row_blocks = CeilDiv(m, grid.block_rows);
  }
  return grid;
}

Rectangle TakeRectangle(const UnitGrid& grid, int64_t m, int64_t* begin, int64_t end) {
  const int64_t range = *begin / grid.row_blocks;
  const int64_t first_block = *begin % grid.row_blocks;
  int64_t ranges = 1;
  int64_t blocks = MinOf(grid.row_blocks - first_block, end - *begin);
  if (blocks == grid.row_blocks) ranges = (end - *begin) / grid.row_blocks;
  *begin += blocks * ranges;
  return {.first_row = first_block * grid.block_rows,
          .end_row = MinOf(m, (first_block + blocks) * grid.block_rows),
          .first_panel = grid.FirstPanel(range),
          .end_panel = grid.FirstPanel(range + ranges)};
}

}  // namespace qlite::kernels::QLITE_ISA::product
