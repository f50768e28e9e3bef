#include "qlite/types.h"

#include <algorithm>

#include "core/str_cat.h"

namespace qlite {

size_t ElementSize(ElementType type) {
  switch (type) {
    case ElementType::kUndefined:
      return 0;
    case ElementType::kInt8:
    case ElementType::kUInt8:
    case ElementType::kBool:
      return 1;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
    case ElementType::kInt16:
    case ElementType::kUInt16:
      return 2;
    case ElementType::kFloat32:
    case ElementType::kInt32:
    case ElementType::kUInt32:
      return 4;
    case ElementType::kFloat64:
    case ElementType::kInt64:
    case ElementType::kUInt64:
      return 8;
  }
  return 0;
}

std::string_view ElementTypeName(ElementType type) {
  switch (type) {
    case ElementType::kUndefined:
      return "undefined";
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kBFloat16:
      return "bfloat16";
    case ElementType::kFloat64:
      return "float64";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUInt8:
      return "uint8";
    case ElementType::kInt16:
      return "int16";
    case ElementType::kUInt16:
      return "uint16";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kUInt32:
      return "uint32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kUInt64:
      return "uint64";
    case ElementType::kBool:
      return "bool";
  }
  return "undefined";
}

bool Shape::IsStatic() const {
  return has_rank_ && std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.known(); });
}

std::vector<int64_t> Shape::Extents() const {
  std::vector<int64_t> extents;
  extents.reserve(dims_.size());
  for (const Dim& dim : dims_) extents.push_back(dim.value);
  return extents;
}

std::string Shape::ToString() const {
  if (!has_rank_) return "[*]";
  std::string text = "[";
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (i > 0) text += ",";
    if (dims_[i].known()) {
      StrAppend(&text, dims_[i].value);
    } else {
      text += dims_[i].symbol.empty() ? "?" : dims_[i].symbol;
    }
  }
  return text + "]";
}

}  // namespace qlite
