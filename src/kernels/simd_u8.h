// The vector types of the int8 kernels. Included by *.isa.cc alone, like kernels/simd.h.
//
// A type VecNNN describes one register width through static functions: int32 lanes for accumulators, and bytes. The
// reduction advances by kDotDepth elements a step: four bytes where the processor has a dot product (vpdpbusd, sdot),
// otherwise two elements that were widened to int16, whose products are summed exactly (pmaddwd, smlal). vpmaddubsw,
// which saturates, is never used.
//
// Bytes and int32 lanes correspond in "unpacked order": four int32 vectors v0..v3 stand for kBytes bytes of which every
// 128-bit lane L holds four of v0, four of v1, four of v2, four of v3, each from their lane L. That is what unpacking
// and packing instructions do, so no kernel pays for a permutation between them.
#ifndef QLITE_KERNELS_SIMD_U8_H_
#define QLITE_KERNELS_SIMD_U8_H_

#ifndef QLITE_ISA
#error "kernels/simd_u8.h is for *.isa.cc sources, which are compiled with QLITE_ISA"
#endif

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/epilogue_u8.h"
#include "kernels/unroll.h"

#if QLITE_ISA_neon || QLITE_ISA_neondot
#include <arm_neon.h>
#elif !QLITE_ISA_generic
#include <immintrin.h>
#endif
#if QLITE_ISA_sse42
#include "kernels/fused_sse42.h"
#endif

namespace qlite::kernels::QLITE_ISA::u8 {

#if QLITE_ISA_avxvnni || QLITE_ISA_avx512vnni || QLITE_ISA_neondot
inline constexpr int kDotDepth = 4;
using DotInput = uint8_t;
using DotWeight = int8_t;
#else
inline constexpr int kDotDepth = 2;
using DotInput = int16_t;
using DotWeight = int16_t;
#endif

// What Dot takes an input byte u for: u - kInputOffset. Both operands of sdot are signed, so there bytes enter it with
// their highest bit flipped; the zero point that goes into a packed bias is less by as much.
#if QLITE_ISA_neondot
inline constexpr int32_t kInputOffset = 128;
#else
inline constexpr int32_t kInputOffset = 0;
#endif

// Where element i of a lane stands in the kDotDepth elements a lane of a vector of inputs or weights: next to each
// other in the lane, but for smlal, which wants the first elements of all lanes and then the second ones.
#if QLITE_ISA_neon
inline constexpr int StepElement(int lane, int i) { return i * 4 + lane; }
#else
inline constexpr int StepElement(int lane, int i) { return lane * kDotDepth + i; }
#endif

#if QLITE_ISA_generic

// Four lanes in plain C++: the specification of the vector versions.
struct Vec128 {
  static constexpr int kLanes = 4;
  static constexpr int kBytes = 16;
  struct I32 {
    int32_t v[4];
  };
  struct F32 {
    float v[4];
  };
  struct U8 {
    uint8_t v[16];
  };

