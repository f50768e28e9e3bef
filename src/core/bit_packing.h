// Integers of 1 to 16 bits as a stream of bits.
//
// An integer q of `width` bits, in [-2^(width-1), 2^(width-1) - 1], is stored as the field q + 2^(width-1). Fields
// follow each other without gaps; the stream is little-endian: field i occupies the bits [i*width, (i+1)*width), bit b
// being bit b % 8 of byte b / 8. The last byte's bits behind the last field are 0.
#ifndef QLITE_CORE_BIT_PACKING_H_
#define QLITE_CORE_BIT_PACKING_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace qlite {

inline constexpr int kMaxPackedWidth = 16;

// The bytes that `count` fields take. width within 0..16, count below 2^56.
constexpr uint64_t PackedBytes(uint64_t count, int width) { return (count * static_cast<uint64_t>(width) + 7) / 8; }

// The least width whose range holds all values; 1 for none.
int WidthOf(std::span<const int8_t> values);
int WidthOf(std::span<const int16_t> values);

// Writes PackedBytes(values.size(), width) bytes. The values lie within the width's range.
void PackBits(std::span<const int8_t> values, int width, std::byte* packed);
void PackBits(std::span<const int16_t> values, int width, std::byte* packed);

// kInvalidArgument where `packed` has not exactly the bytes that `count` fields take or bits behind the last one are
// set.
absl::Status CheckPacked(std::span<const std::byte> packed, int width, uint64_t count);

// Fills `values` after CheckPacked. width within 1..8 for int8_t, 1..16 for int16_t.
absl::Status UnpackBits(std::span<const std::byte> packed, int width, std::span<int8_t> values);
absl::Status UnpackBits(std::span<const std::byte> packed, int width, std::span<int16_t> values);

// Fills `values` with the fields from `first` on; `packed` holds them.
void UnpackFields(std::span<const std::byte> packed, int width, uint64_t first, std::span<int8_t> values);
void UnpackFields(std::span<const std::byte> packed, int width, uint64_t first, std::span<int16_t> values);

}  // namespace qlite

#endif  // QLITE_CORE_BIT_PACKING_H_
