// Natural logarithms of doubles by a fixed sequence of IEEE operations: the same bits for every instruction set, and
// none of the C library.
#ifndef QLITE_KERNELS_LOG_F64_H_
#define QLITE_KERNELS_LOG_F64_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// The functions are thread-safe and allocate nothing. Operands do not overlap.
struct LogF64Kernels {
  // logs[i] = ln(x[i]) for i < n, to a few units of the last place; unspecified, but no trap, for what is not positive,
  // normal and finite.
  void (*log)(const double* x, int64_t n, double* logs);

  // The sum of weights[i] * ln(x[i]) over those i < n whose weight is positive, in ascending order. Minus infinity
  // where x[i] is not positive for one of them.
  double (*weighted_log_sum)(const double* weights, const double* x, int64_t n);
};

const LogF64Kernels& LogF64(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_LOG_F64_H_
