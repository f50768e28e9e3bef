// Integer arithmetic, comparison, logic and selection with numpy's broadcasting: what shape computations need. Plain
// C++. All of them run the flat indices [begin, end) of a StridedPlan whose operands are out, a, b (and c for Where).
#ifndef QLITE_KERNELS_ELEMENTWISE_INT_H_
#define QLITE_KERNELS_ELEMENTWISE_INT_H_

#include <cstdint>

#include "kernels/strided_plan.h"

namespace qlite::kernels {

// Two's complement: results wrap; the lowest integer divided by -1 is itself, and its remainder 0.
enum class IntegerOp : int {
  kAdd,
  kSub,
  kMul,
  kDiv,  // truncates toward zero
  kMod,  // the sign of the divisor, as ONNX Mod with fmod = 0
  kMin,
  kMax,
};

// False when a divisor is zero; out then holds an unspecified part of the result. T: int32_t, int64_t.
template <typename T>
bool IntegerBinary(IntegerOp op, const StridedPlan& plan, const T* a, const T* b, T* out, int64_t begin, int64_t end);

enum class CompareOp : int { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// out is 1 or 0. Comparisons with NaN are false. T: float, double, int32_t, int64_t, uint8_t (also bool), int8_t.
template <typename T>
void Compare(CompareOp op, const StridedPlan& plan, const T* a, const T* b, uint8_t* out, int64_t begin, int64_t end);

// Booleans are bytes; any value but 0 reads as true, and 1 is written.
enum class LogicOp : int { kAnd, kOr, kXor };
void Logic(LogicOp op, const StridedPlan& plan, const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t begin,
           int64_t end);
void LogicalNot(const uint8_t* in, uint8_t* out, int64_t count);

// out = condition ? a : b, for elements of 1, 2, 4 or 8 bytes; the plan's operands are out, condition, a, b. False for
// any other element size.
bool Where(int element_size, const StridedPlan& plan, const uint8_t* condition, const void* a, const void* b, void* out,
           int64_t begin, int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_ELEMENTWISE_INT_H_
