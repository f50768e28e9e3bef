// Operators that work on elements one by one: activations, arithmetic with broadcasting, comparisons, Where, Cast.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/checked_math.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// --- elements that are known before the network runs

// The element of a tensor that broadcasts to `dims` which stands at the row-major position `index` there.
const PartialElement& BroadcastElement(const PartialTensor& tensor, std::span<const int64_t> dims, int64_t index) {
  int64_t position = 0;
  int64_t stride = 1;
  for (size_t i = 1; i <= dims.size(); ++i) {
    const int64_t extent = dims[dims.size() - i];
    const int64_t coordinate = index % extent;
    index /= extent;
    if (i > tensor.dims.size()) continue;
    const int64_t own = tensor.dims[tensor.dims.size() - i];
    if (own != 1) position += coordinate * stride;
    stride *= own;
  }
  return tensor.elements[static_cast<size_t>(position)];
}

bool FitsInteger(int64_t value, ElementType type) {
  return type == ElementType::kInt64 ||
         (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max());
}

std::optional<int64_t> IntegerResult(OpType op, int64_t a, int64_t b) {
  switch (op) {
    case OpType::kAdd:
      return CheckedAdd(a, b);
    case OpType::kSub:
      return CheckedSub(a, b);
    case OpType::kMul:
      return CheckedMul(a, b);
    case OpType::kDiv:
      if (b == 0 || (b == -1 && a == std::numeric_limits<int64_t>::min())) return std::nullopt;
      return a / b;
    case OpType::kMod: {
      if (b == 0) return std::nullopt;
      if (b == -1) return 0;
      const int64_t rest = a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case OpType::kMin:
      return std::min(a, b);
    case OpType::kMax:
      return std::max(a, b);
    case OpType::kEqual:
      return a == b;
    case OpType::kLess:
      return a < b;
    case OpType::kGreater:
      return a > b;
    default:
      return std::nullopt;
  }
}

PartialElement RealResult(OpType op, float a, float b) {
  switch (op) {
    case OpType::kAdd:
      return PartialElement::Real(a + b);
    case OpType::kSub:
      return PartialElement::Real(a - b);
    case OpType::kMul:
      return PartialElement::Real(a * b);
    case OpType::kDiv:
      return PartialElement::Real(a / b);
    case OpType::kEqual:
      return PartialElement::Integer(a == b);
    case OpType::kLess:
      return PartialElement::Integer(a < b);
    case OpType::kGreater:
      return PartialElement::Integer(a > b);
    default:
      return PartialElement();
  }
}

bool IsKnown(const PartialElement& element, int64_t value) { return element.known && element.integer == value; }

// What holds of symbols: x * 1, x / 1, x + 0, x - 0, x == x; and an extent is not a negative number.
PartialElement SymbolicResult(OpType op, const PartialElement& a, const PartialElement& b) {
  switch (op) {
    case OpType::kAdd:
      if (IsKnown(a, 0)) return b;
      return IsKnown(b, 0) ? a : PartialElement();
    case OpType::kSub:
      return IsKnown(b, 0) ? a : PartialElement();
    case OpType::kMul:
      if (IsKnown(a, 1)) return b;
      return IsKnown(b, 1) ? a : PartialElement();
    case OpType::kDiv:
      return IsKnown(b, 1) ? a : PartialElement();
    case OpType::kEqual:
      if (!a.symbol.empty() && a.symbol == b.symbol) return PartialElement::Integer(1);
      if (!a.symbol.empty() && b.known && b.integer < 0) return PartialElement::Integer(0);
      if (!b.symbol.empty() && a.known && a.integer < 0) return PartialElement::Integer(0);
      return PartialElement();
    case OpType::kMin:
    case OpType::kMax:
      return !a.symbol.empty() && a.symbol == b.symbol ? a : PartialElement();
    default:
      return PartialElement();
  }
}

bool IsComparison(OpType op) { return op == OpType::kEqual || op == OpType::kLess || op == OpType::kGreater; }

PartialElement BinaryResult(OpType op, ElementType type, const PartialElement& a, const PartialElement& b) {
  if (!a.known || !b.known) return type == ElementType::kFloat32 ? PartialElement() : SymbolicResult(op, a, b);
  if (type == ElementType::kFloat32) return RealResult(op, a.real, b.real);
  const std::optional<int64_t> result = IntegerResult(op, a.integer, b.integer);
  if (!result || (!IsComparison(op) && !FitsInteger(*result, type))) return PartialElement();
  return PartialElement::Integer(*result);
}

// True where the node clamps its result: then its elements are not followed.
bool Clamps(const Node& node) {
  const FusedClamp* clamp = FindClamp(node.attrs);
  return clamp != nullptr && clamp->active();
}

void EvaluateBinary(InferContext& context, const Shape& shape, ElementType result_type) {
  if (!shape.IsStatic() || Clamps(context.node())) return;
  const PartialTensor* a = context.input_elements(0);
  const PartialTensor* b = a == nullptr ? nullptr : context.input_elements(1);
  if (a == nullptr || b == nullptr || a->type != b->type) return;
  std::optional<PartialTensor> result = UnknownPartial(result_type, shape.Extents());
  if (!result) return;
  for (size_t i = 0; i < result->elements.size(); ++i) {
    const int64_t index = static_cast<int64_t>(i);
    result->elements[i] = BinaryResult(context.node().op, a->type, BroadcastElement(*a, result->dims, index),
                                       BroadcastElement(*b, result->dims, index));
  }
  context.SetElements(0, *std::move(result));
}

void EvaluateWhere(InferContext& context, const Shape& shape) {
  const PartialTensor* condition = context.input_elements(0);
  const PartialTensor* yes = context.input_elements(1);
  const PartialTensor* no = context.input_elements(2);
  if (condition == nullptr || yes == nullptr || no == nullptr || yes->type != no->type || !shape.IsStatic()) return;
  std::optional<PartialTensor> result = UnknownPartial(yes->type, shape.Extents());
  if (!result) return;
  for (size_t i = 0; i < result->elements.size(); ++i) {
    const int64_t index = static_cast<int64_t>(i);
    const PartialElement& chosen = BroadcastElement(*condition, result->dims, index);
    if (!chosen.known) continue;
    result->elements[i] = BroadcastElement(chosen.integer != 0 ? *yes : *no, result->dims, index);
  }
  context.SetElements(0, *std::move(result));
}

PartialElement UnaryResult(OpType op, ElementType type, const PartialElement& a) {
  if (!a.known) return PartialElement();
  if (type == ElementType::kFloat32) {
    switch (op) {
      case OpType::kFloor:
        return PartialElement::Real(std::floor(a.real));
      case OpType::kCeil:
        return PartialElement::Real(std::ceil(a.real));
      case OpType::kNeg:
        return PartialElement::Real(-a.real);
      default:
        return PartialElement();
    }
  }
  if (op != OpType::kNeg) return PartialElement();
  const std::optional<int64_t> negated = CheckedSub(0, a.integer);
  return negated && FitsInteger(*negated, type) ? PartialElement::Integer(*negated) : PartialElement();
}

void EvaluateUnary(InferContext& context) {
  const PartialTensor* input = context.input_elements(0);
  if (input == nullptr) return;
  PartialTensor result = *input;
  for (PartialElement& element : result.elements) element = UnaryResult(context.node().op, input->type, element);
  context.SetElements(0, std::move(result));
}

// --- rules

absl::Status InferUnary(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.ResultType(), context.input_shape(0)));
  EvaluateUnary(context);
  return absl::OkStatus();
}

