// Functions of one float, applied to a contiguous range.
//
// Exp, log, erf and what is made of them are polynomials of this project (kernels/simd_math.h), evaluated with the same
// rounded operations on every instruction set; that header states their largest errors, and the tests hold them to
// these.
#ifndef QLITE_KERNELS_UNARY_F32_H_
#define QLITE_KERNELS_UNARY_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// NaN gives NaN for every one of them (which NaN is not promised).
enum class UnaryOp : int {
  kRelu,         // max(x, 0); -0 stays -0
  kLeakyRelu,    // x >= 0 ? x : alpha*x
  kElu,          // x >= 0 ? x : alpha*(exp(x) - 1)
  kClip,         // min(max(x, alpha), beta): alpha is the lower bound, beta the upper, which wins where they cross
  kSigmoid,      // 1 / (1 + exp(-x))
  kTanh,         //
  kHardSigmoid,  // max(0, min(1, alpha*x + beta))
  kHardSwish,    // x * max(0, min(1, x/6 + 1/2))
  kExp,          //
  kLog,          // NaN below zero, -infinity at zero
  kErf,          //
  kSqrt,         // correctly rounded
  kNeg,          //
  kAbs,          //
  kReciprocal,   // 1/x, correctly rounded
  kFloor,        //
  kCeil,         //
  kRound,        // to the nearest integer, halves to even
  kSoftplus,     // log(1 + exp(x))
  kSwish,        // x * sigmoid(alpha*x); SiLU for alpha = 1
  kGelu,         // x/2 * (1 + erf(x/sqrt(2)))
};
inline constexpr int kUnaryOpCount = static_cast<int>(UnaryOp::kGelu) + 1;

// What an op reads of it is said at UnaryOp; the others ignore it.
struct UnaryParams {
  float alpha = 0.0f;
  float beta = 0.0f;
};

// out[i] = op(in[i]) for 0 <= i < count. in and out are the same memory or do not overlap. Any split of a tensor into
// ranges gives the same bits.
using UnaryF32Function = void (*)(const float* in, float* out, int64_t count, UnaryParams params);

struct UnaryF32Kernels {
  UnaryF32Function run[kUnaryOpCount];  // by UnaryOp
  UnaryF32Function operator[](UnaryOp op) const { return run[static_cast<int>(op)]; }
};

const UnaryF32Kernels& UnaryF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_UNARY_F32_H_