  static I32 Zero() { return {}; }
  static I32 LoadI32(const void* p) {
    I32 x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static F32 LoadF32(const float* p) {
    F32 x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static U8 LoadU8(const uint8_t* p) {
    U8 x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static void StoreI32(void* p, I32 x) { std::memcpy(p, &x, sizeof x); }
  static void StoreF32(float* p, F32 x) { std::memcpy(p, &x, sizeof x); }
  static void StoreU8(uint8_t* p, U8 x, int n) { std::memcpy(p, &x, static_cast<size_t>(n)); }
  // Bytes [from, from + n) of x, n <= kBytes / pieces.
  template <int kPieces, int kPiece>
  static void StorePiece(uint8_t* p, U8 x, int n) {
    std::memcpy(p, x.v + kPiece * (kBytes / kPieces), static_cast<size_t>(n));
  }
  static U8 SetU8(uint8_t x) {
    U8 y;
    std::memset(&y, x, sizeof y);
    return y;
  }
  static I32 BroadcastInput(const DotInput* p) {
    I32 x;
    for (int i = 0; i < 4; ++i) std::memcpy(&x.v[i], p, 4);
    return x;
  }
  static I32 Add(I32 a, I32 b) {
    for (int i = 0; i < 4; ++i) {
      a.v[i] = static_cast<int32_t>(static_cast<uint32_t>(a.v[i]) + static_cast<uint32_t>(b.v[i]));
    }
    return a;
  }
  // acc + the kDotDepth products of each lane, modulo 2^32.
  static I32 Dot(I32 acc, I32 input, I32 weights) {
    int16_t x[8];
    int16_t w[8];
    std::memcpy(x, &input, 16);
    std::memcpy(w, &weights, 16);
    I32 products;
    for (int i = 0; i < 4; ++i) products.v[i] = x[2 * i] * w[2 * i] + x[2 * i + 1] * w[2 * i + 1];
    return Add(acc, products);
  }
  static F32 Scale(I32 acc, F32 m) {
    F32 t;
    for (int i = 0; i < 4; ++i) t.v[i] = static_cast<float>(acc.v[i]) * m.v[i];
    return t;
  }
  // rne(min(float(acc) * m, hi)), at least the smallest int16: what is below saturates in Narrow4 anyway.
  template <Epilogue>
  static I32 Round(F32 t, const OutputMap& map) {
    I32 y;
    for (int i = 0; i < 4; ++i) {
      float x = t.v[i] < map.float_hi[0] ? t.v[i] : map.float_hi[0];
      x = x > -32768.0f ? x : -32768.0f;
      // Adding 1.5 * 2^23 leaves no fraction bits, so the addition itself rounds half to even.
      y.v[i] = static_cast<int32_t>((x + 12582912.0f) - 12582912.0f);
    }
    return y;
  }
  // Adds the zero point and clamps to the bounds; unpacked order becomes byte order.
  template <Epilogue>
  static U8 Narrow4(const I32 v[4], const OutputMap& map) {
    U8 y;
    for (int j = 0; j < 16; ++j) {
      int32_t x = v[j / 4].v[j % 4] + map.zero_point[0];
      x = x < map.lo[0] ? map.lo[0] : x;
      y.v[j] = static_cast<uint8_t>(x > map.hi[0] ? map.hi[0] : x);
    }
    return y;
  }
  // Row r of kRows rows out of unpacked order: piece r of the result holds its bytes.
  template <int kRows>
  static U8 GatherRows(U8 x) {
    return x;
  }
  // The steps of kDotDepth rows of bytes: four int32 vectors, unpacked order.
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) {
    for (int j = 0; j < 16; ++j) {
      const int16_t pair[2] = {rows[0].v[j], rows[1].v[j]};
      std::memcpy(&out[j / 4].v[j % 4], pair, 4);
    }
  }
  static U8 Max(U8 a, U8 b) {
    for (int j = 0; j < 16; ++j) a.v[j] = a.v[j] > b.v[j] ? a.v[j] : b.v[j];
    return a;
  }
  // Zero-extended bytes, unpacked order.
  static void Widen4(U8 x, I32 out[4]) {
    for (int j = 0; j < 16; ++j) out[j / 4].v[j % 4] = x.v[j];
  }
  // The kLanes bytes at p, in order.
  static I32 LoadBytes(const uint8_t* p) { return {p[0], p[1], p[2], p[3]}; }
  static I32 SetI32(int32_t x) { return {x, x, x, x}; }
  static F32 SetF32(float x) { return {x, x, x, x}; }
  static F32 ToFloat(I32 x) {
    return {static_cast<float>(x.v[0]), static_cast<float>(x.v[1]), static_cast<float>(x.v[2]),
            static_cast<float>(x.v[3])};
  }
  static F32 Subtract(F32 a, F32 b) {
    for (int i = 0; i < 4; ++i) a.v[i] -= b.v[i];
    return a;
  }
  static F32 Multiply(F32 a, F32 b) {
    for (int i = 0; i < 4; ++i) a.v[i] *= b.v[i];
    return a;
  }
  static F32 Divide(F32 a, F32 b) {
    for (int i = 0; i < 4; ++i) a.v[i] /= b.v[i];
    return a;
  }
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) {
    for (int i = 0; i < 4; ++i) a.v[i] = std::fma(a.v[i], b.v[i], c.v[i]);
    return a;
  }
};

using VecWide = Vec128;

#elif !(QLITE_ISA_neon || QLITE_ISA_neondot)

// The Interleave of the vectors below, in each of their 16-byte pieces.
template <class V>
void InterleaveRows(const typename V::U8 rows[kDotDepth], typename V::I32 out[4]) {
  typename V::U8 upper[2];
  V::ZipBytes(rows[0], rows[1], upper);
  if constexpr (kDotDepth == 4) {
    typename V::U8 lower[2];
    V::ZipBytes(rows[2], rows[3], lower);
    V::ZipWords(upper, lower, out);
  } else {
    V::Widen(upper[0], out);
    V::Widen(upper[1], out + 2);
  }
}

struct Vec128 {
  static constexpr int kLanes = 4;
  static constexpr int kBytes = 16;
  // Vectors of int, not of long long as __m128i: a loop-carried value that changes between the two types at every step
  // costs GCC a second register.
  using I32 = int32_t __attribute__((vector_size(16)));
  using F32 = __m128;
  using U8 = __m128i;

