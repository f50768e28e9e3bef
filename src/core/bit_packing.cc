#include "core/bit_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// Eight fields are `width` whole bytes; four are at most 64 bits.
constexpr size_t kBlock = 8;

uint64_t Load64(const std::byte* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

template <int kWidth, class T>
T Field(uint64_t bits) {
  constexpr uint64_t kMask = (uint64_t{1} << kWidth) - 1;
  return static_cast<T>(static_cast<int32_t>(bits & kMask) - (1 << (kWidth - 1)));
}

// Reads up to 9 bytes behind the block's own.
template <int kWidth, class T>
void UnpackBlock(const std::byte* packed, T* values) {
  constexpr int kHalf = 4 * kWidth;
  const uint64_t low = Load64(packed), high = Load64(packed + kHalf / 8) >> kHalf % 8;
  for (int i = 0; i < 4; ++i) {
    values[i] = Field<kWidth, T>(low >> (i * kWidth));
    values[i + 4] = Field<kWidth, T>(high >> (i * kWidth));
  }
}

template <int kWidth, class T>
void Unpack(std::span<const std::byte> packed, std::span<T> values) {
  constexpr size_t kReach = 2 * sizeof(uint64_t);  // what a block may read
  const size_t count = values.size();
  size_t i = 0;
  for (; i + kBlock <= count && i / kBlock * kWidth + kReach <= packed.size(); i += kBlock) {
    UnpackBlock<kWidth>(packed.data() + i / kBlock * kWidth, values.data() + i);
  }
  for (; i < count; i += kBlock) {
    std::array<std::byte, kReach + kMaxPackedWidth> last{};
    const size_t begin = i / kBlock * kWidth, length = std::min<size_t>(kWidth, packed.size() - begin);
    std::memcpy(last.data(), packed.data() + begin, length);
    std::array<T, kBlock> block;
    UnpackBlock<kWidth>(last.data(), block.data());
    std::copy_n(block.data(), std::min(kBlock, count - i), values.data() + i);
  }
}

template <class T>
using Unpacker = void (*)(std::span<const std::byte>, std::span<T>);

template <class T, size_t... kWidths>
constexpr std::array<Unpacker<T>, sizeof...(kWidths)> Unpackers(std::index_sequence<kWidths...>) {
  return {&Unpack<static_cast<int>(kWidths) + 1, T>...};
}

template <class T>
int LeastWidth(std::span<const T> values) {
  // q and its complement take the same number of bits.
  uint32_t used = 0;
  for (const T value : values) used |= static_cast<uint32_t>(value < 0 ? ~value : value);
  return std::bit_width(used) + 1;
}

template <class T>
void Pack(std::span<const T> values, int width, std::byte* packed) {
  const uint32_t offset = 1u << (width - 1);
  uint64_t bits = 0;
  int filled = 0;
  for (const T value : values) {
    bits |= static_cast<uint64_t>(static_cast<uint32_t>(value) + offset) << filled;
    filled += width;
    while (filled >= 32) {
      std::memcpy(packed, &bits, 4);
      packed += 4;
      bits >>= 32;
      filled -= 32;
    }
  }
  if (filled > 0) std::memcpy(packed, &bits, static_cast<size_t>(filled + 7) / 8);
}

template <class T>
void UnpackFrom(std::span<const std::byte> packed, int width, uint64_t first, std::span<T> values) {
  static constexpr auto kUnpackers = Unpackers<T>(std::make_index_sequence<8 * sizeof(T)>());
  const Unpacker<T> unpack = kUnpackers[static_cast<size_t>(width - 1)];
  const auto from_block = [&](uint64_t field) { return packed.subspan(field / kBlock * static_cast<size_t>(width)); };
  const size_t inside = first % kBlock;
  if (inside > 0) {
    std::array<T, kBlock> block;
    const size_t count = std::min(kBlock - inside, values.size());
    unpack(from_block(first), std::span(block).first(inside + count));
    std::copy_n(block.data() + inside, count, values.data());
    values = values.subspan(count);
    first += count;
  }
  if (!values.empty()) unpack(from_block(first), values);
}

template <class T>
absl::Status CheckedUnpack(std::span<const std::byte> packed, int width, std::span<T> values) {
  QLITE_RETURN_IF_ERROR(CheckPacked(packed, width, values.size()));
  UnpackFrom(packed, width, 0, values);
  return absl::OkStatus();
}

}  // namespace

int WidthOf(std::span<const int8_t> values) { return LeastWidth(values); }
int WidthOf(std::span<const int16_t> values) { return LeastWidth(values); }

void PackBits(std::span<const int8_t> values, int width, std::byte* packed) { Pack(values, width, packed); }
void PackBits(std::span<const int16_t> values, int width, std::byte* packed) { Pack(values, width, packed); }

absl::Status CheckPacked(std::span<const std::byte> packed, int width, uint64_t count) {
  const uint64_t expected = PackedBytes(count, width);
  if (packed.size() != expected) {
    return absl::InvalidArgumentError(StrCat("expected ", expected, " bytes of ", count, " packed fields of ", width,
                                             " bits, found ", packed.size()));
  }
  const uint64_t used = count * static_cast<uint64_t>(width) % 8;
  if (used != 0 && std::to_integer<uint32_t>(packed.back()) >> used != 0) {
    return absl::InvalidArgumentError("bits behind the last packed field are set");
  }
  return absl::OkStatus();
}

absl::Status UnpackBits(std::span<const std::byte> packed, int width, std::span<int8_t> values) {
  return CheckedUnpack(packed, width, values);
}
absl::Status UnpackBits(std::span<const std::byte> packed, int width, std::span<int16_t> values) {
  return CheckedUnpack(packed, width, values);
}

void UnpackFields(std::span<const std::byte> packed, int width, uint64_t first, std::span<int8_t> values) {
  UnpackFrom(packed, width, first, values);
}
void UnpackFields(std::span<const std::byte> packed, int width, uint64_t first, std::span<int16_t> values) {
  UnpackFrom(packed, width, first, values);
}

}  // namespace qlite
