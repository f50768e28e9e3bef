#include "kernels/strided_copy.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/plan_rows.h"
#include "kernels/transpose_block.h"

namespace qlite::kernels {
namespace {

// A tile of this many elements a side, of 8 bytes at most, and its cache lines on both sides stay in a 32 KiB cache.
constexpr int64_t kTile = 32;
// So many columns are a work unit: enough to share a wide array with few rows among threads.
constexpr int64_t kStrip = 32 * kTile;

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename T>
void CopyRow(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t count) {
  if (in_stride == 1 && out_stride == 1) {
    std::memcpy(out, in, static_cast<size_t>(count) * sizeof(T));
  } else if (in_stride == 0 && out_stride == 1) {
    std::fill_n(out, count, *in);
  } else {
    for (int64_t i = 0; i < count; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// Work units are elements.
template <typename T>
void RunRows(const StridedPlan& walk, const T* in, T* out, int64_t begin, int64_t end) {
  const int last = walk.rank - 1;
  ForEachPlanRow(walk, begin, end, [&](const int64_t* offset, int64_t count) {
    CopyRow(in + offset[1], walk.stride[1][last], out + offset[0], walk.stride[0][last], count);
  });
}

// The same as RunTile for rows of kWidth elements one behind the other, as the pixels of a picture lie: a row is stored
// with as many elements as fill a block, and the next one overwrites those that are too many. Returns the first row
// that is left.
template <typename T, int kWidth>
int64_t RunFewColumns(const T* in, int64_t in_stride, T* out, int64_t rows) {
  constexpr int kSide = kBlockSide<T>, kColumns = std::bit_ceil(static_cast<unsigned>(kWidth));
  int64_t r = 0;
  for (; r + kSide <= rows; r += kSide, out += kSide * kWidth) {
    typename BlockVector<T>::Type columns[kColumns], block[kColumns];
    for (int c = 0; c < kColumns; ++c) {
      std::memcpy(&columns[c], in + std::min(c, kWidth - 1) * in_stride + r, sizeof columns[c]);
    }
    InterleaveAll<T, kColumns>(columns, block);
    T wide_rows[kSide][kColumns];
    std::memcpy(wide_rows, block, sizeof wide_rows);
    for (int i = 0; i + 1 < kSide; ++i) std::memcpy(out + i * kWidth, wide_rows[i], sizeof wide_rows[i]);
    std::memcpy(out + (kSide - 1) * kWidth, wide_rows[kSide - 1], kWidth * sizeof(T));
  }
  return r;
}

// A tile with fewer rows or columns than a block.
template <typename T>
void RunNarrowTile(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t rows, int64_t width) {
  int64_t first = 0;
  if (width == 2 && out_stride == 2) first = RunFewColumns<T, 2>(in, in_stride, out, rows);
  if (width == 3 && out_stride == 3) first = RunFewColumns<T, 3>(in, in_stride, out, rows);
  if (width == 4 && out_stride == 4) first = RunFewColumns<T, 4>(in, in_stride, out, rows);
  for (int64_t r = first; r < rows; ++r) {
    for (int64_t c = 0; c < width; ++c) out[r * out_stride + c] = in[c * in_stride + r];
  }
}

// A tile: `rows` positions of the dimension along which the input is contiguous by `width` of the one along which the
// output is. Where the tile is no multiple of a block, the last blocks overlap those before them.
template <typename T>
void RunTile(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t rows, int64_t width) {
  constexpr int64_t kSide = kBlockSide<T>;
  if (rows < kSide || width < kSide) return RunNarrowTile(in, in_stride, out, out_stride, rows, width);
  for (int64_t r = 0; r < rows; r += kSide) {
    const int64_t row = std::min(r, rows - kSide);
    for (int64_t c = 0; c < width; c += kSide) {
      const int64_t column = std::min(c, width - kSide);
      TransposeBlock(in + column * in_stride + row, in_stride, out + row * out_stride + column, out_stride);
    }
  }
}

// Work units are strips of tiles: for every position of the outer dimensions and kTile of the tile dimension, up to
// kStrip of the last dimension.
template <typename T>
void RunTiles(const CopyPlan& plan, const T* in, T* out, int64_t begin, int64_t end) {
  const StridedPlan& walk = plan.walk;
  const int last = walk.rank - 1;
  const int64_t tile_length = walk.shape[plan.tile_dim], columns = walk.shape[last];
  const int64_t tiles = CeilDivide(tile_length, kTile), strips = CeilDivide(columns, kStrip);
  const int64_t in_stride = walk.stride[1][last], out_stride = walk.stride[0][plan.tile_dim];
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t strip = unit % strips * kStrip, strip_end = std::min(strip + kStrip, columns);
    const int64_t first = unit / strips % tiles * kTile;
    int64_t rest = unit / strips / tiles;
    int64_t in_offset = first, out_offset = first * out_stride;
    for (int d = last - 1; d >= 0; --d) {
      if (d == plan.tile_dim) continue;
      const int64_t index = rest % walk.shape[d];
      rest /= walk.shape[d];
      in_offset += index * walk.stride[1][d];
      out_offset += index * walk.stride[0][d];
    }
    const int64_t rows = std::min(kTile, tile_length - first);
    for (int64_t column = strip; column < strip_end; column += kTile) {
      RunTile(in + in_offset + column * in_stride, in_stride, out + out_offset + column, out_stride, rows,
              std::min(kTile, strip_end - column));
    }
  }
}

template <typename T>
void Run(const CopyPlan& plan, const void* in, void* out, int64_t begin, int64_t end) {
  const T* source = static_cast<const T*>(in);
  T* target = static_cast<T*>(out);
  if (plan.tile_dim >= 0) {
    RunTiles(plan, source, target, begin, end);
  } else {
    RunRows(plan.walk, source, target, begin, end);
  }
}

// The dimension along which the input is contiguous, where the output's is another one and both are long enough for
// tiles to pay; -1 otherwise.
int FindTileDimension(const StridedPlan& walk) {
  const int last = walk.rank - 1;
  if (walk.stride[0][last] != 1 || walk.stride[1][last] == 1 || walk.stride[1][last] == 0) return -1;
  for (int d = 0; d < last; ++d) {
    if (walk.stride[1][d] == 1 && walk.shape[d] > 1) return d;
  }
  return -1;
}

}  // namespace

bool PlanCopy(std::span<const int64_t> shape, std::span<const int64_t> in_strides, std::span<const int64_t> out_strides,
              CopyPlan* plan) {
  const std::span<const int64_t> strides[2] = {out_strides, in_strides};
  CopyPlan made;
  if (!PlanStrided(shape, strides, &made.walk)) return false;
  made.work_units = made.walk.elements;
  made.tile_dim = made.walk.elements == 0 ? -1 : FindTileDimension(made.walk);
  if (made.tile_dim >= 0) {
    const int64_t tile_length = made.walk.shape[made.tile_dim];
    const int64_t columns = made.walk.shape[made.walk.rank - 1];
    const int64_t outer = made.walk.elements / tile_length / columns;
    made.work_units = outer * CeilDivide(tile_length, kTile) * CeilDivide(columns, kStrip);
  }
  *plan = made;
  return true;
}

bool PlanTranspose(std::span<const int64_t> in_shape, std::span<const int> permutation, CopyPlan* plan) {
  const size_t rank = in_shape.size();
  if (rank > kMaxPlanRank || permutation.size() != rank) return false;
  int64_t dense_stride[kMaxPlanRank];
  int64_t product = 1;
  for (size_t d = rank; d-- > 0;) {
    dense_stride[d] = product;
    if (in_shape[d] < 0) return false;
    if (in_shape[d] > 0 && __builtin_mul_overflow(product, in_shape[d], &product)) return false;
  }
  int64_t shape[kMaxPlanRank], in_stride[kMaxPlanRank], out_stride[kMaxPlanRank];
  bool used[kMaxPlanRank] = {};
  for (size_t d = 0; d < rank; ++d) {
    const int from = permutation[d];
    if (from < 0 || static_cast<size_t>(from) >= rank || used[from]) return false;
    used[from] = true;
    shape[d] = in_shape[from];
    in_stride[d] = dense_stride[from];
  }
  product = 1;
  for (size_t d = rank; d-- > 0;) {
    out_stride[d] = product;
    product *= shape[d] > 0 ? shape[d] : 1;
  }
  return PlanCopy(std::span(shape, rank), std::span(in_stride, rank), std::span(out_stride, rank), plan);
}

bool RunCopy(const CopyPlan& plan, int element_size, const void* in, void* out, int64_t begin, int64_t end) {
  switch (element_size) {
    case 1:
      Run<uint8_t>(plan, in, out, begin, end);
      return true;
    case 2:
      Run<uint16_t>(plan, in, out, begin, end);
      return true;
    case 4:
      Run<uint32_t>(plan, in, out, begin, end);
      return true;
    case 8:
      Run<uint64_t>(plan, in, out, begin, end);
      return true;
    default:
      return false;
  }
}

}  // namespace qlite::kernels
