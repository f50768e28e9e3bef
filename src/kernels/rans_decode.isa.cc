// A vector holds one state a lane. Words are handed out to the lanes that need one in ascending order, so every vector
// length reads them in the order of the symbols.
#include "kernels/rans_decode.h"

#include "kernels/simd.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

constexpr int64_t kGroupBytes = 2 * kRansLanes;  // of words that a group may take

#if QLITE_ISA_avx512

// 16 states. Returns the lanes whose slots are marked; *words moves on.
inline uint32_t Step(const uint32_t* table, __m512i first_marked, __m512i* states, const uint8_t** words,
                     uint8_t* symbols) {
  const __m512i low = _mm512_set1_epi32(kRansSlots - 1);
  const __m512i slots = _mm512_and_si512(*states, low);
  const __m512i entries = _mm512_i32gather_epi32(slots, table, 4);
  const __m512i quotients = _mm512_srli_epi32(*states, kRansBits);
  const __m512i taken = _mm512_add_epi32(_mm512_mullo_epi32(_mm512_srli_epi32(entries, 20), quotients),
                                         _mm512_and_si512(_mm512_srli_epi32(entries, 8), low));
  const __mmask16 need = _mm512_cmplt_epu32_mask(taken, _mm512_set1_epi32(kRansLeastState));
  const __m512i next = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(*words)));
  const __m512i dealt = _mm512_maskz_expand_epi32(need, next);
  *states = _mm512_mask_or_epi32(taken, need, _mm512_slli_epi32(taken, 16), dealt);
  *words += 2 * __builtin_popcount(need);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(symbols), _mm512_cvtepi32_epi8(entries));
  return _mm512_cmpge_epu32_mask(slots, first_marked);
}

int64_t Decode(const uint32_t* table, uint32_t first_marked, RansStream* stream, int64_t groups, uint8_t* symbols,
               uint32_t* marked) {
  const __m512i first = _mm512_set1_epi32(static_cast<int>(first_marked));
  __m512i low = _mm512_loadu_si512(stream->states), high = _mm512_loadu_si512(stream->states + 16);
  const uint8_t* words = stream->words;
  int64_t group = 0;
  for (; group < groups && stream->end - words >= kGroupBytes; ++group, symbols += kRansLanes) {
    const uint32_t low_marked = Step(table, first, &low, &words, symbols);
    marked[group] = low_marked | Step(table, first, &high, &words, symbols + 16) << 16;
  }
  _mm512_storeu_si512(stream->states, low);
  _mm512_storeu_si512(stream->states + 16, high);
  stream->words = words;
  return group;
}

#elif QLITE_ISA_avx2

// Row m: lane i takes word number (count of bits below i in m).
struct Deals {
  alignas(32) uint32_t rows[256][8];
};
constexpr Deals MakeDeals() {
  Deals deals{};
  for (uint32_t mask = 0; mask < 256; ++mask) {
    uint32_t taken = 0;
    for (uint32_t lane = 0; lane < 8; ++lane) {
      deals.rows[mask][lane] = taken;
      taken += mask >> lane & 1;
    }
  }
  return deals;
}
constexpr Deals kDeals = MakeDeals();

inline __m256i Load(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void Store(uint32_t* p, __m256i v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
inline uint32_t SignBits(__m256i v) { return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(v))); }

// 8 states. *marked_lanes are those whose slots are marked; *words moves on. Returns the symbols, one a lane.
inline __m256i Step(const uint32_t* table, __m256i last_unmarked, __m256i* states, const uint8_t** words,
                    uint32_t* marked_lanes) {
  const __m256i low = _mm256_set1_epi32(kRansSlots - 1);
  const __m256i slots = _mm256_and_si256(*states, low);
  const __m256i entries = _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), slots, 4);
  const __m256i quotients = _mm256_srli_epi32(*states, kRansBits);
  const __m256i taken = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_srli_epi32(entries, 20), quotients),
                                         _mm256_and_si256(_mm256_srli_epi32(entries, 8), low));
  const __m256i need = _mm256_cmpeq_epi32(_mm256_srli_epi32(taken, 16), _mm256_setzero_si256());
  const uint32_t needing = SignBits(need);
  const __m256i next = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(*words)));
  const __m256i dealt = _mm256_permutevar8x32_epi32(next, Load(kDeals.rows[needing]));
  *states = _mm256_blendv_epi8(taken, _mm256_or_si256(_mm256_slli_epi32(taken, 16), dealt), need);
  *words += 2 * __builtin_popcount(needing);
  *marked_lanes = SignBits(_mm256_cmpgt_epi32(slots, last_unmarked));
  return _mm256_and_si256(entries, _mm256_set1_epi32(0xff));
}

int64_t Decode(const uint32_t* table, uint32_t first_marked, RansStream* stream, int64_t groups, uint8_t* symbols,
               uint32_t* marked) {
  const __m256i last_unmarked = _mm256_set1_epi32(static_cast<int>(first_marked) - 1);
  __m256i states[4] = {Load(stream->states), Load(stream->states + 8), Load(stream->states + 16),
                       Load(stream->states + 24)};
  const uint8_t* words = stream->words;
  int64_t group = 0;
  for (; group < groups && stream->end - words >= kGroupBytes; ++group, symbols += kRansLanes) {
    __m256i found[4];
    uint32_t lanes[4];
    QLITE_UNROLL
    for (int i = 0; i < 4; ++i) found[i] = Step(table, last_unmarked, &states[i], &words, &lanes[i]);
    marked[group] = lanes[0] | lanes[1] << 8 | lanes[2] << 16 | lanes[3] << 24;
    const __m256i bytes =
        _mm256_packus_epi16(_mm256_packus_epi32(found[0], found[1]), _mm256_packus_epi32(found[2], found[3]));
    const __m256i in_order = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(symbols), in_order);
  }
  QLITE_UNROLL
  for (int i = 0; i < 4; ++i) Store(stream->states + 8 * i, states[i]);
  stream->words = words;
  return group;
}

#else

int64_t Decode(const uint32_t* table, uint32_t first_marked, RansStream* stream, int64_t groups, uint8_t* symbols,
               uint32_t* marked) {
  uint32_t states[kRansLanes];
  std::memcpy(states, stream->states, sizeof(states));
  const uint8_t* words = stream->words;
  int64_t group = 0;
  for (; group < groups && stream->end - words >= kGroupBytes; ++group, symbols += kRansLanes) {
    uint32_t lanes = 0;
    QLITE_UNROLL
    for (int i = 0; i < kRansLanes; ++i) {
      lanes |= static_cast<uint32_t>((states[i] & (kRansSlots - 1)) >= first_marked) << i;
      const RansStep step = TakeRansSymbol(table, &states[i]);
      symbols[i] = step.symbol;
      uint16_t word;
      std::memcpy(&word, words, sizeof(word));
      // Without a branch, which nothing could predict.
      const uint32_t filled = states[i] << 16 | word, mask = 0u - static_cast<uint32_t>(step.needs_word);
      states[i] ^= (states[i] ^ filled) & mask;
      words += 2 & mask;
    }
    marked[group] = lanes;
  }
  std::memcpy(stream->states, states, sizeof(states));
  stream->words = words;
  return group;
}

#endif

}  // namespace

extern const RansDecodeKernels kRansDecodeKernels;
const RansDecodeKernels kRansDecodeKernels = {.decode = Decode};

}  // namespace qlite::kernels::QLITE_ISA
