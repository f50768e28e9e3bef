#include "formats/qlite/encoding/indexed_entropy_form.h"

#include <algorithm>
#include <bit>

#include "core/str_cat.h"
#include "formats/qlite/encoding/bit_stream.h"
#include "formats/qlite/encoding/entropy_form.h"

namespace qlite {
namespace {

constexpr int kCountBits = 8;
constexpr size_t kMaxDistinct = size_t{1} << kCountBits;

int NumberWidth(size_t distinct) { return std::max(1, static_cast<int>(std::bit_width(distinct - 1))); }

}  // namespace

std::vector<std::byte> EncodeIndexedEntropy(std::span<const int16_t> values, int width, Executor* executor) {
  const int32_t offset = 1 << (width - 1);
  std::vector<int16_t> number_of(size_t{1} << width, -1);
  size_t distinct = 0;
  for (const int16_t value : values) {
    int16_t& number = number_of[static_cast<size_t>(value + offset)];
    if (number < 0 && ++distinct > kMaxDistinct) return {};
    number = 0;
  }
  BitWriter writer;
  writer.Write(static_cast<uint32_t>(distinct - 1), kCountBits);
  int16_t next = 0;
  for (size_t field = 0; field < number_of.size(); ++field) {
    if (number_of[field] < 0) continue;
    number_of[field] = next++;
    writer.Write(static_cast<uint32_t>(field), width);
  }
  std::vector<std::byte> bytes = writer.Finish();
  const int number_width = NumberWidth(distinct);
  std::vector<int8_t> numbers(values.size());
  std::transform(values.begin(), values.end(), numbers.begin(), [&](int16_t value) {
    return static_cast<int8_t>(number_of[static_cast<size_t>(value + offset)] - (1 << (number_width - 1)));
  });
  const std::vector<std::byte> coded = EncodeEntropy(numbers, number_width, executor);
  bytes.insert(bytes.end(), coded.begin(), coded.end());
  return bytes;
}

absl::StatusOr<size_t> DecodeIndexedEntropy(std::span<const std::byte> bytes, int width, std::span<int16_t> values,
                                            Executor* executor, kernels::Isa isa) {
  BitReader reader(bytes);
  std::vector<int16_t> distinct(reader.Read(kCountBits) + 1);
  const size_t head = (kCountBits + distinct.size() * static_cast<size_t>(width) + 7) / 8;
  if (head > bytes.size()) {
    return absl::InvalidArgumentError(
        StrCat(distinct.size(), " distinct values take ", head, " bytes, found ", bytes.size()));
  }
  for (int16_t& value : distinct) {
    value = static_cast<int16_t>(static_cast<int32_t>(reader.Read(width)) - (1 << (width - 1)));
  }
  const int number_width = NumberWidth(distinct.size());
  std::vector<int8_t> numbers(values.size());
  const absl::StatusOr<size_t> used =
      DecodeEntropy(bytes.subspan(head), number_width, std::span<int8_t>(numbers), executor, isa);
  if (!used.ok()) return used.status();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto number = static_cast<size_t>(numbers[i] + (1 << (number_width - 1)));
    if (number >= distinct.size()) {
      return absl::InvalidArgumentError(StrCat("an element is value ", number, " of ", distinct.size()));
    }
    values[i] = distinct[number];
  }
  return head + *used;
}

}  // namespace qlite
