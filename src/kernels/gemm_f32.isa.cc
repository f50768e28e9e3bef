#include "kernels/gemm_f32.h"

#include "kernels/gemm_f32_tile.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

int64_t Units(int64_t m, int64_t n, int64_t k) { return MakeGrid(m, n, k).count(); }

void RunUnit(const GemmF32Args& args, const UnitGrid& grid, int64_t unit) {
  const float* rows[kBlockRows + kTileRows];
  const int64_t first_row = unit % grid.row_blocks * grid.block_rows;
  const int64_t range = unit / grid.row_blocks;
  const int64_t row_count = MinOf(grid.block_rows, args.m - first_row);
  const TileSplit split(row_count);
  for (int64_t tile = 0; tile < split.tiles; ++tile) {
    const float** tile_rows = rows + tile * kTileRows;
    const float* a = args.a + (first_row + split.Begin(tile)) * args.lda;
    for (int64_t r = split.Begin(tile + 1) - split.Begin(tile); r > 0; --r, a += args.lda) *tile_rows++ = a;
  }
  const Epilogue out = {.bias = args.bias,
                        .residual = args.residual,
                        .ldr = args.ldr,
                        .c = args.c,
                        .ldc = args.ldc,
                        .act_min = args.act_min,
                        .act_max = args.act_max};
  ComputeBlock({.rows = rows,
                .row_count = row_count,
                .taps = 1,
                .run = args.k,
                .packed_b = args.packed_b,
                .n = args.n,
                .first_panel = grid.FirstPanel(range),
                .end_panel = grid.FirstPanel(range + 1),
                .out = At(out, first_row, 0)});
}

void Run(const GemmF32Args& args, int64_t begin, int64_t end) {
  const UnitGrid grid = MakeGrid(args.m, args.n, args.k);
  for (int64_t unit = begin; unit < end; ++unit) RunUnit(args, grid, unit);
}

}  // namespace
}  // namespace product

extern const GemmF32Kernels kGemmF32Kernels;
const GemmF32Kernels kGemmF32Kernels = {
    .packed_floats = product::PackedFloats, .pack = product::PackPanels, .units = product::Units, .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
