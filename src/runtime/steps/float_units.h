// The running of float convolutions, whatever form their weights have.
#ifndef QLITE_RUNTIME_STEPS_FLOAT_UNITS_H_
#define QLITE_RUNTIME_STEPS_FLOAT_UNITS_H_

#include "kernels/conv_f32.h"
#include "kernels/winograd_f32.h"
#include "runtime/lowering.h"
#include "runtime/steps/conv_parts.h"
#include "runtime/steps/conv_steps.h"

namespace qlite {

// Output rows of which every part but the last must have a multiple.
template <class Kernels>
inline constexpr int64_t kRowsTogether = 1;
template <>
inline constexpr int64_t kRowsTogether<kernels::WinogradF32Kernels> = kernels::kWinogradTile;

// A step that runs the units of `kernels`, whose weights lie in `packed`, or part by part for those who look at once.
// `args`: without operands. `with_weights(args, weights)` makes what `kernels.run` takes of the complete operands and
// the packed bytes. `cost`: as for Frame::ParallelFor.
template <class Kernels, class WithWeights>
void EmitFloatUnits(Lowering& lowering, const Kernels& kernels, const kernels::ConvF32Args& args,
                    const ConvOperands& operands, Operand packed, double cost, WithWeights with_weights) {
  const kernels::ConvF32Geometry& geometry = args.geometry;
  lowering.NeedWorkspace(kernels.workspace_bytes(geometry));
  const int64_t part_rows = RowsOfPart(geometry, kRowsTogether<Kernels>);
  ForEachPart(geometry, part_rows,
              [&](const ConvPart& part) { lowering.NeedWorkspace(kernels.workspace_bytes(part.geometry)); });
  lowering.Emit({operands.input, packed, operands.bias, operands.residual, operands.output},
                [=, units_of = kernels.units, run = kernels.run](const Frame& frame) {
                  kernels::ConvF32Args complete = args;
                  complete.input = frame.In<float>(operands.input);
                  complete.bias = frame.In<float>(operands.bias);
                  complete.residual = frame.In<float>(operands.residual);
                  complete.output = frame.Out<float>(operands.output);
                  const auto* weights = frame.In<std::byte>(packed);
                  if (part_rows > 0 && frame.parts() != nullptr) {
                    ForEachPart(args.geometry, part_rows, [&](const ConvPart& part) {
                      run(with_weights(ArgsOfPart(complete, part), weights), frame.Workspace(0), 0,
                          units_of(part.geometry));
                      (*frame.parts())(part.elements_made);
                    });
                    return absl::OkStatus();
                  }
                  const auto now = with_weights(complete, weights);
                  frame.ParallelFor(units_of(args.geometry), cost, [&](int64_t begin, int64_t end, int worker) {
                    run(now, frame.Workspace(worker), begin, end);
                  });
                  return absl::OkStatus();
                });
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_FLOAT_UNITS_H_
