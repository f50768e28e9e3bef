// Rules about extents and axes that shape inference and the runtime share.
#ifndef QLITE_CORE_SHAPE_UTIL_H_
#define QLITE_CORE_SHAPE_UTIL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/types.h"

namespace qlite {

// The most dimensions a value may have, so that shapes cannot grow without bound.
inline constexpr int64_t kMaxRank = 64;

// `axis` counted from the front; within [-rank, rank-1], kInvalidArgument otherwise.
absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, int64_t rank);

// The axes counted from the front, in ascending order; kInvalidArgument where one is out of range or named twice.
absl::StatusOr<std::vector<int64_t>> NormalizeAxes(std::span<const int64_t> axes, int64_t rank);

// Multidirectional (NumPy) broadcasting, aligned at the last dimension; kInvalidArgument where two extents differ and
// neither is 1. An unknown dimension against a known one above 1 gives the known one; an unknown rank gives an unknown
// rank.
absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b);
absl::StatusOr<std::vector<int64_t>> BroadcastExtents(std::span<const int64_t> a, std::span<const int64_t> b);

// OK where `from` broadcasts to `to` without changing it, as far as is known.
absl::Status CheckBroadcastableTo(const Shape& from, const Shape& to);

// Elements between neighbours along every dimension of row-major data.
std::vector<int64_t> RowMajorStrides(std::span<const int64_t> dims);

// The product of dimensions: known where all are (or one is 0), a symbol where it is that symbol times 1. 1 for none.
// An unknown dimension where the product passes 2^62.
Dim ProductOf(std::span<const Dim> dims);

// The elements that Slice takes along one dimension: index start + i * step for i in [0, length).
struct SliceRange {
  int64_t start = 0;
  int64_t step = 1;
  int64_t length = 0;
};

// ONNX's rules: negative positions count from the end, positions beyond the ends are clamped. step is not 0.
SliceRange ResolveSlice(int64_t start, int64_t end, int64_t step, int64_t extent);

// The sizes of Split's parts over a dimension of `extent`: `sizes` where given, else equal parts, the last one smaller.
// kInvalidArgument where they do not add up.
absl::StatusOr<std::vector<int64_t>> SplitSizes(std::span<const int64_t> sizes, size_t parts, int64_t extent);

// The extent of a dimension resized by `scale`: floor(extent * scale) in single precision, as ONNX says.
absl::StatusOr<int64_t> ScaledExtent(int64_t extent, float scale);

}  // namespace qlite

#endif  // QLITE_CORE_SHAPE_UTIL_H_
