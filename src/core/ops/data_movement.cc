// Operators that pick, join and rearrange elements: Concat, Split, Slice, Pad, Transpose, Gather.
#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/checked_math.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// Elements seen as [outer, extents[axis], inner].
struct AxisView {
  int64_t outer = 1;
  int64_t extent = 1;
  int64_t inner = 1;
};

AxisView ViewAlong(const std::vector<int64_t>& dims, int64_t axis) {
  AxisView view;
  for (size_t i = 0; i < dims.size(); ++i) {
    int64_t& part = static_cast<int64_t>(i) < axis ? view.outer : view.inner;
    if (static_cast<int64_t>(i) != axis) part *= dims[i];
  }
  view.extent = dims[static_cast<size_t>(axis)];
  return view;
}

// The slices of `input` along `axis` at `positions`, as a tensor of extents `dims`; an unknown position gives unknown
// elements. Nothing where the result is too large.
std::optional<PartialTensor> TakeAlong(const PartialTensor& input, int64_t axis,
                                       const std::vector<std::optional<int64_t>>& positions,
                                       std::vector<int64_t> dims) {
  std::optional<PartialTensor> result = UnknownPartial(input.type, std::move(dims));
  // Nothing to take from extents of which one is 0, whatever the others are.
  if (!result || result->elements.empty()) return result;
  const AxisView view = ViewAlong(input.dims, axis);
  size_t target = 0;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (const std::optional<int64_t>& position : positions) {
      for (int64_t inner = 0; inner < view.inner; ++inner, ++target) {
        if (!position) continue;
        result->elements[target] =
            input.elements[static_cast<size_t>((outer * view.extent + *position) * view.inner + inner)];
      }
    }
  }
  return result;
}

// --- Concat

absl::StatusOr<Dim> SameExtent(const InferContext& context, int64_t dimension, const Dim& a, const Dim& b) {
  if (a.known() && b.known() && a.value != b.value) {
    return context.Error(
        StrCat("expected equal extents in dimension ", dimension, ", found ", a.value, " and ", b.value));
  }
  return a.known() ? a : (b.known() ? b : (a.SameAs(b) ? a : Dim()));
}

Dim SumOf(const Dim& a, const Dim& b) {
  if (!a.known() || !b.known()) return Dim();
  const std::optional<int64_t> sum = CheckedAdd(a.value, b.value);
  return sum ? Dim(*sum) : Dim();
}

// Parts of one dimension, as shapes are put together.
void EvaluateConcat(InferContext& context) {
  PartialTensor result;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const PartialTensor* part = context.input_elements(i);
    const Shape& shape = context.input_shape(i);
    if (shape.rank() != 1 || !shape.IsStatic() || !CanBePartial(context.input_type(i))) return;
    const size_t count = static_cast<size_t>(std::min(shape.dim(0).value, PartialTensor::kMaxElements + 1));
    if (result.elements.size() + count > static_cast<size_t>(PartialTensor::kMaxElements)) return;
    for (size_t k = 0; k < count; ++k)
      result.elements.push_back(part != nullptr ? part->elements[k] : PartialElement());
  }
  result.type = context.input_type(0);
  result.dims = {static_cast<int64_t>(result.elements.size())};
  context.SetElements(0, std::move(result));
}

absl::Status InferConcat(InferContext& context) {
  int64_t rank = -1;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) return context.Error(StrCat("input ", i, " is absent but required"));
    QLITE_RETURN_IF_ERROR(context.CheckSameType(i));
    if (rank < 0 && context.input_shape(i).has_rank()) rank = context.input_shape(i).rank();
    if (rank >= 0) QLITE_RETURN_IF_ERROR(context.CheckRank(i, rank));
  }
  if (rank < 0) return context.SetOutput(0, context.input_type(0), Shape());
  const absl::StatusOr<int64_t> axis = NormalizeAxis(context.attr<AxisAttrs>().axis, rank);
  if (!axis.ok()) return context.Error(axis.status());
  std::vector<Dim> dims(static_cast<size_t>(rank));
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Shape part =
        context.input_shape(i).has_rank() ? context.input_shape(i) : Shape(std::vector<Dim>(static_cast<size_t>(rank)));
    for (int64_t d = 0; d < rank; ++d) {
      Dim& dim = dims[static_cast<size_t>(d)];
      if (i == 0) {
        dim = part.dim(d);
      } else if (d == *axis) {
        dim = SumOf(dim, part.dim(d));
      } else {
        absl::StatusOr<Dim> same = SameExtent(context, d, dim, part.dim(d));
        if (!same.ok()) return same.status();
        dim = *std::move(same);
      }
    }
  }
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(0), Shape(std::move(dims))));
  EvaluateConcat(context);
  return absl::OkStatus();
}

