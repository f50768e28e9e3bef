// Wide integers of which few distinct values occur, spread over their range: entropy-coded numbers of the values.
//
// A stream of bits, little-endian: one less than the number u of distinct values in 8 bits, and their fields
// q + 2^(width-1), ascending, `width` bits each. From the next whole byte on, the numbers less 2^(w-1) as
// entropy_form.h codes integers of w bits, w = ceil(log2 u) but at least 1.
#ifndef QLITE_FORMATS_QLITE_ENCODING_INDEXED_ENTROPY_FORM_H_
#define QLITE_FORMATS_QLITE_ENCODING_INDEXED_ENTROPY_FORM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/isa.h"
#include "qlite/context.h"

namespace qlite {

// At least one value, each within the range of `width` bits. Nothing where there are more than 256 distinct ones.
std::vector<std::byte> EncodeIndexedEntropy(std::span<const int16_t> values, int width, Executor* executor);

// Fills `values`, at least one, and returns how many bytes that took; kInvalidArgument where the bytes are not such a
// stream. width within 1..16.
absl::StatusOr<size_t> DecodeIndexedEntropy(std::span<const std::byte> bytes, int width, std::span<int16_t> values,
                                            Executor* executor, kernels::Isa isa);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_INDEXED_ENTROPY_FORM_H_
