#include "kernels/rans_decode.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

struct Source {
  std::vector<uint32_t> table;
  uint32_t first_marked = 0;
};

// `count` symbols of frequencies about 2^12 / count; those in the upper eighth of the slots are marked.
Source MakeTable(int count) {
  Source source{std::vector<uint32_t>(kRansSlots), kRansSlots - kRansSlots / 8};
  uint32_t start = 0;
  for (int s = 0; s < count; ++s) {
    const uint32_t end = kRansSlots * static_cast<uint32_t>(s + 1) / static_cast<uint32_t>(count);
    for (uint32_t slot = start; slot < end; ++slot) {
      source.table[slot] = RansEntry(static_cast<uint8_t>(s * 7 + 3), end - start, slot - start);
    }
    start = end;
  }
  return source;
}

struct Result {
  int64_t groups = 0;
  std::vector<uint8_t> symbols;
  std::vector<uint32_t> marked;
  std::vector<uint32_t> states;
  int64_t words_left = 0;
  friend bool operator==(const Result&, const Result&) = default;
};

constexpr uint8_t kUntouched = 0xa5;

Result Run(Isa isa, const Source& source, const RansStream& begin, int64_t groups) {
  RansStream stream = begin;
  Result result;
  result.symbols.assign(static_cast<size_t>(groups * kRansLanes) + 64, kUntouched);
  result.marked.assign(static_cast<size_t>(groups) + 1, 0);
  result.groups = RansDecode(isa).decode(source.table.data(), source.first_marked, &stream, groups,
                                         result.symbols.data(), result.marked.data());
  result.states.assign(stream.states, stream.states + kRansLanes);
  result.words_left = stream.end - stream.words;
  return result;
}

// What rans_decode.h says, one symbol after the other.
Result Reference(const Source& source, const RansStream& begin, int64_t groups) {
  RansStream stream = begin;
  Result result;
  result.symbols.assign(static_cast<size_t>(groups * kRansLanes) + 64, kUntouched);
  result.marked.assign(static_cast<size_t>(groups) + 1, 0);
  for (; result.groups < groups && stream.end - stream.words >= 64; ++result.groups) {
    for (int lane = 0; lane < kRansLanes; ++lane) {
      uint64_t state = stream.states[lane];
      const uint64_t slot = state % kRansSlots;
      const uint32_t entry = source.table[slot];
      const uint64_t frequency = entry >> 20, within = entry >> 8 & 0xfff;
      const auto group = static_cast<size_t>(result.groups);
      result.symbols[group * kRansLanes + static_cast<size_t>(lane)] = static_cast<uint8_t>(entry);
      if (slot >= source.first_marked) result.marked[group] |= 1u << lane;
      state = frequency * (state / kRansSlots) + within;
      if (state < kRansLeastState) {
        state = state * 65536 + static_cast<uint64_t>(stream.words[0]) + 256 * static_cast<uint64_t>(stream.words[1]);
        stream.words += 2;
      }
      stream.states[lane] = static_cast<uint32_t>(state);
    }
  }
  result.states.assign(stream.states, stream.states + kRansLanes);
  result.words_left = stream.end - stream.words;
  return result;
}

TEST_CASE("rANS: every instruction set decodes to the same symbols, marks and states") {
  Sequence random(1);
  for (const int symbols : {2, 3, 17, 256}) {
    const Source source = MakeTable(symbols);
    for (const size_t word_bytes : {0, 63, 64, 65, 200, 1000, 4096}) {
      for (const size_t shift : {0, 1}) {
        // Memory that ends with the words, so that a read beyond them is seen.
        std::vector<uint8_t> bytes(word_bytes + shift);
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
        RansStream stream;
        for (uint32_t& state : stream.states) state = std::max(random.Next(), kRansLeastState);
        stream.words = bytes.data() + shift;
        stream.end = bytes.data() + bytes.size();
        const Result expected = Reference(source, stream, 100);
        for (const Isa isa : SupportedIsas()) {
          INFO(IsaName(isa) << ", " << symbols << " symbols, " << word_bytes << " bytes");
          CHECK(Run(isa, source, stream, 100) == expected);
        }
      }
    }
  }
}

TEST_CASE("rANS: states below the least are decoded without harm") {
  const Source source = MakeTable(256);
  std::vector<uint8_t> bytes(4096, 0);
  RansStream stream;
  std::fill_n(stream.states, kRansLanes, 0u);
  stream.words = bytes.data();
  stream.end = bytes.data() + bytes.size();
  const Result expected = Reference(source, stream, 100);
  for (const Isa isa : SupportedIsas()) CHECK(Run(isa, source, stream, 100) == expected);
}

}  // namespace
}  // namespace qlite::kernels
