#include "qlite/tensor.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "absl/strings/str_join.h"
#include "core/aligned_memory.h"
#include "core/bit_packing.h"
#include "core/check.h"
#include "core/checked_math.h"
#include "core/mapped_file.h"
#include "core/status_macros.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 62;

bool IsAligned(const void* data, size_t alignment) {
  return alignment == 0 || reinterpret_cast<uintptr_t>(data) % alignment == 0;
}

bool HoldsOnlyZeroAndOne(const Buffer& buffer) {
  return std::all_of(buffer.data, buffer.data + buffer.size, [](std::byte b) { return b <= std::byte{1}; });
}

template <class T>
bool HoldsFields(std::span<const T> values, const PackedIntegers& packed) {
  constexpr size_t kPiece = size_t{1} << 20;
  const std::span<const std::byte> fields(packed.fields.data, packed.fields.size);
  std::vector<T> unpacked(std::min(kPiece, values.size()));
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const auto piece = std::span(unpacked).first(std::min(kPiece, values.size() - begin));
    UnpackFields(fields, packed.width, begin, piece);
    if (!std::equal(piece.begin(), piece.end(), values.begin() + static_cast<std::ptrdiff_t>(begin))) return false;
  }
  return true;
}

}  // namespace

Buffer Buffer::Copy(const void* data, size_t size) {
  const auto* begin = static_cast<const std::byte*>(data);
  if (size >= kHugePage) {
    const std::shared_ptr<std::byte> copy = AllocateAligned(size);
    std::memcpy(copy.get(), begin, size);
    return {copy.get(), size, copy};
  }
  // The default allocator aligns for every element type there is.
  return Own(size == 0 ? std::vector<std::byte>() : std::vector<std::byte>(begin, begin + size));
}

absl::StatusOr<int64_t> ElementCount(std::span<const int64_t> dims, size_t element_size) {
  const int64_t size = static_cast<int64_t>(std::max<size_t>(element_size, 1));
  int64_t product = size;  // of the extents other than 0, so that the answer does not depend on their order
  bool empty = false;
  for (const int64_t dim : dims) {
    if (dim < 0) {
      return absl::InvalidArgumentError(StrCat("extents [", absl::StrJoin(dims, ","), "] hold a negative one"));
    }
    empty |= dim == 0;
    const std::optional<int64_t> next = CheckedMul(product, std::max<int64_t>(dim, 1));
    if (!next || *next > kMaxBytes) {
      return absl::InvalidArgumentError(
          StrCat("extents [", absl::StrJoin(dims, ","), "] stand for more data than can be addressed"));
    }
    product = *next;
  }
  return empty ? 0 : product / size;
}

absl::StatusOr<Tensor> Tensor::Create(ElementType type, std::vector<int64_t> dims, Buffer buffer) {
  const size_t element_size = ElementSize(type);
  if (element_size == 0) return absl::InvalidArgumentError("a tensor needs an element type, found undefined");
  const absl::StatusOr<int64_t> count = ElementCount(dims, element_size);
  if (!count.ok()) return count.status();
  const size_t expected = static_cast<size_t>(*count) * element_size;
  if (buffer.size != expected) {
    return absl::InvalidArgumentError(StrCat("a ", ElementTypeName(type), " tensor of extents [",
                                             absl::StrJoin(dims, ","), "] takes ", expected, " bytes, found ",
                                             buffer.size));
  }
  if (!IsAligned(buffer.data, element_size)) buffer = Buffer::Copy(buffer.data, buffer.size);
  if (type == ElementType::kBool && !HoldsOnlyZeroAndOne(buffer)) {
    return absl::InvalidArgumentError("a bool tensor holds a byte that is neither 0 nor 1");
  }
  return FromTrusted(type, std::move(dims), std::move(buffer));
}

struct Tensor::Packed {
  PackedIntegers integers;
  std::mutex mutex;  // of what follows, which does not change once the elements were asked for
  bool is_unpacked = false;
  Buffer elements;
};

