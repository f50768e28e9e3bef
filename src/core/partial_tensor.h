// Small tensors of which some elements are known before the network runs. Shape inference follows them through the
// integer arithmetic by which networks compute the targets of Reshape, Expand, Slice and Resize.
#ifndef QLITE_CORE_PARTIAL_TENSOR_H_
#define QLITE_CORE_PARTIAL_TENSOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qlite/tensor.h"
#include "qlite/types.h"

namespace qlite {

// One element: known, or unknown with a symbol that names an unknown extent, or unknown.
struct PartialElement {
  bool known = false;
  int64_t integer = 0;  // of integer types and bool
  float real = 0;       // of float32
  std::string symbol;   // of an unknown integer; stands for an extent, so it is not negative

  static PartialElement Integer(int64_t value);
  static PartialElement Real(float value);
  static PartialElement FromDim(const Dim& dim);
  // The element as an extent: unknown where it is negative.
  Dim ToDim() const;
};

struct PartialTensor {
  static constexpr int64_t kMaxElements = 1024;

  ElementType type = ElementType::kInt64;
  std::vector<int64_t> dims;
  std::vector<PartialElement> elements;  // as many as the product of dims, row-major

  bool is_integer() const { return type != ElementType::kFloat32; }
  bool AllKnown() const;
  // The elements of an integer tensor, where all are known.
  std::optional<std::vector<int64_t>> Integers() const;
};

// int64, int32, bool and float32.
bool CanBePartial(ElementType type);

// Nothing where the type is another or the tensor has more than kMaxElements elements.
std::optional<PartialTensor> PartialFromTensor(const Tensor& tensor);

// A tensor of unknown elements; nothing where it would be too large. Extents must not be negative.
std::optional<PartialTensor> UnknownPartial(ElementType type, std::vector<int64_t> dims);

// The value as it is after a conversion to `to`; unknown where it does not fit or is not a number.
PartialElement CastElement(const PartialElement& element, ElementType from, ElementType to);

}  // namespace qlite

#endif  // QLITE_CORE_PARTIAL_TENSOR_H_
