// Matrix product of u8 activations with int8 weights: C[m, n] = requantize(bias[n] + sum_k (A[m, k] - z) * B[k, n]).
// The arithmetic is that of kernels/quantized.h. Weights, bias, zero point and multipliers are packed once.
#ifndef QLITE_KERNELS_GEMM_U8S8_H_
#define QLITE_KERNELS_GEMM_U8S8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elementwise_u8.h"
#include "kernels/isa.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

// What goes into the packed weights. Pointers are read during packing only.
struct GemmU8S8Weights {
  int64_t k = 0;  // may be 0: C is then made of the bias alone
  int64_t n = 0;
  const int8_t* data = nullptr;
  // Element strides of the weight of (k, n): {n, 1} for a [K, N] matrix, {1, k} for [N, K].
  int64_t stride_k = 0;
  int64_t stride_n = 0;
  const int32_t* bias = nullptr;       // [n], or null for none; at scale scale_in * scale_w[c]
  const float* multipliers = nullptr;  // [n]; finite
  int32_t input_zero_point = 0;        // z
};

struct GemmU8S8Args {
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  const uint8_t* a = nullptr;  // [m, k], kReadSlackBytes readable behind it
  int64_t lda = 0;             // elements from row to row, >= k
  const void* packed = nullptr;
  // Exactly one of the two is set. A float output is float(acc) * m[c], with neither rounding nor bounds.
  uint8_t* c = nullptr;
  float* c_float = nullptr;
  int64_t ldc = 0;  // elements from row to row, >= n
  OutputQuantization output;
  ResidualU8 residual;  // of an output of bytes
};

// The work is cut into `units(args)` units; any split of [0, units) into ranges, in any order and on any threads, gives
// the same bytes. Each thread brings its own workspace of workspace_bytes(args), aligned to kPackedAlignment; it holds
// nothing between calls. Functions are thread-safe.
struct GemmU8S8Kernels {
  // Bytes of packed weights. They depend on the instruction set: pack with the table that runs.
  size_t (*packed_bytes)(int64_t k, int64_t n);
  void (*pack)(const GemmU8S8Weights& weights, void* packed);
  size_t (*workspace_bytes)(const GemmU8S8Args& args);
  int64_t (*units)(const GemmU8S8Args& args);
  void (*run)(const GemmU8S8Args& args, int64_t begin, int64_t end, void* workspace);
};

const GemmU8S8Kernels& GemmU8S8(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_GEMM_U8S8_H_