  static I32 Zero() { return I32{}; }
  static I32 LoadI32(const void* p) { return reinterpret_cast<I32>(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
  static F32 LoadF32(const float* p) { return _mm_loadu_ps(p); }
  static U8 LoadU8(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static void StoreI32(void* p, I32 x) { _mm_storeu_si128(static_cast<__m128i*>(p), Raw(x)); }
  static __m128i Raw(I32 x) { return reinterpret_cast<__m128i>(x); }
  static void StoreF32(float* p, F32 x) { _mm_storeu_ps(p, x); }
  static void StoreU8(uint8_t* p, U8 x, int n) {
    if (n == kBytes) [[likely]] {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x);
    } else {
#if QLITE_ISA_sse42 || QLITE_ISA_avx2
      if (n == 8) return _mm_storel_epi64(reinterpret_cast<__m128i*>(p), x);
      uint8_t bytes[kBytes];
      _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), x);
      std::memcpy(p, bytes, static_cast<size_t>(n));
#else
      _mm_mask_storeu_epi8(p, static_cast<__mmask16>((1u << n) - 1u), x);
#endif
    }
  }
  static I32 Add(I32 a, I32 b) { return reinterpret_cast<I32>(_mm_add_epi32(Raw(a), Raw(b))); }
  static I32 Dot(I32 acc, I32 input, I32 weights) {
#if QLITE_ISA_avx512vnni
    return reinterpret_cast<I32>(_mm_dpbusd_epi32(Raw(acc), Raw(input), Raw(weights)));
#elif QLITE_ISA_avxvnni
    return reinterpret_cast<I32>(_mm_dpbusd_avx_epi32(Raw(acc), Raw(input), Raw(weights)));
#else
    return Add(acc, reinterpret_cast<I32>(_mm_madd_epi16(Raw(input), Raw(weights))));
#endif
  }
  static F32 Scale(I32 acc, F32 m) { return _mm_mul_ps(_mm_cvtepi32_ps(Raw(acc)), m); }
  template <Epilogue kEpilogue>
  static I32 Round(F32 t, const OutputMap& map) {
    if constexpr (kEpilogue != Epilogue::kSaturated) t = _mm_min_ps(t, LoadF32(map.float_hi));
    return reinterpret_cast<I32>(_mm_cvtps_epi32(t));
  }
  template <Epilogue kEpilogue>
  static U8 Narrow4(const I32 v[4], const OutputMap& map) {
    const __m128i z = Raw(LoadI32(map.zero_point));
    const __m128i low = _mm_adds_epi16(_mm_packs_epi32(Raw(v[0]), Raw(v[1])), z);
    const __m128i high = _mm_adds_epi16(_mm_packs_epi32(Raw(v[2]), Raw(v[3])), z);
    const U8 bytes = _mm_packus_epi16(low, high);
    if constexpr (kEpilogue == Epilogue::kSaturated) return bytes;
    return _mm_min_epu8(_mm_max_epu8(bytes, LoadU8(map.lo)), LoadU8(map.hi));
  }
  // What Interleave consists of: pairs of bytes of two rows, then pairs of such pairs.
  static void ZipBytes(U8 a, U8 b, U8 out[2]) {
    out[0] = _mm_unpacklo_epi8(a, b);
    out[1] = _mm_unpackhi_epi8(a, b);
  }
  static void ZipWords(const U8 a[2], const U8 b[2], I32 out[4]) {
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm_unpacklo_epi16(a[i], b[i]));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm_unpackhi_epi16(a[i], b[i]));
    }
  }
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) { InterleaveRows<Vec128>(rows, out); }
  static void Widen(U8 x, I32 out[2]) {
    out[0] = reinterpret_cast<I32>(_mm_unpacklo_epi8(x, _mm_setzero_si128()));
    out[1] = reinterpret_cast<I32>(_mm_unpackhi_epi8(x, _mm_setzero_si128()));
  }
  template <int kPieces, int kPiece>
  static void StorePiece(uint8_t* p, U8 x, int n) {
    StoreU8(p, Shift<kPiece*(kBytes / kPieces)>(x), n);
  }
  template <int kShift>
  static U8 Shift(U8 x) {
    return _mm_srli_si128(x, kShift);
  }
  static U8 SetU8(uint8_t x) { return _mm_set1_epi8(static_cast<char>(x)); }
  static I32 BroadcastInput(const DotInput* p) {
    int32_t x;
    std::memcpy(&x, p, sizeof x);
    return reinterpret_cast<I32>(_mm_set1_epi32(x));
  }
  template <int kRows>
  static U8 GatherRows(U8 x) {
    return x;
  }
  static U8 Max(U8 a, U8 b) { return _mm_max_epu8(a, b); }
  static void Widen4(U8 x, I32 out[4]) {
    I32 words[2];
    Widen(x, words);
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm_unpacklo_epi16(Raw(words[i]), Raw(Zero())));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm_unpackhi_epi16(Raw(words[i]), Raw(Zero())));
    }
  }
  static I32 LoadBytes(const uint8_t* p) { return reinterpret_cast<I32>(_mm_cvtepu8_epi32(_mm_loadu_si32(p))); }
  static I32 SetI32(int32_t x) { return reinterpret_cast<I32>(_mm_set1_epi32(x)); }
  static F32 SetF32(float x) { return _mm_set1_ps(x); }
  static F32 ToFloat(I32 x) { return _mm_cvtepi32_ps(Raw(x)); }
  static F32 Subtract(F32 a, F32 b) { return _mm_sub_ps(a, b); }
  static F32 Multiply(F32 a, F32 b) { return _mm_mul_ps(a, b); }
  static F32 Divide(F32 a, F32 b) { return _mm_div_ps(a, b); }
