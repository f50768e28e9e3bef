#include "kernels/gemm_f32.h"

#include "kernels/gemm_f32_tile.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

int64_t Units(int64_t m, int64_t n, int64_t k) { return MakeGrid(m, n, k).count(); }

void Run(const GemmF32Args& args, int64_t begin, int64_t end) {
  const UnitGrid grid = MakeGrid(args.m, args.n, args.k);
  const Epilogue out = {.bias = args.bias,
                        .residual = args.residual,
                        .ldr = args.ldr,
                        .c = args.c,
                        .ldc = args.ldc,
                        .act_min = args.act_min,
                        .act_max = args.act_max,
                        .clamps = IsClamp(args.act_min, args.act_max)};
  ForEachBlock(grid, args.m, begin, end,
               [&](int64_t first_row, int64_t row_count, int64_t first_panel, int64_t end_panel) {
                 const float* rows[kBlockRows];
                 for (int64_t r = 0; r < row_count; ++r) rows[r] = args.a + (first_row + r) * args.lda;
                 ComputeBlock({.rows = rows,
                               .row_count = row_count,
                               .taps = 1,
                               .run = args.k,
                               .packed_b = args.packed_b,
                               .n = args.n,
                               .first_panel = first_panel,
                               .end_panel = end_panel,
                               .out = At(out, first_row, 0)});
               });
}

}  // namespace
}  // namespace product

extern const GemmF32Kernels kGemmF32Kernels;
const GemmF32Kernels kGemmF32Kernels = {
    .packed_floats = product::PackedFloats, .pack = product::PackPanels, .units = product::Units, .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
