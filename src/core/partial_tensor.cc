#include "core/partial_tensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qlite {
namespace {

template <class T>
void AppendIntegers(const Tensor& tensor, std::vector<PartialElement>& elements) {
  for (const T value : tensor.data<T>()) elements.push_back(PartialElement::Integer(static_cast<int64_t>(value)));
}

bool FitsType(int64_t value, ElementType type) {
  if (type == ElementType::kBool) return value == 0 || value == 1;
  if (type != ElementType::kInt32) return true;
  return value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
}

}  // namespace

PartialElement PartialElement::Integer(int64_t value) {
  PartialElement element;
  element.known = true;
  element.integer = value;
  return element;
}

PartialElement PartialElement::Real(float value) {
  PartialElement element;
  element.known = true;
  element.real = value;
  return element;
}

PartialElement PartialElement::FromDim(const Dim& dim) {
  if (dim.known()) return Integer(dim.value);
  PartialElement element;
  element.symbol = dim.symbol;
  return element;
}

Dim PartialElement::ToDim() const {
  if (known) return integer >= 0 ? Dim(integer) : Dim();
  return symbol.empty() ? Dim() : Dim::Symbolic(symbol);
}

bool PartialTensor::AllKnown() const {
  return std::all_of(elements.begin(), elements.end(), [](const PartialElement& element) { return element.known; });
}

std::optional<std::vector<int64_t>> PartialTensor::Integers() const {
  if (!is_integer() || !AllKnown()) return std::nullopt;
  std::vector<int64_t> values;
  for (const PartialElement& element : elements) values.push_back(element.integer);
  return values;
}

bool CanBePartial(ElementType type) {
  return type == ElementType::kInt64 || type == ElementType::kInt32 || type == ElementType::kBool ||
         type == ElementType::kFloat32;
}

std::optional<PartialTensor> PartialFromTensor(const Tensor& tensor) {
  if (!CanBePartial(tensor.type()) || tensor.element_count() > PartialTensor::kMaxElements) return std::nullopt;
  PartialTensor partial{tensor.type(), tensor.dims(), {}};
  switch (tensor.type()) {
    case ElementType::kInt64:
      AppendIntegers<int64_t>(tensor, partial.elements);
      break;
    case ElementType::kInt32:
      AppendIntegers<int32_t>(tensor, partial.elements);
      break;
    case ElementType::kBool:
      AppendIntegers<bool>(tensor, partial.elements);
      break;
    default:
      for (const float value : tensor.data<float>()) partial.elements.push_back(PartialElement::Real(value));
  }
  return partial;
}

std::optional<PartialTensor> UnknownPartial(ElementType type, std::vector<int64_t> dims) {
  if (!CanBePartial(type)) return std::nullopt;
  const absl::StatusOr<int64_t> count = ElementCount(dims);
  if (!count.ok() || *count > PartialTensor::kMaxElements) return std::nullopt;
  return PartialTensor{type, std::move(dims), std::vector<PartialElement>(static_cast<size_t>(*count))};
}

PartialElement CastElement(const PartialElement& element, ElementType from, ElementType to) {
  const bool from_real = from == ElementType::kFloat32;
  if (!element.known) return !from_real && to == ElementType::kInt64 ? element : PartialElement();
  if (to == ElementType::kFloat32) {
    return from_real ? element : PartialElement::Real(static_cast<float>(element.integer));
  }
  if (to == ElementType::kBool) {
    return PartialElement::Integer(from_real ? (element.real != 0 ? 1 : 0) : (element.integer != 0 ? 1 : 0));
  }
  int64_t value = element.integer;
  if (from_real) {
    if (!(std::abs(element.real) < 0x1p62f)) return PartialElement();
    value = static_cast<int64_t>(element.real);
  }
  return FitsType(value, to) ? PartialElement::Integer(value) : PartialElement();
}

}  // namespace qlite
