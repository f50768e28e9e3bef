// Copies between strided arrays: transposition, slicing (any step), concatenation, splitting and expansion are all
// plans of two operands, out and in (kernels/strided_plan.h). Elements of 1, 2, 4 or 8 bytes. Bound by memory, and
// the same on every instruction set.
#ifndef QLITE_KERNELS_STRIDED_COPY_H_
#define QLITE_KERNELS_STRIDED_COPY_H_

#include <cstdint>
#include <span>

#include "kernels/strided_plan.h"

namespace qlite::kernels {

// A copy prepared for its shape. Where the output's fastest dimension is not the input's, the two are walked in square
// tiles that stay in the cache.
struct CopyPlan {
  StridedPlan walk;        // operands: out, in
  int tile_dim = -1;       // the dimension along which the input is contiguous, where it is tiled with the last one
  int64_t work_units = 0;  // elements of the walk, or strips of tiles
};

// Strides in elements, possibly 0 (input) or negative. False as PlanStrided.
bool PlanCopy(std::span<const int64_t> shape, std::span<const int64_t> in_strides, std::span<const int64_t> out_strides,
              CopyPlan* plan);

// The output's dimension d is the input's permutation[d]; in_shape is dense row-major, and so is the output. False also
// when permutation is none.
bool PlanTranspose(std::span<const int64_t> in_shape, std::span<const int> permutation, CopyPlan* plan);

// Work units [begin, end) of plan.work_units. in and out point to the element of index 0 and do not overlap. False,
// having written nothing, for an element size other than 1, 2, 4 and 8.
bool RunCopy(const CopyPlan& plan, int element_size, const void* in, void* out, int64_t begin, int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_STRIDED_COPY_H_
