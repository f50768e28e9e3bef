#include "formats/qlite/encoding/weight_encoding.h"

#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/bit_packing.h"

namespace qlite {
namespace {

template <class T>
EncodedWeights Encode(std::span<const T> values, int bits) {
  if (bits >= 8 * static_cast<int>(sizeof(T)) || WidthOf(values) > bits) return {};
  EncodedWeights encoded;
  encoded.encoding = {WeightForm::kPacked, bits};
  encoded.bytes.resize(PackedBytes(values.size(), bits));
  PackBits(values, bits, encoded.bytes.data());
  return encoded;
}

template <class T>
absl::StatusOr<Buffer> Decode(WeightEncoding encoding, std::span<const std::byte> bytes, int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  QLITE_RETURN_IF_ERROR(UnpackBits(bytes, encoding.width, std::span<T>(values)));
  return Buffer::Own(std::move(values));
}

}  // namespace

EncodedWeights EncodeWeights(const Tensor& weights, const QuantParams& quant) {
  if (weights.type() == ElementType::kInt8) return Encode(weights.data<int8_t>(), quant.bits);
  if (weights.type() == ElementType::kInt16) return Encode(weights.data<int16_t>(), quant.bits);
  return {};
}

absl::StatusOr<Buffer> DecodeWeights(WeightEncoding encoding, std::span<const std::byte> bytes, ElementType type,
                                     int64_t count) {
  if (type != ElementType::kInt8 && type != ElementType::kInt16) {
    return absl::InvalidArgumentError(StrCat("only int8 and int16 are encoded, found ", ElementTypeName(type)));
  }
  if (encoding.width < 1 || encoding.width > 8 * static_cast<int>(ElementSize(type))) {
    return absl::InvalidArgumentError(StrCat("integers of ", encoding.width, " bits in ", ElementTypeName(type)));
  }
  const uint64_t element_bytes = static_cast<uint64_t>(count) * ElementSize(type);
  if (element_bytes / kMaxWeightExpansion > bytes.size()) {
    return absl::InvalidArgumentError(StrCat(bytes.size(), " encoded bytes are too few for ", count, " elements"));
  }
  return type == ElementType::kInt8 ? Decode<int8_t>(encoding, bytes, count) : Decode<int16_t>(encoding, bytes, count);
}

}  // namespace qlite
