// Operators that change the extents of a value and not its elements, and those that compute with shapes: Reshape,
// Flatten, Squeeze, Unsqueeze, Expand, Shape, ConstantOfShape, Identity.
#include <algorithm>

#include "core/checked_math.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// The elements of input 0 under the extents of a result with as many elements.
void ForwardElements(InferContext& context, const Shape& shape) {
  const PartialTensor* input = context.input_elements(0);
  if (input == nullptr || !shape.IsStatic()) return;
  const absl::StatusOr<int64_t> count = ElementCount(shape.Extents());
  if (!count.ok() || static_cast<size_t>(*count) != input->elements.size()) return;
  context.SetElements(0, {input->type, shape.Extents(), input->elements});
}

absl::Status SetReshaped(InferContext& context, const Shape& shape) {
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(0), shape));
  ForwardElements(context, shape);
  return absl::OkStatus();
}

// Unknown dimensions, as many as the one-dimensional input `i` has elements.
Shape UnknownOfLength(const InferContext& context, size_t i) {
  const Shape& lengths = context.input_shape(i);
  const bool known =
      lengths.rank() == 1 && lengths.dim(0).known() && lengths.dim(0).value <= PartialTensor::kMaxElements;
  return known ? Shape(std::vector<Dim>(static_cast<size_t>(lengths.dim(0).value))) : Shape();
}

// What is left of two products after their common factors are taken out: extents that are certainly the same.
void CancelSymbols(std::vector<Dim>& a, std::vector<Dim>& b) {
  for (auto left = a.begin(); left != a.end();) {
    const auto right =
        std::find_if(b.begin(), b.end(), [&](const Dim& dim) { return !dim.known() && dim.SameAs(*left); });
    if (left->known() || right == b.end()) {
      ++left;
      continue;
    }
    b.erase(right);
    left = a.erase(left);
  }
}

// The product of dimensions divided by a number, where it is one of their symbols.
Dim SymbolicQuotient(const std::vector<Dim>& factors, int64_t divisor) {
  const Dim* symbol = nullptr;
  std::vector<Dim> known;
  for (const Dim& dim : factors) {
    if (dim.known()) {
      known.push_back(dim);
    } else if (symbol != nullptr) {
      return Dim();
    } else {
      symbol = &dim;
    }
  }
  const Dim product = ProductOf(known);
  return symbol != nullptr && product.known() && product.value == divisor && divisor != 0 ? *symbol : Dim();
}

// The one missing factor of a target shape: elements(input) / elements(others).
absl::StatusOr<Dim> MissingFactor(const InferContext& context, const Shape& input, std::vector<Dim> others) {
  if (!input.has_rank()) return Dim();
  std::vector<Dim> factors = input.dims();
  CancelSymbols(factors, others);
  const Dim divisor = ProductOf(others);
  if (!divisor.known()) return Dim();
  const Dim total = ProductOf(factors);
  if (!total.known()) return SymbolicQuotient(factors, divisor.value);
  if (divisor.value == 0 || total.value % divisor.value != 0) {
    return context.Error(StrCat("shape ", input.ToString(), " does not divide into parts of ", divisor.value));
  }
  return Dim(total.value / divisor.value);
}

absl::StatusOr<Shape> ReshapeTarget(const InferContext& context, const PartialTensor& target, bool allow_zero) {
  const Shape& input = context.input_shape(0);
  std::vector<Dim> dims;
  std::vector<size_t> open;  // -1, or an element of which nothing is known
  size_t inferred = 0;
  for (size_t i = 0; i < target.elements.size(); ++i) {
    const PartialElement& element = target.elements[i];
    Dim dim = element.ToDim();
    if (element.known && element.integer < -1) {
      return context.Error(StrCat("expected target extents of at least -1, found ", element.integer));
    }
    if (element.known && element.integer == -1) ++inferred;
    if (element.known && element.integer == 0 && !allow_zero) {
      if (input.has_rank() && static_cast<int64_t>(i) >= input.rank()) {
        return context.Error(StrCat("target extent ", i, " is to be copied from shape ", input.ToString()));
      }
      dim = input.has_rank() ? input.dim(static_cast<int64_t>(i)) : Dim();
    }
    if (!dim.known() && dim.symbol.empty()) open.push_back(i);
    dims.push_back(dim);
  }
  if (inferred > 1) return context.Error("expected at most one target extent of -1, found several");
  if (open.size() == 1) {
    std::vector<Dim> others = dims;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(open[0]));
    absl::StatusOr<Dim> missing = MissingFactor(context, input, std::move(others));
    if (!missing.ok()) return missing.status();
    dims[open[0]] = *std::move(missing);
  }
  return Shape(std::move(dims));
}

