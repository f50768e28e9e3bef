#include "runtime/steps/float16.h"

namespace qlite {

void EmitFloat16Conv(Lowering& lowering, const kernels::ConvF16Kernels& kernels, const kernels::ConvF32Args& args,
                     const kernels::ConvF16Weights& weights, const ConvOperands& operands, double cost) {
  const Operand packed = lowering.NewConstant(0, kernels.packed_bytes(args.geometry),
                                              [&](std::byte* memory) { kernels.pack(args.geometry, weights, memory); });
  lowering.NeedWorkspace(kernels.workspace_bytes(args.geometry));
  const int64_t units = kernels.units(args.geometry);
  lowering.Emit({operands.input, packed, operands.bias, operands.residual, operands.output},
                [=, run = kernels.run](const Frame& frame) {
                  kernels::ConvF16Args now = {args, frame.In<std::byte>(packed)};
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
