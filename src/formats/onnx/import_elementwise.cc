#include <cmath>
#include <limits>

#include "core/infinity.h"
#include "core/str_cat.h"
#include "formats/onnx/importers.h"
#include "formats/onnx/onnx_tensor.h"

namespace qlite::onnx {
namespace {

// The one element of a constant bound, where float32 holds it exactly.
std::optional<float> ExactBound(const Tensor& tensor) {
  if (tensor.element_count() != 1) return std::nullopt;
  const auto exact = [](auto value) -> std::optional<float> {
    constexpr int64_t kLimit = int64_t{1} << 24;
    const int64_t wide = static_cast<int64_t>(value);
    return wide >= -kLimit && wide <= kLimit ? std::optional<float>(static_cast<float>(wide)) : std::nullopt;
  };
  switch (tensor.type()) {
    case ElementType::kFloat32:
      return tensor.data<float>()[0];
    case ElementType::kInt8:
      return exact(tensor.data<int8_t>()[0]);
    case ElementType::kUInt8:
      return exact(tensor.data<uint8_t>()[0]);
    case ElementType::kInt32:
      return exact(tensor.data<int32_t>()[0]);
    case ElementType::kInt64:
      return exact(tensor.data<int64_t>()[0]);
    default:
      return std::nullopt;
  }
}

// Bounds at the ends of float32 are how exporters say "none".
FusedClamp Normalized(float min, float max) {
  FusedClamp clamp{min, max};
  if (min <= std::numeric_limits<float>::lowest()) clamp.min = -kInfinity;
  if (max >= std::numeric_limits<float>::max()) clamp.max = kInfinity;
  return clamp;
}

void CheckBounds(NodeReader& node, const FusedClamp& clamp) {
  if (std::isnan(clamp.min) || std::isnan(clamp.max)) node.Invalid("a bound is not a number");
}

}  // namespace

void ImportPlain(NodeReader& node) { node.Emit(*FindOp(node.op_type()), NoAttrs{}, node.Inputs()); }

void ImportArithmetic(NodeReader& node) { node.Emit(*FindOp(node.op_type()), ElementwiseAttrs{}, node.Inputs()); }

void ImportSum(NodeReader& node) {
  if (node.input_count() == 0) return node.Invalid("Sum needs an input");
  ValueId total = node.Input(0);
  for (int i = 1; i + 1 < node.input_count(); ++i) {
    total = node.Add(OpType::kAdd, ElementwiseAttrs{}, {total, node.Input(i)}, StrCat("sum_", i));
  }
  if (node.input_count() == 1) return node.Emit(OpType::kIdentity, NoAttrs{}, {total});
  node.Emit(OpType::kAdd, ElementwiseAttrs{}, {total, node.Input(node.input_count() - 1)});
}

void ImportLeakyRelu(NodeReader& node) {
  node.Emit(OpType::kLeakyRelu, AlphaAttrs{node.Float("alpha", 0.01f)}, node.Inputs());
}

void ImportElu(NodeReader& node) { node.Emit(OpType::kElu, AlphaAttrs{node.Float("alpha", 1)}, node.Inputs()); }

void ImportHardSigmoid(NodeReader& node) {
  HardSigmoidAttrs attrs;
  attrs.alpha = node.Float("alpha", 0.2f);
  attrs.beta = node.Float("beta", 0.5f);
  node.Emit(OpType::kHardSigmoid, attrs, node.Inputs());
}

void ImportClip(NodeReader& node) {
  if (node.opset() < 11) {
    const ClipAttrs attrs{Normalized(node.Float("min", -kInfinity), node.Float("max", kInfinity))};
    CheckBounds(node, attrs.range);
    return node.Emit(OpType::kClip, attrs, node.Inputs());
  }
  const Tensor* min = node.Constant(1);
  const Tensor* max = node.Constant(2);
  const std::optional<float> low = min != nullptr ? ExactBound(*min) : std::nullopt;
  const std::optional<float> high = max != nullptr ? ExactBound(*max) : std::nullopt;
  if (node.HasInput(1) == low.has_value() && node.HasInput(2) == high.has_value()) {
    const ClipAttrs attrs{Normalized(low.value_or(-kInfinity), high.value_or(kInfinity))};
    CheckBounds(node, attrs.range);
    return node.Emit(OpType::kClip, attrs, {node.Input(0)});
  }
  // Bounds that the model computes: the standard defines Clip as this.
  if (!node.HasInput(1)) return node.Emit(OpType::kMin, NoAttrs{}, {node.Input(0), node.Input(2)});
  if (!node.HasInput(2)) return node.Emit(OpType::kMax, NoAttrs{}, {node.Input(0), node.Input(1)});
  const ValueId raised = node.Add(OpType::kMax, NoAttrs{}, {node.Input(0), node.Input(1)}, "raised");
  node.Emit(OpType::kMin, NoAttrs{}, {raised, node.Input(2)});
}

void ImportMod(NodeReader& node) {
  if (node.Flag("fmod", false)) return node.Unsupported("fmod=1 (the sign of the dividend) is");
  node.Emit(OpType::kMod, NoAttrs{}, node.Inputs());
}

void ImportNot(NodeReader& node) {
  const uint8_t no = 0;
  const ValueId never = node.AddConstant(*Tensor::Create(ElementType::kBool, {}, Buffer::Copy(&no, 1)), "false");
  node.Emit(OpType::kEqual, NoAttrs{}, {node.Input(0), never});
}

void ImportCast(NodeReader& node) {
  const int64_t to = node.Int("to", 0);
  node.Ignore("saturate");  // of conversions to float8, which are not supported
  if (to < 0 || to > std::numeric_limits<int32_t>::max()) return node.Invalid(StrCat("to=", to, " is no type"));
  const absl::StatusOr<ElementType> type = ElementTypeFromOnnx(static_cast<int32_t>(to));
  if (!type.ok()) return node.Fail(type.status());
  node.Emit(OpType::kCast, CastAttrs{*type}, node.Inputs());
  if (node.ok()) node.OutputBinding(0).type = *type;
}

}  // namespace qlite::onnx
