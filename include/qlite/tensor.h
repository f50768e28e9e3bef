// Tensor data: shared immutable constants, and views of memory that somebody else owns.
#ifndef QLITE_TENSOR_H_
#define QLITE_TENSOR_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/types.h"

namespace qlite {

// Immutable bytes with a shared owner: heap memory, a mapped file, or memory of the host. Copying shares.
struct Buffer {
  const std::byte* data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> owner;

  static Buffer Copy(const void* data, size_t size);
  // Takes the vector over without copying its elements.
  template <class T>
  static Buffer Own(std::vector<T> values) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(values));
    return {reinterpret_cast<const std::byte*>(kept->data()), kept->size() * sizeof(T), kept};
  }
};

template <class T>
constexpr ElementType ElementTypeOf();
// clang-format off
template <> constexpr ElementType ElementTypeOf<float>() { return ElementType::kFloat32; }
template <> constexpr ElementType ElementTypeOf<double>() { return ElementType::kFloat64; }
template <> constexpr ElementType ElementTypeOf<int8_t>() { return ElementType::kInt8; }
template <> constexpr ElementType ElementTypeOf<uint8_t>() { return ElementType::kUInt8; }
template <> constexpr ElementType ElementTypeOf<int16_t>() { return ElementType::kInt16; }
template <> constexpr ElementType ElementTypeOf<uint16_t>() { return ElementType::kUInt16; }
template <> constexpr ElementType ElementTypeOf<int32_t>() { return ElementType::kInt32; }
template <> constexpr ElementType ElementTypeOf<uint32_t>() { return ElementType::kUInt32; }
template <> constexpr ElementType ElementTypeOf<int64_t>() { return ElementType::kInt64; }
template <> constexpr ElementType ElementTypeOf<uint64_t>() { return ElementType::kUInt64; }
template <> constexpr ElementType ElementTypeOf<bool>() { return ElementType::kBool; }
// clang-format on

// The product of `dims`, or an error where one is negative or the product of elements and `element_size` passes 2^62.
absl::StatusOr<int64_t> ElementCount(std::span<const int64_t> dims, size_t element_size = 1);

// Integers of 1 to 16 bits as a stream of bits: field i, q + 2^(width-1), occupies the bits [i*width, (i+1)*width), bit
// b being bit b % 8 of byte b / 8.
struct PackedIntegers {
  int width = 0;
  Buffer fields;
};

// A constant: element type, extents, and row-major little-endian data of exactly ElementCount(dims)*ElementSize(type)
// bytes, aligned for the element type. Immutable and cheap to copy; safe to read from any thread.
class Tensor {
 public:
  Tensor() = default;

  // Checks the buffer's size (kInvalidArgument); copies the data only where they are not aligned for the type.
  static absl::StatusOr<Tensor> Create(ElementType type, std::vector<int64_t> dims, Buffer buffer);

  // int8 or int16 elements that stay packed until data() or buffer() asks for them, which keeps both from then on.
  // kInvalidArgument where the fields are wider than an element, are not exactly as many as the elements, or bits
  // behind the last one are set.
  static absl::StatusOr<Tensor> FromPacked(ElementType type, std::vector<int64_t> dims, PackedIntegers packed);

  // From values held in memory; `values` must hold ElementCount(dims) elements (checked, aborts: programming error).
  template <class T>
  static Tensor Of(std::vector<int64_t> dims, std::vector<T> values) {
    return FromTrusted(ElementTypeOf<T>(), std::move(dims), Buffer::Own(std::move(values)));
  }

  ElementType type() const { return type_; }
  const std::vector<int64_t>& dims() const { return dims_; }
  int64_t element_count() const { return element_count_; }
  const Buffer& buffer() const { return packed_ == nullptr ? buffer_ : Unpacked(); }
  // What FromPacked was given; null for another tensor.
  const PackedIntegers* packed() const;

  // The elements; T must be the tensor's type (checked, aborts).
  template <class T>
  std::span<const T> data() const {
    CheckType(ElementTypeOf<T>());
    return {reinterpret_cast<const T*>(buffer().data), static_cast<size_t>(element_count_)};
  }

  // The same data under other extents of equal product (kInvalidArgument otherwise).
  absl::StatusOr<Tensor> Reshaped(std::vector<int64_t> dims) const;

  // Same type, extents and bytes.
  friend bool operator==(const Tensor& a, const Tensor& b);

 private:
  static Tensor FromTrusted(ElementType type, std::vector<int64_t> dims, Buffer buffer);
  void CheckType(ElementType type) const;
  const Buffer& Unpacked() const;

  ElementType type_ = ElementType::kUndefined;
  std::vector<int64_t> dims_;
  int64_t element_count_ = 0;
  Buffer buffer_;
  struct Packed;
  std::shared_ptr<Packed> packed_;
};

// Row-major data owned by somebody else.
struct TensorView {
  ElementType type = ElementType::kUndefined;
  std::span<const int64_t> dims;
  const void* data = nullptr;
  size_t bytes = 0;

  template <class T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data), bytes / sizeof(T)};
  }
};

struct MutableTensorView {
  ElementType type = ElementType::kUndefined;
  std::span<const int64_t> dims;
  void* data = nullptr;
  size_t bytes = 0;

  template <class T>
  std::span<T> as() const {
    return {static_cast<T*>(data), bytes / sizeof(T)};
  }
};

}  // namespace qlite

#endif  // QLITE_TENSOR_H_
