// Matrix product of float32 matrices, C = clamp(A * B + bias + residual), with B prepared once.
//
// Arithmetic, the same bits for every instruction set and every split into units: an element of C starts at its bias
// (+0 without one) and takes one fused multiply-add for each k in ascending order; then the residual is added; then the
// sum x is clamped as min(act_max, max(act_min, x)), where a NaN x stays NaN and a zero keeps its sign. Only the
// payload of a NaN is unspecified.
//
// The layout is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34(3),
// 2008: B lies in panels as wide as the register tile, K is cut into blocks whose panel the second-level cache keeps
// while all rows pass it, and the sums of a block pass to the next through C. Where the rows are too long for that
// cache, a block of them meets many panels before the next one. The units of a call are joined into
// rectangles as large as they fill, so that operands are read as seldom as for one thread.
#ifndef QLITE_KERNELS_GEMM_F32_H_
#define QLITE_KERNELS_GEMM_F32_H_

#include <cstdint>
#include <limits>

#include "kernels/isa.h"

namespace qlite::kernels {

// One product. Sizes are >= 0 and the extents below fit in memory; nothing is checked. `c` overlaps no input.
struct GemmF32Args {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  const float* a = nullptr;  // [m, k], row i at a + i * lda
  int64_t lda = 0;
  const float* packed_b = nullptr;  // from GemmF32Kernels::pack of the same instruction set
  const float* bias = nullptr;      // [n], or null
  const float* residual = nullptr;  // [m, n], row i at residual + i * ldr, or null
  int64_t ldr = 0;
  float* c = nullptr;  // [m, n], row i at c + i * ldc; the gaps between rows are not touched
  int64_t ldc = 0;
  float act_min = -std::numeric_limits<float>::infinity();
  float act_max = std::numeric_limits<float>::infinity();
};

// The functions are thread-safe, allocate nothing and need no alignment; 64-byte aligned packed_b is fastest.
struct GemmF32Kernels {
  // Number of floats of a packed [k, n] matrix.
  int64_t (*packed_floats)(int64_t k, int64_t n);

  // Packs B where B[i][j] is b[i * k_stride + j * n_stride]: (ldb, 1) for a row-major [k, n] matrix, (1, ldb) for a
  // row-major [n, k] one, that is, for a transposed B. The packed form belongs to this instruction set: it is neither
  // stored in files nor shared with another one.
  void (*pack)(const float* b, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, float* packed);

  // Number of independent pieces of work of an [m, k] x [k, n] product; 0 when C is empty. Every unit costs about the
  // same. Neighbouring units share operands: give a thread a contiguous range.
  int64_t (*units)(int64_t m, int64_t n, int64_t k);

  // Computes the units [begin, end), 0 <= begin <= end <= units(m, n, k). Different units write different elements of
  // C, so ranges may run at the same time.
  void (*run)(const GemmF32Args& args, int64_t begin, int64_t end);
};

const GemmF32Kernels& GemmF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_GEMM_F32_H_