absl::StatusOr<Tensor> Tensor::FromPacked(ElementType type, std::vector<int64_t> dims, PackedIntegers packed) {
  const int bits = 8 * static_cast<int>(ElementSize(type));
  if ((type != ElementType::kInt8 && type != ElementType::kInt16) || packed.width < 1 || packed.width > bits) {
    return absl::InvalidArgumentError(
        StrCat("integers of ", packed.width, " bits cannot be packed ", ElementTypeName(type)));
  }
  const absl::StatusOr<int64_t> count = ElementCount(dims, ElementSize(type));
  if (!count.ok()) return count.status();
  const std::span<const std::byte> fields(packed.fields.data, packed.fields.size);
  QLITE_RETURN_IF_ERROR(CheckPacked(fields, packed.width, static_cast<uint64_t>(*count)));
  Tensor tensor;
  tensor.type_ = type;
  tensor.dims_ = std::move(dims);
  tensor.element_count_ = *count;
  tensor.packed_ = std::make_shared<Packed>();
  tensor.packed_->integers = std::move(packed);
  return tensor;
}

const PackedIntegers* Tensor::packed() const { return packed_ == nullptr ? nullptr : &packed_->integers; }

const Buffer& Tensor::Unpacked() const {
  const std::lock_guard lock(packed_->mutex);
  if (packed_->is_unpacked) return packed_->elements;
  const PackedIntegers& integers = packed_->integers;
  const std::span<const std::byte> fields(integers.fields.data, integers.fields.size);
  const auto unpack = [&](auto values) {
    UnpackFields(fields, integers.width, 0, std::span(values));
    packed_->elements = Buffer::Own(std::move(values));
  };
  const auto count = static_cast<size_t>(element_count_);
  type_ == ElementType::kInt8 ? unpack(std::vector<int8_t>(count)) : unpack(std::vector<int16_t>(count));
  packed_->is_unpacked = true;
  return packed_->elements;
}

absl::StatusOr<Tensor> Tensor::Reshaped(std::vector<int64_t> dims) const {
  const absl::StatusOr<int64_t> count = ElementCount(dims, ElementSize(type_));
  if (!count.ok()) return count.status();
  if (*count != element_count_) {
    return absl::InvalidArgumentError(StrCat("cannot reshape [", absl::StrJoin(dims_, ","), "], ", element_count_,
                                             " elements, to [", absl::StrJoin(dims, ","), "]"));
  }
  Tensor reshaped = *this;
  reshaped.dims_ = std::move(dims);
  return reshaped;
}

Tensor Tensor::FromTrusted(ElementType type, std::vector<int64_t> dims, Buffer buffer) {
  const absl::StatusOr<int64_t> count = ElementCount(dims, ElementSize(type));
  QLITE_CHECK(count.ok() && buffer.size == static_cast<size_t>(*count) * ElementSize(type),
              "a tensor's extents and number of values differ");
  Tensor tensor;
  tensor.type_ = type;
  tensor.dims_ = std::move(dims);
  tensor.element_count_ = *count;
  tensor.buffer_ = std::move(buffer);
  return tensor;
}

void Tensor::CheckType(ElementType type) const {
  QLITE_CHECK(type == type_, "a tensor's data were asked for as another element type");
}

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.type_ != b.type_ || a.dims_ != b.dims_) return false;
  // Neither keeps elements that nobody asked for.
  const PackedIntegers *x = a.packed(), *y = b.packed();
  if (x != nullptr && y != nullptr && x->width == y->width) return SameBytes(x->fields, y->fields);
  if ((x == nullptr) != (y == nullptr)) {
    const Tensor& plain = x == nullptr ? a : b;
    const PackedIntegers& packed = x == nullptr ? *y : *x;
    return a.type_ == ElementType::kInt8 ? HoldsFields(plain.data<int8_t>(), packed)
                                         : HoldsFields(plain.data<int16_t>(), packed);
  }
  return SameBytes(a.buffer(), b.buffer());
}

}  // namespace qlite
