// Elementwise float operators, one or a chain of them, as one step.
#ifndef QLITE_RUNTIME_STEPS_FLOAT_CHAIN_H_
#define QLITE_RUNTIME_STEPS_FLOAT_CHAIN_H_

#include "absl/status/status.h"
#include "runtime/lowering.h"

namespace qlite {

// Emits the step of the current node and of the nodes that joined it (NodeFusion::chain). Threads share the blocks of
// the result, and each block passes through all the operators before the next one: what lies between them stays in the
// cache. The kernels are those of separate steps on the same values, so the bits are too.
absl::Status EmitFloatChain(Lowering& lowering);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_FLOAT_CHAIN_H_
