// Operands of elementwise operators with broadcasting, in whatever layout they lie.
#ifndef QLITE_RUNTIME_STEPS_BROADCAST_H_
#define QLITE_RUNTIME_STEPS_BROADCAST_H_

#include <vector>

#include "kernels/strided_plan.h"
#include "runtime/lowering.h"

namespace qlite {

// The input for a result of extents `out` in `layout`: of full size in that layout, with a pixel stride where it has
// one; anything smaller as it lies.
Placement ReadOperand(Lowering& lowering, ValueId id, const Extents& out, Layout layout);

// Strides of the operand over the result's dimensions in physical order, 0 where it is broadcast.
std::vector<int64_t> BroadcastStrides(const Placement& operand, const Placement& out);

// The walk over `out` and the operands. Shapes have been checked by inference, so it always exists.
kernels::StridedPlan PlanOperands(const Placement& out, const std::vector<Placement>& operands);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_BROADCAST_H_
