#include "runtime/steps/weights.h"

#include <algorithm>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/requantization.h"

namespace qlite {
namespace {

absl::Status CheckWeights(const Lowering& lowering, const Node& node, int64_t channel_axis, int64_t output_channels) {
  const Value& weights = lowering.graph().value(node.inputs[1]);
  if (!weights.constant || weights.constant->type() != ElementType::kInt8) {
    return lowering.Unimplemented(
        node,
        StrCat("weights '", weights.name, "' of an integer product must be constant int8, found ",
               weights.constant ? "a constant of type " : "a computed value of type ", ElementTypeName(weights.type)));
  }
  if (!weights.quant)
    return lowering.Invalid(node, StrCat("weights '", weights.name, "' have no quantization parameters"));
  const QuantParams& quant = *weights.quant;
  const auto scales = static_cast<int64_t>(quant.scales.size());
  const bool fits = quant.block_size == 0 && (quant.per_axis() ? quant.axis == channel_axis &&
                                                                     output_channels % std::max<int64_t>(scales, 1) == 0
                                                               : scales == 1);
  if (!fits) {
    return lowering.Unimplemented(node, StrCat("weights '", weights.name, "' are quantized as ", quant.ToString(),
                                               "; expected one scale, or one for each index of axis ", channel_axis));
  }
  if (std::any_of(quant.zero_points.begin(), quant.zero_points.end(), [](int32_t zero) { return zero != 0; })) {
    return lowering.Unimplemented(node, StrCat("weights '", weights.name, "' have a zero point other than 0"));
  }
  return absl::OkStatus();
}

absl::Status ReadBias(const Lowering& lowering, const Node& node, int64_t output_channels, std::vector<int32_t>& bias) {
  if (!node.has_input(2)) return absl::OkStatus();
  const Value& value = lowering.graph().value(node.inputs[2]);
  if (!value.constant || value.constant->type() != ElementType::kInt32 ||
      value.constant->element_count() != output_channels) {
    return lowering.Unimplemented(node, StrCat("bias '", value.name, "' of an integer product must be ",
                                               output_channels, " constant int32 elements"));
  }
  const auto data = value.constant->data<int32_t>();
  bias.assign(data.begin(), data.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IntegerWeights> ReadIntegerWeights(const Lowering& lowering, const Node& node, int64_t channel_axis,
                                                  int64_t output_channels) {
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, node.inputs[0]));
  QLITE_RETURN_IF_ERROR(CheckWeights(lowering, node, channel_axis, output_channels));
  IntegerWeights weights;
  QLITE_RETURN_IF_ERROR(ReadBias(lowering, node, output_channels, weights.bias));
  const ValueId result = node.outputs[0];  // what the step adds to it comes later
  weights.float_output = lowering.Type(result) == ElementType::kFloat32;
  if (!weights.float_output) QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, result));

  const QuantParams& input = lowering.Quant(node.inputs[0]);
  const Value& value = lowering.graph().value(node.inputs[1]);
  weights.data = value.constant->data<int8_t>();
  weights.input_zero_point = ByteZeroPoint(input);
  for (int64_t channel = 0; channel < output_channels; ++channel) {
    const float scale = value.quant->scales[static_cast<size_t>(channel) % value.quant->scales.size()];
    weights.multipliers.push_back(weights.float_output
                                      ? DequantizeMultiplier(input.scales[0], scale)
                                      : RequantizeMultiplier(input.scales[0], scale, lowering.Quant(result).scales[0]));
    if (!std::isfinite(weights.multipliers.back())) {
      return lowering.Invalid(node, StrCat("the scales of '", lowering.graph().value(node.inputs[0]).name, "' and '",
                                           value.name, "' have a product or quotient that is not finite"));
    }
  }
  return weights;
}

}  // namespace qlite
