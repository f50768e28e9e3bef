// Integers as the few that differ from a background, and the gaps between them.
//
// The background has one value for each of `channels` channels; element i belongs to channel (i / inner) % channels. A
// stream of bits, little-endian:
//
//   gap bits g, 1..16           5 bits
//   kept elements k             a number: its length in 6 bits, and that many bits
//   channels, inner             numbers
//   background                  `width` bits a channel, as fields q + 2^(width-1)
//   k times                     g bits: elements of background before this one; `width` bits: its field
//
// Behind the last kept element there is background. Where more than 2^g - 1 elements of it follow each other, some of
// them are kept.
#ifndef QLITE_FORMATS_QLITE_ENCODING_SPARSE_FORM_H_
#define QLITE_FORMATS_QLITE_ENCODING_SPARSE_FORM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite {

struct Background {
  std::vector<int32_t> values = {0};  // of each channel, within the range of the integers
  uint64_t inner = 1;                 // neighbouring elements of one channel
};

// Bytes that it takes at least.
uint64_t LeastSparseBytes(std::span<const int8_t> values, int width, const Background& background);
uint64_t LeastSparseBytes(std::span<const int16_t> values, int width, const Background& background);

// With the gap bits that take the fewest bytes. At least one value, each within the range of `width` bits.
std::vector<std::byte> EncodeSparse(std::span<const int8_t> values, int width, const Background& background);
std::vector<std::byte> EncodeSparse(std::span<const int16_t> values, int width, const Background& background);

// Fills `values`, at least one, and returns how many bytes that took; kInvalidArgument where the bytes are not such a
// stream. width within 1..8 for int8_t, 1..16 for int16_t.
absl::StatusOr<size_t> DecodeSparse(std::span<const std::byte> bytes, int width, std::span<int8_t> values);
absl::StatusOr<size_t> DecodeSparse(std::span<const std::byte> bytes, int width, std::span<int16_t> values);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_SPARSE_FORM_H_
