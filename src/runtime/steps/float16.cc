#include "runtime/steps/float16.h"

#include "runtime/steps/float_units.h"

namespace qlite {

void EmitFloat16Conv(Lowering& lowering, const kernels::ConvF16Kernels& kernels, const kernels::ConvF32Args& args,
                     const kernels::ConvF16Weights& weights, const ConvOperands& operands, double cost) {
  const int64_t bytes = kernels.packed_bytes(args.geometry);
  const Operand packed =
      lowering.NewConstant(0, bytes, [&](std::byte* memory) { kernels.pack(args.geometry, weights, memory); });
  EmitFloatUnits(lowering, kernels, args, operands, packed, bytes, cost,
                 [](const kernels::ConvF32Args& conv, const std::byte* packed_weights) {
                   return kernels::ConvF16Args{conv, packed_weights};
                 });
}

}  // namespace qlite
