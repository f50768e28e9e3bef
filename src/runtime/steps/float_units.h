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
// the packed bytes, of which there are `packed_bytes`. `cost`: as for Frame::ParallelFor.
template <class Kernels, class WithWeights>
void EmitFloatUnits(Lowering& lowering, const Kernels& kernels, const kernels::ConvF32Args& args,
                    const ConvOperands& operands, Operand packed, int64_t packed_bytes, double cost,
                    WithWeights with_weights) {
  const kernels::ConvF32Geometry geometry = args.geometry;
  lowering.NeedWorkspace(kernels.workspace_bytes(geometry));
  const int64_t part_rows = RowsOfPart(geometry, kRowsTogether<Kernels>);
  ForEachPart(geometry, part_rows,
              [&](const ConvPart& part) { lowering.NeedWorkspace(kernels.workspace_bytes(part.geometry)); });
  const auto complete_args = [=](const Frame& frame) {
    kernels::ConvF32Args complete = args;
    complete.input = frame.In<float>(operands.input);
    complete.bias = frame.In<float>(operands.bias);
    complete.residual = frame.In<float>(operands.residual);
    complete.output = frame.Out<float>(operands.output);
    return complete;
  };
  const auto run_part = [=, units_of = kernels.units, run = kernels.run](const Frame& frame, const ConvPart& part,
                                                                         int worker) {
    run(with_weights(ArgsOfPart(complete_args(frame), part), frame.In<std::byte>(packed)), frame.Workspace(worker), 0,
        units_of(part.geometry));
  };
  const auto whole = [=, units_of = kernels.units, run = kernels.run](const Frame& frame) {
    if (part_rows > 0 && frame.parts() != nullptr && frame.parts()->split) {
      ForEachPart(args.geometry, part_rows, [&](const ConvPart& part) {
        run_part(frame, part, 0);
        frame.parts()->tell(0, frame.In<std::byte>(operands.output),
                            part.elements_made * static_cast<int64_t>(sizeof(float)));
      });
      return absl::OkStatus();
    }
    const auto now = with_weights(complete_args(frame), frame.In<std::byte>(packed));
    frame.ParallelFor(units_of(args.geometry), cost,
                      [&](int64_t begin, int64_t end, int worker) { run(now, frame.Workspace(worker), begin, end); });
    return absl::OkStatus();
  };
  RowForm form = RowFormOf(geometry, operands);
  form.multiple = kRowsTogether<Kernels>;
  form.constant_bytes = packed_bytes;
  form.cost = cost;
  form.workspace_bytes = [=, bytes_of = kernels.workspace_bytes](int64_t rows) {
    int64_t bytes = 0;
    for (int64_t first = 0; first < geometry.out_h; ++first) {
      const int64_t end = std::min(first + rows, geometry.out_h);
      bytes = std::max(bytes, bytes_of(PartOf(geometry, 0, first, end).geometry));
    }
    return bytes;
  };
  form.run = [=](const Frame& frame, const RowRange& rows, int worker) {
    run_part(frame, PartOf(geometry, rows.image, rows.first, rows.end), worker);
  };
  lowering.Emit({operands.input, packed, operands.bias, operands.residual, operands.output}, whole, std::move(form));
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_FLOAT_UNITS_H_
