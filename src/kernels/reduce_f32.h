// Reductions.
//
// A tensor is seen as (outer, length, inner) and reduced over `length`: line l = o*inner + i has the elements at
// o*length*inner + k*inner + i, and gives out[l]. The lines are the work units.
//
// The 16-lane tree, which defines every sum over a vector in this project: element k goes to lane k % 16; a lane starts
// at +0 and adds its elements in ascending k; then lane j adds lane j+8 for j < 8, lane j adds lane j+4 for j < 4, then
// j+2 for j < 2, and lane 0 adds lane 1. The bits of a line depend neither on inner nor on how lines are split.
#ifndef QLITE_KERNELS_REDUCE_F32_H_
#define QLITE_KERNELS_REDUCE_F32_H_

#include <cstdint>
#include <span>

#include "kernels/isa.h"
#include "kernels/strided_plan.h"

namespace qlite::kernels {

// Lines of length 0 give 0 for the sums, NaN for the mean, 1 for the product, -infinity for the maximum and +infinity
// for the minimum. NaN wins in maximum and minimum.
enum class ReduceOp : int {
  kSum,
  kMean,       // the sum divided by length
  kMax,        //
  kMin,        //
  kSumSquare,  // lanes accumulate x*x with one rounding (fused)
  kL1,         // sum of |x|
  kL2,         // square root of kSumSquare
  kProd,       // the tree with products, lanes start at 1
};
inline constexpr int kReduceOpCount = static_cast<int>(ReduceOp::kProd) + 1;

using ReduceF32Function = void (*)(const float* in, float* out, int64_t length, int64_t inner, int64_t begin,
                                   int64_t end);

struct ReduceF32Kernels {
  ReduceF32Function run[kReduceOpCount];  // by ReduceOp
  ReduceF32Function operator[](ReduceOp op) const { return run[static_cast<int>(op)]; }
};

const ReduceF32Kernels& ReduceF32(Isa isa);

// How to reduce a dense row-major tensor over any set of axes.
struct ReducePlan {
  int64_t outer = 1, length = 1, inner = 1;
  // Where the reduced axes are not neighbours (dimensions of size 1 aside) the input is transposed first: to the axes
  // permutation[0, rank), kept axes in their order and then the reduced ones in theirs; then inner is 1.
  bool transpose = false;
  int rank = 0;
  int permutation[kMaxPlanRank] = {};
};

// axes: each in [0, rank), in any order, none twice; an empty list reduces nothing (length 1). False for anything else,
// a rank above kMaxPlanRank, a negative dimension, or a product that overflows.
bool PlanReduce(std::span<const int64_t> shape, std::span<const int64_t> axes, ReducePlan* plan);

// The position of the largest (smallest) element of every line; the first of equals, or the last with `last`. NaN is
// larger (smaller) than every number. length > 0. T: float, int32_t, int64_t, int8_t, uint8_t.
template <typename T>
void ArgMax(const T* in, int64_t* out, int64_t length, int64_t inner, bool last, int64_t begin, int64_t end);
template <typename T>
void ArgMin(const T* in, int64_t* out, int64_t length, int64_t inner, bool last, int64_t begin, int64_t end);

// Integer reductions, two's complement (results wrap): kSum, kMean (truncates toward zero), kMax, kMin, kProd; false
// for the others, and for length 0 with kMean, kMax or kMin. T: int32_t, int64_t.
template <typename T>
bool ReduceInteger(ReduceOp op, const T* in, T* out, int64_t length, int64_t inner, int64_t begin, int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_REDUCE_F32_H_
