// Add, Sub and Mul of int8 activations.
#ifndef QLITE_RUNTIME_STEPS_BINARY_U8_H_
#define QLITE_RUNTIME_STEPS_BINARY_U8_H_

#include "absl/status/status.h"
#include "kernels/elementwise_u8.h"
#include "runtime/lowering.h"

namespace qlite {

// kUnimplemented for another operator and where an operand is not int8.
absl::Status BinaryBytes(Lowering& lowering, const Node& node);

// The addition of `residual` that the step of the current node does to its product, without the data.
kernels::ResidualU8 ResidualOf(const Lowering& lowering, const Placement& residual);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_BINARY_U8_H_
