// Where nothing is carried from one iteration to the next these are plain loops over short arrays, which the compiler
// turns into the vectors of the instruction set.
#include "kernels/observe_f32.h"

#include "kernels/simd.h"

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

constexpr int kLanes = VecF32::kLanes;

// What becomes of a group's sum: it goes on in double, is kept, or begins as it was kept before.
struct InDouble {
  using Sum = double;
  static constexpr bool kGoesOn = false;
  static void Put(float group, double* sum) { *sum += static_cast<double>(group); }
};
struct Kept {
  using Sum = float;
  static constexpr bool kGoesOn = false;
  static void Put(float group, float* sum) { *sum = group; }
};
struct KeptBefore : Kept {
  static constexpr bool kGoesOn = true;
};

// The sum of both. Minima and maxima keep the adders busy: where multipliers are beside them, the product with one,
// which is exact, costs nothing.
[[gnu::always_inline]] inline VecF32 Plus(VecF32 total, VecF32 x) {
#if QLITE_ISA_avx2 || QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
  return MulAdd(x, VecF32(1.0f), total);
#else
  return total + x;
#endif
}

// Loads and stores of the first `count` columns of a vector, all of them unless kPartial.
template <bool kPartial>
[[gnu::always_inline]] inline VecF32 LoadColumns(const float* p, int count) {
  if constexpr (kPartial) return VecF32::LoadPartial(p, count);
  return VecF32::Load(p);
}
template <bool kPartial>
[[gnu::always_inline]] inline void StoreColumns(const VecF32& x, float* p, int count) {
  if constexpr (kPartial) return x.StorePartial(p, count);
  x.Store(p);
}

// kVectors vectors of columns of at most kGroupRows rows that lie `stride` apart. The statistics stay in registers
// while the rows go by; with several vectors they wait less for each other. What lies `ahead` is fetched meanwhile:
// no hardware guesses what comes next.
template <int kVectors, bool kPartial, class Group>
void BlockColumns(const float* values, int64_t rows, int64_t stride, int64_t ahead, int count, float* min, float* max,
                  typename Group::Sum* sum) {
  VecF32 low[kVectors], high[kVectors], total[kVectors];
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
    low[v] = LoadColumns<kPartial>(min + v * kLanes, count);
    high[v] = LoadColumns<kPartial>(max + v * kLanes, count);
    total[v] = VecF32(0.0f);
    if constexpr (Group::kGoesOn) total[v] = LoadColumns<kPartial>(sum + v * kLanes, count);
  }
  for (const float *row = values, *end = values + rows * stride; row != end; row += stride) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      constexpr int kLine = 16;
      const VecF32 x = LoadColumns<kPartial>(row + v * kLanes, count);
      if (v * kLanes % kLine == 0) __builtin_prefetch(row + v * kLanes + ahead, 0, 3);
      low[v] = Min(x, low[v]);
      high[v] = Max(x, high[v]);
      total[v] = Plus(total[v], x);
    }
  }
  float group[kVectors * kLanes];
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
    StoreColumns<kPartial>(low[v], min + v * kLanes, count);
    StoreColumns<kPartial>(high[v], max + v * kLanes, count);
    total[v].Store(group + v * kLanes);
  }
  for (int j = 0; j < (kPartial ? count : kVectors * kLanes); ++j) Group::Put(group[j], sum + j);
}

// Up to so many columns the nearest cache holds this group and the next; of wider ones it holds the next block.
constexpr int64_t kNarrow = 160;

// How far the values that are to be fetched lie from those of the block of `width` columns at column c. The group
// before this one comes next.
inline int64_t Ahead(int64_t c, int64_t width, int64_t columns) {
  const int64_t group_before = -kGroupRows * columns;
  if (columns <= kNarrow) return group_before;
  return c + width < columns ? width : group_before - c;
}

