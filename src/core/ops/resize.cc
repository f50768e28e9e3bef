// Resize, DepthToSpace and SpaceToDepth.
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

absl::Status CheckCount(const InferContext& context, std::string_view what, size_t found) {
  const Shape& input = context.input_shape(0);
  if (!input.has_rank() || static_cast<size_t>(input.rank()) == found) return absl::OkStatus();
  return context.Error(StrCat("expected ", input.rank(), " ", what, ", found ", found));
}

absl::StatusOr<Shape> ShapeFromScales(InferContext& context, const PartialTensor& scales) {
  const Shape& input = context.input_shape(0);
  std::vector<Dim> dims(scales.elements.size());
  for (size_t i = 0; input.has_rank() && i < dims.size(); ++i) {
    const Dim& dim = input.dim(static_cast<int64_t>(i));
    const PartialElement& scale = scales.elements[i];
    if (!scale.known) continue;
    // An unknown extent is only checked for the scale itself.
    const absl::StatusOr<int64_t> extent = ScaledExtent(dim.known() ? dim.value : 1, scale.real);
    if (!extent.ok()) return context.Error(extent.status());
    dims[i] = dim.known() ? Dim(*extent) : (scale.real == 1.0f ? dim : Dim());
  }
  return Shape(std::move(dims));
}

absl::StatusOr<Shape> ShapeFromSizes(InferContext& context, const PartialTensor& sizes) {
  std::vector<Dim> dims;
  for (const PartialElement& size : sizes.elements) {
    if (size.known && size.integer < 1) {
      return context.Error(StrCat("expected sizes of at least 1, found ", size.integer));
    }
    dims.push_back(size.ToDim());
  }
  return Shape(std::move(dims));
}

absl::Status InferResize(InferContext& context) {
  const bool by_scales = context.has_input(1);
  if (by_scales == context.has_input(2)) return context.Error("expected either scales or sizes");
  const size_t target = by_scales ? 1 : 2;
  QLITE_RETURN_IF_ERROR(context.CheckType(target, by_scales ? ElementType::kFloat32 : ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckRank(target, 1));
  const PartialTensor* elements = context.input_elements(target);
  if (elements == nullptr || (by_scales == elements->is_integer())) {
    const Shape& input = context.input_shape(0);
    return context.SetOutput(0, context.ResultType(),
                             input.has_rank() ? Shape(std::vector<Dim>(static_cast<size_t>(input.rank()))) : Shape());
  }
  QLITE_RETURN_IF_ERROR(CheckCount(context, by_scales ? "scales" : "sizes", elements->elements.size()));
  absl::StatusOr<Shape> shape = by_scales ? ShapeFromScales(context, *elements) : ShapeFromSizes(context, *elements);
  if (!shape.ok()) return shape.status();
  return context.SetOutput(0, context.ResultType(), *std::move(shape));
}

absl::Status CheckBlock(const InferContext& context, int64_t block_size) {
  QLITE_RETURN_IF_ERROR(context.CheckRank(0, 4));
  if (block_size >= 1 && block_size <= (1 << 15)) return absl::OkStatus();
  return context.Error(StrCat("expected a block_size within [1, 32768], found ", block_size));
}

absl::Status CheckMultiple(const InferContext& context, std::string_view what, const Dim& dim, int64_t divisor) {
  if (!dim.known() || dim.value % divisor == 0) return absl::OkStatus();
  return context.Error(StrCat("expected ", what, " divisible by ", divisor, ", found ", dim.value));
}

Dim Times(const Dim& dim, int64_t factor) {
  if (factor == 1) return dim;
  return dim.known() && dim.value <= (int64_t{1} << 62) / factor ? Dim(dim.value * factor) : Dim();
}

Dim Over(const Dim& dim, int64_t divisor) {
  if (divisor == 1) return dim;
  return dim.known() ? Dim(dim.value / divisor) : Dim();
}

absl::Status InferDepthToSpace(InferContext& context) {
  const int64_t block = context.attr<DepthToSpaceAttrs>().block_size;
  QLITE_RETURN_IF_ERROR(CheckBlock(context, block));
  const Shape& input = context.input_shape(0);
  if (!input.has_rank()) return context.SetOutput(0, context.ResultType(), Shape(std::vector<Dim>(4)));
  QLITE_RETURN_IF_ERROR(CheckMultiple(context, "channels", input.dim(1), block * block));
  return context.SetOutput(
      0, context.ResultType(),
      Shape({input.dim(0), Over(input.dim(1), block * block), Times(input.dim(2), block), Times(input.dim(3), block)}));
}

absl::Status InferSpaceToDepth(InferContext& context) {
  const int64_t block = context.attr<SpaceToDepthAttrs>().block_size;
  QLITE_RETURN_IF_ERROR(CheckBlock(context, block));
  const Shape& input = context.input_shape(0);
  if (!input.has_rank()) return context.SetOutput(0, context.ResultType(), Shape(std::vector<Dim>(4)));
  QLITE_RETURN_IF_ERROR(CheckMultiple(context, "height", input.dim(2), block));
  QLITE_RETURN_IF_ERROR(CheckMultiple(context, "width", input.dim(3), block));
  return context.SetOutput(
      0, context.ResultType(),
      Shape({input.dim(0), Times(input.dim(1), block * block), Over(input.dim(2), block), Over(input.dim(3), block)}));
}

}  // namespace

namespace op_rules {
OpRule ResizeRule() { return {.max_inputs = 3, .infer = InferResize}; }
OpRule DepthToSpaceRule() { return {.kind = OpKind::kMovement, .infer = InferDepthToSpace}; }
OpRule SpaceToDepthRule() { return {.kind = OpKind::kMovement, .infer = InferSpaceToDepth}; }
}  // namespace op_rules

}  // namespace qlite
