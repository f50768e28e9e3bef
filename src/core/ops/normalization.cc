// BatchNormalization, InstanceNormalization, LRN, Softmax and LogSoftmax.
#include <array>

#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// The inputs from 1 on have one element a channel.
absl::Status CheckPerChannel(InferContext& context, std::span<const std::string_view> names) {
  const Shape& shape = context.input_shape(0);
  for (size_t i = 0; i < names.size(); ++i) {
    if (context.input_quant(0) == nullptr) QLITE_RETURN_IF_ERROR(context.CheckSameType(i + 1));
    const Dim channels = shape.has_rank() ? shape.dim(1) : Dim();
    QLITE_RETURN_IF_ERROR(context.CheckVector(i + 1, names[i], channels));
  }
  return absl::OkStatus();
}

absl::Status SameAsInput(InferContext& context) {
  return context.SetOutput(0, context.ResultType(), context.input_shape(0));
}

absl::Status InferBatchNorm(InferContext& context) {
  constexpr std::array<std::string_view, 4> kNames = {"scale", "bias", "mean", "variance"};
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 2));
  QLITE_RETURN_IF_ERROR(CheckPerChannel(context, kNames));
  return SameAsInput(context);
}

absl::Status InferInstanceNorm(InferContext& context) {
  constexpr std::array<std::string_view, 2> kNames = {"scale", "bias"};
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 3));
  QLITE_RETURN_IF_ERROR(CheckPerChannel(context, kNames));
  return SameAsInput(context);
}

absl::Status InferLrn(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 2));
  const int64_t size = context.attr<LrnAttrs>().size;
  if (size < 1) return context.Error(StrCat("expected a size of at least 1, found ", size));
  return SameAsInput(context);
}

absl::Status InferSoftmax(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 1));
  if (context.input_shape(0).has_rank()) {
    const auto axis = NormalizeAxis(context.attr<AxisAttrs>().axis, context.input_shape(0).rank());
    if (!axis.ok()) return context.Error(axis.status());
  }
  return SameAsInput(context);
}

}  // namespace

namespace op_rules {
OpRule BatchNormalizationRule() { return {.min_inputs = 5, .max_inputs = 5, .infer = InferBatchNorm}; }
OpRule InstanceNormalizationRule() { return {.min_inputs = 3, .max_inputs = 3, .infer = InferInstanceNorm}; }
OpRule LRNRule() { return {.infer = InferLrn}; }
OpRule SoftmaxRule() { return {.infer = InferSoftmax}; }
OpRule LogSoftmaxRule() { return {.infer = InferSoftmax}; }
}  // namespace op_rules

}  // namespace qlite
