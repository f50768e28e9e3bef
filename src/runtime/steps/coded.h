// Products whose weights stay integers.
#ifndef QLITE_RUNTIME_STEPS_CODED_H_
#define QLITE_RUNTIME_STEPS_CODED_H_

#include "runtime/lowering.h"
#include "runtime/steps/conv_steps.h"

namespace qlite {

// `args`: without operands. The weight is packed now. The operands are float32.
void EmitCodedConv(Lowering& lowering, const kernels::ConvF32Args& args, const CodedLayout& layout, CodedWeight& weight,
                   const ConvOperands& operands, double cost);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_CODED_H_
