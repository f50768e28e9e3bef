// Sums of scaled rows of doubles: the moments of a product's inputs, their factorization, and the rounding of weights
// against them. Every product is rounded before it is added, and sums are taken in the order of their terms: the same
// bits for every instruction set.
#ifndef QLITE_KERNELS_SCALED_ROWS_F64_H_
#define QLITE_KERNELS_SCALED_ROWS_F64_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// Doubles of a row of add_rows: enough sums under way that none waits for the one before it.
constexpr int kScaledRowLanes = 32;

// The functions are thread-safe and allocate nothing. Operands do not overlap.
struct ScaledRowsF64Kernels {
  // sums[lane] += factors[i] * rows[i * kScaledRowLanes + lane], for i < n in ascending order.
  void (*add_rows)(const double* factors, const double* rows, int64_t n, double* sums);

  // to[i] += factor * from[i] for i < n.
  void (*add_scaled)(double factor, const double* from, int64_t n, double* to);
};

const ScaledRowsF64Kernels& ScaledRowsF64(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_SCALED_ROWS_F64_H_
