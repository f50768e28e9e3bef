#include "formats/qlite/encoding/weight_encoding.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "core/bit_packing.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/entropy_form.h"
#include "formats/qlite/encoding/indexed_entropy_form.h"
#include "formats/qlite/encoding/indexed_form.h"
#include "formats/qlite/encoding/sparse_form.h"

namespace qlite {
namespace {

uint64_t LeastBytes(uint64_t element_bytes) { return (element_bytes + kMaxWeightExpansion - 1) / kMaxWeightExpansion; }

// One value a channel where zero points differ along an axis, otherwise the first zero point.
template <class T>
Background BackgroundOf(const Tensor& weights, const QuantParams& quant) {
  const std::vector<int32_t>& zeros = quant.zero_points;
  const bool same = std::all_of(zeros.begin(), zeros.end(), [&](int32_t zero) { return zero == zeros[0]; });
  Background background;
  background.values.assign(zeros.begin(), same || quant.block_size > 0 ? zeros.begin() + 1 : zeros.end());
  for (int32_t& value : background.values) {
    value = std::clamp<int32_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  }
  for (size_t i = static_cast<size_t>(quant.axis + 1); background.values.size() > 1 && i < weights.dims().size(); ++i) {
    background.inner *= static_cast<uint64_t>(weights.dims()[i]);
  }
  return background;
}

int WidthOfAll(const Background& background) {
  const std::vector<int16_t> values(background.values.begin(), background.values.end());
  return WidthOf(std::span<const int16_t>(values));
}

// What every form needs to know.
template <class T>
struct Source {
  std::span<const T> values;
  int width;
  Background background;
  int sparse_width;  // holds the background too