absl::Status InferReshape(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckType(1, ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckRank(1, 1));
  const PartialTensor* target = context.input_elements(1);
  if (target == nullptr || !target->is_integer()) {
    return context.SetOutput(0, context.input_type(0), UnknownOfLength(context, 1));
  }
  const absl::StatusOr<Shape> shape = ReshapeTarget(context, *target, context.attr<ReshapeAttrs>().allow_zero);
  if (!shape.ok()) return shape.status();
  const Shape& input = context.input_shape(0);
  if (input.IsStatic() && shape->IsStatic() && ProductOf(input.dims()) != ProductOf(shape->dims())) {
    return context.Error(
        StrCat("cannot reshape ", input.ToString(), " to ", shape->ToString(), ": the numbers of elements differ"));
  }
  return SetReshaped(context, *shape);
}

absl::Status InferFlatten(InferContext& context) {
  const Shape& input = context.input_shape(0);
  if (!input.has_rank()) return context.SetOutput(0, context.input_type(0), Shape(std::vector<Dim>(2)));
  int64_t axis = context.attr<AxisAttrs>().axis;
  if (axis < -input.rank() || axis > input.rank()) {
    return context.Error(StrCat("expected an axis within [", -input.rank(), ", ", input.rank(), "], found ", axis));
  }
  if (axis < 0) axis += input.rank();
  const std::span<const Dim> dims(input.dims());
  const size_t split = static_cast<size_t>(axis);
  return SetReshaped(context, Shape({ProductOf(dims.first(split)), ProductOf(dims.subspan(split))}));
}

absl::Status InferSqueeze(InferContext& context) {
  const Shape& input = context.input_shape(0);
  const std::vector<int64_t>& wanted = context.attr<AxesAttrs>().axes;
  if (!input.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  const absl::StatusOr<std::vector<int64_t>> axes = NormalizeAxes(wanted, input.rank());
  if (!axes.ok()) return context.Error(axes.status());
  std::vector<Dim> dims;
  for (int64_t i = 0; i < input.rank(); ++i) {
    const Dim& dim = input.dim(i);
    if (axes->empty()) {
      // Whether an unknown dimension is dropped decides the rank.
      if (!dim.known()) return context.SetOutput(0, context.input_type(0), Shape());
      if (dim.value != 1) dims.push_back(dim);
    } else if (!std::binary_search(axes->begin(), axes->end(), i)) {
      dims.push_back(dim);
    } else if (dim.known() && dim.value != 1) {
      return context.Error(StrCat("expected extent 1 in dimension ", i, " of shape ", input.ToString()));
    }
  }
  return SetReshaped(context, Shape(std::move(dims)));
}

absl::Status InferUnsqueeze(InferContext& context) {
  const Shape& input = context.input_shape(0);
  const std::vector<int64_t>& wanted = context.attr<AxesAttrs>().axes;
  if (!input.has_rank()) return context.SetOutput(0, context.input_type(0), Shape());
  const int64_t rank = input.rank() + static_cast<int64_t>(wanted.size());
  const absl::StatusOr<std::vector<int64_t>> axes = NormalizeAxes(wanted, rank);
  if (!axes.ok()) return context.Error(axes.status());
  std::vector<Dim> dims;
  int64_t next = 0;
  for (int64_t i = 0; i < rank; ++i) {
    dims.push_back(std::binary_search(axes->begin(), axes->end(), i) ? Dim(1) : input.dim(next++));
  }
  return SetReshaped(context, Shape(std::move(dims)));
}

absl::StatusOr<Shape> ShapeFromElements(const InferContext& context, const PartialTensor& elements) {
  std::vector<Dim> dims;
  for (const PartialElement& element : elements.elements) {
    if (element.known && element.integer < 0) {
      return context.Error(StrCat("expected extents of at least 0, found ", element.integer));
    }
    dims.push_back(element.ToDim());
  }
  return Shape(std::move(dims));
}

// One element repeated.
void EvaluateExpand(InferContext& context, const Shape& shape) {
  const PartialTensor* input = context.input_elements(0);
  if (input == nullptr || !shape.IsStatic()) return;
  std::optional<PartialTensor> result = UnknownPartial(input->type, shape.Extents());
  if (!result) return;
  if (input->elements.size() == result->elements.size()) {
    result->elements = input->elements;
  } else if (input->elements.size() == 1) {
    std::fill(result->elements.begin(), result->elements.end(), input->elements.front());
  } else {
    return;
  }
  context.SetElements(0, *std::move(result));
}

absl::Status InferExpand(InferContext& context) {
  QLITE_RETURN_IF_ERROR(context.CheckType(1, ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckRank(1, 1));
  const PartialTensor* target = context.input_elements(1);
  if (target == nullptr || !target->is_integer()) {
    const Shape unknown = UnknownOfLength(context, 1);
    const Shape& input = context.input_shape(0);
    const bool ranked = unknown.has_rank() && input.has_rank();
    return context.SetOutput(
        0, context.input_type(0),
        ranked ? Shape(std::vector<Dim>(static_cast<size_t>(std::max(unknown.rank(), input.rank())))) : Shape());
  }
  const absl::StatusOr<Shape> extents = ShapeFromElements(context, *target);
  if (!extents.ok()) return extents.status();
  const absl::StatusOr<Shape> shape = BroadcastShapes(context.input_shape(0), *extents);
  if (!shape.ok()) return context.Error(shape.status());
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, context.input_type(0), *shape));
  EvaluateExpand(context, *shape);
  return absl::OkStatus();
}

