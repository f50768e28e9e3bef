// How the integers of a constant are stored in a .qlite file: as they are, or in fewer bytes. docs/formats.md has the
// layout of every form.
#ifndef QLITE_FORMATS_QLITE_ENCODING_WEIGHT_ENCODING_H_
#define QLITE_FORMATS_QLITE_ENCODING_WEIGHT_ENCODING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernels/isa.h"
#include "qlite/context.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite {

// The numbers stand in files.
enum class WeightForm : uint8_t {
  kRaw = 0,             // the elements
  kPacked = 1,          // fields of `width` bits (core/bit_packing.h)
  kIndexed = 2,         // numbers of the distinct values (indexed_form.h)
  kSparse = 3,          // those that differ from a background, and the gaps between them (sparse_form.h)
  kEntropy = 4,         // an asymmetric numeral system (entropy_form.h)
  kIndexedEntropy = 5,  // the same of numbers of the distinct values (indexed_entropy_form.h); int16 alone
};
constexpr int64_t EnumCount(WeightForm) { return 6; }

struct WeightEncoding {
  WeightForm form = WeightForm::kRaw;
  int width = 0;  // bits of an integer; 0 for kRaw

  friend bool operator==(const WeightEncoding&, const WeightEncoding&) = default;
};

// The elements' bytes of an encoded constant are at most this many times the encoded ones, so that what a reader
// allocates is in proportion to the file. An encoder fills up with zeros where it would need fewer.
inline constexpr uint64_t kMaxWeightExpansion = 1024;

struct EncodedWeights {
  WeightEncoding encoding;
  std::vector<std::byte> bytes;  // empty for kRaw, whose bytes are the tensor's
};

// int8 or int16 elements as fields of `quant`'s bits; kRaw for other element types, where those bits fill the element
// type, and where an element lies outside their range.
EncodedWeights PackWeights(const Tensor& weights, const QuantParams& quant);

// int8 or int16 elements in the form that takes the fewest bytes, the first in WeightForm's order among equals; kRaw
// for other element types. `quant` fits the tensor; its zero points are the background of kSparse. The bytes depend on
// weights and quant alone. executor: threads to work on; null: the calling one.
EncodedWeights EncodeWeights(const Tensor& weights, const QuantParams& quant, Executor* executor = nullptr);

// In one given form, which is not kRaw, whatever its size; kRaw where the form cannot express them. Elements are int8
// or int16, and at least one for forms beyond kPacked.
EncodedWeights EncodeWeightsAs(WeightForm form, const Tensor& weights, const QuantParams& quant,
                               Executor* executor = nullptr);

// The elements, `count` of `type`, in memory of their own. Nothing of the bytes is trusted, and memory is taken only
// once they are known to justify it: kInvalidArgument says what is wrong with them. `encoding` is not kRaw.
absl::StatusOr<Buffer> DecodeWeights(WeightEncoding encoding, std::span<const std::byte> bytes, ElementType type,
                                     int64_t count, Executor* executor = nullptr,
                                     kernels::Isa isa = kernels::Isa::kGeneric);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_WEIGHT_ENCODING_H_
