#include "core/infer_context.h"

#include <algorithm>

#include "core/error_site.h"
#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

bool IsFloatingPoint(ElementType type) {
  return type == ElementType::kFloat32 || type == ElementType::kFloat16 || type == ElementType::kFloat64;
}

}  // namespace

const PartialTensor* PartialValues::Find(ValueId id) const {
  const auto found = values_.find(id);
  return found == values_.end() ? nullptr : &found->second;
}

const PartialTensor* PartialValues::Insert(ValueId id, PartialTensor elements) {
  if (elements_ + elements.elements.size() > kMaxElementsOfGraph) return nullptr;
  elements_ += elements.elements.size();
  return &values_.insert_or_assign(id, std::move(elements)).first->second;
}

const QuantParams* InferContext::input_quant(size_t i) const { return input(i).quant ? &*input(i).quant : nullptr; }

const PartialTensor* InferContext::input_elements(size_t i) {
  if (!has_input(i)) return nullptr;
  const ValueId id = node().inputs[i];
  if (const PartialTensor* found = known_.Find(id)) return found;
  if (!input(i).is_constant()) return nullptr;
  std::optional<PartialTensor> partial = PartialFromTensor(*input(i).constant);
  return partial ? known_.Insert(id, *std::move(partial)) : nullptr;
}

std::optional<std::vector<int64_t>> InferContext::input_integers(size_t i) {
  const PartialTensor* elements = input_elements(i);
  return elements == nullptr ? std::nullopt : elements->Integers();
}

ElementType InferContext::declared_type(size_t i) const {
  const ValueId id = node().outputs[i];
  return id.valid() ? graph_.value(id).type : ElementType::kUndefined;
}

const QuantParams* InferContext::output_quant(size_t i) const {
  const ValueId id = node().outputs[i];
  return id.valid() && graph_.value(id).quant ? &*graph_.value(id).quant : nullptr;
}

absl::Status InferContext::SetOutput(size_t i, ElementType type, Shape shape) {
  const ValueId id = i < node().outputs.size() ? node().outputs[i] : ValueId();
  if (!id.valid()) return absl::OkStatus();
  if (shape.rank() > kMaxRank) {
    return Error(StrCat("expected a result of at most ", kMaxRank, " dimensions, found ", shape.rank()));
  }
  std::vector<int64_t> known;
  for (const Dim& dim : shape.dims()) known.push_back(std::max<int64_t>(dim.value, 1));
  if (const absl::Status status = ElementCount(known, ElementSize(type)).status(); !status.ok()) return Error(status);
  Value& value = graph_.mutable_value(id);
  value.type = type;
  value.shape = std::move(shape);
  return absl::OkStatus();
}

void InferContext::SetElements(size_t i, PartialTensor elements) {
  const ValueId id = i < node().outputs.size() ? node().outputs[i] : ValueId();
  if (id.valid()) known_.Insert(id, std::move(elements));
}

absl::Status InferContext::Error(std::string_view what) const {
  return AtNode(absl::InvalidArgumentError(StrCat("node '", node().name, "' (", OpName(node().op), "): ", what)),
                node().name);
}

absl::Status InferContext::Error(const absl::Status& status) const {
  return status.ok() ? status : Error(Message(status));
}

absl::Status InferContext::CheckSameType(size_t i) const {
  if (input_type(i) == ElementType::kUndefined || input_type(0) == ElementType::kUndefined) return absl::OkStatus();
  return CheckType(i, input_type(0));
}

absl::Status InferContext::CheckType(size_t i, ElementType expected) const {
  const ElementType found = input_type(i);
  if (found == expected || found == ElementType::kUndefined) return absl::OkStatus();
  return AtValue(Error(StrCat("input ", i, " '", input(i).name, "': expected type ", ElementTypeName(expected),
                              ", found ", ElementTypeName(found))),
                 input(i).name);
}

absl::Status InferContext::CheckIndexType(size_t i) const {
  if (input_type(i) == ElementType::kInt32) return absl::OkStatus();
  return CheckType(i, ElementType::kInt64);
}

absl::Status InferContext::CheckReal(size_t i) const {
  const Value& value = input(i);
  if (value.type == ElementType::kUndefined || IsFloatingPoint(value.type) || value.quant) return absl::OkStatus();
  return AtValue(Error(StrCat("input ", i, " '", value.name, "': expected a floating-point or quantized type, found ",
                              ElementTypeName(value.type))),
                 value.name);
}

absl::Status InferContext::CheckRank(size_t i, int64_t rank) const {
  const Shape& shape = input_shape(i);
  if (!shape.has_rank() || shape.rank() == rank) return absl::OkStatus();
  return AtValue(Error(StrCat("input ", i, " '", input(i).name, "': expected ", rank, " dimensions, found shape ",
                              shape.ToString())),
                 input(i).name);
}

absl::Status InferContext::CheckMinRank(size_t i, int64_t rank) const {
  const Shape& shape = input_shape(i);
  if (!shape.has_rank() || shape.rank() >= rank) return absl::OkStatus();
  return AtValue(Error(StrCat("input ", i, " '", input(i).name, "': expected at least ", rank,
                              " dimensions, found shape ", shape.ToString())),
                 input(i).name);
}

absl::Status InferContext::CheckVector(size_t i, std::string_view what, const Dim& extent) const {
  const Shape& shape = input_shape(i);
  if (!shape.has_rank()) return absl::OkStatus();
  const bool fits =
      shape.rank() == 1 && (!extent.known() || !shape.dim(0).known() || extent.value == shape.dim(0).value);
  if (fits) return absl::OkStatus();
  return AtValue(Error(StrCat(what, " '", input(i).name, "': expected shape ", Shape({extent}).ToString(), ", found ",
                              shape.ToString())),
                 input(i).name);
}

ElementType InferContext::ResultType() const {
  const ElementType type = input_type(0);
  if (type != ElementType::kInt8 && type != ElementType::kUInt8) return type;
  const ElementType declared = declared_type(0);
  const bool possible =
      declared == ElementType::kInt8 || declared == ElementType::kUInt8 || declared == ElementType::kFloat32;
  return input_quant(0) != nullptr && possible ? declared : type;
}

ElementType InferContext::ProductType() const {
  const ElementType type = input_type(0);
  if (type != ElementType::kInt8 && type != ElementType::kUInt8) return type;
  const ElementType declared = declared_type(0);
  if (declared == ElementType::kInt8 || declared == ElementType::kUInt8 || declared == ElementType::kFloat32) {
    return declared;
  }
  return output_quant(0) != nullptr ? type : ElementType::kFloat32;
}

absl::Status InferContext::CheckProductTypes(size_t bias) const {
  QLITE_RETURN_IF_ERROR(CheckReal(0));
  const bool quantized = input_type(0) == ElementType::kInt8 || input_type(0) == ElementType::kUInt8;
  // Weights of quantized products are int8 whatever the sign of the activations.
  if (quantized && input_type(1) != ElementType::kUInt8) QLITE_RETURN_IF_ERROR(CheckType(1, ElementType::kInt8));
  if (!quantized) QLITE_RETURN_IF_ERROR(CheckSameType(1));
  if (!has_input(bias)) return absl::OkStatus();
  return quantized ? CheckType(bias, ElementType::kInt32) : CheckSameType(bias);
}

}  // namespace qlite
