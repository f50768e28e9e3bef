// Cast, Quantize and Dequantize: the same numbers in another type.
#include "kernels/cast.h"

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/elementwise_u8.h"
#include "runtime/cast_type.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/blocks.h"
#include "runtime/steps/copies.h"

namespace qlite {
namespace {

// Scales and byte zero points of parameters with one pair for each channel.
struct ChannelParams {
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
};

ChannelParams ChannelParamsOf(const QuantParams& quant) {
  ChannelParams params{quant.scales, {}};
  for (int32_t zero : quant.zero_points) params.zero_points.push_back(zero + kByteOffset);
  return params;
}

// The layout in which `axis` of the value is the last dimension; an error where there is none.
absl::StatusOr<Layout> LayoutWithLast(const Lowering& lowering, const Node& node, ValueId id, int64_t axis) {
  const auto rank = static_cast<int64_t>(lowering.Dims(id).size());
  if (axis == rank - 1) return Layout::kRowMajor;
  if (axis == 1 && rank >= 3) return Layout::kChannelsLast;
  return lowering.Unimplemented(node, StrCat("quantization along axis ", axis, " of ", rank,
                                             " dimensions; the channels or the last dimension are supported"));
}

absl::Status CheckIntegerSide(const Lowering& lowering, const Node& node, ValueId id) {
  const Value& value = lowering.graph().value(id);
  if (value.type != ElementType::kInt8 || !value.quant) return lowering.RequireQuantized(node, id);
  if (!value.quant->per_axis()) return lowering.RequireQuantized(node, id);
  const bool supported = value.quant->bits == 8 && value.quant->block_size == 0 && !value.quant->narrow_range;
  if (supported) return absl::OkStatus();
  return lowering.Unimplemented(node, StrCat("'", value.name, "' is quantized as ", value.quant->ToString()));
}

template <class In, class Out, class Function>
void EmitRows(Lowering& lowering, const Placement& in, const Placement& out, const ChannelParams& params,
              Function run) {
  const auto columns = static_cast<int64_t>(params.scales.size());
  const int64_t rows = columns == 0 ? 0 : in.elements() / columns;
  const double cost = static_cast<double>(in.elements()) * 0.3;
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(rows, cost, [&](int64_t begin, int64_t end, int) {
      run(frame.In<In>(from), columns, params.scales.data(), params.zero_points.data(), frame.Out<Out>(to), begin, end);
    });
    return absl::OkStatus();
  });
}

}  // namespace

namespace steps {

absl::Status Cast(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  const auto from_type = CastTypeOf(lowering.Type(input)), to_type = CastTypeOf(lowering.Type(result));
  if (!from_type || !to_type) return lowering.Invalid(node, "casts from or to an undefined type");
  Placement in = lowering.Read(input, lowering.LayoutOf(input));
  if (in.type == ElementType::kInt8) {  // the bytes of the runtime are not the int8 of the graph
    Placement plain = in;
    plain.at = lowering.NewBuffer(in.elements());
    EmitFlipSign(lowering, in.at, plain.at, in.elements());
    in = plain;
  }
  const Placement out = lowering.Write(result, in.layout);
  const int64_t elements = in.elements();
  const auto run = kernels::Cast(*from_type, *to_type);
  const auto in_size = static_cast<int64_t>(ElementSize(in.type)),
             out_size = static_cast<int64_t>(ElementSize(out.type));
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    ForBlocks(frame, elements, 0.5, [&](int64_t begin, int64_t end) {
      run(frame.In<std::byte>(from) + begin * in_size, frame.Out<std::byte>(to) + begin * out_size, end - begin);
    });
    return absl::OkStatus();
  });
  if (out.type == ElementType::kInt8) EmitFlipSign(lowering, out.at, out.at, elements);
  return absl::OkStatus();
}

absl::Status Quantize(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  QLITE_RETURN_IF_ERROR(CheckIntegerSide(lowering, node, result));
  const QuantParams& quant = lowering.Quant(result);
  const auto& kernels = kernels::ElementwiseU8(lowering.isa());
  if (quant.per_axis()) {
    auto layout = LayoutWithLast(lowering, node, input, quant.axis);
    if (!layout.ok()) return layout.status();
    const Placement in = lowering.Read(input, *layout);
    EmitRows<float, uint8_t>(lowering, in, lowering.Write(result, *layout), ChannelParamsOf(quant),
                             kernels.quantize_per_column);
    return absl::OkStatus();
  }
  const Placement in = lowering.Read(input, lowering.LayoutOf(input));
  const Placement out = lowering.Write(result, in.layout);
  const int64_t elements = in.elements();
  const float scale = quant.scales[0];
  const kernels::OutputQuantization quantization = OutputQuantizationOf(quant);
  lowering.Emit({in.at, out.at}, [=, run = kernels.quantize, from = in.at, to = out.at](const Frame& frame) {
    ForBlocks(frame, elements, 0.3, [&](int64_t begin, int64_t end) {
      run(frame.In<float>(from), scale, quantization, frame.Out<uint8_t>(to), begin, end);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status Dequantize(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckIntegerSide(lowering, node, input));
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, result));
  const QuantParams& quant = lowering.Quant(input);
  const auto& kernels = kernels::ElementwiseU8(lowering.isa());
  if (quant.per_axis()) {
    auto layout = LayoutWithLast(lowering, node, input, quant.axis);
    if (!layout.ok()) return layout.status();
    const Placement in = lowering.Read(input, *layout);
    EmitRows<uint8_t, float>(lowering, in, lowering.Write(result, *layout), ChannelParamsOf(quant),
                             kernels.dequantize_per_column);
    return absl::OkStatus();
  }
  const Placement in = lowering.Read(input, lowering.LayoutOf(input));
  const Placement out = lowering.Write(result, in.layout);
  const int64_t elements = in.elements();
  const float scale = quant.scales[0];
  const int32_t zero_point = ByteZeroPoint(quant);
  lowering.Emit({in.at, out.at}, [=, run = kernels.dequantize, from = in.at, to = out.at](const Frame& frame) {
    ForBlocks(frame, elements, 0.2, [&](int64_t begin, int64_t end) {
      run(frame.In<uint8_t>(from), zero_point, scale, frame.Out<float>(to), begin, end);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
