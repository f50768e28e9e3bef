#include "kernels/strided_plan.h"

#include <algorithm>

namespace qlite::kernels {
namespace {

// The product of a shape. False where a dimension is negative or the product overflows.
bool CountElements(std::span<const int64_t> shape, int64_t* count) {
  int64_t product = 1;
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) return false;
    empty |= dim == 0;
    if (dim != 0 && __builtin_mul_overflow(product, dim, &product)) return false;
  }
  *count = empty ? 0 : product;
  return true;
}

// Whether every operand walks dimension `outer` of the plan so far and the new one `inner` as one dimension.
bool CanMerge(const StridedPlan& plan, int outer, const int64_t (&inner_stride)[kMaxPlanOperands], int64_t inner_dim) {
  for (int k = 0; k < plan.operands; ++k) {
    if (plan.stride[k][outer] != inner_stride[k] * inner_dim) return false;
  }
  return true;
}

// Dimensions of size 1 vanish; neighbours that can be walked as one become one.
void AppendDimension(int64_t dim, const int64_t (&stride)[kMaxPlanOperands], StridedPlan* plan) {
  if (dim == 1) return;
  const int outer = plan->rank - 1;
  if (outer >= 0 && CanMerge(*plan, outer, stride, dim)) {
    plan->shape[outer] *= dim;
    for (int k = 0; k < plan->operands; ++k) plan->stride[k][outer] = stride[k];
    return;
  }
  plan->shape[plan->rank] = dim;
  for (int k = 0; k < plan->operands; ++k) plan->stride[k][plan->rank] = stride[k];
  ++plan->rank;
}

// The strides with which a dense array of in_shape is read under out_shape. False when it does not broadcast.
bool BroadcastStrides(std::span<const int64_t> out_shape, std::span<const int64_t> in_shape,
                      int64_t (&stride)[kMaxPlanRank]) {
  if (in_shape.size() > out_shape.size()) return false;
  std::fill_n(stride, kMaxPlanRank, 0);
  int64_t dense = 1;
  const size_t missing = out_shape.size() - in_shape.size();
  for (size_t d = out_shape.size(); d-- > missing;) {
    const int64_t dim = in_shape[d - missing];
    if (dim != out_shape[d] && dim != 1) return false;
    if (dim != 1) stride[d] = dense;
    dense *= dim;
  }
  return true;
}

}  // namespace

bool BroadcastShapes(std::span<const int64_t> a, std::span<const int64_t> b, int64_t (&out_shape)[kMaxPlanRank],
                     int* out_rank) {
  const size_t rank = std::max(a.size(), b.size());
  if (rank > kMaxPlanRank) return false;
  for (size_t d = 0; d < rank; ++d) {
    const int64_t dim_a = d + a.size() < rank ? 1 : a[d + a.size() - rank];
    const int64_t dim_b = d + b.size() < rank ? 1 : b[d + b.size() - rank];
    if (dim_a != dim_b && dim_a != 1 && dim_b != 1) return false;
    out_shape[d] = dim_a == 1 ? dim_b : dim_a;
  }
  *out_rank = static_cast<int>(rank);
  return true;
}

bool PlanBroadcast(std::span<const int64_t> out_shape, std::span<const std::span<const int64_t>> input_shapes,
                   StridedPlan* plan) {
  int64_t elements;
  if (out_shape.size() > kMaxPlanRank || input_shapes.empty() || input_shapes.size() >= kMaxPlanOperands ||
      !CountElements(out_shape, &elements)) {
    return false;
  }
  int64_t stride[kMaxPlanOperands][kMaxPlanRank];
  std::span<const int64_t> spans[kMaxPlanOperands];
  for (size_t k = 0; k <= input_shapes.size(); ++k) {
    if (!BroadcastStrides(out_shape, k == 0 ? out_shape : input_shapes[k - 1], stride[k])) return false;
    spans[k] = std::span<const int64_t>(stride[k], out_shape.size());
  }
  return PlanStrided(out_shape, std::span(spans, input_shapes.size() + 1), plan);
}

bool PlanBroadcast(std::span<const int64_t> out_shape, std::span<const int64_t> a_shape,
                   std::span<const int64_t> b_shape, StridedPlan* plan) {
  const std::span<const int64_t> inputs[2] = {a_shape, b_shape};
  return PlanBroadcast(out_shape, inputs, plan);
}

bool PlanStrided(std::span<const int64_t> shape, std::span<const std::span<const int64_t>> strides, StridedPlan* plan) {
  StridedPlan made;
  if (shape.size() > kMaxPlanRank || strides.empty() || strides.size() > kMaxPlanOperands ||
      !CountElements(shape, &made.elements)) {
    return false;
  }
  made.operands = static_cast<int>(strides.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t stride[kMaxPlanOperands] = {};
    for (size_t k = 0; k < strides.size(); ++k) {
      if (strides[k].size() != shape.size()) return false;
      stride[k] = strides[k][d];
    }
    AppendDimension(shape[d], stride, &made);
  }
  if (made.rank == 0) {  // one element
    made.rank = 1;
    made.shape[0] = 1;
  }
  *plan = made;
  return true;
}

}  // namespace qlite::kernels
