// BatchNormalization, InstanceNormalization and LRN.
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/normalize_f32.h"
#include "runtime/lowering.h"

namespace qlite {
namespace {

absl::Status RequireFloatInputs(const Lowering& lowering, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input.valid()) QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  }
  return absl::OkStatus();
}

// Scale and shift of each channel, one behind the other: now where everything is constant, else by a step.
Operand Coefficients(Lowering& lowering, const Node& node, int64_t channels) {
  Operand vectors[4];
  bool constant = true;
  for (size_t i = 0; i < 4; ++i) {
    vectors[i] = lowering.Read(node.inputs[i + 1], Layout::kRowMajor).at;
    constant = constant && vectors[i].constant != nullptr;
  }
  const float epsilon = node.attr<BatchNormAttrs>().epsilon;
  const int64_t bytes = 2 * channels * static_cast<int64_t>(sizeof(float));
  if (constant) {
    const auto vector = [&](size_t i) { return reinterpret_cast<const float*>(vectors[i].constant); };
    return lowering.NewConstant(0, bytes, [&](std::byte* memory) {
      auto* scale = reinterpret_cast<float*>(memory);
      kernels::BatchNormCoefficients(vector(0), vector(1), vector(2), vector(3), epsilon, channels, scale,
                                     scale + channels);
    });
  }
  const Operand made = lowering.NewBuffer(bytes);
  lowering.Emit(
      {vectors[0], vectors[1], vectors[2], vectors[3], made},
      [=, gamma = vectors[0], beta = vectors[1], mean = vectors[2], variance = vectors[3]](const Frame& frame) {
        auto* scale = frame.Out<float>(made);
        kernels::BatchNormCoefficients(frame.In<float>(gamma), frame.In<float>(beta), frame.In<float>(mean),
                                       frame.In<float>(variance), epsilon, channels, scale, scale + channels);
        return absl::OkStatus();
      });
  return made;
}

}  // namespace

namespace steps {

absl::Status BatchNormalization(Lowering& lowering, const Node& node) {
  QLITE_RETURN_IF_ERROR(RequireFloatInputs(lowering, node));
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  const int64_t channels = in.dims.size() > 1 ? in.dims[1] : 1;
  const Operand coefficients = Coefficients(lowering, node, channels);
  const Placement out = lowering.WriteOver(node.outputs[0], in);
  if (in.elements() == 0) return absl::OkStatus();
  const bool planes = in.layout == Layout::kRowMajor && in.dims.size() > 2;
  const int64_t inner = planes ? in.elements() / (in.dims[0] * channels) : 1;
  const int64_t units = planes ? in.dims[0] * channels : in.elements() / channels;
  const auto& kernels = kernels::NormalizeF32(lowering.isa());
  const double cost = static_cast<double>(in.elements()) * 0.15;
  lowering.Emit(
      {in.at, coefficients, out.at}, [=, by_pixel = kernels.scale_shift, by_plane = kernels.scale_shift_planes,
                                      from = in.at, to = out.at](const Frame& frame) {
        const auto* scale = frame.In<float>(coefficients);
        frame.ParallelFor(units, cost, [&](int64_t begin, int64_t end, int) {
          if (planes) {
            by_plane(frame.In<float>(from), frame.Out<float>(to), scale, scale + channels, channels, inner, begin, end);
          } else {
            by_pixel(frame.In<float>(from), frame.Out<float>(to), scale, scale + channels, channels, begin, end);
          }
        });
        return absl::OkStatus();
      });
  return absl::OkStatus();
}

absl::Status InstanceNormalization(Lowering& lowering, const Node& node) {
  QLITE_RETURN_IF_ERROR(RequireFloatInputs(lowering, node));
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  const Placement gamma = lowering.Read(node.inputs[1], Layout::kRowMajor);
  const Placement beta = lowering.Read(node.inputs[2], Layout::kRowMajor);
  const Placement out = lowering.WriteOver(node.outputs[0], in);
  if (in.elements() == 0) return absl::OkStatus();
  kernels::LineNorm norm;
  norm.channels = in.dims[1];
  norm.length = in.elements() / (in.dims[0] * in.dims[1]);
  norm.inner = in.layout == Layout::kChannelsLast ? in.dims[1] : 1;
  norm.epsilon = node.attr<InstanceNormAttrs>().epsilon;
  const int64_t lines = in.dims[0] * in.dims[1];
  const auto run = kernels::NormalizeF32(lowering.isa()).instance_norm;
  const double cost = static_cast<double>(in.elements()) * 0.6;
  lowering.Emit({in.at, gamma.at, beta.at, out.at},
                [=, from = in.at, gamma_at = gamma.at, beta_at = beta.at, to = out.at](const Frame& frame) {
                  frame.ParallelFor(lines, cost, [&](int64_t begin, int64_t end, int) {
                    run(frame.In<float>(from), frame.Out<float>(to), frame.In<float>(gamma_at),
                        frame.In<float>(beta_at), norm, begin, end);
                  });
                  return absl::OkStatus();
                });
  return absl::OkStatus();
}

absl::Status Lrn(Lowering& lowering, const Node& node) {
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[0]));
  if (lowering.Dims(node.inputs[0]).size() < 2) return lowering.Invalid(node, "needs a dimension of channels");
  const Placement in = lowering.Read(node.inputs[0], Layout::kChannelsLast);
  const Placement out = lowering.Write(node.outputs[0], Layout::kChannelsLast);
  if (in.elements() == 0) return absl::OkStatus();
  const auto attrs = node.attr<LrnAttrs>();
  const int64_t channels = in.dims[1], pixels = in.elements() / channels;
  const auto run = kernels::NormalizeF32(lowering.isa()).lrn;
  const double cost = static_cast<double>(in.elements()) * 4;
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(pixels, cost, [&](int64_t begin, int64_t end, int) {
      run(frame.In<float>(from), frame.Out<float>(to), channels, attrs.size, attrs.alpha, attrs.beta, attrs.bias, begin,
          end);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
