#include "formats/onnx/quant_storage.h"

#include <algorithm>
#include <cmath>

#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

bool IsProduct(OpType op) {
  return op == OpType::kConv || op == OpType::kConvTranspose || op == OpType::kGemm || op == OpType::kMatMul;
}

bool IsQuantizedId(const Graph& graph, ValueId id) { return id.valid() && IsQuantized(graph.value(id)); }

}  // namespace

bool IsQuantized(const Value& value) {
  return value.quant.has_value() &&
         (value.type == ElementType::kInt8 || value.type == ElementType::kInt16 || value.type == ElementType::kInt32);
}

bool StoredIn4Bits(const Value& value) {
  return value.is_constant() && value.type == ElementType::kInt8 && value.quant.has_value() && value.quant->bits <= 4;
}

int64_t OpsetOfStorage(const Value& value) {
  constexpr int64_t kWithBlocksAndWidths = 21;
  if (!IsQuantized(value)) return 0;
  const bool wide = value.type == ElementType::kInt16;
  return wide || StoredIn4Bits(value) || value.quant->block_size > 0 ? kWithBlocksAndWidths : 0;
}

bool ReadsIntegers(const Graph& graph, const Node& node) {
  if (node.op == OpType::kCast || node.op == OpType::kShape) return true;
  // int8 results without parameters are moved, not computed.
  return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    return id.valid() && graph.value(id).type == ElementType::kInt8 && !graph.value(id).quant.has_value();
  });
}

bool MovesIntegers(const Graph& graph, const Node& node) {
  switch (node.op) {
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kSqueeze:
    case OpType::kUnsqueeze:
    case OpType::kTranspose:
    case OpType::kSlice:
      break;
    case OpType::kPad:
      if (node.has_input(2) && !graph.value(node.inputs[2]).is_constant()) return false;
      break;
    default:
      return false;
  }
  const Value& input = graph.value(node.inputs[0]);
  return IsQuantized(input) && !input.quant->per_axis() && input.quant == graph.value(node.outputs[0]).quant;
}

int32_t QuantizedFill(const Graph& graph, const Node& node) {
  const QuantParams& params = *graph.value(node.inputs[0]).quant;
  if (!node.has_input(2)) return params.zero_points[0];
  const Tensor& fill = *graph.value(node.inputs[2]).constant;
  if (fill.type() == ElementType::kInt8) return fill.data<int8_t>()[0];
  const float position =
      std::nearbyint(fill.data<float>()[0] / params.scales[0]) + static_cast<float>(params.zero_points[0]);
  return static_cast<int32_t>(std::min(std::max(position, -128.0f), 127.0f));
}

std::vector<char> StoredUnsigned(const Graph& graph, bool uint8_activations) {
  std::vector<char> stored(graph.value_slots(), 0);
  const auto store = [&](ValueId id, bool is_unsigned) {
    if (id.valid()) stored[static_cast<size_t>(id.index)] = is_unsigned;
  };
  const auto is_asymmetric = [&](ValueId id) {
    const Value& value = graph.value(id);
    return IsQuantized(value) && value.type == ElementType::kInt8 && value.quant->scheme == QuantScheme::kAsymmetric;
  };
  for (size_t i = 0; i < stored.size(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!graph.alive(id) || !IsQuantizedId(graph, id) || graph.value(id).type != ElementType::kInt8) continue;
    store(id, StoredIn4Bits(graph.value(id)) ? is_asymmetric(id) : uint8_activations);
  }
  for (const ValueId id : graph.inputs()) store(id, false);
  for (const ValueId id : graph.outputs()) store(id, false);
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    if (IsProduct(node.op) && node.has_input(1) && graph.value(node.inputs[1]).is_constant()) {
      store(node.inputs[1], false);
    }
    // A constant that is dequantized on its own is a weight of a float operator.
    if (node.op != OpType::kDequantize || !graph.value(node.inputs[0]).is_constant()) continue;
    if (!graph.IsOutput(node.inputs[0])) store(node.inputs[0], is_asymmetric(node.inputs[0]));
  }
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    if (!ReadsIntegers(graph, node)) continue;
    for (const ValueId input : node.inputs) store(input, false);
    for (const ValueId output : node.outputs) store(output, false);
  }
  return stored;
}

absl::Status CheckQuantization(const Value& value) {
  const QuantParams& params = *value.quant;
  const int widest = 8 * static_cast<int>(ElementSize(value.type));
  const bool any_width = value.is_constant() && value.type != ElementType::kInt32;
  const bool width_fits = any_width ? params.bits <= widest : params.bits == widest;
  const bool plain = params.block_size == 0 && !params.corrected();
  const bool fits = value.is_constant() ? params.block_size == 0 || params.mean_shifts.empty() : plain;
  if (width_fits && fits) return absl::OkStatus();
  return AtValue(absl::UnimplementedError(StrCat(
                     "value '", value.name, "': ONNX with QuantizeLinear cannot express ", params.ToString(),
                     "; constants of up to 16 bits per tensor, per channel or in blocks without mean shifts are ",
                     "written, and computed values of 8 bits")),
                 value.name);
}

bool ImpliedByQuantization(const FusedClamp& clamp, const QuantParams& params) {
  if (params.scales.size() != 1) return false;
  const auto position = [&](float bound) {
    return std::nearbyint(bound / params.scales[0]) + static_cast<float>(params.zero_points[0]);
  };
  return position(clamp.min) <= -128.0f && position(clamp.max) >= 127.0f;
}

}  // namespace qlite::onnx