// All columns of a group.
template <class Group>
void GroupColumns(const float* values, int64_t rows, int64_t columns, float* min, float* max,
                  typename Group::Sum* sum) {
  int64_t c = 0;
  const auto blocks = [&]<int kVectors>() {
    constexpr int kColumns = kVectors * kLanes;
    for (; c + kColumns <= columns; c += kColumns) {
      BlockColumns<kVectors, false, Group>(values + c, rows, columns, Ahead(c, kColumns, columns), kLanes, min + c,
                                           max + c, sum + c);
    }
  };
  blocks.template operator()<4>();
  blocks.template operator()<2>();
  blocks.template operator()<1>();
  if (c == columns) return;
  const int64_t rest = columns - c;
  BlockColumns<1, true, Group>(values + c, rows, columns, Ahead(c, rest, columns), static_cast<int>(rest), min + c,
                               max + c, sum + c);
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
      GroupColumns<InDouble>(values + first * width, count, width, wide_min, wide_max, wide_sum);
    });
    for (int row = 0; row < width; row += static_cast<int>(columns)) {
      for (int c = 0; c < columns; ++c) {
        min[c] = MinOf(wide_min[row + c], min[c]);
        max[c] = MaxOf(wide_max[row + c], max[c]);
        sum[c] += wide_sum[row + c];
      }
    }
  }
  const int64_t done = wide_rows * kBlock;
  GroupColumns<InDouble>(values + done * columns, rows - done, columns, min, max, sum);
}

void ColumnStatistics(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum) {
  static_assert(kGroupedColumns == kBlock);
  if (columns < kBlock) return FoldedColumns(values, rows, columns, min, max, sum);
  ForEachGroup(rows, [&](int64_t first, int64_t count) {
    GroupColumns<InDouble>(values + first * columns, count, columns, min, max, sum);
  });
}

void ColumnGroups(const float* values, int64_t first_row, int64_t rows, int64_t columns, float* min, float* max,
                  float* sums) {
  sums += first_row / kGroupRows * columns;
  if (const int64_t before = first_row % kGroupRows; before > 0) {
    const int64_t count = rows < kGroupRows - before ? rows : kGroupRows - before;
    GroupColumns<KeptBefore>(values, count, columns, min, max, sums);
    values += count * columns, rows -= count, sums += columns;
  }
  if (rows == 0) return;
  ForEachGroup(rows, [&](int64_t first, int64_t count) {
    GroupColumns<Kept>(values + first * columns, count, columns, min, max, sums + first / kGroupRows * columns);
  });
}

void AddGroups(const float* sums, int64_t groups, int64_t columns, double* sum) {
  int64_t c = 0;
  for (; c + kBlock <= columns; c += kBlock) {
    double total[kBlock];
    for (int j = 0; j < kBlock; ++j) total[j] = sum[c + j];
    for (int64_t group = groups - 1; group >= 0; --group) {
      for (int j = 0; j < kBlock; ++j) total[j] += static_cast<double>(sums[group * columns + c + j]);
    }
    for (int j = 0; j < kBlock; ++j) sum[c + j] = total[j];
  }
  for (; c < columns; ++c) {
    for (int64_t group = groups - 1; group >= 0; --group) sum[c] += static_cast<double>(sums[group * columns + c]);
  }
}

// kRows rows at once, each by the same operations as FoldedColumns: a row's sums wait for each other at its end, where
// those of another row need not.
constexpr int kRows = 8;
struct RowsAtOnce {
  float min[kRows], max[kRows];
  double sum[kRows];
};

// So many of the least and the greatest values of a row are left when rows are looked at side by side.
constexpr int kKept = kLanes < 4 ? kLanes : 4;

