// Matrix products, of which Gemm and MatMul are made.
#ifndef QLITE_RUNTIME_STEPS_PRODUCT_H_
#define QLITE_RUNTIME_STEPS_PRODUCT_H_

#include <cstdint>
#include <vector>

#include "runtime/lowering.h"
#include "runtime/steps/weights.h"

namespace qlite {

// `count` products C = clamp(A * B + bias + residual) of float matrices [m, k] and [k, n]. Product i reads A at
// a_offsets[i], B at b_offsets[i] and writes C at i * m * n, in elements; rows of A and C are dense.
struct FloatProducts {
  int64_t m = 0, n = 0, k = 0;
  int64_t b_k_stride = 0, b_n_stride = 0;
  std::vector<int64_t> a_offsets, b_offsets;
  Operand a, b;
  CodedWeight* coded = nullptr;  // takes the place of b, for one product
  Operand bias;                  // [n], or absent
  Operand residual;              // [m, n] for every product, or absent
  Operand c;
  float b_factor = 1;  // B is multiplied by it; 1 unless B is constant
  FusedClamp clamp;
};

// B is packed now where it is constant, else by a step of its own; each distinct matrix once.
void EmitFloatProducts(Lowering& lowering, const FloatProducts& products);

// The product of the node's first input, as bytes [m, k], with its second, a constant int8 matrix [k, n], or [n, k]
// where it is `transposed`. Applies the clamp of the current node.
struct IntegerProduct {
  int64_t m = 0, n = 0, k = 0;
  bool transposed = false;
};
absl::Status LowerIntegerProduct(Lowering& lowering, const Node& node, const IntegerProduct& product);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_PRODUCT_H_
