// Layers to measure kernels on, and their operands: what the benchmarks share.
#ifndef QLITE_BENCH_PROBLEMS_H_
#define QLITE_BENCH_PROBLEMS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/isa.h"

namespace qlite::kernels {

// C[m, n] = A[m, k] * B[k, n].
struct Product {
  const char* name;
  int64_t m, n, k;
};

// A convolution of a square NHWC image, padded to keep its size at stride 1. Depthwise where groups == in_c == out_c.
struct Layer {
  const char* name;
  int64_t size, in_c, out_c, kernel, stride, groups;
  int64_t Pad() const { return (kernel - 1) / 2; }
  int64_t OutSize() const { return (size + 2 * Pad() - kernel) / stride + 1; }
  bool IsDepthwise() const { return groups > 1 && groups == in_c && groups == out_c; }
};

std::span<const Product> Products();
std::span<const Layer> Layers();

// A kernel with operands of its own, random and prepared. Copies share the operands.
struct Problem {
  double operations;  // a multiply-add counts as two
  int64_t bytes;      // of all operands and of the result, each counted once
  int64_t units;
  // Computes a range of the units; `thread` < kMaxThreads, and no two calls at a time share it.
  std::function<void(int64_t begin, int64_t end, int thread)> run;
  std::vector<std::shared_ptr<void>> operands;
};
inline constexpr int kMaxThreads = 2;

// float32, and u8 activations with int8 weights requantized to u8.
Problem FloatProduct(Isa isa, const Product& product);
Problem FloatLayer(Isa isa, const Layer& layer);
Problem ByteProduct(Isa isa, const Product& product);
Problem ByteLayer(Isa isa, const Layer& layer);

}  // namespace qlite::kernels

#endif  // QLITE_BENCH_PROBLEMS_H_
