#include "runtime/steps/coded.h"

#include "kernels/conv_coded.h"

namespace qlite {

void EmitCodedConv(Lowering& lowering, const kernels::ConvF32Args& args, const CodedLayout& layout, CodedWeight& weight,
                   const ConvOperands& operands, double cost) {
  const auto& kernels = kernels::ConvCoded(lowering.isa());
  const Operand packed = lowering.NewCodedConstant(kernels, args.geometry, layout, weight);
  lowering.NeedWorkspace(kernels.workspace_bytes(args.geometry));
  const int64_t units = kernels.units(args.geometry);
  lowering.Emit({operands.input, packed, operands.bias, operands.residual, operands.output},
                [=, run = kernels.run, form = weight.form](const Frame& frame) {
                  kernels::ConvCodedArgs now = {args, form, frame.In<std::byte>(packed)};
                  now.conv.input = frame.In<float>(operands.input);
                  now.conv.bias = frame.In<float>(operands.bias);
                  now.conv.residual = frame.In<float>(operands.residual);
                  now.conv.output = frame.Out<float>(operands.output);
                  frame.ParallelFor(units, cost, [&](int64_t begin, int64_t end, int worker) {
                    run(now, frame.Workspace(worker), begin, end);
                  });
                  return absl::OkStatus();
                });
}

}  // namespace qlite
