// LSTM and GRU.
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// Input `i`, where present, has the given extents as far as both are known.
absl::Status CheckExtents(const InferContext& context, size_t i, std::string_view what, const std::vector<Dim>& dims) {
  if (i >= context.input_count() || !context.has_input(i)) return absl::OkStatus();
  QLITE_RETURN_IF_ERROR(context.CheckType(i, ElementType::kFloat32));
  const Shape& shape = context.input_shape(i);
  if (!shape.has_rank()) return absl::OkStatus();
  bool agrees = shape.rank() == static_cast<int64_t>(dims.size());
  for (size_t d = 0; agrees && d < dims.size(); ++d) {
    const Dim& found = shape.dim(static_cast<int64_t>(d));
    agrees = !found.known() || !dims[d].known() || found.value == dims[d].value;
  }
  if (agrees) return absl::OkStatus();
  return context.Error(StrCat(what, ": expected shape ", Shape(dims).ToString(), ", found ", shape.ToString()));
}

absl::Status InferRecurrent(InferContext& context, int64_t gates) {
  const auto& attrs = context.attr<RecurrentAttrs>();
  constexpr int64_t kLargest = int64_t{1} << 28;
  const int64_t hidden = attrs.hidden_size;
  if (hidden < 1 || hidden > kLargest)
    return context.Error(StrCat("expected a hidden size of at least 1, found ", hidden));
  QLITE_RETURN_IF_ERROR(context.CheckType(0, ElementType::kFloat32));
  QLITE_RETURN_IF_ERROR(context.CheckRank(0, 3));
  if (context.input_count() > 4 && context.has_input(4)) return context.Error("lengths of sequences are not supported");
  const Shape& x = context.input_shape(0);
  const Dim time = x.has_rank() ? x.dim(0) : Dim(), batch = x.has_rank() ? x.dim(1) : Dim();
  const Dim features = x.has_rank() ? x.dim(2) : Dim();
  const Dim directions(attrs.direction == RecurrentDirection::kBidirectional ? 2 : 1);
  QLITE_RETURN_IF_ERROR(CheckExtents(context, 1, "W", {directions, Dim(gates * hidden), features}));
  QLITE_RETURN_IF_ERROR(CheckExtents(context, 2, "R", {directions, Dim(gates * hidden), Dim(hidden)}));
  QLITE_RETURN_IF_ERROR(CheckExtents(context, 3, "B", {directions, Dim(2 * gates * hidden)}));
  const std::vector<Dim> state = {directions, batch, Dim(hidden)};
  for (size_t i = 5; i < 7; ++i) QLITE_RETURN_IF_ERROR(CheckExtents(context, i, "initial state", state));
  QLITE_RETURN_IF_ERROR(
      context.SetOutput(0, ElementType::kFloat32, Shape(std::vector<Dim>{time, directions, batch, Dim(hidden)})));
  for (size_t i = 1; i < context.output_count(); ++i) {
    QLITE_RETURN_IF_ERROR(context.SetOutput(i, ElementType::kFloat32, Shape(state)));
  }
  return absl::OkStatus();
}

absl::Status InferLstm(InferContext& context) { return InferRecurrent(context, 4); }
absl::Status InferGru(InferContext& context) { return InferRecurrent(context, 3); }

}  // namespace

namespace op_rules {
OpRule LSTMRule() { return {.min_inputs = 3, .max_inputs = 7, .max_outputs = 3, .infer = InferLstm}; }
OpRule GRURule() { return {.min_inputs = 3, .max_inputs = 6, .max_outputs = 2, .infer = InferGru}; }
}  // namespace op_rules

}  // namespace qlite
