// Functions of two floats with numpy's broadcasting. Any broadcast that fits a StridedPlan runs; one long row, a scalar
// operand and a vector along the last dimension (a channel vector in channels-last memory) run at the speed of memory.
#ifndef QLITE_KERNELS_BINARY_F32_H_
#define QLITE_KERNELS_BINARY_F32_H_

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/strided_plan.h"

namespace qlite::kernels {

enum class BinaryOp : int {
  kAdd,    //
  kSub,    //
  kMul,    //
  kDiv,    // correctly rounded
  kPow,    // a^b, as C's pow does for zeros, infinities, NaN and negative bases; see kernels/simd_math.h for its error
  kMin,    // NaN where either is
  kMax,    // NaN where either is
  kPRelu,  // a >= 0 ? a : b*a
};
inline constexpr int kBinaryOpCount = static_cast<int>(BinaryOp::kPRelu) + 1;

// out = op(a, b) for the flat indices [begin, end) of a plan with operands out, a, b. out may be a or b itself where
// its strides are those of that operand; otherwise it overlaps neither.
using BinaryF32Function = void (*)(const StridedPlan& plan, const float* a, const float* b, float* out, int64_t begin,
                                   int64_t end);

struct BinaryF32Kernels {
  BinaryF32Function run[kBinaryOpCount];  // by BinaryOp
  BinaryF32Function operator[](BinaryOp op) const { return run[static_cast<int>(op)]; }
};

const BinaryF32Kernels& BinaryF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_BINARY_F32_H_
