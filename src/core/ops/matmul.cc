// Gemm and MatMul.
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

absl::Status CheckReduction(const InferContext& context, const Dim& left, const Dim& right) {
  if (!left.known() || !right.known() || left.value == right.value) return absl::OkStatus();
  return context.Error(StrCat("expected equal inner extents, found ", left.value, " of shape ",
                              context.input_shape(0).ToString(), " and ", right.value, " of shape ",
                              context.input_shape(1).ToString()));
}

absl::Status InferGemm(InferContext& context) {
  const auto& attrs = context.attr<GemmAttrs>();
  QLITE_RETURN_IF_ERROR(context.CheckProductTypes(2));
  QLITE_RETURN_IF_ERROR(context.CheckRank(0, 2));
  QLITE_RETURN_IF_ERROR(context.CheckRank(1, 2));
  const Shape& a = context.input_shape(0);
  const Shape& b = context.input_shape(1);
  std::vector<Dim> dims(2);
  if (a.has_rank()) dims[0] = a.dim(attrs.trans_a ? 1 : 0);
  if (b.has_rank()) dims[1] = b.dim(attrs.trans_b ? 0 : 1);
  if (a.has_rank() && b.has_rank()) {
    QLITE_RETURN_IF_ERROR(CheckReduction(context, a.dim(attrs.trans_a ? 0 : 1), b.dim(attrs.trans_b ? 1 : 0)));
  }
  Shape output(std::move(dims));
  if (context.has_input(2)) {
    if (absl::Status status = CheckBroadcastableTo(context.input_shape(2), output); !status.ok()) {
      return context.Error(StrCat("input C: ", Message(status)));
    }
  }
  return context.SetOutput(0, context.ProductType(), std::move(output));
}

// Matrices of the last two dimensions, the others broadcast. A vector on the left is a row, on the right a column, and
// its dimension of extent 1 is dropped from the result.
absl::Status InferMatMul(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckProductTypes(2));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(0, 1));
  QLITE_RETURN_IF_ERROR(context.CheckMinRank(1, 1));
  std::vector<Dim> a = context.input_shape(0).dims();
  std::vector<Dim> b = context.input_shape(1).dims();
  if (a.empty() || b.empty()) return context.SetOutput(0, context.ProductType(), Shape());
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), Dim(1));
  if (column) b.push_back(Dim(1));
  QLITE_RETURN_IF_ERROR(CheckReduction(context, a.back(), b[b.size() - 2]));
  const Dim rows = a[a.size() - 2];
  const Dim columns = b.back();
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  const absl::StatusOr<Shape> batch = BroadcastShapes(Shape(std::move(a)), Shape(std::move(b)));
  if (!batch.ok()) return context.Error(StrCat("leading dimensions: ", Message(batch.status())));
  std::vector<Dim> dims = batch->dims();
  if (!row) dims.push_back(rows);
  if (!column) dims.push_back(columns);
  if (context.has_input(2)) QLITE_RETURN_IF_ERROR(context.CheckVector(2, "bias", columns));
  return context.SetOutput(0, context.ProductType(), Shape(std::move(dims)));
}

}  // namespace

namespace op_rules {
OpRule GemmRule() { return {.kind = OpKind::kProduct, .min_inputs = 2, .max_inputs = 3, .infer = InferGemm}; }
OpRule MatMulRule() { return {.kind = OpKind::kProduct, .min_inputs = 2, .max_inputs = 3, .infer = InferMatMul}; }
}  // namespace op_rules

}  // namespace qlite
