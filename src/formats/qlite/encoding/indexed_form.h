// Integers as numbers of the few distinct values that there are.
//
// A stream of bits, little-endian: one less than the number u of distinct values in 16 bits, the values' fields
// q + 2^(width-1), ascending, `width` bits each, and for every element the number of its value in ceil(log2 u) bits.
#ifndef QLITE_FORMATS_QLITE_ENCODING_INDEXED_FORM_H_
#define QLITE_FORMATS_QLITE_ENCODING_INDEXED_FORM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite {

// At least one value, each within the range of `width` bits.
uint64_t IndexedBytes(std::span<const int8_t> values, int width);
uint64_t IndexedBytes(std::span<const int16_t> values, int width);
std::vector<std::byte> EncodeIndexed(std::span<const int8_t> values, int width);
std::vector<std::byte> EncodeIndexed(std::span<const int16_t> values, int width);

// Fills `values`, at least one, and returns how many bytes that took; kInvalidArgument where the bytes are not such a
// stream. width within 1..8 for int8_t, 1..16 for int16_t.
absl::StatusOr<size_t> DecodeIndexed(std::span<const std::byte> bytes, int width, std::span<int8_t> values);
absl::StatusOr<size_t> DecodeIndexed(std::span<const std::byte> bytes, int width, std::span<int16_t> values);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_INDEXED_FORM_H_