// The whole blocks of a row: its least and its greatest values, kKept of each, and its sums.
[[gnu::always_inline]] inline void FoldRow(const float* row, int64_t blocks, float* low, float* high, double* sum) {
  constexpr int kVectors = kBlock / kLanes;
  VecF32 least[kVectors], greatest[kVectors];
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) least[v] = greatest[v] = VecF32::Load(row + v * kLanes);
  for (int j = 0; j < kBlock; ++j) sum[j] = 0;
  ForEachGroup(blocks, [&](int64_t first, int64_t count) __attribute__((always_inline)) {
    VecF32 total[kVectors];
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) total[v] = VecF32(0.0f);
    const int64_t ahead = first > 0 ? -kGroupRows * kBlock : 0;
    for (const float *block = row + first * kBlock, *end = block + count * kBlock; block != end; block += kBlock) {
      QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
        const VecF32 x = VecF32::Load(block + v * kLanes);
        __builtin_prefetch(block + v * kLanes + ahead, 0, 3);
        least[v] = Min(x, least[v]);
        greatest[v] = Max(x, greatest[v]);
        total[v] = Plus(total[v], x);
      }
    }
    float group[kBlock];
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) total[v].Store(group + v * kLanes);
    for (int j = 0; j < kBlock; ++j) InDouble::Put(group[j], sum + j);
  });
  QLITE_UNROLL for (int v = 1; v < kVectors; ++v) {
    least[0] = Min(least[v], least[0]);
    greatest[0] = Max(greatest[v], greatest[0]);
  }
  float lows[kLanes], highs[kLanes];
  least[0].Store(lows);
  greatest[0].Store(highs);
  QLITE_UNROLL for (int half = kLanes / 2; half >= kKept; half /= 2) {
    for (int j = 0; j < half; ++j) {
      lows[j] = MinOf(lows[j + half], lows[j]);
      highs[j] = MaxOf(highs[j + half], highs[j]);
    }
  }
  for (int j = 0; j < kKept; ++j) low[j] = lows[j], high[j] = highs[j];
}

// The parts of the rows that are whole blocks.
[[gnu::always_inline]] inline void FoldRows(const float* values, int64_t columns, int64_t blocks, RowsAtOnce& rows) {
  float low[kRows][kKept], high[kRows][kKept];
  double wide_sum[kRows][kBlock];
  for (int r = 0; r < kRows; ++r) FoldRow(values + r * columns, blocks, low[r], high[r], wide_sum[r]);
  for (int j = 0; j < kKept; ++j) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      rows.min[r] = MinOf(low[r][j], rows.min[r]);
      rows.max[r] = MaxOf(high[r][j], rows.max[r]);
    }
  }
  for (int j = 0; j < kBlock; ++j) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) rows.sum[r] += wide_sum[r][j];
  }
}

void RowBlock(const float* values, int64_t columns, float* min, float* max, double* sum) {
  RowsAtOnce rows;
  for (int r = 0; r < kRows; ++r) rows.min[r] = min[r], rows.max[r] = max[r], rows.sum[r] = sum[r];
  const int64_t blocks = columns / kBlock;
  if (blocks > 0) FoldRows(values, columns, blocks, rows);
  float rest[kRows] = {};
  for (int64_t i = blocks * kBlock; i < columns; ++i) {
    QLITE_UNROLL for (int r = 0; r < kRows; ++r) {
      const float x = values[r * columns + i];
      rows.min[r] = MinOf(x, rows.min[r]);
      rows.max[r] = MaxOf(x, rows.max[r]);
      rest[r] += x;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    InDouble::Put(rest[r], &rows.sum[r]);
    min[r] = rows.min[r], max[r] = rows.max[r], sum[r] = rows.sum[r];
  }
}

void RowStatistics(const float* values, int64_t rows, int64_t columns, float* min, float* max, double* sum) {
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) RowBlock(values + r * columns, columns, min + r, max + r, sum + r);
  for (; r < rows; ++r) {
    FoldedColumns(values + r * columns, columns, 1, min + r, max + r, sum + r);
  }
}

