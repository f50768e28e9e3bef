// ScatterND.
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// The updates have the extents of the indices but the last, and then those of the slices that are replaced.
absl::Status CheckUpdates(const InferContext& context, int64_t depth) {
  const Shape &data = context.input_shape(0), &indices = context.input_shape(1), &updates = context.input_shape(2);
  std::vector<Dim> dims(indices.dims().begin(), indices.dims().end() - 1);
  dims.insert(dims.end(), data.dims().begin() + depth, data.dims().end());
  const Shape expected(std::move(dims));
  bool agrees = !updates.has_rank() || updates.rank() == expected.rank();
  for (int64_t i = 0; agrees && updates.has_rank() && i < expected.rank(); ++i) {
    const Dim &a = expected.dim(i), &b = updates.dim(i);
    agrees = !a.known() || !b.known() || a.value == b.value;
  }
  if (agrees) return absl::OkStatus();
  return context.Error(StrCat("expected updates of shape ", expected.ToString(), ", found ", updates.ToString()));
}

absl::Status InferScatterND(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckType(1, ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckSameType(2));
  const Shape &data = context.input_shape(0), &indices = context.input_shape(1);
  if (data.has_rank() && indices.has_rank()) {
    if (indices.rank() == 0) return context.Error("expected indices of at least one dimension");
    const Dim& depth = indices.dim(indices.rank() - 1);
    if (depth.known()) {
      if (depth.value > data.rank()) {
        return context.Error(StrCat("indices of ", depth.value, " numbers into ", data.rank(), " dimensions"));
      }
      QLITE_RETURN_IF_ERROR(CheckUpdates(context, depth.value));
    }
  }
  return context.SetOutput(0, context.input_type(0), data);
}

}  // namespace

namespace op_rules {
OpRule ScatterNDRule() { return {.min_inputs = 3, .max_inputs = 3, .infer = InferScatterND}; }
}  // namespace op_rules

}  // namespace qlite