#if QLITE_ISA_sse42
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) { return FusedMultiplyAdd(a, b, c); }
#else
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) { return _mm_fmadd_ps(a, b, c); }
#endif
};

#if QLITE_ISA_sse42
using VecWide = Vec128;
#else

struct Vec256 {
  static constexpr int kLanes = 8;
  static constexpr int kBytes = 32;
  using I32 = int32_t __attribute__((vector_size(32)));
  using F32 = __m256;
  using U8 = __m256i;

  static I32 Zero() { return I32{}; }
  static I32 LoadI32(const void* p) {
    return reinterpret_cast<I32>(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static F32 LoadF32(const float* p) { return _mm256_loadu_ps(p); }
  static U8 LoadU8(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void StoreI32(void* p, I32 x) { _mm256_storeu_si256(static_cast<__m256i*>(p), Raw(x)); }
  static __m256i Raw(I32 x) { return reinterpret_cast<__m256i>(x); }
  static void StoreF32(float* p, F32 x) { _mm256_storeu_ps(p, x); }
  static void StoreU8(uint8_t* p, U8 x, int n) {
    if (n == kBytes) [[likely]] {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
    } else {
#if QLITE_ISA_avx2
      uint8_t bytes[kBytes];
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes), x);
      std::memcpy(p, bytes, static_cast<size_t>(n));
#else
      _mm256_mask_storeu_epi8(p, static_cast<__mmask32>((uint64_t{1} << n) - 1u), x);
#endif
    }
  }
  template <int kPieces, int kPiece>
  static void StorePiece(uint8_t* p, U8 x, int n) {
    const __m128i half = _mm256_extracti128_si256(x, kPiece * 2 / kPieces);
    if constexpr (kPieces == 2) {
      Vec128::StoreU8(p, half, n);
    } else {
      Vec128::StoreU8(p, kPiece % 2 == 0 ? half : _mm_unpackhi_epi64(half, half), n);
    }
  }
  static U8 SetU8(uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static I32 BroadcastInput(const DotInput* p) {
    int32_t x;
    std::memcpy(&x, p, sizeof x);
    return reinterpret_cast<I32>(_mm256_set1_epi32(x));
  }
  static I32 Add(I32 a, I32 b) { return reinterpret_cast<I32>(_mm256_add_epi32(Raw(a), Raw(b))); }
  static I32 Dot(I32 acc, I32 input, I32 weights) {
#if QLITE_ISA_avx512vnni
    return reinterpret_cast<I32>(_mm256_dpbusd_epi32(Raw(acc), Raw(input), Raw(weights)));
#elif QLITE_ISA_avxvnni
    return reinterpret_cast<I32>(_mm256_dpbusd_avx_epi32(Raw(acc), Raw(input), Raw(weights)));
#else
    return Add(acc, reinterpret_cast<I32>(_mm256_madd_epi16(Raw(input), Raw(weights))));
#endif
  }
  static F32 Scale(I32 acc, F32 m) { return _mm256_mul_ps(_mm256_cvtepi32_ps(Raw(acc)), m); }
  template <Epilogue kEpilogue>
  static I32 Round(F32 t, const OutputMap& map) {
    if constexpr (kEpilogue != Epilogue::kSaturated) t = _mm256_min_ps(t, LoadF32(map.float_hi));
    return reinterpret_cast<I32>(_mm256_cvtps_epi32(t));
  }
  template <Epilogue kEpilogue>
  static U8 Narrow4(const I32 v[4], const OutputMap& map) {
    const __m256i z = Raw(LoadI32(map.zero_point));
    const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(Raw(v[0]), Raw(v[1])), z);
    const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(Raw(v[2]), Raw(v[3])), z);
    const U8 bytes = _mm256_packus_epi16(low, high);
    if constexpr (kEpilogue == Epilogue::kSaturated) return bytes;
    return _mm256_min_epu8(_mm256_max_epu8(bytes, LoadU8(map.lo)), LoadU8(map.hi));
  }
  template <int kRows>
  static U8 GatherRows(U8 x) {
    if constexpr (kRows == 2) return _mm256_permute4x64_epi64(x, 0xD8);
    return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  static void ZipBytes(U8 a, U8 b, U8 out[2]) {
    out[0] = _mm256_unpacklo_epi8(a, b);
    out[1] = _mm256_unpackhi_epi8(a, b);
  }
  static void ZipWords(const U8 a[2], const U8 b[2], I32 out[4]) {
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm256_unpacklo_epi16(a[i], b[i]));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm256_unpackhi_epi16(a[i], b[i]));
    }
  }
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) { InterleaveRows<Vec256>(rows, out); }
  static void Widen(U8 x, I32 out[2]) {
    out[0] = reinterpret_cast<I32>(_mm256_unpacklo_epi8(x, _mm256_setzero_si256()));
    out[1] = reinterpret_cast<I32>(_mm256_unpackhi_epi8(x, _mm256_setzero_si256()));
  }
  static U8 Max(U8 a, U8 b) { return _mm256_max_epu8(a, b); }
  static void Widen4(U8 x, I32 out[4]) {
    I32 words[2];
    Widen(x, words);
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm256_unpacklo_epi16(Raw(words[i]), Raw(Zero())));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm256_unpackhi_epi16(Raw(words[i]), Raw(Zero())));
    }
  }
  static I32 LoadBytes(const uint8_t* p) { return reinterpret_cast<I32>(_mm256_cvtepu8_epi32(_mm_loadu_si64(p))); }
  static I32 SetI32(int32_t x) { return reinterpret_cast<I32>(_mm256_set1_epi32(x)); }
  static F32 SetF32(float x) { return _mm256_set1_ps(x); }
  static F32 ToFloat(I32 x) { return _mm256_cvtepi32_ps(Raw(x)); }
  static F32 Subtract(F32 a, F32 b) { return _mm256_sub_ps(a, b); }
  static F32 Multiply(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
  static F32 Divide(F32 a, F32 b) { return _mm256_div_ps(a, b); }
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
};

