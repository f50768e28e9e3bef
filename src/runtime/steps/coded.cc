#include "runtime/steps/coded.h"

#include "kernels/conv_coded.h"
#include "runtime/steps/float_units.h"

namespace qlite {

void EmitCodedConv(Lowering& lowering, const kernels::ConvF32Args& args, const CodedLayout& layout, CodedWeight& weight,
                   const ConvOperands& operands, double cost) {
  const auto& kernels = kernels::ConvCoded(lowering.isa());
  const Operand packed = lowering.NewCodedConstant(kernels, args.geometry, layout, weight);
  EmitFloatUnits(lowering, kernels, args, operands, packed, kernels.packed_bytes(args.geometry, weight.form), cost,
                 [form = weight.form](const kernels::ConvF32Args& conv, const std::byte* weights) {
                   return kernels::ConvCodedArgs{conv, form, weights};
                 });
}

}  // namespace qlite
