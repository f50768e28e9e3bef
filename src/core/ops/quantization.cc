// Quantize and Dequantize.
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

bool IsInteger(ElementType type) { return type >= ElementType::kInt8 && type <= ElementType::kUInt64; }

ElementType StorageOf(const QuantParams& params) {
  if (params.bits <= 8) return ElementType::kInt8;
  return params.bits <= 16 ? ElementType::kInt16 : ElementType::kInt32;
}

absl::Status InferQuantize(InferContext& context) {
  if (context.input_quant(0) != nullptr && IsInteger(context.input_type(0))) {
    return context.Error("expected a floating-point input, found one that is quantized already");
  }
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  if (context.output_quant(0) == nullptr) return context.Error("its output carries no quantization parameters");
  const ElementType declared = context.declared_type(0);
  const ElementType type = IsInteger(declared) ? declared : StorageOf(*context.output_quant(0));
  return context.SetOutput(0, type, context.input_shape(0));
}

absl::Status InferDequantize(InferContext& context) {
  if (context.input_quant(0) == nullptr) return context.Error("its input carries no quantization parameters");
  const ElementType type = context.input_type(0);
  if (type != ElementType::kUndefined && !IsInteger(type)) {
    return context.Error(StrCat("expected an integer input, found ", ElementTypeName(type)));
  }
  return context.SetOutput(0, ElementType::kFloat32, context.input_shape(0));
}

}  // namespace

namespace op_rules {
OpRule QuantizeRule() { return {.infer = InferQuantize}; }
OpRule DequantizeRule() { return {.infer = InferDequantize}; }
}  // namespace op_rules

}  // namespace qlite