#if QLITE_ISA_avx2
using VecWide = Vec256;
#else

// `p`, of which the compiler knows nothing. It would hold constants in registers throughout a tile, which needs them
// all; what lies at such an address is loaded where it is used. (Volatile, lest two uses share a load and, for want of
// a register, a copy on the stack.)
template <class T>
inline const T* Opaque(const T* p) {
  asm volatile("" : "+r"(p));
  return p;
}

struct Vec512 {
  static constexpr int kLanes = 16;
  static constexpr int kBytes = 64;
  using I32 = int32_t __attribute__((vector_size(64)));
  using F32 = __m512;
  using U8 = __m512i;

  static I32 Zero() { return I32{}; }
  static I32 LoadI32(const void* p) { return reinterpret_cast<I32>(_mm512_loadu_si512(p)); }
  static F32 LoadF32(const float* p) { return _mm512_loadu_ps(p); }
  static U8 LoadU8(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static void StoreI32(void* p, I32 x) { _mm512_storeu_si512(p, Raw(x)); }
  static __m512i Raw(I32 x) { return reinterpret_cast<__m512i>(x); }
  static void StoreF32(float* p, F32 x) { _mm512_storeu_ps(p, x); }
  static void StoreU8(uint8_t* p, U8 x, int n) {
    if (n == kBytes) [[likely]] {
      _mm512_storeu_si512(p, x);
    } else {
      _mm512_mask_storeu_epi8(p, (uint64_t{1} << n) - 1u, x);
    }
  }
  template <int kPieces, int kPiece>
  static void StorePiece(uint8_t* p, U8 x, int n) {
    if constexpr (kPieces == 2) {
      Vec256::StoreU8(p, _mm512_extracti64x4_epi64(x, kPiece), n);
    } else {
      Vec128::StoreU8(p, _mm512_extracti32x4_epi32(x, kPiece), n);
    }
  }
  static U8 SetU8(uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static I32 BroadcastInput(const DotInput* p) {
    int32_t x;
    std::memcpy(&x, p, sizeof x);
    return reinterpret_cast<I32>(_mm512_set1_epi32(x));
  }
  // The elements of a 128-bit lane, in all of them.
  static I32 BroadcastLane(const DotInput* p) {
    return reinterpret_cast<I32>(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  // The sums of kernels/folded_u8s8.h, added up and in the order of their columns.
  static I32 Fold(const I32 (&sums)[1]) {
    static constexpr int32_t kOrder[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    return reinterpret_cast<I32>(_mm512_permutexvar_epi32(_mm512_loadu_si512(kOrder), Raw(sums[0])));
  }
  static I32 Fold(const I32 (&sums)[2]) {
    static constexpr int32_t kEven[16] = {0, 4, 8, 12, 16, 20, 24, 28, 2, 6, 10, 14, 18, 22, 26, 30};
    static constexpr int32_t kOdd[16] = {1, 5, 9, 13, 17, 21, 25, 29, 3, 7, 11, 15, 19, 23, 27, 31};
    const auto gather = [&sums](const int32_t* order) {
      return reinterpret_cast<I32>(_mm512_permutex2var_epi32(Raw(sums[0]), _mm512_loadu_si512(order), Raw(sums[1])));
    };
    return Add(gather(kEven), gather(kOdd));
  }
  static I32 Add(I32 a, I32 b) { return reinterpret_cast<I32>(_mm512_add_epi32(Raw(a), Raw(b))); }
  static I32 Dot(I32 acc, I32 input, I32 weights) {
#if QLITE_ISA_avx512vnni
    return reinterpret_cast<I32>(_mm512_dpbusd_epi32(Raw(acc), Raw(input), Raw(weights)));
#else
    return Add(acc, reinterpret_cast<I32>(_mm512_madd_epi16(Raw(input), Raw(weights))));
#endif
  }
  static F32 Scale(I32 acc, F32 m) { return _mm512_mul_ps(_mm512_cvtepi32_ps(Raw(acc)), m); }
  template <Epilogue kEpilogue>
  static I32 Round(F32 t, const OutputMap& map) {
    if constexpr (kEpilogue != Epilogue::kSaturated) t = _mm512_min_ps(t, LoadF32(map.float_hi));
    return reinterpret_cast<I32>(_mm512_cvtps_epi32(t));
  }
  template <Epilogue kEpilogue>
  static U8 Narrow4(const I32 v[4], const OutputMap& map) {
    const auto z = [&map] { return _mm512_loadu_si512(Opaque(map.zero_point)); };
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(Raw(v[0]), Raw(v[1])), z());
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(Raw(v[2]), Raw(v[3])), z());
    const U8 bytes = _mm512_packus_epi16(low, high);
    if constexpr (kEpilogue == Epilogue::kSaturated) return bytes;
    return _mm512_min_epu8(_mm512_max_epu8(bytes, LoadU8(map.lo)), LoadU8(map.hi));
  }
  template <int kRows>
  static U8 GatherRows(U8 x) {
    static constexpr int64_t kOfTwo[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    static constexpr int32_t kOfFour[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    if constexpr (kRows == 2) return _mm512_permutexvar_epi64(_mm512_loadu_si512(Opaque(kOfTwo)), x);
    return _mm512_permutexvar_epi32(_mm512_loadu_si512(Opaque(kOfFour)), x);
  }
  static void ZipBytes(U8 a, U8 b, U8 out[2]) {
    out[0] = _mm512_unpacklo_epi8(a, b);
    out[1] = _mm512_unpackhi_epi8(a, b);
  }
  static void ZipWords(const U8 a[2], const U8 b[2], I32 out[4]) {
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm512_unpacklo_epi16(a[i], b[i]));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm512_unpackhi_epi16(a[i], b[i]));
    }
  }
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) { InterleaveRows<Vec512>(rows, out); }
  static void Widen(U8 x, I32 out[2]) {
    out[0] = reinterpret_cast<I32>(_mm512_unpacklo_epi8(x, _mm512_setzero_si512()));
    out[1] = reinterpret_cast<I32>(_mm512_unpackhi_epi8(x, _mm512_setzero_si512()));
  }
  static U8 Max(U8 a, U8 b) { return _mm512_max_epu8(a, b); }
  static void Widen4(U8 x, I32 out[4]) {
    I32 words[2];
    Widen(x, words);
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = reinterpret_cast<I32>(_mm512_unpacklo_epi16(Raw(words[i]), Raw(Zero())));
      out[2 * i + 1] = reinterpret_cast<I32>(_mm512_unpackhi_epi16(Raw(words[i]), Raw(Zero())));
    }
  }
  static I32 LoadBytes(const uint8_t* p) {
    return reinterpret_cast<I32>(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static I32 SetI32(int32_t x) { return reinterpret_cast<I32>(_mm512_set1_epi32(x)); }
  static F32 SetF32(float x) { return _mm512_set1_ps(x); }
  static F32 ToFloat(I32 x) { return _mm512_cvtepi32_ps(Raw(x)); }
  static F32 Subtract(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  static F32 Multiply(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  static F32 Divide(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
};

using VecWide = Vec512;

#endif
#endif
#endif

}  // namespace qlite::kernels::QLITE_ISA::u8

#if QLITE_ISA_neon || QLITE_ISA_neondot
#include "kernels/simd_u8_neon.h"
#endif

namespace qlite::kernels::QLITE_ISA::u8 {

// Copies n bytes into reduction elements, widening them where the dot product takes int16.
inline void CopyInput(const uint8_t* from, DotInput* to, int64_t n) {
  if constexpr (sizeof(DotInput) == 1) {
    std::memcpy(to, from, static_cast<size_t>(n));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_SIMD_U8_H_
