// Averages of int8 images.
#ifndef QLITE_RUNTIME_STEPS_MEAN_U8_H_
#define QLITE_RUNTIME_STEPS_MEAN_U8_H_

#include "kernels/pool_u8.h"
#include "qlite/quant_params.h"
#include "runtime/program.h"

namespace qlite {

class Lowering;

// The step of an average over windows; args has everything but the pointers.
void EmitByteMean(Lowering& lowering, const kernels::PoolU8Args& args, bool count_include_pad, const Operand& in,
                  const QuantParams& in_params, const Operand& out, const QuantParams& out_params);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_MEAN_U8_H_
