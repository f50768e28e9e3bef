#include "core/bit_packing.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace qlite {
namespace {

template <class T>
std::vector<T> RandomFields(std::mt19937& generator, size_t count, int width) {
  std::vector<T> values(count);
  for (T& value : values) {
    value = static_cast<T>(static_cast<int32_t>(generator() % (1u << width)) - (1 << (width - 1)));
  }
  return values;
}

// The layout in words: field i occupies the bits [i*width, (i+1)*width) of a little-endian stream.
template <class T>
T FieldOf(const std::vector<std::byte>& packed, size_t i, int width) {
  int32_t field = 0;
  for (int b = 0; b < width; ++b) {
    const size_t bit = i * static_cast<size_t>(width) + static_cast<size_t>(b);
    field |= (std::to_integer<int32_t>(packed[bit / 8]) >> bit % 8 & 1) << b;
  }
  return static_cast<T>(field - (1 << (width - 1)));
}

TEMPLATE_TEST_CASE("any range of fields comes back", "", int8_t, int16_t) {
  std::mt19937 generator(2);
  constexpr size_t kCount = 61;
  for (int width = 1; width <= 8 * static_cast<int>(sizeof(TestType)); ++width) {
    const std::vector<TestType> values = RandomFields<TestType>(generator, kCount, width);
    std::vector<std::byte> packed(PackedBytes(kCount, width));
    PackBits(values, width, packed.data());
    bool same = true;
    for (size_t first = 0; first <= kCount; ++first) {
      for (const size_t count : {size_t{0}, size_t{1}, size_t{5}, size_t{8}, size_t{20}, kCount}) {
        std::vector<TestType> found(std::min(count, kCount - first));
        UnpackFields(packed, width, first, std::span(found));
        same &= std::equal(found.begin(), found.end(), values.begin() + static_cast<std::ptrdiff_t>(first));
      }
    }
    INFO("width " << width);
    CHECK(same);
  }
}

TEMPLATE_TEST_CASE("fields of every width lie where the layout says and come back", "", int8_t, int16_t) {
  std::mt19937 generator(1);
  for (int width = 1; width <= 8 * static_cast<int>(sizeof(TestType)); ++width) {
    for (const size_t count : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 65, 1000}) {
      INFO("width " << width << ", " << count << " values");
      const std::vector<TestType> values = RandomFields<TestType>(generator, count, width);
      REQUIRE(WidthOf(values) <= width);
      std::vector<std::byte> packed(PackedBytes(count, width));
      PackBits(values, width, packed.data());
      bool placed = true;
      for (size_t i = 0; i < count; ++i) placed &= FieldOf<TestType>(packed, i, width) == values[i];
      CHECK(placed);
      std::vector<TestType> unpacked(count);
      REQUIRE(UnpackBits(packed, width, std::span<TestType>(unpacked)).ok());
      CHECK(unpacked == values);
    }
  }
}

TEST_CASE("the width of values is that of the widest") {
  CHECK(WidthOf(std::vector<int8_t>{}) == 1);
  CHECK(WidthOf(std::vector<int8_t>{0, -1}) == 1);
  CHECK(WidthOf(std::vector<int8_t>{1}) == 2);
  CHECK(WidthOf(std::vector<int8_t>{-2}) == 2);
  CHECK(WidthOf(std::vector<int8_t>{-3, 1}) == 3);
  CHECK(WidthOf(std::vector<int8_t>{-128}) == 8);
  CHECK(WidthOf(std::vector<int16_t>{255}) == 9);
  CHECK(WidthOf(std::vector<int16_t>{-32768}) == 16);
}

TEST_CASE("packed bytes that are too few, too many or set behind the end are refused") {
  std::vector<std::byte> packed(2, std::byte{0});
  std::vector<int8_t> values(3);
  REQUIRE(UnpackBits(packed, 5, std::span<int8_t>(values)).ok());
  packed[1] = std::byte{0x80};
  CHECK_FALSE(UnpackBits(packed, 5, std::span<int8_t>(values)).ok());
  packed.resize(3);
  CHECK_FALSE(UnpackBits(packed, 5, std::span<int8_t>(values)).ok());
  packed.resize(1);
  CHECK_FALSE(UnpackBits(packed, 5, std::span<int8_t>(values)).ok());
}

}  // namespace
}  // namespace qlite
