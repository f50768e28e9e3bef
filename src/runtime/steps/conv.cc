// Conv, 1-D and 2-D, float and int8.
#include <cstdint>

#include "core/node_geometry.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/conv_f32.h"
#include "kernels/conv_u8s8.h"
#include "kernels/depthwise_f32.h"
#include "kernels/depthwise_u8s8.h"
#include "kernels/winograd_f32.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/binary_u8.h"
#include "runtime/steps/coded.h"
#include "runtime/steps/conv_steps.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/float16.h"
#include "runtime/steps/float_units.h"
#include "runtime/steps/trimmed_kernel.h"
#include "runtime/steps/weights.h"

namespace qlite {
namespace {

double ConvCost(double output_elements, const ConvShape& shape, double nanoseconds_per_product) {
  return output_elements * static_cast<double>(shape.kernel[0] * shape.kernel[1] * (shape.in_channels / shape.groups)) *
         nanoseconds_per_product;
}

kernels::ConvF32Geometry FloatGeometry(const ConvShape& shape, const Placement& out) {
  kernels::ConvF32Geometry geometry;
  geometry.batch = shape.batch;
  geometry.in_h = shape.in[0], geometry.in_w = shape.in[1];
  geometry.in_channels = shape.in_channels, geometry.in_pixel_stride = shape.in_pixel_stride;
  geometry.out_h = shape.out[0], geometry.out_w = shape.out[1];
  geometry.out_channels = shape.out_channels, geometry.out_pixel_stride = out.pixel_stride;
  geometry.groups = shape.groups;
  geometry.kernel_h = shape.kernel[0], geometry.kernel_w = shape.kernel[1];
  geometry.stride_h = shape.stride[0], geometry.stride_w = shape.stride[1];
  geometry.dilation_h = shape.dilation[0], geometry.dilation_w = shape.dilation[1];
  geometry.pad_top = shape.pad[0], geometry.pad_left = shape.pad[1];
  return geometry;
}

kernels::ConvGeometry ByteGeometry(const ConvShape& shape, const Placement& out) {
  kernels::ConvGeometry geometry;
  geometry.batch = shape.batch;
  geometry.in_h = shape.in[0], geometry.in_w = shape.in[1], geometry.in_c = shape.in_channels;
  geometry.out_h = shape.out[0], geometry.out_w = shape.out[1], geometry.out_c = shape.out_channels;
  geometry.kernel_h = shape.kernel[0], geometry.kernel_w = shape.kernel[1];
  geometry.stride_h = shape.stride[0], geometry.stride_w = shape.stride[1];
  geometry.dilation_h = shape.dilation[0], geometry.dilation_w = shape.dilation[1];
  geometry.pad_top = shape.pad[0], geometry.pad_left = shape.pad[1];
  geometry.groups = shape.groups;
  geometry.in_pixel_stride = shape.in_pixel_stride, geometry.out_pixel_stride = out.pixel_stride;
  return geometry;
}

// The weights of the step in the kernels' form: packed now where they are constant, else by a step of their own.
template <class Kernels>
Operand PackedFloatWeights(Lowering& lowering, const Kernels& kernels, const kernels::ConvF32Geometry& geometry,
                           const Placement& weights) {
  const int64_t bytes = kernels.packed_floats(geometry) * static_cast<int64_t>(sizeof(float));
  const auto pack = kernels.pack;
  if (weights.at.constant != nullptr) {
    return lowering.NewConstant(0, bytes, [&](std::byte* packed) {
      pack(geometry, reinterpret_cast<const float*>(weights.at.constant + weights.at.offset),
           reinterpret_cast<float*>(packed));
    });
  }
  const Operand packed = lowering.NewBuffer(bytes);
  lowering.Emit({weights.at, packed}, [=, from = weights.at](const Frame& frame) {
    pack(geometry, frame.In<float>(from), frame.Out<float>(packed));
    return absl::OkStatus();
  });
  return packed;
}

template <class Kernels>
void EmitFloat(Lowering& lowering, const Kernels& kernels, const kernels::ConvF32Args& args,
               const ConvOperands& operands, const Placement& weights, double cost) {
  const int64_t bytes = kernels.packed_floats(args.geometry) * static_cast<int64_t>(sizeof(float));
  EmitFloatUnits(lowering, kernels, args, operands, PackedFloatWeights(lowering, kernels, args.geometry, weights),
                 bytes, cost, [](kernels::ConvF32Args conv, const std::byte* packed) {
                   conv.packed_weights = reinterpret_cast<const float*>(packed);
                   return conv;
                 });
}

template <class Args, class Kernels>
void EmitBytes(Lowering& lowering, const Kernels& kernels, Args args, const ConvOperands& operands,
               const Operand& packed, double cost) {
  // The sizes do not depend on the pointers, but on which output is set.
  float dummy_float = 0;
  uint8_t dummy_byte = 0;
  Args sized = args;
  (operands.float_output ? static_cast<void>(sized.output_float = &dummy_float)
                         : static_cast<void>(sized.output = &dummy_byte));
  lowering.NeedWorkspace(static_cast<int64_t>(kernels.workspace_bytes(sized)));
  const int64_t units = kernels.units(sized);
  const auto run = kernels.run;
  lowering.Emit({operands.input, packed, operands.residual, operands.output}, [=](const Frame& frame) {
    Args now = args;
    now.input = frame.In<uint8_t>(operands.input);
    now.packed = frame.In<std::byte>(packed);
    if constexpr (requires { now.residual; }) now.residual.data = frame.In<uint8_t>(operands.residual);
    if (operands.float_output) {
      now.output_float = frame.Out<float>(operands.output);
    } else {
      now.output = frame.Out<uint8_t>(operands.output);
    }
    frame.ParallelFor(units, cost,
                      [&](int64_t begin, int64_t end, int worker) { run(now, begin, end, frame.Workspace(worker)); });
    return absl::OkStatus();
  });
}

Operand PackBytes(Lowering& lowering, const ConvShape& shape, const IntegerWeights& weights,
                  std::span<const int8_t> data) {
  kernels::ConvU8S8Weights packing;
  packing.in_c = shape.in_channels, packing.out_c = shape.out_channels;
  packing.kernel_h = shape.kernel[0], packing.kernel_w = shape.kernel[1];
  packing.dilation_w = shape.dilation[1];
  packing.groups = shape.groups;
  packing.data = data.data();
  packing.bias = weights.bias.empty() ? nullptr : weights.bias.data();
  packing.multipliers = weights.multipliers.data();
  packing.input_zero_point = weights.input_zero_point;
  const auto& kernels = kernels::ConvU8S8(lowering.isa());
  return lowering.NewConstant(0, static_cast<int64_t>(kernels.packed_bytes(packing)),
                              [&](std::byte* packed) { kernels.pack(packing, packed); });
}

Operand PackDepthwiseBytes(Lowering& lowering, const ConvShape& shape, const IntegerWeights& weights,
                           std::span<const int8_t> data) {
  kernels::DepthwiseU8S8Weights packing;
  packing.channels = shape.in_channels;
  packing.kernel_h = shape.kernel[0], packing.kernel_w = shape.kernel[1];
  packing.data = data.data();
  packing.bias = weights.bias.empty() ? nullptr : weights.bias.data();
  packing.multipliers = weights.multipliers.data();
  packing.input_zero_point = weights.input_zero_point;
  const auto& kernels = kernels::DepthwiseU8S8(lowering.isa());
  return lowering.NewConstant(0, static_cast<int64_t>(kernels.packed_bytes(packing)),
                              [&](std::byte* packed) { kernels.pack(packing, packed); });
}

bool IsDepthwise(const ConvShape& shape) {
  return qlite::IsDepthwise(shape.groups, shape.in_channels, shape.out_channels);
}

}  // namespace

void EmitFloatConv(Lowering& lowering, const ConvShape& shape, const Placement& weights, const ConvOperands& operands,
                   const Placement& residual, const Placement& out, CodedWeight* coded) {
  kernels::ConvF32Args args;
  args.geometry = FloatGeometry(shape, out);
  args.geometry.residual_pixel_stride = residual.pixel_stride;
  args.act_min = lowering.Clamp().min;
  args.act_max = lowering.Clamp().max;
  const double cost = ConvCost(static_cast<double>(out.elements()), shape, IsDepthwise(shape) ? 0.06 : 0.025);
  if (IsDepthwise(shape)) {
    return EmitFloat(lowering, kernels::DepthwiseF32(lowering.isa()), args, operands, weights, cost);
  }
  if (coded != nullptr) {
    const int64_t taps = shape.kernel[0] * shape.kernel[1];
    const CodedLayout layout = {.outputs_first = true,
                                .out_stride = taps * (shape.in_channels / shape.groups),
                                .in_stride = taps,
                                .tap_stride = 1};
    return EmitCodedConv(lowering, args, layout, *coded, operands, cost);
  }
  const auto* float16 =
      weights.at.constant != nullptr ? lowering.Float16Kernels(shape.out_channels / shape.groups) : nullptr;
  if (float16 != nullptr) {
    const int64_t taps = shape.kernel[0] * shape.kernel[1];
    const kernels::ConvF16Weights packing = {
        .data = reinterpret_cast<const float*>(weights.at.constant + weights.at.offset),
        .out_stride = taps * (shape.in_channels / shape.groups),
        .in_stride = taps,
        .tap_stride = 1};
    EmitFloat16Conv(lowering, *float16, args, packing, operands, cost);
  } else if (!lowering.HasIntegerWeights() && kernels::PaysWinograd(args.geometry)) {
    EmitFloat(lowering, kernels::WinogradF32(lowering.isa()), args, operands, weights, cost / 2);
  } else {
    EmitFloat(lowering, kernels::ConvF32(lowering.isa()), args, operands, weights, cost);
  }
}

void EmitIntegerConv(Lowering& lowering, const Node& node, const ConvShape& shape, const IntegerWeights& weights,
                     std::span<const int8_t> data, const ConvOperands& operands, const Placement& residual,
                     const Placement& out) {
  kernels::OutputQuantization quantization;
  if (!weights.float_output) {
    const bool clamps_later = operands.residual.present();
    quantization =
        OutputQuantizationOf(lowering.Quant(node.outputs[0]), clamps_later ? FusedClamp() : lowering.Clamp());
  }
  const double cost = ConvCost(static_cast<double>(out.elements()), shape, IsDepthwise(shape) ? 0.03 : 0.01);
  if (IsDepthwise(shape)) {
    kernels::DepthwiseU8S8Args args;
    args.geometry = ByteGeometry(shape, out);
    args.input_zero_point = weights.input_zero_point;
    args.quantization = quantization;
    EmitBytes(lowering, kernels::DepthwiseU8S8(lowering.isa()), args, operands,
              PackDepthwiseBytes(lowering, shape, weights, data), cost);
  } else {
    kernels::ConvU8S8Args args;
    args.geometry = ByteGeometry(shape, out);
    args.input_zero_point = weights.input_zero_point;
    args.quantization = quantization;
    if (operands.residual.present()) args.residual = ResidualOf(lowering, residual);
    EmitBytes(lowering, kernels::ConvU8S8(lowering.isa()), args, operands, PackBytes(lowering, shape, weights, data),
              cost);
  }
  if (weights.float_output) EmitClamp(lowering, operands.output, lowering.Clamp(), out.elements());
}

absl::Status CheckImageRank(const Lowering& lowering, const Node& node, size_t rank) {
  if (rank == 3 || rank == 4) return absl::OkStatus();
  return lowering.Unimplemented(node,
                                StrCat("runs on 1 or 2 spatial dimensions, found an input of ", rank, " dimensions"));
}

namespace {

absl::StatusOr<ConvShape> ConvShapeOf(const Lowering& lowering, const Node& node) {
  const Extents& in = lowering.Dims(node.inputs[0]);
  const Extents& weights = lowering.Dims(node.inputs[1]);
  const Extents& out = lowering.Dims(lowering.Result());
  QLITE_RETURN_IF_ERROR(CheckImageRank(lowering, node, in.size()));
  const std::vector<Dim> input_dims(in.begin() + 2, in.end()), kernel_dims(weights.begin() + 2, weights.end());
  auto geometry = ConvGeometry(node.attr<ConvAttrs>(), input_dims, kernel_dims);
  if (!geometry.ok()) return lowering.Invalid(node, Message(geometry.status()));
  ConvShape shape;
  shape.batch = in[0];
  shape.in_channels = in[1];
  shape.out_channels = out[1];
  shape.groups = node.attr<ConvAttrs>().group;
  for (size_t i = 0; i < geometry->axes.size(); ++i) {
    const WindowAxis& axis = geometry->axes[i];
    const size_t d = i + 2 - geometry->axes.size();
    shape.in[d] = in[i + 2], shape.out[d] = out[i + 2];
    shape.kernel[d] = weights[i + 2];
    shape.stride[d] = axis.stride, shape.dilation[d] = axis.dilation;
    shape.pad[d] = axis.pad_begin;
  }
  return shape;
}

absl::Status FloatConv(Lowering& lowering, const Node& node, ConvShape& shape) {
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[0]));
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[1]));
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, lowering.Result()));
  const Placement in = lowering.ReadPixels(node.inputs[0]);
  shape.in_pixel_stride = in.pixel_stride;
  CodedWeight* const coded = lowering.Coded(node.inputs[1]);
  Placement weights = coded == nullptr ? lowering.Read(node.inputs[1], Layout::kRowMajor) : Placement();
  std::vector<float> trimmed;
  if (weights.at.constant != nullptr) {
    const std::span whole(reinterpret_cast<const float*>(weights.at.constant + weights.at.offset),
                          static_cast<size_t>(weights.elements()));
    weights.at = {.constant = std::as_bytes(TrimKernel(shape, whole, trimmed)).data()};
  }
  ConvOperands operands;
  operands.input = in.at;
  if (node.has_input(2)) {
    QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[2]));
    operands.bias = lowering.Read(node.inputs[2], Layout::kRowMajor).at;
  }
  Placement residual;
  if (lowering.Residual().valid()) residual = lowering.ReadPixels(lowering.Residual());
  operands.residual = residual.at;
  const Placement out = lowering.WritePixels(lowering.Result());
  operands.output = out.at;
  EmitFloatConv(lowering, shape, weights, operands, residual, out, coded);
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status Conv(Lowering& lowering, const Node& node) {
  auto shape = ConvShapeOf(lowering, node);
  if (!shape.ok()) return shape.status();
  if (lowering.Type(node.inputs[0]) != ElementType::kInt8) return FloatConv(lowering, node, *shape);

  auto weights = ReadIntegerWeights(lowering, node, 0, shape->out_channels);
  if (!weights.ok()) return weights.status();
  const Placement in = lowering.ReadPixels(node.inputs[0]);
  shape->in_pixel_stride = in.pixel_stride;
  ConvOperands operands;
  operands.input = in.at;
  Placement residual;
  if (lowering.Residual().valid()) residual = lowering.ReadPixels(lowering.Residual());
  operands.residual = residual.at;
  const Placement out = weights->float_output ? lowering.Write(lowering.Result(), Layout::kChannelsLast)
                                              : lowering.WritePixels(lowering.Result());
  operands.output = out.at;
  operands.float_output = weights->float_output;
  std::vector<int8_t> trimmed;
  const std::span<const int8_t> kept = TrimKernel(*shape, weights->data, trimmed);
  EmitIntegerConv(lowering, node, *shape, *weights, kept, operands, residual, out);
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