// --- Split

absl::Status InferSplit(InferContext& context) {
  const auto& attrs = context.attr<SplitAttrs>();
  const Shape input = context.input_shape(0);
  const size_t parts = context.output_count();
  if (!input.has_rank()) {
    for (size_t i = 0; i < parts; ++i) QLITE_RETURN_IF_ERROR(context.SetOutput(i, context.input_type(0), Shape()));
    return absl::OkStatus();
  }
  const absl::StatusOr<int64_t> axis = NormalizeAxis(attrs.axis, input.rank());
  if (!axis.ok()) return context.Error(axis.status());
  const Dim& whole = input.dim(*axis);
  std::vector<Dim> sizes(parts);
  if (whole.known() || !attrs.sizes.empty()) {
    const absl::StatusOr<std::vector<int64_t>> known = SplitSizes(attrs.sizes, parts, whole.value);
    if (!known.ok()) return context.Error(known.status());
    sizes.assign(known->begin(), known->end());
  }
  const PartialTensor* elements = context.input_elements(0);
  int64_t begin = 0;
  for (size_t i = 0; i < parts; ++i) {
    Shape part = input;
    part.dim(*axis) = sizes[i];
    QLITE_RETURN_IF_ERROR(context.SetOutput(i, context.input_type(0), part));
    const int64_t first = std::exchange(begin, begin + std::max<int64_t>(sizes[i].value, 0));
    if (elements == nullptr || !part.IsStatic() || sizes[i].value > PartialTensor::kMaxElements) continue;
    std::vector<std::optional<int64_t>> positions;
    for (int64_t k = 0; k < sizes[i].value; ++k) positions.emplace_back(first + k);
    std::optional<PartialTensor> taken = TakeAlong(*elements, *axis, positions, part.Extents());
    if (taken) context.SetElements(i, *std::move(taken));
  }
  return absl::OkStatus();
}

// --- Slice

struct SliceAxis {
  int64_t axis = 0;
  PartialElement start, end, step;
};

// The parameters of Slice; nothing where the axes or their number are unknown.
absl::StatusOr<std::optional<std::vector<SliceAxis>>> SliceAxes(InferContext& context, int64_t rank) {
  for (size_t i = 1; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    QLITE_RETURN_IF_ERROR(context.CheckIndexType(i));
    QLITE_RETURN_IF_ERROR(context.CheckRank(i, 1));
  }
  const PartialTensor* starts = context.input_elements(1);
  const PartialTensor* ends = context.input_elements(2);
  const std::optional<std::vector<int64_t>> axes = context.input_integers(3);
  const PartialTensor* steps = context.input_elements(4);
  if ((context.has_input(3) && !axes) || (starts == nullptr && ends == nullptr && !axes)) return std::nullopt;
  const size_t count = axes ? axes->size() : (starts != nullptr ? starts : ends)->elements.size();
  for (const PartialTensor* list : {starts, ends, steps}) {
    if (list != nullptr && list->elements.size() != count) {
      return context.Error(
          StrCat("expected as many starts, ends and steps as axes, ", count, ", found ", list->elements.size()));
    }
  }
  std::vector<int64_t> wanted(count);
  std::iota(wanted.begin(), wanted.end(), int64_t{0});
  if (axes) wanted = *axes;
  if (const auto unique = NormalizeAxes(wanted, rank); !unique.ok()) return context.Error(unique.status());
  std::vector<SliceAxis> result(count);
  for (size_t i = 0; i < count; ++i) {
    result[i].axis = wanted[i] < 0 ? wanted[i] + rank : wanted[i];
    if (starts != nullptr) result[i].start = starts->elements[i];
    if (ends != nullptr) result[i].end = ends->elements[i];
    if (!context.has_input(4)) {
      result[i].step = PartialElement::Integer(1);
    } else if (steps != nullptr) {
      result[i].step = steps->elements[i];
    }
    if (result[i].step.known && result[i].step.integer == 0) return context.Error("expected steps other than 0");
  }
  return result;
}

Dim SlicedExtent(const SliceAxis& slice, const Dim& extent) {
  if (!slice.start.known || !slice.step.known) return Dim();
  const bool from_begin = slice.start.integer == 0 && slice.step.integer == 1;
  // x[0:n] where n is the extent itself.
  if (!slice.end.known) return from_begin && extent.SameAs(slice.end.ToDim()) ? extent : Dim();
  if (extent.known()) {
    return ResolveSlice(slice.start.integer, slice.end.integer, slice.step.integer, extent.value).length;
  }
  const bool to_end = slice.end.integer >= std::numeric_limits<int32_t>::max();
  return from_begin && to_end ? extent : Dim();
}