void Widen(const float* from_min, const float* from_max, int64_t n, float* min, float* max, float* least,
           float* greatest) {
  const VecF32 zero(0.0f);
  VecF32 low(*least), high(*greatest);
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    const VecF32 from_low = VecF32::Load(from_min + c), from_high = VecF32::Load(from_max + c);
    (Min(from_low, VecF32::Load(min + c)) + zero).Store(min + c);
    (Max(from_high, VecF32::Load(max + c)) + zero).Store(max + c);
    low = Min(from_low, low);
    high = Max(from_high, high);
  }
  float lows[kLanes], highs[kLanes];
  low.Store(lows);
  high.Store(highs);
  for (int j = 0; j < kLanes; ++j) *least = MinOf(lows[j], *least), *greatest = MaxOf(highs[j], *greatest);
  for (; c < n; ++c) {
    min[c] = MinOf(from_min[c], min[c]) + 0.0f;
    max[c] = MaxOf(from_max[c], max[c]) + 0.0f;
    *least = MinOf(from_min[c], *least);
    *greatest = MaxOf(from_max[c], *greatest);
  }
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

// At most kAtOnce values. Indices are computed for all of them first: that is vector work, the counting is not, and the
// stores of the one would hold up the loads of the other.
constexpr int kAtOnce = 256;
void CountSome(const float* values, int n, float inverse_width, int32_t negative_bins, uint16_t* counters) {
  // Zeros, which come in masses behind a Relu, would wait for each other in one counter; each place of a block has its
  // own for them.
  static_assert(kBlock == 32, "CounterCount leaves room for a block");
  const int32_t zero_counters = 2 * negative_bins;
  uint16_t index[kAtOnce];
  for (int i = 0; i < n; ++i) {
    const float x = values[i];
    const int32_t bin = static_cast<int32_t>(__builtin_fabsf(x) * inverse_width) + (x < 0 ? negative_bins : 0);
    index[i] = static_cast<uint16_t>(x == 0 ? zero_counters + i % kBlock : bin);
  }
  int i = 0;
#pragma GCC unroll 4
  for (; i + 4 <= n; i += 4) {
    uint64_t four;
    __builtin_memcpy(&four, index + i, sizeof(four));
    ++counters[four & 0xffff];
    ++counters[four >> 16 & 0xffff];
    ++counters[four >> 32 & 0xffff];
    ++counters[four >> 48];
  }
  for (; i < n; ++i) ++counters[index[i]];
}

void CountMagnitudes(const float* values, int64_t n, CountedRuns runs, float inverse_width, int32_t negative_bins,
                     uint16_t* counters) {
  for (int64_t begin = 0; begin < n; begin += runs.period) {
    const int64_t count = n - begin < runs.run ? n - begin : runs.run, next = begin + runs.period;
    // No hardware guesses where the next run begins.
    for (int64_t i = next; runs.period > runs.run && i < next + runs.run && i < n; i += 16)
      __builtin_prefetch(values + i);
    for (int64_t i = 0; i < count; i += kAtOnce) {
      const int64_t some = count - i < kAtOnce ? count - i : kAtOnce;
      CountSome(values + begin + i, static_cast<int>(some), inverse_width, negative_bins, counters);
    }
  }
}

void AddCounters(const uint16_t* counters, int64_t bins, uint64_t* counts) {
  for (int64_t bin = 0; bin < bins; ++bin) counts[bin] += counters[bin];
}

}  // namespace

extern const ObserveF32Kernels kObserveF32Kernels;
const ObserveF32Kernels kObserveF32Kernels = {.range = Range,
                                              .column_statistics = ColumnStatistics,
                                              .row_statistics = RowStatistics,
                                              .column_groups = ColumnGroups,
                                              .add_groups = AddGroups,
                                              .widen = Widen,
                                              .to_quanta = ToQuanta,
                                              .count_magnitudes = CountMagnitudes,
                                              .add_counters = AddCounters};

}  // namespace qlite::kernels::QLITE_ISA