  Source(const Tensor& weights, const QuantParams& quant)
      : values(weights.data<T>()),
        width(WidthOf(values)),
        background(BackgroundOf<T>(weights, quant)),
        sparse_width(std::max(width, WidthOfAll(background))) {}
};

template <class T>
std::vector<std::byte> Pack(std::span<const T> values, int width) {
  std::vector<std::byte> bytes(PackedBytes(values.size(), width));
  PackBits(values, width, bytes.data());
  return bytes;
}

// A bound on the bytes of a form, quickly.
template <class T>
uint64_t BytesAtLeast(WeightForm form, const Source<T>& source) {
  switch (form) {
    case WeightForm::kRaw:
      return source.values.size_bytes();
    case WeightForm::kPacked:
      return PackedBytes(source.values.size(), source.width);
    case WeightForm::kIndexed:
      return IndexedBytes(source.values, source.width);
    case WeightForm::kSparse:
      return LeastSparseBytes(source.values, source.sparse_width, source.background);
    case WeightForm::kEntropy:
    case WeightForm::kIndexedEntropy:
      break;
  }
  return 0;
}

template <class T>
EncodedWeights EncodeAs(WeightForm form, const Source<T>& source, Executor* executor) {
  EncodedWeights encoded{{form, form == WeightForm::kSparse ? source.sparse_width : source.width}, {}};
  switch (form) {
    case WeightForm::kRaw:
      return {};
    case WeightForm::kPacked:
      encoded.bytes = Pack(source.values, source.width);
      break;
    case WeightForm::kIndexed:
      encoded.bytes = EncodeIndexed(source.values, source.width);
      break;
    case WeightForm::kSparse:
      encoded.bytes = EncodeSparse(source.values, source.sparse_width, source.background);
      break;
    case WeightForm::kEntropy:
      encoded.bytes = EncodeEntropy(source.values, source.width, executor);
      break;
    case WeightForm::kIndexedEntropy:
      if constexpr (sizeof(T) == 2) encoded.bytes = EncodeIndexedEntropy(source.values, source.width, executor);
      if (encoded.bytes.empty()) return {};
      break;
  }
  encoded.bytes.resize(std::max<size_t>(encoded.bytes.size(), LeastBytes(source.values.size_bytes())));
  return encoded;
}

template <class T>
EncodedWeights EncodeSmallest(const Source<T>& source, Executor* executor) {
  EncodedWeights best;
  size_t best_bytes = source.values.size_bytes();
  for (const WeightForm form : {WeightForm::kPacked, WeightForm::kIndexed, WeightForm::kSparse, WeightForm::kEntropy,
                                WeightForm::kIndexedEntropy}) {
    if (BytesAtLeast(form, source) >= best_bytes) continue;
    EncodedWeights encoded = EncodeAs(form, source, executor);
    if (encoded.encoding.form == WeightForm::kRaw || encoded.bytes.size() >= best_bytes) continue;
    best_bytes = encoded.bytes.size();
    best = std::move(encoded);
  }
  return best;
}

template <class T>
absl::StatusOr<size_t> DecodeInto(WeightEncoding encoding, std::span<const std::byte> bytes, std::span<T> values,
                                  Executor* executor, kernels::Isa isa) {
  switch (encoding.form) {
    case WeightForm::kPacked: {
      const size_t used = PackedBytes(values.size(), encoding.width);
      if (used > bytes.size()) break;
      QLITE_RETURN_IF_ERROR(UnpackBits(bytes.first(used), encoding.width, values));
      return used;
    }
    case WeightForm::kIndexed:
      return DecodeIndexed(bytes, encoding.width, values);
    case WeightForm::kSparse:
      return DecodeSparse(bytes, encoding.width, values);
    case WeightForm::kEntropy:
      return DecodeEntropy(bytes, encoding.width, values, executor, isa);
    case WeightForm::kIndexedEntropy:
      if constexpr (sizeof(T) == 2) return DecodeIndexedEntropy(bytes, encoding.width, values, executor, isa);
      break;
    case WeightForm::kRaw:
      break;
  }
  return absl::InvalidArgumentError(
      StrCat(bytes.size(), " bytes are too few in form ", static_cast<int>(encoding.form), ", or it is not for these"));
}

template <class T>
absl::StatusOr<Buffer> Decode(WeightEncoding encoding, std::span<const std::byte> bytes, int64_t count,
                              Executor* executor, kernels::Isa isa) {
  if (count == 0 && encoding.form != WeightForm::kPacked) {
    return absl::InvalidArgumentError("no element is encoded other than packed");
  }
  // Every form writes every element.
  const auto memory = std::make_shared_for_overwrite<T[]>(static_cast<size_t>(count));
  const std::span<T> values(memory.get(), static_cast<size_t>(count));
  const absl::StatusOr<size_t> used = DecodeInto(encoding, bytes, values, executor, isa);
  if (!used.ok()) return used.status();
  const std::span<const std::byte> filler = bytes.subspan(*used);
  if (bytes.size() != std::max<uint64_t>(*used, LeastBytes(values.size_bytes())) ||
      std::any_of(filler.begin(), filler.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
    return absl::InvalidArgumentError(StrCat(bytes.size(), " bytes where the elements take ", *used,
                                             " and there may be zeros up to 1/", kMaxWeightExpansion,
                                             " of their size"));
  }
  return Buffer{reinterpret_cast<const std::byte*>(memory.get()), values.size_bytes(), memory};
}

bool IsEncodable(ElementType type) { return type == ElementType::kInt8 || type == ElementType::kInt16; }

template <class T>
EncodedWeights PackValues(std::span<const T> values, int bits) {
  if (bits >= 8 * static_cast<int>(sizeof(T)) || WidthOf(values) > bits) return {};
  return {{WeightForm::kPacked, bits}, Pack(values, bits)};
}

}  // namespace

EncodedWeights PackWeights(const Tensor& weights, const QuantParams& quant) {
  if (weights.type() == ElementType::kInt8) return PackValues(weights.data<int8_t>(), quant.bits);
  if (weights.type() == ElementType::kInt16) return PackValues(weights.data<int16_t>(), quant.bits);
  return {};
}

EncodedWeights EncodeWeightsAs(WeightForm form, const Tensor& weights, const QuantParams& quant, Executor* executor) {
  if (weights.type() == ElementType::kInt8) return EncodeAs(form, Source<int8_t>(weights, quant), executor);
  return EncodeAs(form, Source<int16_t>(weights, quant), executor);
}

EncodedWeights EncodeWeights(const Tensor& weights, const QuantParams& quant, Executor* executor) {
  if (!IsEncodable(weights.type()) || weights.element_count() == 0) return PackWeights(weights, quant);
  if (weights.type() == ElementType::kInt8) return EncodeSmallest(Source<int8_t>(weights, quant), executor);
  return EncodeSmallest(Source<int16_t>(weights, quant), executor);
}

absl::StatusOr<Buffer> DecodeWeights(WeightEncoding encoding, std::span<const std::byte> bytes, ElementType type,
                                     int64_t count, Executor* executor, kernels::Isa isa) {
  if (!IsEncodable(type)) {
    return absl::InvalidArgumentError(StrCat("only int8 and int16 are encoded, found ", ElementTypeName(type)));
  }
  if (encoding.width < 1 || encoding.width > 8 * static_cast<int>(ElementSize(type))) {
    return absl::InvalidArgumentError(StrCat("integers of ", encoding.width, " bits in ", ElementTypeName(type)));
  }
  const uint64_t element_bytes = static_cast<uint64_t>(count) * ElementSize(type);
  if (LeastBytes(element_bytes) > bytes.size()) {
    return absl::InvalidArgumentError(StrCat(bytes.size(), " encoded bytes are too few for ", count, " elements"));
  }
  if (type == ElementType::kInt8) return Decode<int8_t>(encoding, bytes, count, executor, isa);
  return Decode<int16_t>(encoding, bytes, count, executor, isa);
}

}  // namespace qlite
