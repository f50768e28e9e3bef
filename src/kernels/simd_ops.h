// More operations on VecF32: comparison, selection, rounding, square root, and the integer lanes that exponents are
// built in. Included by *.isa.cc alone, as kernels/simd.h is. Every one gives the same bits on every instruction set.
#ifndef QLITE_KERNELS_SIMD_OPS_H_
#define QLITE_KERNELS_SIMD_OPS_H_

#include "kernels/simd.h"

namespace qlite::kernels::QLITE_ISA {

#if QLITE_ISA_generic

struct VecMask {
  bool v;
  friend VecMask operator&(VecMask a, VecMask b) { return {a.v && b.v}; }
  friend VecMask operator|(VecMask a, VecMask b) { return {a.v || b.v}; }
};

// Unsigned arithmetic underneath, so that it wraps as the vector instructions do.
struct VecI32 {
  int32_t v;
  static VecI32 Broadcast(int32_t x) { return {x}; }
  friend VecI32 operator+(VecI32 a, VecI32 b) {
    return {static_cast<int32_t>(static_cast<uint32_t>(a.v) + static_cast<uint32_t>(b.v))};
  }
  friend VecI32 operator-(VecI32 a, VecI32 b) {
    return {static_cast<int32_t>(static_cast<uint32_t>(a.v) - static_cast<uint32_t>(b.v))};
  }
  friend VecI32 operator&(VecI32 a, VecI32 b) { return {a.v & b.v}; }
  friend VecI32 operator|(VecI32 a, VecI32 b) { return {a.v | b.v}; }
  friend VecI32 operator^(VecI32 a, VecI32 b) { return {a.v ^ b.v}; }
};

template <int kBits>
inline VecI32 ShiftLeft(VecI32 a) {
  return {static_cast<int32_t>(static_cast<uint32_t>(a.v) << kBits)};
}
template <int kBits>
inline VecI32 ShiftRight(VecI32 a) {  // arithmetic
  return {a.v >> kBits};
}

inline VecMask Less(VecF32 a, VecF32 b) { return {a.v < b.v}; }
inline VecMask LessEqual(VecF32 a, VecF32 b) { return {a.v <= b.v}; }
inline VecMask Equal(VecF32 a, VecF32 b) { return {a.v == b.v}; }
inline VecMask IsNan(VecF32 a) { return {a.v != a.v}; }
inline VecF32 Select(VecMask m, VecF32 a, VecF32 b) { return m.v ? a : b; }
inline VecF32 Sqrt(VecF32 a) { return std::sqrt(a.v); }
inline VecF32 RoundEven(VecF32 a) { return std::nearbyint(a.v); }
inline VecF32 Floor(VecF32 a) { return std::floor(a.v); }
inline VecF32 Ceil(VecF32 a) { return std::ceil(a.v); }
inline VecF32 AsFloat(VecI32 a) {
  float f;
  std::memcpy(&f, &a.v, sizeof(f));
  return f;
}
inline VecI32 AsInt(VecF32 a) {
  int32_t i;
  std::memcpy(&i, &a.v, sizeof(i));
  return {i};
}
inline VecF32 ToFloat(VecI32 a) { return static_cast<float>(a.v); }
// Truncates toward zero; the lowest integer where the value (or NaN) does not fit, as the x86 instructions do.
inline VecI32 ToInt(VecF32 a) {
  return {a.v >= -2147483648.0f && a.v < 2147483648.0f ? static_cast<int32_t>(a.v) : INT32_MIN};
}

inline float FirstLane(VecF32 a) { return a.v; }

#elif QLITE_ISA_sse42

struct VecMask {
  __m128 v;
  friend VecMask operator&(VecMask a, VecMask b) { return {_mm_and_ps(a.v, b.v)}; }
  friend VecMask operator|(VecMask a, VecMask b) { return {_mm_or_ps(a.v, b.v)}; }
};

struct VecI32 {
  __m128i v;
  static VecI32 Broadcast(int32_t x) { return {_mm_set1_epi32(x)}; }
  friend VecI32 operator+(VecI32 a, VecI32 b) { return {_mm_add_epi32(a.v, b.v)}; }
  friend VecI32 operator-(VecI32 a, VecI32 b) { return {_mm_sub_epi32(a.v, b.v)}; }
  friend VecI32 operator&(VecI32 a, VecI32 b) { return {_mm_and_si128(a.v, b.v)}; }
  friend VecI32 operator|(VecI32 a, VecI32 b) { return {_mm_or_si128(a.v, b.v)}; }
  friend VecI32 operator^(VecI32 a, VecI32 b) { return {_mm_xor_si128(a.v, b.v)}; }
};

template <int kBits>
inline VecI32 ShiftLeft(VecI32 a) {
  return {_mm_slli_epi32(a.v, kBits)};
}
template <int kBits>
inline VecI32 ShiftRight(VecI32 a) {
  return {_mm_srai_epi32(a.v, kBits)};
}

inline VecMask Less(VecF32 a, VecF32 b) { return {_mm_cmplt_ps(a.v, b.v)}; }
inline VecMask LessEqual(VecF32 a, VecF32 b) { return {_mm_cmple_ps(a.v, b.v)}; }
inline VecMask Equal(VecF32 a, VecF32 b) { return {_mm_cmpeq_ps(a.v, b.v)}; }
inline VecMask IsNan(VecF32 a) { return {_mm_cmpunord_ps(a.v, a.v)}; }
inline VecF32 Select(VecMask m, VecF32 a, VecF32 b) { return VecF32::Batch(_mm_blendv_ps(b.v, a.v, m.v)); }
inline VecF32 Sqrt(VecF32 a) { return VecF32::Batch(_mm_sqrt_ps(a.v)); }
inline VecF32 RoundEven(VecF32 a) {
  return VecF32::Batch(_mm_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline VecF32 Floor(VecF32 a) { return VecF32::Batch(_mm_floor_ps(a.v)); }
inline VecF32 Ceil(VecF32 a) { return VecF32::Batch(_mm_ceil_ps(a.v)); }
inline VecF32 AsFloat(VecI32 a) { return VecF32::Batch(_mm_castsi128_ps(a.v)); }
inline VecI32 AsInt(VecF32 a) { return {_mm_castps_si128(a.v)}; }
inline VecF32 ToFloat(VecI32 a) { return VecF32::Batch(_mm_cvtepi32_ps(a.v)); }
inline VecI32 ToInt(VecF32 a) { return {_mm_cvttps_epi32(a.v)}; }
inline float FirstLane(VecF32 a) { return _mm_cvtss_f32(a.v); }
// Lanes [kHalf, 2 * kHalf) in the place of lanes [0, kHalf); the others are of no use. kHalf: 2, 1.
template <int kHalf>
inline VecF32 MoveDown(VecF32 a) {
  return VecF32::Batch(_mm_shuffle_ps(a.v, a.v, kHalf == 2 ? 0x0e : 0x01));
}

#elif QLITE_ISA_avx2

struct VecMask {
  __m256 v;
  friend VecMask operator&(VecMask a, VecMask b) { return {_mm256_and_ps(a.v, b.v)}; }
  friend VecMask operator|(VecMask a, VecMask b) { return {_mm256_or_ps(a.v, b.v)}; }
};

struct VecI32 {
  __m256i v;
  static VecI32 Broadcast(int32_t x) { return {_mm256_set1_epi32(x)}; }
  friend VecI32 operator+(VecI32 a, VecI32 b) { return {_mm256_add_epi32(a.v, b.v)}; }
  friend VecI32 operator-(VecI32 a, VecI32 b) { return {_mm256_sub_epi32(a.v, b.v)}; }
  friend VecI32 operator&(VecI32 a, VecI32 b) { return {_mm256_and_si256(a.v, b.v)}; }
  friend VecI32 operator|(VecI32 a, VecI32 b) { return {_mm256_or_si256(a.v, b.v)}; }
  friend VecI32 operator^(VecI32 a, VecI32 b) { return {_mm256_xor_si256(a.v, b.v)}; }
};

template <int kBits>
inline VecI32 ShiftLeft(VecI32 a) {
  return {_mm256_slli_epi32(a.v, kBits)};
}
template <int kBits>
inline VecI32 ShiftRight(VecI32 a) {
  return {_mm256_srai_epi32(a.v, kBits)};
}

inline VecMask Less(VecF32 a, VecF32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline VecMask LessEqual(VecF32 a, VecF32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline VecMask Equal(VecF32 a, VecF32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline VecMask IsNan(VecF32 a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
inline VecF32 Select(VecMask m, VecF32 a, VecF32 b) { return VecF32::Batch(_mm256_blendv_ps(b.v, a.v, m.v)); }
inline VecF32 Sqrt(VecF32 a) { return VecF32::Batch(_mm256_sqrt_ps(a.v)); }
inline VecF32 RoundEven(VecF32 a) {
  return VecF32::Batch(_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline VecF32 Floor(VecF32 a) { return VecF32::Batch(_mm256_floor_ps(a.v)); }
inline VecF32 Ceil(VecF32 a) { return VecF32::Batch(_mm256_ceil_ps(a.v)); }
inline VecF32 AsFloat(VecI32 a) { return VecF32::Batch(_mm256_castsi256_ps(a.v)); }
inline VecI32 AsInt(VecF32 a) { return {_mm256_castps_si256(a.v)}; }
inline VecF32 ToFloat(VecI32 a) { return VecF32::Batch(_mm256_cvtepi32_ps(a.v)); }
inline VecI32 ToInt(VecF32 a) { return {_mm256_cvttps_epi32(a.v)}; }
inline float FirstLane(VecF32 a) { return _mm256_cvtss_f32(a.v); }
// Lanes [kHalf, 2 * kHalf) in the place of lanes [0, kHalf); the others are of no use. kHalf: 4, 2, 1.
template <int kHalf>
inline VecF32 MoveDown(VecF32 a) {
  if constexpr (kHalf == 4) return VecF32::Batch(_mm256_permute2f128_ps(a.v, a.v, 1));
  return VecF32::Batch(_mm256_permute_ps(a.v, kHalf == 2 ? 0x0e : 0x01));
}

#elif QLITE_ISA_neon || QLITE_ISA_neondot

struct VecMask {
  uint32x4_t v;
  friend VecMask operator&(VecMask a, VecMask b) { return {vandq_u32(a.v, b.v)}; }
  friend VecMask operator|(VecMask a, VecMask b) { return {vorrq_u32(a.v, b.v)}; }
};

struct VecI32 {
  int32x4_t v;
  static VecI32 Broadcast(int32_t x) { return {vdupq_n_s32(x)}; }
  friend VecI32 operator+(VecI32 a, VecI32 b) { return {vaddq_s32(a.v, b.v)}; }
  friend VecI32 operator-(VecI32 a, VecI32 b) { return {vsubq_s32(a.v, b.v)}; }
  friend VecI32 operator&(VecI32 a, VecI32 b) { return {vandq_s32(a.v, b.v)}; }
  friend VecI32 operator|(VecI32 a, VecI32 b) { return {vorrq_s32(a.v, b.v)}; }
  friend VecI32 operator^(VecI32 a, VecI32 b) { return {veorq_s32(a.v, b.v)}; }
};

template <int kBits>
inline VecI32 ShiftLeft(VecI32 a) {
  return {vshlq_n_s32(a.v, kBits)};
}
template <int kBits>
inline VecI32 ShiftRight(VecI32 a) {
  return {vshrq_n_s32(a.v, kBits)};
}

inline VecMask Less(VecF32 a, VecF32 b) { return {vcltq_f32(a.v, b.v)}; }
inline VecMask LessEqual(VecF32 a, VecF32 b) { return {vcleq_f32(a.v, b.v)}; }
inline VecMask Equal(VecF32 a, VecF32 b) { return {vceqq_f32(a.v, b.v)}; }
inline VecMask IsNan(VecF32 a) { return {vmvnq_u32(vceqq_f32(a.v, a.v))}; }
inline VecF32 Select(VecMask m, VecF32 a, VecF32 b) { return VecF32::Batch(vbslq_f32(m.v, a.v, b.v)); }
inline VecF32 Sqrt(VecF32 a) { return VecF32::Batch(vsqrtq_f32(a.v)); }
inline VecF32 RoundEven(VecF32 a) { return VecF32::Batch(vrndnq_f32(a.v)); }
inline VecF32 Floor(VecF32 a) { return VecF32::Batch(vrndmq_f32(a.v)); }
inline VecF32 Ceil(VecF32 a) { return VecF32::Batch(vrndpq_f32(a.v)); }
inline VecF32 AsFloat(VecI32 a) { return VecF32::Batch(vreinterpretq_f32_s32(a.v)); }
inline VecI32 AsInt(VecF32 a) { return {vreinterpretq_s32_f32(a.v)}; }
inline VecF32 ToFloat(VecI32 a) { return VecF32::Batch(vcvtq_f32_s32(a.v)); }
// The instruction saturates and makes NaN 0; the x86 instructions, which every instruction set follows, do not.
inline VecI32 ToInt(VecF32 a) {
  const uint32x4_t fits = vcaltq_f32(a.v, vdupq_n_f32(2147483648.0f));
  return {vbslq_s32(fits, vcvtq_s32_f32(a.v), vdupq_n_s32(INT32_MIN))};
}
inline float FirstLane(VecF32 a) { return vgetq_lane_f32(a.v, 0); }
// Lanes [kHalf, 2 * kHalf) in the place of lanes [0, kHalf); the others are of no use. kHalf: 2, 1.
template <int kHalf>
inline VecF32 MoveDown(VecF32 a) {
  return VecF32::Batch(vextq_f32(a.v, a.v, kHalf));
}

#else

struct VecMask {
  __mmask16 v;
  friend VecMask operator&(VecMask a, VecMask b) { return {static_cast<__mmask16>(a.v & b.v)}; }
  friend VecMask operator|(VecMask a, VecMask b) { return {static_cast<__mmask16>(a.v | b.v)}; }
};

struct VecI32 {
  __m512i v;
  static VecI32 Broadcast(int32_t x) { return {_mm512_set1_epi32(x)}; }
  friend VecI32 operator+(VecI32 a, VecI32 b) { return {_mm512_add_epi32(a.v, b.v)}; }
  friend VecI32 operator-(VecI32 a, VecI32 b) { return {_mm512_sub_epi32(a.v, b.v)}; }
  friend VecI32 operator&(VecI32 a, VecI32 b) { return {_mm512_and_si512(a.v, b.v)}; }
  friend VecI32 operator|(VecI32 a, VecI32 b) { return {_mm512_or_si512(a.v, b.v)}; }
  friend VecI32 operator^(VecI32 a, VecI32 b) { return {_mm512_xor_si512(a.v, b.v)}; }
};

template <int kBits>
inline VecI32 ShiftLeft(VecI32 a) {
  return {_mm512_slli_epi32(a.v, kBits)};
}
template <int kBits>
inline VecI32 ShiftRight(VecI32 a) {
  return {_mm512_srai_epi32(a.v, kBits)};
}

inline VecMask Less(VecF32 a, VecF32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline VecMask LessEqual(VecF32 a, VecF32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline VecMask Equal(VecF32 a, VecF32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline VecMask IsNan(VecF32 a) { return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)}; }
inline VecF32 Select(VecMask m, VecF32 a, VecF32 b) { return VecF32::Batch(_mm512_mask_blend_ps(m.v, b.v, a.v)); }
inline VecF32 Sqrt(VecF32 a) { return VecF32::Batch(_mm512_sqrt_ps(a.v)); }
inline VecF32 RoundEven(VecF32 a) {
  return VecF32::Batch(_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline VecF32 Floor(VecF32 a) {
  return VecF32::Batch(_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
}
inline VecF32 Ceil(VecF32 a) {
  return VecF32::Batch(_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC));
}
inline VecF32 AsFloat(VecI32 a) { return VecF32::Batch(_mm512_castsi512_ps(a.v)); }
inline VecI32 AsInt(VecF32 a) { return {_mm512_castps_si512(a.v)}; }
inline VecF32 ToFloat(VecI32 a) { return VecF32::Batch(_mm512_cvtepi32_ps(a.v)); }
inline VecI32 ToInt(VecF32 a) { return {_mm512_cvttps_epi32(a.v)}; }
inline float FirstLane(VecF32 a) { return _mm512_cvtss_f32(a.v); }
// Lanes [kHalf, 2 * kHalf) in the place of lanes [0, kHalf); the others are of no use. kHalf: 8, 4, 2, 1.
template <int kHalf>
inline VecF32 MoveDown(VecF32 a) {
  if constexpr (kHalf >= 4) return VecF32::Batch(_mm512_shuffle_f32x4(a.v, a.v, kHalf == 8 ? 0x0e : 0x01));
  return VecF32::Batch(_mm512_permute_ps(a.v, kHalf == 2 ? 0x0e : 0x01));
}

#endif

// Lanes with the sign bit cleared, flipped, and set: NaN and zero included.
inline VecF32 Abs(VecF32 a) { return AsFloat(AsInt(a) & VecI32::Broadcast(0x7fffffff)); }
inline VecF32 Negate(VecF32 a) { return AsFloat(AsInt(a) ^ VecI32::Broadcast(INT32_MIN)); }
inline VecF32 NegateAbs(VecF32 a) { return AsFloat(AsInt(a) | VecI32::Broadcast(INT32_MIN)); }
// The magnitude of the first, the sign of the second.
inline VecF32 CopySign(VecF32 magnitude, VecF32 sign) {
  return AsFloat((AsInt(magnitude) & VecI32::Broadcast(0x7fffffff)) | (AsInt(sign) & VecI32::Broadcast(INT32_MIN)));
}

// True in the lanes below n.
inline VecMask FirstLanes(int n) {
  alignas(64) static constexpr float kIndex[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return Less(VecF32::Load(kIndex), static_cast<float>(n));
}

// Maximum and minimum in which NaN wins (Max and Min of kernels/simd.h give the second operand where one is NaN).
inline VecF32 MaxNan(VecF32 a, VecF32 b) { return Select(IsNan(a), a, Max(a, b)); }
inline VecF32 MinNan(VecF32 a, VecF32 b) { return Select(IsNan(a), a, Min(a, b)); }

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_SIMD_OPS_H_
