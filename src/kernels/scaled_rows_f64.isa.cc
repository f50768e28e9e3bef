// Plain loops over short arrays, which the compiler turns into the vectors of the instruction set.
#include "kernels/scaled_rows_f64.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

void AddRows(const double* factors, const double* rows, int64_t n, double* sums) {
  double sum[kScaledRowLanes];
  for (int lane = 0; lane < kScaledRowLanes; ++lane) sum[lane] = sums[lane];
  for (int64_t i = 0; i < n; ++i, rows += kScaledRowLanes) {
    for (int lane = 0; lane < kScaledRowLanes; ++lane) sum[lane] += factors[i] * rows[lane];
  }
  for (int lane = 0; lane < kScaledRowLanes; ++lane) sums[lane] = sum[lane];
}

void AddScaled(double factor, const double* __restrict from, int64_t n, double* __restrict to) {
  for (int64_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

}  // namespace

extern const ScaledRowsF64Kernels kScaledRowsF64Kernels;
const ScaledRowsF64Kernels kScaledRowsF64Kernels = {.add_rows = AddRows, .add_scaled = AddScaled};

}  // namespace qlite::kernels::QLITE_ISA
