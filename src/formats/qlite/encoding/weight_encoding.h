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
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite {

// The numbers stand in files.
enum class WeightForm : uint8_t {
  kRaw = 0,     // the elements
  kPacked = 1,  // fields of `width` bits (see bit_packing.h)
};
constexpr int64_t EnumCount(WeightForm) { return 2; }

struct WeightEncoding {
  WeightForm form = WeightForm::kRaw;
  int width = 0;  // bits of an integer; 0 for kRaw

  friend bool operator==(const WeightEncoding&, const WeightEncoding&) = default;
};

// The elements' bytes of an encoded constant are at most this many times the encoded ones, so that what a reader
// allocates is in proportion to the file.
inline constexpr uint64_t kMaxWeightExpansion = 1024;

struct EncodedWeights {
  WeightEncoding encoding;
  std::vector<std::byte> bytes;  // empty for kRaw, whose bytes are the tensor's
};

// Encodes int8 or int16 elements with `quant`'s number of bits; kRaw for other element types, where those bits fill the
// element type, and where an element lies outside their range. Deterministic.
EncodedWeights EncodeWeights(const Tensor& weights, const QuantParams& quant);

// The elements, `count` of `type`, in memory of their own. Nothing of the bytes is trusted, and memory is taken only
// once they are known to justify it: kInvalidArgument says what is wrong with them. `encoding` is not kRaw.
absl::StatusOr<Buffer> DecodeWeights(WeightEncoding encoding, std::span<const std::byte> bytes, ElementType type,
                                     int64_t count);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_WEIGHT_ENCODING_H_