absl::Status InferShape(InferContext& context) {
  const auto& attrs = context.attr<ShapeAttrs>();
  const Shape& input = context.input_shape(0);
  if (!input.has_rank()) return context.SetOutput(0, ElementType::kInt64, Shape(std::vector<Dim>(1)));
  const int64_t rank = input.rank();
  const auto clamped = [rank](int64_t position) {
    return std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
  };
  const int64_t start = clamped(attrs.start);
  const int64_t end = std::max(clamped(attrs.end), start);
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, ElementType::kInt64, Shape::Of({end - start})));
  if (end - start > PartialTensor::kMaxElements) return absl::OkStatus();
  PartialTensor elements{ElementType::kInt64, {end - start}, {}};
  for (int64_t i = start; i < end; ++i) elements.elements.push_back(PartialElement::FromDim(input.dim(i)));
  context.SetElements(0, std::move(elements));
  return absl::OkStatus();
}

absl::Status InferConstantOfShape(InferContext& context) {
  const auto& attrs = context.attr<FillAttrs>();
  if (ElementSize(attrs.type) == 0) return context.Error("the type of the fill value is undefined");
  QLITE_RETURN_IF_ERROR(context.CheckType(0, ElementType::kInt64));
  QLITE_RETURN_IF_ERROR(context.CheckRank(0, 1));
  const PartialTensor* extents = context.input_elements(0);
  if (extents == nullptr || !extents->is_integer()) {
    return context.SetOutput(0, attrs.type, UnknownOfLength(context, 0));
  }
  const absl::StatusOr<Shape> shape = ShapeFromElements(context, *extents);
  if (!shape.ok()) return shape.status();
  QLITE_RETURN_IF_ERROR(context.SetOutput(0, attrs.type, *shape));
  if (!shape->IsStatic()) return absl::OkStatus();
  std::optional<PartialTensor> elements = UnknownPartial(attrs.type, shape->Extents());
  if (!elements) return absl::OkStatus();
  const PartialElement fill =
      elements->is_integer() ? PartialElement::Integer(attrs.int_value) : PartialElement::Real(attrs.float_value);
  std::fill(elements->elements.begin(), elements->elements.end(), fill);
  context.SetElements(0, *std::move(elements));
  return absl::OkStatus();
}

absl::Status InferIdentity(InferContext& context) { return SetReshaped(context, context.input_shape(0)); }

}  // namespace

namespace op_rules {
OpRule ReshapeRule() { return {.kind = OpKind::kMovement, .min_inputs = 2, .max_inputs = 2, .infer = InferReshape}; }
OpRule FlattenRule() { return {.kind = OpKind::kMovement, .infer = InferFlatten}; }
OpRule SqueezeRule() { return {.kind = OpKind::kMovement, .infer = InferSqueeze}; }
OpRule UnsqueezeRule() { return {.kind = OpKind::kMovement, .infer = InferUnsqueeze}; }
OpRule ExpandRule() { return {.kind = OpKind::kMovement, .min_inputs = 2, .max_inputs = 2, .infer = InferExpand}; }
OpRule ShapeRule() { return {.infer = InferShape}; }
OpRule ConstantOfShapeRule() { return {.infer = InferConstantOfShape}; }
OpRule IdentityRule() { return {.kind = OpKind::kMovement, .infer = InferIdentity}; }
}  // namespace op_rules

}  // namespace qlite
