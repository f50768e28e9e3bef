// Softmax and LogSoftmax.
#include "core/shape_util.h"
#include "core/status_macros.h"
#include "kernels/softmax_f32.h"
#include "runtime/lowering.h"
#include "runtime/steps/lines.h"

namespace qlite::steps {

absl::Status Softmax(Lowering& lowering, const Node& node) {
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[0]));
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  auto lines = LinesAlong(lowering, node, in, node.attr<AxisAttrs>().axis);
  if (!lines.ok()) return lines.status();
  const Placement out = lowering.WriteOver(node.outputs[0], in);
  const auto& kernels = kernels::SoftmaxF32(lowering.isa());
  const auto run = node.op == OpType::kSoftmax ? kernels.softmax : kernels.log_softmax;
  const double cost = static_cast<double>(in.elements()) * 1.5;
  lowering.Emit({in.at, out.at}, [=, axis = *lines, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(axis.outer * axis.inner, cost, [&](int64_t begin, int64_t end, int) {
      run(frame.In<float>(from), frame.Out<float>(to), axis.length, axis.inner, begin, end);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace qlite::steps