// Operators that have no meaning for plain integers.
absl::Status InferRealUnary(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  return InferUnary(context);
}

absl::Status InferClip(InferContext& context) {
  const FusedClamp& range = context.attr<ClipAttrs>().range;
  if (std::isnan(range.min) || std::isnan(range.max))
    return context.Error("expected bounds that are numbers, found NaN");
  return context.SetOutput(0, context.ResultType(), context.input_shape(0));
}

absl::Status InferPRelu(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckReal(0));
  if (context.input_quant(0) == nullptr) QLITE_RETURN_IF_ERROR(context.CheckSameType(1));
  if (absl::Status status = CheckBroadcastableTo(context.input_shape(1), context.input_shape(0)); !status.ok()) {
    return context.Error(StrCat("slope: ", Message(status)));
  }
  return context.SetOutput(0, context.ResultType(), context.input_shape(0));
}

absl::StatusOr<Shape> BroadcastInputs(const InferContext& context) {
  Shape shape = context.input_shape(0);
  for (size_t i = 1; i < context.input_count(); ++i) {
    absl::StatusOr<Shape> next = BroadcastShapes(shape, context.input_shape(i));
    if (!next.ok()) return context.Error(next.status());
    shape = *std::move(next);
  }
  return shape;
}

absl::Status InferArithmetic(InferContext& context) {
  for (size_t i = 1; i < context.input_count(); ++i) QLITE_RETURN_IF_ERROR(context.CheckSameType(i));
  const absl::StatusOr<Shape> shape = BroadcastInputs(context);
  if (!shape.ok()) return shape.status();
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.ResultType(), *shape));
  if (context.input_count() == 2) EvaluateBinary(context, *shape, context.input_type(0));
  return absl::OkStatus();
}

