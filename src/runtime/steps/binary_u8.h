// Add, Sub and Mul of int8 activations.
#ifndef QLITE_RUNTIME_STEPS_BINARY_U8_H_
#define QLITE_RUNTIME_STEPS_BINARY_U8_H_

#include "absl/status/status.h"
#include "runtime/lowering.h"

namespace qlite {

// kUnimplemented for another operator and where an operand is not int8.
absl::Status BinaryBytes(Lowering& lowering, const Node& node);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_BINARY_U8_H_