void EvaluateSlice(InferContext& context, const std::vector<SliceAxis>& slices) {
  const PartialTensor* input = context.input_elements(0);
  if (input == nullptr) return;
  PartialTensor current = *input;
  for (const SliceAxis& slice : slices) {
    if (!slice.start.known || !slice.end.known || !slice.step.known) return;
    const int64_t extent = current.dims[static_cast<size_t>(slice.axis)];
    const SliceRange range = ResolveSlice(slice.start.integer, slice.end.integer, slice.step.integer, extent);
    if (range.length > PartialTensor::kMaxElements) return;
    std::vector<std::optional<int64_t>> positions;
    for (int64_t i = 0; i < range.length; ++i) positions.emplace_back(range.start + i * range.step);
    std::vector<int64_t> dims = current.dims;
    dims[static_cast<size_t>(slice.axis)] = range.length;
    std::optional<PartialTensor> taken = TakeAlong(current, slice.axis, positions, std::move(dims));
    if (!taken) return;
    current = *std::move(taken);
  }
  context.SetElements(0, std::move(current));
}

absl::Status InferSlice(InferContext& context) {
  Shape shape = context.input_shape(0);
  if (!shape.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  const auto slices = SliceAxes(context, shape.rank());
  if (!slices.ok()) return slices.status();
  if (!slices->has_value()) {
    return context.SetOutput(0, context.input_type(0), Shape(std::vector<Dim>(static_cast<size_t>(shape.rank()))));
  }
  for (const SliceAxis& slice : **slices) shape.dim(slice.axis) = SlicedExtent(slice, shape.dim(slice.axis));
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(0), std::move(shape)));
  EvaluateSlice(context, **slices);
  return absl::OkStatus();
}

// --- Pad

absl::Status CheckPadMode(const InferContext& context, PadMode mode, int64_t extent, int64_t before, int64_t after) {
  const int64_t largest = std::max(before, after);
  if (mode == PadMode::kReflect && largest > 0 && largest >= extent) {
    return context.Error(StrCat("expected reflected pads below the extent ", extent, ", found ", largest));
  }
  if (mode != PadMode::kConstant && largest > 0 && extent == 0) {
    return context.Error("a dimension without elements has none to pad with");
  }
  return absl::OkStatus();
}

absl::StatusOr<Dim> PaddedExtent(const InferContext& context, PadMode mode, const Dim& dim, int64_t before,
                                 int64_t after) {
  if (before == 0 && after == 0) return dim;
  if (!dim.known()) return Dim();
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  if (std::max(before, after) > kLargest || std::min(before, after) < -kLargest) {
    return context.Error(
        StrCat("expected pads within [", -kLargest, ", ", kLargest, "], found ", before, " and ", after));
  }
  QLITE_RETURN_IF_ERROR(CheckPadMode(context, mode, dim.value, before, after));
  if (dim.value + before + after < 0) {
    return context.Error(
        StrCat("pads of ", before, " and ", after, " take more than the ", dim.value, " elements there are"));
  }
  return Dim(dim.value + before + after);
}

absl::Status InferPad(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckType(1, ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckRank(1, 1));
  const PadMode mode = context.attr<PadAttrs>().mode;
  Shape shape = context.input_shape(0);
  if (!shape.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  const std::optional<std::vector<int64_t>> pads = context.input_integers(1);
  std::optional<std::vector<int64_t>> axes = context.input_integers(3);
  if (!pads || (context.has_input(3) && !axes)) {
    return context.SetOutput(0, context.input_type(0), Shape(std::vector<Dim>(static_cast<size_t>(shape.rank()))));
  }
  if (!axes) {
    axes.emplace(static_cast<size_t>(shape.rank()));
    std::iota(axes->begin(), axes->end(), int64_t{0});
  }
  if (pads->size() != 2 * axes->size()) {
    return context.Error(StrCat("expected ", 2 * axes->size(), " pads, found ", pads->size()));
  }
  if (const auto unique = NormalizeAxes(*axes, shape.rank()); !unique.ok()) return context.Error(unique.status());
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + shape.rank() : (*axes)[i];
    absl::StatusOr<Dim> dim = PaddedExtent(context, mode, shape.dim(axis), (*pads)[i], (*pads)[axes->size() + i]);
    if (!dim.ok()) return dim.status();
    shape.dim(axis) = *std::move(dim);
  }
  return context.SetOutput(0, context.input_type(0), std::move(shape));
}

