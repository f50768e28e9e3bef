// A walk over an N-dimensional index space by up to four operands, each with a stride (possibly zero or negative) for
// every dimension. Elementwise kernels with broadcasting and strided copies run such a plan. A plan is made once for a
// shape; dimensions that every operand can walk as one are merged, so that the common cases become one long row.
#ifndef QLITE_KERNELS_STRIDED_PLAN_H_
#define QLITE_KERNELS_STRIDED_PLAN_H_

#include <cstdint>
#include <span>

namespace qlite::kernels {

inline constexpr int kMaxPlanRank = 8;
inline constexpr int kMaxPlanOperands = 4;

// Operand 0 is the output. Strides are in elements of the operand. The last dimension is the fastest. A plan has at
// least one dimension; `elements` is the product of the shape and the number of work units: kernels take a range
// [begin, end) of flat indices into the (merged) shape, and any split into ranges gives the same bits.
struct StridedPlan {
  int rank = 0;
  int operands = 0;
  int64_t elements = 0;
  int64_t shape[kMaxPlanRank] = {};
  int64_t stride[kMaxPlanOperands][kMaxPlanRank] = {};
};

// The shape that numpy's rule gives for a and b, in out_shape[0, *out_rank). False when they do not agree, or where the
// rank is above kMaxPlanRank.
bool BroadcastShapes(std::span<const int64_t> a, std::span<const int64_t> b, int64_t (&out_shape)[kMaxPlanRank],
                     int* out_rank);

// Plan for a dense row-major output of out_shape and dense row-major inputs of 1 to 3 shapes that broadcast to it.
// False when one of them does not, when a rank is above kMaxPlanRank, a dimension is negative, or the product
// overflows.
bool PlanBroadcast(std::span<const int64_t> out_shape, std::span<const std::span<const int64_t>> input_shapes,
                   StridedPlan* plan);

// The same for two inputs.
bool PlanBroadcast(std::span<const int64_t> out_shape, std::span<const int64_t> a_shape,
                   std::span<const int64_t> b_shape, StridedPlan* plan);

// Plan for given strides: strides[k] holds shape.size() strides of operand k, the output first. Same refusals.
bool PlanStrided(std::span<const int64_t> shape, std::span<const std::span<const int64_t>> strides, StridedPlan* plan);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_STRIDED_PLAN_H_
