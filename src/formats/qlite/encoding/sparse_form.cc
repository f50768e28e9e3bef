#include "formats/qlite/encoding/sparse_form.h"

#include <algorithm>
#include <bit>

#include "core/str_cat.h"
#include "formats/qlite/encoding/bit_stream.h"

namespace qlite {
namespace {

constexpr int kGapBitsBits = 5, kMaxGapBits = 16;
constexpr int kLengthBits = 6;

// Its length in bits, which is below 64, and its bits.
void WriteNumber(BitWriter& writer, uint64_t number) {
  writer.Write(static_cast<uint32_t>(std::bit_width(number)), kLengthBits);
  for (; number != 0; number >>= 1) writer.Write(number & 1, 1);
}

uint64_t ReadNumber(BitReader& reader) {
  const uint32_t length = reader.Read(kLengthBits);
  uint64_t number = 0;
  for (uint32_t i = 0; i < length; ++i) number |= uint64_t{reader.Read(1)} << i;
  return number;
}

// Calls visit(first, count, value) for the runs of one channel's background that make up `elements`.
template <class Visit>
void ForEachRun(const Background& background, size_t elements, const Visit& visit) {
  size_t channel = 0;
  const auto inner = background.values.size() == 1 ? elements : static_cast<size_t>(background.inner);
  for (size_t first = 0; first < elements; first += inner) {
    visit(first, std::min(inner, elements - first), background.values[channel]);
    channel = channel + 1 == background.values.size() ? 0 : channel + 1;
  }
}

template <class T>
std::vector<uint64_t> PositionsOfOthers(std::span<const T> values, const Background& background) {
  std::vector<uint64_t> positions;
  ForEachRun(background, values.size(), [&](size_t first, size_t count, int32_t value) {
    for (size_t i = first; i < first + count; ++i) {
      if (values[i] != value) positions.push_back(i);
    }
  });
  return positions;
}

template <class T>
uint64_t LeastBytes(std::span<const T> values, int width, const Background& background) {
  uint64_t others = 0;
  ForEachRun(background, values.size(), [&](size_t first, size_t count, int32_t value) {
    for (size_t i = first; i < first + count; ++i) others += values[i] != value;
  });
  return (others * static_cast<uint64_t>(width + 1) + 7) / 8;
}

// Elements to keep where gaps have `gap_bits` bits.
uint64_t KeptElements(const std::vector<uint64_t>& positions, int gap_bits) {
  uint64_t kept = positions.size(), next = 0;
  for (const uint64_t position : positions) {
    kept += (position - next) >> gap_bits;
    next = position + 1;
  }
  return kept;
}

template <class T>
std::vector<std::byte> Encode(std::span<const T> values, int width, const Background& background) {
  const std::vector<uint64_t> positions = PositionsOfOthers(values, background);
  const auto bits = [&](int gap_bits) {
    return KeptElements(positions, gap_bits) * static_cast<uint64_t>(gap_bits + width);
  };
  int gap_bits = 1;
  for (int more = 2; more <= kMaxGapBits; ++more) gap_bits = bits(more) < bits(gap_bits) ? more : gap_bits;

  const int32_t offset = 1 << (width - 1);
  BitWriter writer;
  writer.Write(static_cast<uint32_t>(gap_bits), kGapBitsBits);
  WriteNumber(writer, KeptElements(positions, gap_bits));
  WriteNumber(writer, background.values.size());
  WriteNumber(writer, background.inner);
  for (const int32_t value : background.values) writer.Write(static_cast<uint32_t>(value + offset), width);
  uint64_t next = 0;
  const uint64_t longest = (uint64_t{1} << gap_bits) - 1;
  const auto keep = [&](uint64_t position) {
    writer.Write(static_cast<uint32_t>(position - next), gap_bits);
    writer.Write(static_cast<uint32_t>(values[position] + offset), width);
    next = position + 1;
  };
  for (const uint64_t position : positions) {
    while (position - next > longest) keep(next + longest);
    keep(position);
  }
  return writer.Finish();
}

template <class T>
absl::StatusOr<size_t> ReadSparse(std::span<const std::byte> bytes, int width, std::span<T> values) {
  BitReader header(bytes);
  const int gap_bits = static_cast<int>(header.Read(kGapBitsBits));
  const uint64_t kept = ReadNumber(header), channels = ReadNumber(header);
  Background background;
  background.inner = ReadNumber(header);
  if (gap_bits < 1 || gap_bits > kMaxGapBits || kept > values.size() || channels < 1 || channels > values.size() ||
      background.inner < 1) {
    return absl::InvalidArgumentError(StrCat("gaps of ", gap_bits, " bits, ", kept, " kept elements of ", channels,
                                             " channels, ", background.inner, " neighbours: out of range"));
  }
  const auto field_bits = static_cast<uint64_t>(width);
  const uint64_t used =
      (header.position() + channels * field_bits + kept * (field_bits + static_cast<uint64_t>(gap_bits)) + 7) / 8;
  if (used > bytes.size()) {
    return absl::InvalidArgumentError(StrCat("kept elements take ", used, " bytes, found ", bytes.size()));
  }
  BitReader reader(bytes.first(used));
  reader.Skip(header.position());
  const auto read_value = [&] { return static_cast<int32_t>(reader.Read(width)) - (1 << (width - 1)); };
  background.values.resize(channels);
  for (int32_t& value : background.values) value = read_value();
  background.inner = std::min<uint64_t>(background.inner, values.size());  // no element belongs to others
  ForEachRun(background, values.size(), [&](size_t first, size_t count, int32_t value) {
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(first), count, static_cast<T>(value));
  });
  uint64_t position = 0;
  for (uint64_t i = 0; i < kept; ++i, ++position) {
    position += reader.Read(gap_bits);
    if (position >= values.size()) return absl::InvalidArgumentError("a kept element lies behind the last element");
    values[position] = static_cast<T>(read_value());
  }
  if (!reader.AtEnd()) return absl::InvalidArgumentError("bits behind the last kept element are set");
  return used;
}

}  // namespace

uint64_t LeastSparseBytes(std::span<const int8_t> values, int width, const Background& background) {
  return LeastBytes(values, width, background);
}
uint64_t LeastSparseBytes(std::span<const int16_t> values, int width, const Background& background) {
  return LeastBytes(values, width, background);
}

std::vector<std::byte> EncodeSparse(std::span<const int8_t> values, int width, const Background& background) {
  return Encode(values, width, background);
}
std::vector<std::byte> EncodeSparse(std::span<const int16_t> values, int width, const Background& background) {
  return Encode(values, width, background);
}

absl::StatusOr<size_t> DecodeSparse(std::span<const std::byte> bytes, int width, std::span<int8_t> values) {
  return ReadSparse(bytes, width, values);
}
absl::StatusOr<size_t> DecodeSparse(std::span<const std::byte> bytes, int width, std::span<int16_t> values) {
  return ReadSparse(bytes, width, values);
}

}  // namespace qlite
