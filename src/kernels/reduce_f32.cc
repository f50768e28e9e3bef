#include "kernels/reduce_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ReduceF32)

namespace {

bool MarkReduced(std::span<const int64_t> axes, int rank, bool (&reduced)[kMaxPlanRank]) {
  for (const int64_t axis : axes) {
    if (axis < 0 || axis >= rank || reduced[axis]) return false;
    reduced[axis] = true;
  }
  return true;
}

// Outer, length and inner where the reduced axes are neighbours (dimensions of size 1 aside); false where they are not.
bool GroupNeighbours(std::span<const int64_t> shape, const bool (&reduced)[kMaxPlanRank], ReducePlan* plan) {
  enum { kOuter, kLength, kInner } part = kOuter;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (reduced[d]) {
      if (part == kInner) return false;
      part = kLength;
      plan->length *= shape[d];
    } else if (part == kOuter) {
      plan->outer *= shape[d];
    } else {
      part = kInner;
      plan->inner *= shape[d];
    }
  }
  return true;
}

void GroupByTranspose(std::span<const int64_t> shape, const bool (&reduced)[kMaxPlanRank], ReducePlan* plan) {
  *plan = ReducePlan{};
  plan->transpose = true;
  for (const bool pass : {false, true}) {
    for (size_t d = 0; d < shape.size(); ++d) {
      if (reduced[d] != pass) continue;
      plan->permutation[plan->rank++] = static_cast<int>(d);
      (pass ? plan->length : plan->outer) *= shape[d];
    }
  }
}

}  // namespace

bool PlanReduce(std::span<const int64_t> shape, std::span<const int64_t> axes, ReducePlan* plan) {
  if (shape.size() > kMaxPlanRank) return false;
  int64_t product = 1;
  for (const int64_t dim : shape) {
    if (dim < 0 || (dim > 0 && __builtin_mul_overflow(product, dim, &product))) return false;
  }
  bool reduced[kMaxPlanRank] = {};
  if (!MarkReduced(axes, static_cast<int>(shape.size()), reduced)) return false;
  *plan = ReducePlan{};
  if (!GroupNeighbours(shape, reduced, plan)) GroupByTranspose(shape, reduced, plan);
  return true;
}

}  // namespace qlite::kernels
