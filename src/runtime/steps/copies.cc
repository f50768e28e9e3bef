#include "runtime/steps/copies.h"

#include <array>

#include "kernels/elementwise_u8.h"
#include "kernels/strided_copy.h"
#include "kernels/unary_f32.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/blocks.h"

namespace qlite {

void EmitStridedCopy(Lowering& lowering, std::span<const int64_t> shape, const Operand& in,
                     std::span<const int64_t> in_strides, const Operand& out, std::span<const int64_t> out_strides,
                     size_t element_size) {
  kernels::CopyPlan plan;
  kernels::PlanCopy(shape, in_strides, out_strides, &plan);  // cannot fail: ranks and sizes have been checked
  if (plan.work_units == 0) return;
  const double cost = static_cast<double>(plan.walk.elements) * (plan.tile_dim >= 0 ? 0.5 : 0.1);
  lowering.Emit({in, out}, [=](const Frame& frame) {
    const auto* from = frame.In<std::byte>(in);
    auto* to = frame.Out<std::byte>(out);
    frame.ParallelFor(plan.work_units, cost, [&](int64_t begin, int64_t end, int) {
      kernels::RunCopy(plan, static_cast<int>(element_size), from, to, begin, end);
    });
    return absl::OkStatus();
  });
}

void EmitFlipSign(Lowering& lowering, const Operand& in, const Operand& out, int64_t elements) {
  const auto run = kernels::ElementwiseU8(lowering.isa()).flip_sign;
  lowering.Emit({in, out}, [=](const Frame& frame) {
    ForBlocks(frame, elements, 0.05,
              [&](int64_t begin, int64_t end) { run(frame.In<uint8_t>(in), frame.Out<uint8_t>(out), begin, end); });
    return absl::OkStatus();
  });
}

void EmitRequantize(Lowering& lowering, const Operand& in, const QuantParams& from, const Operand& out,
                    const QuantParams& to, int64_t elements) {
  const bool same_place = in.buffer == out.buffer && in.offset == out.offset && in.constant == out.constant;
  if (from == to && same_place) return;
  std::array<uint8_t, 256> table;
  kernels::MakeRequantizeTable(ByteZeroPoint(from), from.scales[0] / to.scales[0], OutputQuantizationOf(to),
                               table.data());
  const auto run = kernels::ElementwiseU8(lowering.isa()).lookup;
  lowering.Emit({in, out}, [=](const Frame& frame) {
    ForBlocks(frame, elements, 0.2, [&](int64_t begin, int64_t end) {
      run(frame.In<uint8_t>(in), table.data(), frame.Out<uint8_t>(out), begin, end);
    });
    return absl::OkStatus();
  });
}

void EmitClamp(Lowering& lowering, const Operand& values, const FusedClamp& clamp, int64_t elements) {
  if (!clamp.active()) return;
  const auto run = kernels::UnaryF32(lowering.isa())[kernels::UnaryOp::kClip];
  const kernels::UnaryParams params{clamp.min, clamp.max};
  lowering.Emit({values}, [=](const Frame& frame) {
    ForBlocks(frame, elements, 0.1, [&](int64_t begin, int64_t end) {
      float* data = frame.Out<float>(values) + begin;
      run(data, data, end - begin, params);
    });
    return absl::OkStatus();
  });
}

}  // namespace qlite
