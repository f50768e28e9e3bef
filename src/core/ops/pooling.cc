// MaxPool, AveragePool and their global forms.
#include "core/infer_context.h"
#include "core/node_geometry.h"
#include "core/op_rules.h"

namespace qlite {
namespace {

absl::Status InferPool(InferContext& context) {
  auto& attrs = context.attr<PoolAttrs>();
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 3));
  Shape input = context.input_shape(0);
  // The kernel has an extent for every spatial dimension.
  if (!input.has_rank()) input = Shape(std::vector<Dim>(attrs.kernel_shape.size() + 2));
  const absl::StatusOr<WindowGeometry> geometry = PoolGeometry(attrs, std::span<const Dim>(input.dims()).subspan(2));
  if (!geometry.ok()) return context.Error(geometry.status());
  if (attrs.auto_pad != AutoPad::kNotSet && geometry->pads_known()) {
    attrs.pads = geometry->Pads();
    attrs.auto_pad = AutoPad::kNotSet;
  }
  std::vector<Dim> dims = {input.dim(0), input.dim(1)};
  for (const WindowAxis& axis : geometry->axes) dims.push_back(axis.output);
  return context.SetOutput(0, context.ResultType(), Shape(std::move(dims)));
}

absl::Status InferGlobalPool(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 3));
  const Shape& input = context.input_shape(0);
  if (!input.has_rank()) return context.SetOutput(0, context.ResultType(), Shape());
  std::vector<Dim> dims(static_cast<size_t>(input.rank()), Dim(1));
  dims[0] = input.dim(0);
  dims[1] = input.dim(1);
  return context.SetOutput(0, context.ResultType(), Shape(std::move(dims)));
}

}  // namespace

namespace op_rules {
OpRule MaxPoolRule() { return {.kind = OpKind::kSelection, .infer = InferPool}; }
OpRule AveragePoolRule() { return {.kind = OpKind::kMean, .infer = InferPool}; }
OpRule GlobalAveragePoolRule() { return {.kind = OpKind::kMean, .infer = InferGlobalPool}; }
OpRule GlobalMaxPoolRule() { return {.kind = OpKind::kSelection, .infer = InferGlobalPool}; }
}  // namespace op_rules

}  // namespace qlite
