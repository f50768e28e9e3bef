// Which float kernel computes an elementwise operator.
#ifndef QLITE_RUNTIME_STEPS_FLOAT_FUNCTIONS_H_
#define QLITE_RUNTIME_STEPS_FLOAT_FUNCTIONS_H_

#include <optional>

#include "kernels/binary_f32.h"
#include "kernels/unary_f32.h"
#include "qlite/graph.h"

namespace qlite {

struct UnaryFunction {
  kernels::UnaryOp op;
  kernels::UnaryParams params;
};

// Nothing for an operator that is no function of one element.
std::optional<UnaryFunction> UnaryFunctionOf(const Node& node);

// Nothing for an operator that is no function of two elements. Min and Max of more operands are applied one by one.
std::optional<kernels::BinaryOp> BinaryFunctionOf(OpType op);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_FLOAT_FUNCTIONS_H_
