// Conv and ConvTranspose.
#include "core/infer_context.h"
#include "core/node_geometry.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

std::span<const Dim> Spatial(const Shape& shape) { return std::span<const Dim>(shape.dims()).subspan(2); }

absl::Status CheckOperands(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckProductTypes(2));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 3));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(1, 3));
  if (context.input_shape(0).has_rank()) return context.CheckRank(1, context.input_shape(0).rank());
  return absl::OkStatus();
}

absl::Status CheckGroup(const InferContext& context, int64_t group) {
  if (group >= 1) return absl::OkStatus();
  return context.Error(StrCat("expected group of at least 1, found ", group));
}

absl::Status CheckDivisible(const InferContext& context, std::string_view what, const Dim& extent, int64_t group) {
  if (!extent.known() || extent.value % group == 0) return absl::OkStatus();
  return context.Error(StrCat("expected ", what, " divisible by the ", group, " groups, found ", extent.value));
}

Dim TimesGroup(const Dim& per_group, int64_t group) {
  if (group == 1) return per_group;
  // Too large a product is caught when the output's shape is set.
  return per_group.known() && per_group.value <= (int64_t{1} << 62) / group ? Dim(per_group.value * group) : Dim();
}

std::vector<int64_t> KernelShape(const WindowGeometry& geometry) {
  std::vector<int64_t> kernel;
  for (const WindowAxis& axis : geometry.axes) {
    if (!axis.kernel.known()) return {};
    kernel.push_back(axis.kernel.value);
  }
  return kernel;
}

Shape OutputShape(const Dim& batch, const Dim& channels, const WindowGeometry& geometry) {
  std::vector<Dim> dims = {batch, channels};
  for (const WindowAxis& axis : geometry.axes) dims.push_back(axis.output);
  return Shape(std::move(dims));
}

// X has the rank of W, so that much is known of an X of unknown rank.
Shape InputOrUnknown(const InferContext& context) {
  if (context.input_shape(0).has_rank()) return context.input_shape(0);
  return Shape(std::vector<Dim>(static_cast<size_t>(context.input_shape(1).rank())));
}

absl::Status InferConv(InferContext& context) {
  auto& attrs = context.attr<ConvAttrs>();
  QLITE_RETURN_IF_ERROR(CheckOperands(context));
  QLITE_RETURN_IF_ERROR(CheckGroup(context, attrs.group));
  const Shape weights = context.input_shape(1);
  if (!weights.has_rank()) return context.SetOutput(0, context.ProductType(), Shape());
  const Shape input = InputOrUnknown(context);
  const Dim channels = TimesGroup(weights.dim(1), attrs.group);
  if (channels.known() && input.dim(1).known() && channels.value != input.dim(1).value) {
    return context.Error(StrCat("weights of shape ", weights.ToString(), " in ", attrs.group, " groups expect ",
                                channels.value, " input channels, found ", input.dim(1).value));
  }
  QLITE_RETURN_IF_ERROR(CheckDivisible(context, "input channels", input.dim(1), attrs.group));
  QLITE_RETURN_IF_ERROR(CheckDivisible(context, "output channels", weights.dim(0), attrs.group));
  if (context.has_input(2)) QLITE_RETURN_IF_ERROR(context.CheckVector(2, "bias", weights.dim(0)));
  const absl::StatusOr<WindowGeometry> geometry = ConvGeometry(attrs, Spatial(input), Spatial(weights));
  if (!geometry.ok()) return context.Error(geometry.status());
  if (attrs.kernel_shape.empty()) attrs.kernel_shape = KernelShape(*geometry);
  if (attrs.auto_pad != AutoPad::kNotSet && geometry->pads_known()) {
    attrs.pads = geometry->Pads();
    attrs.auto_pad = AutoPad::kNotSet;
  }
  return context.SetOutput(0, context.ProductType(), OutputShape(input.dim(0), weights.dim(0), *geometry));
}

absl::Status InferConvTranspose(InferContext& context) {
  auto& attrs = context.attr<ConvTransposeAttrs>();
  QLITE_RETURN_IF_ERROR(CheckOperands(context));
  QLITE_RETURN_IF_ERROR(CheckGroup(context, attrs.group));
  const Shape weights = context.input_shape(1);
  if (!weights.has_rank()) return context.SetOutput(0, context.ProductType(), Shape());
  const Shape input = InputOrUnknown(context);
  if (weights.dim(0).known() && input.dim(1).known() && weights.dim(0).value != input.dim(1).value) {
    return context.Error(StrCat("weights of shape ", weights.ToString(), " expect ", weights.dim(0).value,
                                " input channels, found ", input.dim(1).value));
  }
  QLITE_RETURN_IF_ERROR(CheckDivisible(context, "input channels", weights.dim(0), attrs.group));
  const Dim channels = TimesGroup(weights.dim(1), attrs.group);
  if (context.has_input(2)) QLITE_RETURN_IF_ERROR(context.CheckVector(2, "bias", channels));
  const absl::StatusOr<WindowGeometry> geometry = ConvTransposeGeometry(attrs, Spatial(input), Spatial(weights));
  if (!geometry.ok()) return context.Error(geometry.status());
  if (attrs.kernel_shape.empty()) attrs.kernel_shape = KernelShape(*geometry);
  const bool automatic = attrs.auto_pad != AutoPad::kNotSet || !attrs.output_shape.empty();
  if (automatic && geometry->pads_known()) {
    attrs.pads = geometry->Pads();
    attrs.auto_pad = AutoPad::kNotSet;
    attrs.output_shape.clear();
    attrs.output_padding.clear();
    for (const WindowAxis& axis : geometry->axes) attrs.output_padding.push_back(axis.output_padding);
  }
  return context.SetOutput(0, context.ProductType(), OutputShape(input.dim(0), channels, *geometry));
}

}  // namespace

namespace op_rules {
OpRule ConvRule() { return {.kind = OpKind::kProduct, .min_inputs = 2, .max_inputs = 3, .infer = InferConv}; }
OpRule ConvTransposeRule() {
  return {.kind = OpKind::kProduct, .min_inputs = 2, .max_inputs = 3, .infer = InferConvTranspose};
}
}  // namespace op_rules

}  // namespace qlite
