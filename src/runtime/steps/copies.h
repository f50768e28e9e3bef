// Steps that many operators share: copies, conversions of int8 values, clamps.
#ifndef QLITE_RUNTIME_STEPS_COPIES_H_
#define QLITE_RUNTIME_STEPS_COPIES_H_

#include <cstdint>
#include <span>

#include "qlite/ops.h"
#include "qlite/quant_params.h"
#include "runtime/program.h"

namespace qlite {

class Lowering;

// Copies an array of `shape` between operands with strides in elements.
void EmitStridedCopy(Lowering& lowering, std::span<const int64_t> shape, const Operand& in,
                     std::span<const int64_t> in_strides, const Operand& out, std::span<const int64_t> out_strides,
                     size_t element_size);

// Between the int8 of a graph and the bytes of the runtime, in either direction.
void EmitFlipSign(Lowering& lowering, const Operand& in, const Operand& out, int64_t elements);

// Dense bytes with parameters `from` become bytes with parameters `to`; in may be out. Emits nothing where the
// parameters are equal and in is out.
void EmitRequantize(Lowering& lowering, const Operand& in, const QuantParams& from, const Operand& out,
                    const QuantParams& to, int64_t elements);

// Clamps dense floats in place. Emits nothing for a clamp that is not active.
void EmitClamp(Lowering& lowering, const Operand& values, const FusedClamp& clamp, int64_t elements);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_COPIES_H_