// The exponent may have another type than the base.
absl::Status InferPow(InferContext& context) {
  const absl::StatusOr<Shape> shape = BroadcastInputs(context);
  if (!shape.ok()) return shape.status();
  return context.SetOutput(0, context.ResultType(), *shape);
}

absl::Status InferMinMax(InferContext& context) {
  for (size_t i = 1; i < context.input_count(); ++i) {
    if (!context.has_input(i)) return context.Error(StrCat("input ", i, " is absent but required"));
  }
  return InferArithmetic(context);
}

absl::Status InferComparison(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckSameType(1));
  const absl::StatusOr<Shape> shape = BroadcastInputs(context);
  if (!shape.ok()) return shape.status();
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, ElementType::kBool, *shape));
  EvaluateBinary(context, *shape, ElementType::kBool);
  return absl::OkStatus();
}

absl::Status InferWhere(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckType(0, ElementType::kBool));
  if (context.input_type(1) != ElementType::kUndefined) {
    QLITE_RETURN_IF_ERROR(context.CheckType(2, context.input_type(1)));
  }
  const absl::StatusOr<Shape> shape = BroadcastInputs(context);
  if (!shape.ok()) return shape.status();
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(1), *shape));
  EvaluateWhere(context, *shape);
  return absl::OkStatus();
}

absl::Status InferCast(InferContext& context) {
  const ElementType to = context.attr<CastAttrs>().to;
  if (ElementSize(to) == 0) return context.Error("the type to cast to is undefined");
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, to, context.input_shape(0)));
  const PartialTensor* input = context.input_elements(0);
  if (input == nullptr || !CanBePartial(to)) return absl::OkStatus();
  PartialTensor result{to, input->dims, input->elements};
  for (PartialElement& element : result.elements) element = CastElement(element, input->type, to);
  context.SetElements(0, std::move(result));
  return absl::OkStatus();
}

constexpr OpRule kBinary = {.kind = OpKind::kBinary, .min_inputs = 2, .max_inputs = 2, .infer = InferArithmetic};
constexpr OpRule kComparison = {.min_inputs = 2, .max_inputs = 2, .infer = InferComparison};
constexpr OpRule kMinMax = {.max_inputs = OpRule::kAny, .infer = InferMinMax};

}  // namespace

namespace op_rules {
OpRule ReluRule() { return {.kind = OpKind::kUnary, .infer = InferUnary}; }
OpRule LeakyReluRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule PReluRule() { return {.min_inputs = 2, .max_inputs = 2, .infer = InferPRelu}; }
OpRule EluRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule ClipRule() { return {.kind = OpKind::kUnary, .infer = InferClip}; }
OpRule SigmoidRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule TanhRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule HardSigmoidRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule HardSwishRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule AddRule() { return kBinary; }
OpRule SubRule() { return kBinary; }
OpRule MulRule() { return kBinary; }
OpRule DivRule() { return kBinary; }
OpRule ModRule() { return {.min_inputs = 2, .max_inputs = 2, .infer = InferArithmetic}; }
OpRule PowRule() { return {.kind = OpKind::kBinary, .min_inputs = 2, .max_inputs = 2, .infer = InferPow}; }
OpRule SqrtRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule ExpRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule LogRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule ErfRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule NegRule() { return {.kind = OpKind::kUnary, .infer = InferUnary}; }
OpRule AbsRule() { return {.kind = OpKind::kUnary, .infer = InferUnary}; }
OpRule ReciprocalRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule FloorRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule CeilRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule RoundRule() { return {.kind = OpKind::kUnary, .infer = InferRealUnary}; }
OpRule MinRule() { return kMinMax; }
OpRule MaxRule() { return kMinMax; }
OpRule EqualRule() { return kComparison; }
OpRule LessRule() { return kComparison; }
OpRule GreaterRule() { return kComparison; }
OpRule WhereRule() { return {.min_inputs = 3, .max_inputs = 3, .infer = InferWhere}; }
OpRule CastRule() { return {.kind = OpKind::kUnary, .infer = InferCast}; }
}  // namespace op_rules

}  // namespace qlite
