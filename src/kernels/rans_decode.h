// Decoding of interleaved asymmetric numeral systems (rANS, J. Duda, "Asymmetric numeral systems", 2013): 32 states
// take turns, and renormalise from one stream of 16-bit words.
//
// Symbols have frequencies that sum to 2^12, and symbol s owns the slots [start(s), start(s) + frequency(s)). A state x
// in [2^16, 2^32) holds the symbol of slot x mod 2^12; taking it out leaves
// x' = frequency * floor(x / 2^12) + (slot - start), and where that is below 2^16 the next word follows it:
// x'' = x' * 2^16 + word. Symbol i belongs to state i mod 32, and states read words in the order of their symbols.
#ifndef QLITE_KERNELS_RANS_DECODE_H_
#define QLITE_KERNELS_RANS_DECODE_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

inline constexpr int kRansLanes = 32;
inline constexpr int kRansBits = 12;
inline constexpr uint32_t kRansSlots = 1u << kRansBits;
inline constexpr uint32_t kRansLeastState = 1u << 16;

// What a slot stands for. frequency < 2^12: a symbol that owns every slot needs no coding.
constexpr uint32_t RansEntry(uint8_t symbol, uint32_t frequency, uint32_t slot_minus_start) {
  return frequency << 20 | slot_minus_start << 8 | symbol;
}

// One step of one state, of the generic path and wherever a group is not full: the symbol, and whether a word follows.
// Static: every instruction set has its own.
struct RansStep {
  uint8_t symbol;
  bool needs_word;
};
static inline RansStep TakeRansSymbol(const uint32_t* table, uint32_t* state) {
  const uint32_t entry = table[*state & (kRansSlots - 1)];
  *state = (entry >> 20) * (*state >> kRansBits) + (entry >> 8 & (kRansSlots - 1));
  return {static_cast<uint8_t>(entry), *state < kRansLeastState};
}

// Where decoding stands. Any states and words are decoded to something; nothing outside [words, end) is read.
struct RansStream {
  uint32_t states[kRansLanes];
  const uint8_t* words;  // little-endian, of any alignment
  const uint8_t* end;
};

// The functions are thread-safe and allocate nothing.
struct RansDecodeKernels {
  // Decodes up to `groups` groups of 32 symbols; stops before a group for which fewer than 64 bytes of words are left.
  // `table` has the kRansSlots entries. Bit j of marked[g] is set where symbol j of group g lay in a slot
  // >= first_marked. Returns the number of groups.
  int64_t (*decode)(const uint32_t* table, uint32_t first_marked, RansStream* stream, int64_t groups, uint8_t* symbols,
                    uint32_t* marked);
};

const RansDecodeKernels& RansDecode(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_RANS_DECODE_H_
