#include "core/shape_util.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "core/checked_math.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr int64_t kLargestExtent = int64_t{1} << 62;

bool BroadcastDim(const Dim& a, const Dim& b, Dim* result) {
  if (a.known() && b.known()) {
    if (a.value != b.value && a.value != 1 && b.value != 1) return false;
    *result = a.value == 1 ? b : a;
  } else if (a.known()) {
    *result = a.value == 1 ? b : a;
  } else if (b.known()) {
    *result = b.value == 1 ? a : b;
  } else {
    *result = a.SameAs(b) ? a : Dim();
  }
  return true;
}

}  // namespace

absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    return absl::InvalidArgumentError(StrCat("expected an axis within [", -rank, ", ", rank - 1, "], found ", axis));
  }
  return axis < 0 ? axis + rank : axis;
}

absl::StatusOr<std::vector<int64_t>> NormalizeAxes(std::span<const int64_t> axes, int64_t rank) {
  std::vector<int64_t> result;
  result.reserve(axes.size());
  for (const int64_t axis : axes) {
    const absl::StatusOr<int64_t> normalized = NormalizeAxis(axis, rank);
    if (!normalized.ok()) return normalized.status();
    result.push_back(*normalized);
  }
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    return absl::InvalidArgumentError(StrCat("axes [", absl::StrJoin(axes, ","), "] name a dimension twice"));
  }
  return result;
}

absl::StatusOr<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  if (!a.has_rank() || !b.has_rank()) return Shape();
  const int64_t rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(static_cast<size_t>(rank));
  for (int64_t i = 1; i <= rank; ++i) {
    const Dim left = i <= a.rank() ? a.dim(a.rank() - i) : Dim(1);
    const Dim right = i <= b.rank() ? b.dim(b.rank() - i) : Dim(1);
    if (!BroadcastDim(left, right, &dims[static_cast<size_t>(rank - i)])) {
      return absl::InvalidArgumentError(
          StrCat("shapes ", a.ToString(), " and ", b.ToString(), " do not broadcast to each other"));
    }
  }
  return Shape(std::move(dims));
}

absl::StatusOr<std::vector<int64_t>> BroadcastExtents(std::span<const int64_t> a, std::span<const int64_t> b) {
  const absl::StatusOr<Shape> shape = BroadcastShapes(Shape::Of({a.begin(), a.end()}), Shape::Of({b.begin(), b.end()}));
  if (!shape.ok()) return shape.status();
  return shape->Extents();
}

absl::Status CheckBroadcastableTo(const Shape& from, const Shape& to) {
  if (!from.has_rank() || !to.has_rank()) return absl::OkStatus();
  bool fits = from.rank() <= to.rank();
  for (int64_t i = 1; fits && i <= from.rank(); ++i) {
    const Dim& source = from.dim(from.rank() - i);
    const Dim& target = to.dim(to.rank() - i);
    fits = !source.known() || !target.known() || source.value == 1 || source.value == target.value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("expected a shape that broadcasts to ", to.ToString(), ", found ", from.ToString()));
}

std::vector<int64_t> RowMajorStrides(std::span<const int64_t> dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t i = dims.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * dims[i - 1];
  return strides;
}

Dim ProductOf(std::span<const Dim> dims) {
  int64_t known = 1;
  bool overflow = false;
  const Dim* unknown = nullptr;
  size_t unknowns = 0;
  for (const Dim& dim : dims) {
    if (dim.known() && dim.value == 0) return Dim(0);
    if (!dim.known()) {
      unknown = &dim;
      ++unknowns;
    } else if (!overflow) {
      const std::optional<int64_t> next = CheckedMul(known, dim.value);
      overflow = !next || *next > kLargestExtent;
      known = overflow ? 1 : *next;
    }
  }
  if (overflow) return Dim();
  if (unknowns == 0) return Dim(known);
  return unknowns == 1 && known == 1 ? *unknown : Dim();
}

SliceRange ResolveSlice(int64_t start, int64_t end, int64_t step, int64_t extent) {
  step = std::clamp(step, -kLargestExtent, kLargestExtent);
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  const int64_t lowest = step > 0 ? 0 : -1;
  const int64_t highest = step > 0 ? extent : extent - 1;
  start = std::clamp(start, step > 0 ? int64_t{0} : std::min<int64_t>(0, highest), std::max(highest, lowest));
  end = std::clamp(end, lowest, std::max(highest, lowest));
  const int64_t distance = step > 0 ? end - start : start - end;
  const int64_t length = distance <= 0 ? 0 : CeilDiv(distance, step > 0 ? step : -step);
  return {start, step, length};
}

absl::StatusOr<std::vector<int64_t>> SplitSizes(std::span<const int64_t> sizes, size_t parts, int64_t extent) {
  if (sizes.empty()) {
    const int64_t count = static_cast<int64_t>(parts);
    const int64_t size = CeilDiv(extent, count);
    const std::optional<int64_t> before_last = CheckedMul(size, count - 1);
    if (!before_last || *before_last > extent) {
      return absl::InvalidArgumentError(
          StrCat("a dimension of extent ", extent, " cannot be split into ", parts, " equal parts"));
    }
    std::vector<int64_t> result(parts, size);
    result.back() = extent - *before_last;
    return result;
  }
  if (sizes.size() != parts) {
    return absl::InvalidArgumentError(
        StrCat("expected as many sizes as outputs, found ", sizes.size(), " and ", parts));
  }
  int64_t sum = 0;
  for (const int64_t size : sizes) {
    if (size < 0) return absl::InvalidArgumentError(StrCat("a part has the negative size ", size));
    sum = CheckedAdd(sum, size).value_or(kLargestExtent);
  }
  if (extent >= 0 && sum != extent) {
    return absl::InvalidArgumentError(
        StrCat("expected sizes that add up to the extent ", extent, ", found [", absl::StrJoin(sizes, ","), "]"));
  }
  return std::vector<int64_t>(sizes.begin(), sizes.end());
}

absl::StatusOr<int64_t> ScaledExtent(int64_t extent, float scale) {
  if (!std::isfinite(scale) || scale <= 0) {
    return absl::InvalidArgumentError(StrCat("expected positive and finite scales, found ", scale));
  }
  const float scaled = std::floor(static_cast<float>(extent) * scale);
  if (!(scaled < 0x1p62f)) {
    return absl::InvalidArgumentError(StrCat("extent ", extent, " times scale ", scale, " is too large"));
  }
  return static_cast<int64_t>(scaled);
}

}  // namespace qlite
