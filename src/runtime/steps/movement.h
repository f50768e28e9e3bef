// What the operators that only move elements share.
#ifndef QLITE_RUNTIME_STEPS_MOVEMENT_H_
#define QLITE_RUNTIME_STEPS_MOVEMENT_H_

#include "absl/status/status.h"
#include "runtime/lowering.h"

namespace qlite {

// Input and output have one type, and where it is int8 both are quantized for the whole value.
absl::Status CheckMovement(const Lowering& lowering, const Node& node, ValueId in, ValueId out);

// Where int8 parameters of `in` and `out` differ, turns the dense bytes at `place`, which holds `out`, into those of
// `out`.
void FinishMovement(Lowering& lowering, ValueId in, ValueId out, const Placement& place);

// `out` lies at `place`, dense memory of `in`'s elements; bytes are requantized into memory of their own where the
// parameters differ.
void AliasMovement(Lowering& lowering, ValueId in, ValueId out, const Placement& place);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_MOVEMENT_H_
