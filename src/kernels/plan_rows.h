// The walk over a range of a StridedPlan, row by row. A template on the visitor, which is a lambda of the including
// source, so that every instantiation belongs to one translation unit.
#ifndef QLITE_KERNELS_PLAN_ROWS_H_
#define QLITE_KERNELS_PLAN_ROWS_H_

#include <cstdint>

#include "kernels/strided_plan.h"

namespace qlite::kernels {

// Calls visit(offsets, count) for every stretch of the last dimension inside the flat indices [begin, end), in order:
// offsets[k] is where operand k's first element of the stretch is.
template <typename Visit>
void ForEachPlanRow(const StridedPlan& plan, int64_t begin, int64_t end, Visit visit) {
  if (begin >= end) return;
  const int last = plan.rank - 1;
  int64_t index[kMaxPlanRank];
  int64_t offset[kMaxPlanOperands] = {};
  int64_t rest = begin;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % plan.shape[d];
    rest /= plan.shape[d];
    for (int k = 0; k < plan.operands; ++k) offset[k] += index[d] * plan.stride[k][d];
  }
  for (int64_t at = begin; at < end;) {
    const int64_t row = plan.shape[last] - index[last];
    const int64_t count = row < end - at ? row : end - at;
    visit(static_cast<const int64_t*>(offset), count);
    at += count;
    if (count < row) return;
    for (int k = 0; k < plan.operands; ++k) offset[k] -= index[last] * plan.stride[k][last];
    index[last] = 0;
    for (int d = last - 1; d >= 0; --d) {
      for (int k = 0; k < plan.operands; ++k) offset[k] += plan.stride[k][d];
      if (++index[d] < plan.shape[d]) break;
      for (int k = 0; k < plan.operands; ++k) offset[k] -= plan.shape[d] * plan.stride[k][d];
      index[d] = 0;
    }
  }
}

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_PLAN_ROWS_H_
