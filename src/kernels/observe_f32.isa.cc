// Written as plain loops over short arrays: every iteration is independent of its neighbours, and the compiler turns
// them into the vectors of the instruction set.
#include "kernels/observe_f32.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

// The number of interleaved sequences. It decides the order of sums and so is the same for all instruction sets.
constexpr int kBlock = 32;

inline float MinOf(float a, float b) { return a < b ? a : b; }
inline float MaxOf(float a, float b) { return a > b ? a : b; }

void Range(const float* values, int64_t n, float* min, float* max) {
  int64_t i = 0;
  if (n >= kBlock) {
    float block_min[kBlock], block_max[kBlock];
    for (int j = 0; j < kBlock; ++j) block_min[j] = *min, block_max[j] = *max;
    for (; i + kBlock <= n; i += kBlock) {
      for (int j = 0; j < kBlock; ++j) {
        block_min[j] = MinOf(values[i + j], block_min[j]);
        block_max[j] = MaxOf(values[i + j], block_max[j]);
      }
    }
    for (int j = 0; j < kBlock; ++j) *min = MinOf(block_min[j], *min), *max = MaxOf(block_max[j], *max);
  }
  for (; i < n; ++i) *min = MinOf(values[i], *min), *max = MaxOf(values[i], *max);
}

// Rows whose values are summed in float before the sum goes on in double.
constexpr int64_t kGroupRows = 32;

// The statistics of kBlock columns, held in registers while the rows of a group go by.
struct BlockStatistics {
  float min[kBlock], max[kBlock], sum[kBlock];

  void Add(const float* row) {
    for (int j = 0; j < kBlock; ++j) {
      min[j] = MinOf(row[j], min[j]);
      max[j] = MaxOf(row[j], max[j]);
      sum[j] += row[j];
    }
  }
};

// At most kGroupRows rows that lie `stride` apart.
void BlockColumns(const float* values, int64_t rows, int64_t stride, float* min, float* max, double* sum) {
  BlockStatistics block;
  for (int j = 0; j < kBlock; ++j) block.min[j] = min[j], block.max[j] = max[j], block.sum[j] = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = values + r * stride;
    // No hardware guesses that the group before comes next.
    __builtin_prefetch(row - kGroupRows * stride, 0, 2);
    __builtin_prefetch(row - kGroupRows * stride + kBlock / 2, 0, 2);
    block.Add(row);
  }
  for (int j = 0; j < kBlock; ++j) {
    min[j] = block.min[j], max[j] = block.max[j], sum[j] += static_cast<double>(block.sum[j]);
  }
}

// The same for `width` < kBlock columns.
void NarrowColumns(const float* values, int64_t rows, int64_t stride, int width, float* min, float* max, double* sum) {
  float group[kBlock] = {};
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = values + r * stride;
    for (int c = 0; c < width; ++c) {
      min[c] = MinOf(row[c], min[c]);
      max[c] = MaxOf(row[c], max[c]);
      group[c] += row[c];
    }
  }
  for (int c = 0; c < width; ++c) sum[c] += static_cast<double>(group[c]);
}

// Calls visit(first row, number of rows) for every group, the last one first: that is what the caches still hold of
// values that were just written, and what they hold afterwards is the beginning, where the next reader starts.
template <class Visit>
void ForEachGroup(int64_t rows, Visit visit) {
  for (int64_t r = (rows - 1) / kGroupRows * kGroupRows; r >= 0; r -= kGroupRows) {
    visit(r, rows - r < kGroupRows ? rows - r : kGroupRows);
  }
}

// Fewer columns than a block: as many rows side by side as there are columns in a block make a wide row, a multiple of
// a block, whose columns are folded at the end.
void FoldedColumns(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum) {
  const int64_t wide_rows = rows / kBlock;
  const int width = static_cast<int>(kBlock * columns);
  if (wide_rows > 0) {
    float wide_min[kBlock * kBlock], wide_max[kBlock * kBlock];
    double wide_sum[kBlock * kBlock];
    for (int i = 0; i < width; ++i) wide_min[i] = values[i], wide_max[i] = values[i], wide_sum[i] = 0;
    ForEachGroup(wide_rows, [&](int64_t first, int64_t count) {
      for (int i = 0; i < width; i += kBlock) {
        BlockColumns(values + first * width + i, count, width, wide_min + i, wide_max + i, wide_sum + i);
      }
    });
    for (int i = 0; i < width; ++i) {
      const int c = i % static_cast<int>(columns);
      min[c] = MinOf(wide_min[i], min[c]);
      max[c] = MaxOf(wide_max[i], max[c]);
      sum[c] += wide_sum[i];
    }
  }
  const int64_t done = wide_rows * kBlock;
  NarrowColumns(values + done * columns, rows - done, columns, static_cast<int>(columns), min, max, sum);
}

