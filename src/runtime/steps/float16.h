// Products whose weights are kept in float16.
#ifndef QLITE_RUNTIME_STEPS_FLOAT16_H_
#define QLITE_RUNTIME_STEPS_FLOAT16_H_

#include "kernels/conv_f16.h"
#include "runtime/lowering.h"
#include "runtime/steps/conv_steps.h"

namespace qlite {

// `args`: without operands. `weights`: constant, packed now. The operands are float32.
void EmitFloat16Conv(Lowering& lowering, const kernels::ConvF16Kernels& kernels, const kernels::ConvF32Args& args,
                     const kernels::ConvF16Weights& weights, const ConvOperands& operands, double cost);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_FLOAT16_H_
