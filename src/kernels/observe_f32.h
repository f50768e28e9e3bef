// Scans of float32 activations for calibration: ranges, counts and sums. Comparisons and counts are exact, sums are
// taken in a fixed order: no result depends on the instruction set.
#ifndef QLITE_KERNELS_OBSERVE_F32_H_
#define QLITE_KERNELS_OBSERVE_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// The counters that count_magnitudes needs for 2 * negative_bins bins: those behind them take the zeros, which are not
// counted.
constexpr int64_t CounterCount(int64_t negative_bins) { return 2 * negative_bins + 32; }

// Rows whose values are summed in float before the sum goes on in double.
constexpr int64_t kGroupRows = 32;
// With fewer columns, a group is of other rows.
constexpr int64_t kGroupedColumns = 32;

// Which of many values are counted: the first `run` of every `period`.
struct CountedRuns {
  int64_t run = 1;
  int64_t period = 1;
};

// The functions are thread-safe and allocate nothing.
struct ObserveF32Kernels {
  // Widens [*min, *max] to include the n values, which are not NaN. A zero's sign is unspecified.
  void (*range)(const float* values, int64_t n, float* min, float* max);

  // For a row-major matrix [rows, columns]: widens [min[c], max[c]] for every column and adds its values to sum[c], in
  // an order that depends on the matrix's extents alone: groups of a few rows in float, the groups in double. A zero's
  // sign is unspecified. Where a value is infinite or NaN, or a group's sum overflows, the sum is not finite, and the
  // extremes are unspecified.
  void (*column_statistics)(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum);

  // The same for every row.
  void (*row_statistics)(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum);

  // column_statistics in parts, to the same bits, for at least kGroupedColumns columns: column_groups takes the rows
  // from first_row on of the matrix, the first of them at `values`, after all rows before them, and writes or goes on
  // with the sums of the matrix's groups of kGroupRows rows, [groups, columns]; add_groups adds those of all the groups
  // to sum[c].
  void (*column_groups)(const float* values, int64_t first_row, int64_t rows, int64_t columns, float* min, float* max,
                        float* sums);
  void (*add_groups)(const float* sums, int64_t groups, int64_t columns, double* sum);

  // Widens [min[c], max[c]] by [from_min[c], from_max[c]] for every one of n channels, and [*least, *greatest] by all
  // of these; none is empty or NaN. A zero becomes +0 in min and max; its sign is unspecified in the others.
  void (*widen)(const float* from_min, const float* from_max, int64_t n, float* min, float* max, float* least,
                float* greatest);

  // quanta[i] = sums[i] in units of 2^-40, rounded half to even. False, with the quanta unspecified, where a sum is
  // not finite or its magnitude is 2^22 or more.
  bool (*to_quanta)(const double* sums, int64_t n, int64_t* quanta);

  // Counts those of the values in `runs` that are not zero in counters[bin], where the bin of x is
  // floor(|x| * inverse_width), plus `negative_bins` where x < 0. The caller sees to it that
  // |x| * inverse_width < negative_bins, at most 2^14, and that no counter overflows.
  void (*count_magnitudes)(const float* values, int64_t n, CountedRuns runs, float inverse_width, int32_t negative_bins,
                           uint16_t* counters);

  // Adds the counter of every bin to counts[bin].
  void (*add_counters)(const uint16_t* counters, int64_t bins, uint64_t* counts);
};

const ObserveF32Kernels& ObserveF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_OBSERVE_F32_H_
