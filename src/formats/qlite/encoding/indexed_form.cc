#include "formats/qlite/encoding/indexed_form.h"

#include <algorithm>
#include <bit>

#include "core/bit_packing.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/bit_stream.h"

namespace qlite {
namespace {

constexpr int kDistinctBits = 16;

int IndexBits(uint64_t distinct) { return static_cast<int>(std::bit_width(distinct - 1)); }

uint64_t Bytes(uint64_t values, uint64_t distinct, int width) {
  return (kDistinctBits + distinct * static_cast<uint64_t>(width) +
          values * static_cast<uint64_t>(IndexBits(distinct)) + 7) /
         8;
}

// By field.
template <class T>
std::vector<char> Occurrences(std::span<const T> values, int width) {
  std::vector<char> occurs(size_t{1} << width);
  for (const T value : values) occurs[static_cast<size_t>(value + (1 << (width - 1)))] = true;
  return occurs;
}

template <class T>
uint64_t BytesOf(std::span<const T> values, int width) {
  const std::vector<char> occurs = Occurrences(values, width);
  return Bytes(values.size(), static_cast<uint64_t>(std::count(occurs.begin(), occurs.end(), true)), width);
}

template <class T>
std::vector<std::byte> Encode(std::span<const T> values, int width) {
  const std::vector<char> occurs = Occurrences(values, width);
  std::vector<uint32_t> number(occurs.size());
  uint32_t distinct = 0;
  for (size_t field = 0; field < occurs.size(); ++field) {
    if (occurs[field]) number[field] = distinct++;
  }
  BitWriter writer;
  writer.Write(distinct - 1, kDistinctBits);
  for (size_t field = 0; field < occurs.size(); ++field) {
    if (occurs[field]) writer.Write(static_cast<uint32_t>(field), width);
  }
  const int index_bits = IndexBits(distinct);
  for (const T value : values) writer.Write(number[static_cast<size_t>(value + (1 << (width - 1)))], index_bits);
  return writer.Finish();
}

template <class T>
absl::StatusOr<size_t> ReadIndexed(std::span<const std::byte> bytes, int width, std::span<T> values) {
  BitReader counter(bytes);
  const uint64_t distinct = uint64_t{counter.Read(kDistinctBits)} + 1;
  const uint64_t used = Bytes(values.size(), distinct, width);
  if (distinct > uint64_t{1} << width || used > bytes.size()) {
    return absl::InvalidArgumentError(StrCat(distinct, " distinct values of ", width, " bits and ", values.size(),
                                             " numbers of them take ", used, " bytes, found ", bytes.size()));
  }
  BitReader reader(bytes.first(used));
  reader.Skip(kDistinctBits);
  std::vector<T> distinct_values(distinct);
  for (T& value : distinct_values) {
    value = static_cast<T>(static_cast<int32_t>(reader.Read(width)) - (1 << (width - 1)));
  }
  const int index_bits = IndexBits(distinct);
  for (T& value : values) {
    const uint32_t number = reader.Read(index_bits);
    if (number >= distinct) {
      return absl::InvalidArgumentError(StrCat("an element is value ", number, " of ", distinct));
    }
    value = distinct_values[number];
  }
  if (!reader.AtEnd()) return absl::InvalidArgumentError("bits behind the last element are set");
  return used;
}

}  // namespace

uint64_t IndexedBytes(std::span<const int8_t> values, int width) { return BytesOf(values, width); }
uint64_t IndexedBytes(std::span<const int16_t> values, int width) { return BytesOf(values, width); }

std::vector<std::byte> EncodeIndexed(std::span<const int8_t> values, int width) { return Encode(values, width); }
std::vector<std::byte> EncodeIndexed(std::span<const int16_t> values, int width) { return Encode(values, width); }

absl::StatusOr<size_t> DecodeIndexed(std::span<const std::byte> bytes, int width, std::span<int8_t> values) {
  return ReadIndexed(bytes, width, values);
}
absl::StatusOr<size_t> DecodeIndexed(std::span<const std::byte> bytes, int width, std::span<int16_t> values) {
  return ReadIndexed(bytes, width, values);
}

}  // namespace qlite
