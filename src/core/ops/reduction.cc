// ReduceMean, ReduceSum, ReduceMax, ReduceMin and ArgMax.
#include <algorithm>
#include <numeric>

#include "core/checked_math.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"

namespace qlite {
namespace {

Shape Reduced(const Shape& input, const std::vector<int64_t>& axes, bool keep_dims) {
  std::vector<Dim> dims;
  for (int64_t i = 0; i < input.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) {
      dims.push_back(input.dim(i));
    } else if (keep_dims) {
      dims.push_back(Dim(1));
    }
  }
  return Shape(std::move(dims));
}

std::optional<int64_t> Combine(OpType op, int64_t a, int64_t b) {
  switch (op) {
    case OpType::kReduceSum:
      return CheckedAdd(a, b);
    case OpType::kReduceMax:
      return std::max(a, b);
    case OpType::kReduceMin:
      return std::min(a, b);
    default:
      return std::nullopt;
  }
}

// Known integers reduced to one number, as in the computation of an element count.
void EvaluateFullReduction(InferContext& context, const Shape& output) {
  const std::optional<std::vector<int64_t>> values = context.input_integers(0);
  if (!values || values->empty() || !output.IsStatic() || context.input_type(0) != ElementType::kInt64) return;
  const absl::StatusOr<int64_t> count = ElementCount(output.Extents());
  if (!count.ok() || *count != 1) return;
  std::optional<int64_t> result = values->front();
  for (size_t i = 1; i < values->size() && result; ++i) result = Combine(context.node().op, *result, (*values)[i]);
  if (result) {
    context.SetElements(0, {ElementType::kInt64, output.Extents(), {PartialElement::Integer(*result)}});
  }
}

absl::Status InferReduce(InferContext& context) {
  const auto& attrs = context.attr<ReduceAttrs>();
  const Shape& input = context.input_shape(0);
  const bool identity = attrs.axes.empty() && attrs.no_op_with_empty_axes;
  if (identity) return context.SetOutput(0, context.ResultType(), input);
  if (!input.has_rank()) {
    const bool scalar = attrs.axes.empty() && !attrs.keep_dims;
    return context.SetOutput(0, context.ResultType(), scalar ? Shape::Of({}) : Shape());
  }
  absl::StatusOr<std::vector<int64_t>> axes = NormalizeAxes(attrs.axes, input.rank());
  if (!axes.ok()) return context.Error(axes.status());
  if (axes->empty()) {
    axes->resize(static_cast<size_t>(input.rank()));
    std::iota(axes->begin(), axes->end(), int64_t{0});
  }
  const Shape output = Reduced(input, *axes, attrs.keep_dims);
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.ResultType(), output));
  EvaluateFullReduction(context, output);
  return absl::OkStatus();
}

absl::Status InferArgMax(InferContext& context) {
  const auto& attrs = context.attr<ArgMaxAttrs>();
  const Shape& input = context.input_shape(0);
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 1));
  if (!input.has_rank()) return context.SetOutput(0, ElementType::kInt64, Shape());
  const absl::StatusOr<int64_t> axis = NormalizeAxis(attrs.axis, input.rank());
  if (!axis.ok()) return context.Error(axis.status());
  if (input.dim(*axis).known() && input.dim(*axis).value == 0) return context.Error("its axis has no elements");
  return context.SetOutput(0, ElementType::kInt64, Reduced(input, {*axis}, attrs.keep_dims));
}

}  // namespace

namespace op_rules {
OpRule ReduceMeanRule() { return {.kind = OpKind::kMean, .infer = InferReduce}; }
OpRule ReduceSumRule() { return {.infer = InferReduce}; }
OpRule ReduceMaxRule() { return {.infer = InferReduce}; }
OpRule ReduceMinRule() { return {.infer = InferReduce}; }
OpRule ArgMaxRule() { return {.infer = InferArgMax}; }
}  // namespace op_rules

}  // namespace qlite