// --- Transpose

absl::Status InferTranspose(InferContext& context) {
  const Shape& input = context.input_shape(0);
  std::vector<int64_t> perm = context.attr<TransposeAttrs>().perm;
  const int64_t rank = input.has_rank() ? input.rank() : static_cast<int64_t>(perm.size());
  if (!input.has_rank() && perm.empty()) return context.SetOutput(0, context.input_type(0), Shape());
  if (perm.empty()) {
    perm.resize(static_cast<size_t>(rank));
    std::iota(perm.rbegin(), perm.rend(), int64_t{0});
  }
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool permutes = static_cast<int64_t>(perm.size()) == rank;
  for (size_t i = 0; permutes && i < sorted.size(); ++i) permutes = sorted[i] == static_cast<int64_t>(i);
  if (!permutes) {
    return context.Error(
        StrCat("expected perm to be a permutation of ", rank, " dimensions, found [", absl::StrJoin(perm, ","), "]"));
  }
  std::vector<Dim> dims;
  for (const int64_t axis : perm) dims.push_back(input.has_rank() ? input.dim(axis) : Dim());
  return context.SetOutput(0, context.input_type(0), Shape(std::move(dims)));
}

// --- Gather

absl::Status CheckIndices(const InferContext& context, const PartialTensor& indices, const Dim& extent) {
  if (!extent.known()) return absl::OkStatus();
  for (const PartialElement& index : indices.elements) {
    if (index.known && (index.integer < -extent.value || index.integer >= extent.value)) {
      return context.Error(
          StrCat("expected indices within [", -extent.value, ", ", extent.value - 1, "], found ", index.integer));
    }
  }
  return absl::OkStatus();
}

void EvaluateGather(InferContext& context, int64_t axis, const PartialTensor& indices, const Shape& shape) {
  const PartialTensor* data = context.input_elements(0);
  if (data == nullptr || !shape.IsStatic()) return;
  const int64_t extent = data->dims[static_cast<size_t>(axis)];
  std::vector<std::optional<int64_t>> positions;
  for (const PartialElement& index : indices.elements) {
    if (!index.known) {
      positions.emplace_back();
    } else {
      positions.emplace_back(index.integer < 0 ? index.integer + extent : index.integer);
    }
  }
  std::optional<PartialTensor> taken = TakeAlong(*data, axis, positions, shape.Extents());
  if (taken) context.SetElements(0, *std::move(taken));
}

absl::Status InferGather(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckIndexType(1));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 1));
  const Shape& data = context.input_shape(0);
  const Shape& index_shape = context.input_shape(1);
  if (!data.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  const absl::StatusOr<int64_t> axis = NormalizeAxis(context.attr<AxisAttrs>().axis, data.rank());
  if (!axis.ok()) return context.Error(axis.status());
  const PartialTensor* indices = context.input_elements(1);
  if (indices != nullptr) QLITE_RETURN_IF_ERROR(CheckIndices(context, *indices, data.dim(*axis)));
  if (!index_shape.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  std::vector<Dim> dims(data.dims().begin(), data.dims().begin() + *axis);
  dims.insert(dims.end(), index_shape.dims().begin(), index_shape.dims().end());
  dims.insert(dims.end(), data.dims().begin() + *axis + 1, data.dims().end());
  const Shape shape(std::move(dims));
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(0), shape));
  if (indices != nullptr) EvaluateGather(context, *axis, *indices, shape);
  return absl::OkStatus();
}

}  // namespace

namespace op_rules {
OpRule ConcatRule() { return {.kind = OpKind::kConcat, .max_inputs = OpRule::kAny, .infer = InferConcat}; }
OpRule SplitRule() { return {.kind = OpKind::kMovement, .max_outputs = OpRule::kAny, .infer = InferSplit}; }
OpRule SliceRule() { return {.kind = OpKind::kMovement, .min_inputs = 3, .max_inputs = 5, .infer = InferSlice}; }
OpRule PadRule() { return {.kind = OpKind::kMovement, .min_inputs = 2, .max_inputs = 4, .infer = InferPad}; }
OpRule TransposeRule() { return {.kind = OpKind::kMovement, .infer = InferTranspose}; }
OpRule GatherRule() { return {.kind = OpKind::kMovement, .min_inputs = 2, .max_inputs = 2, .infer = InferGather}; }
}  // namespace op_rules

}  // namespace qlite