void ColumnStatistics(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum) {
  if (columns < kBlock) return FoldedColumns(values, rows, columns, min, max, sum);
  ForEachGroup(rows, [&](int64_t first, int64_t count) {
    const float* row = values + first * columns;
    int64_t c = 0;
    for (; c + kBlock <= columns; c += kBlock) BlockColumns(row + c, count, columns, min + c, max + c, sum + c);
    NarrowColumns(row + c, count, columns, static_cast<int>(columns - c), min + c, max + c, sum + c);
  });
}

void RowStatistics(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum) {
  for (int64_t r = 0; r < rows; ++r) {
    FoldedColumns(values + r * columns, columns, 1, min + r, max + r, sum + r);
  }
}

void Widen(const float* from_min, const float* from_max, int64_t n, float* min, float* max, float* least,
           float* greatest) {
  Range(from_min, n, least, greatest);
  Range(from_max, n, least, greatest);
  for (int64_t c = 0; c < n; ++c) min[c] = MinOf(from_min[c], min[c]) + 0.0f;
  for (int64_t c = 0; c < n; ++c) max[c] = MaxOf(from_max[c], max[c]) + 0.0f;
}

bool ToQuanta(const double* sums, int64_t n, int64_t* quanta) {
  constexpr double kQuanta = 0x1p40;
  constexpr double kWhole = 0x1p52;  // of this magnitude, and so after adding it, a double is a whole number
  int64_t beyond = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double magnitude = __builtin_fabs(sums[i]);
    beyond |= magnitude < 0x1p22 ? 0 : 1;
    const double scaled = (magnitude < 0x1p22 ? magnitude : 0) * kQuanta;
    const auto rounded = static_cast<int64_t>(scaled < kWhole ? scaled + kWhole - kWhole : scaled);
    quanta[i] = sums[i] < 0 ? -rounded : rounded;
  }
  return beyond == 0;
}

void CountRun(const float* values, int64_t n, float inverse_width, int32_t negative_bins, uint16_t* counters) {
  // Indices are computed for a block at a time: the conversion is vector work, the counting is not. Zeros, which come
  // in masses behind a Relu, would wait for each other in one counter; each place of the block has its own for them.
  static_assert(kBlock == 32, "CounterCount leaves room for a block");
  const int32_t zero_counters = 2 * negative_bins * kCountLanes;
  int32_t index[kBlock];
  int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    for (int j = 0; j < kBlock; ++j) {
      const float x = values[i + j];
      const int32_t bin = static_cast<int32_t>(__builtin_fabsf(x) * inverse_width) + (x < 0 ? negative_bins : 0);
      index[j] = x == 0 ? zero_counters + j : bin * kCountLanes + j % kCountLanes;
    }
    for (int j = 0; j < kBlock; ++j) ++counters[index[j]];
  }
  for (; i < n; ++i) {
    const float x = values[i];
    if (x == 0) continue;
    const int32_t bin = static_cast<int32_t>(__builtin_fabsf(x) * inverse_width) + (x < 0 ? negative_bins : 0);
    ++counters[bin * kCountLanes];
  }
}

void CountMagnitudes(const float* values, int64_t n, CountedRuns runs, float inverse_width, int32_t negative_bins,
                     uint16_t* counters) {
  for (int64_t begin = 0; begin < n; begin += runs.period) {
    const int64_t count = n - begin < runs.run ? n - begin : runs.run, next = begin + runs.period;
    // No hardware guesses where the next run begins.
    for (int64_t i = next; runs.period > runs.run && i < next + runs.run && i < n; i += 16)
      __builtin_prefetch(values + i);
    CountRun(values + begin, count, inverse_width, negative_bins, counters);
  }
}

void AddCounters(const uint16_t* counters, int64_t bins, uint64_t* counts) {
  static_assert(kCountLanes == 2);
  for (int64_t bin = 0; bin < bins; ++bin) counts[bin] += uint32_t{counters[2 * bin]} + counters[2 * bin + 1];
}

}  // namespace

extern const ObserveF32Kernels kObserveF32Kernels;
const ObserveF32Kernels kObserveF32Kernels = {.range = Range,
                                              .column_statistics = ColumnStatistics,
                                              .row_statistics = RowStatistics,
                                              .widen = Widen,
                                              .to_quanta = ToQuanta,
                                              .count_magnitudes = CountMagnitudes,
                                              .add_counters = AddCounters};

}  // namespace qlite::kernels::QLITE_ISA
