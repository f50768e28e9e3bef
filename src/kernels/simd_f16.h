// Vectors of float16 numbers, and float16 numbers in memory. Included by *.isa.cc alone, as simd.h.
#ifndef QLITE_KERNELS_SIMD_F16_H_
#define QLITE_KERNELS_SIMD_F16_H_

#include <cstdint>

#include "kernels/float16.h"
#include "kernels/simd.h"

#if QLITE_ISA_float16 && !defined(__x86_64__)
#include <arm_neon.h>
#endif

namespace qlite::kernels::QLITE_ISA {

#if QLITE_ISA_float16 && defined(__x86_64__)

struct VecF16 {
  static constexpr int kLanes = 32;
  // A number twice: to spread 32 bits over a register takes no arithmetic unit, to spread 16 does.
  using Repeated = uint32_t;
  __m512h v;
  static VecF16 Zero() { return {_mm512_setzero_ph()}; }
  static VecF16 Load(const uint16_t* p) { return {_mm512_loadu_ph(p)}; }
  static VecF16 Broadcast(const Repeated* p) { return {_mm512_castsi512_ph(_mm512_set1_epi32(static_cast<int>(*p)))}; }
  friend VecF16 MulAdd(VecF16 a, VecF16 b, VecF16 c) { return {_mm512_fmadd_ph(a.v, b.v, c.v)}; }
  // sums[i] += lane i
  void AddTo(float* sums) const {
    const __m512i bits = _mm512_castph_si512(v);
    const __m512 low = _mm512_cvtph_ps(_mm512_castsi512_si256(bits));
    const __m512 high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(bits, 1));
    _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), low));
    _mm512_storeu_ps(sums + 16, _mm512_add_ps(_mm512_loadu_ps(sums + 16), high));
  }
  // Rounds `count` numbers. May write up to kRepeatSlack elements more.
  static constexpr int64_t kRepeatSlack = 16;
  static void Repeat(const float* in, int64_t count, Repeated* out) {
    for (int64_t i = 0; i < count; i += 16) {
      const VecF32 x =
          count - i >= 16 ? VecF32::Load(in + i) : VecF32::LoadPartial(in + i, static_cast<int>(count - i));
      const __m512i half = _mm512_cvtepu16_epi32(_mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
      _mm512_storeu_si512(out + i, _mm512_or_si512(half, _mm512_slli_epi32(half, 16)));
    }
  }
};

#elif QLITE_ISA_float16

struct VecF16 {
  static constexpr int kLanes = 8;
  using Repeated = uint16_t;
  float16x8_t v;
  static VecF16 Zero() { return {vreinterpretq_f16_u16(vdupq_n_u16(0))}; }
  static VecF16 Load(const uint16_t* p) { return {vreinterpretq_f16_u16(vld1q_u16(p))}; }
  static VecF16 Broadcast(const Repeated* p) { return {vreinterpretq_f16_u16(vld1q_dup_u16(p))}; }
  friend VecF16 MulAdd(VecF16 a, VecF16 b, VecF16 c) { return {vfmaq_f16(c.v, a.v, b.v)}; }
  void AddTo(float* sums) const {
    vst1q_f32(sums, vaddq_f32(vld1q_f32(sums), vcvt_f32_f16(vget_low_f16(v))));
    vst1q_f32(sums + 4, vaddq_f32(vld1q_f32(sums + 4), vcvt_high_f32_f16(v)));
  }
  static constexpr int64_t kRepeatSlack = 4;
  static void Repeat(const float* in, int64_t count, Repeated* out) {
    for (int64_t i = 0; i < count; i += 4) {
      const VecF32 x = count - i >= 4 ? VecF32::Load(in + i) : VecF32::LoadPartial(in + i, static_cast<int>(count - i));
      vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(x.v)));
    }
  }
};

#else

// out[i] = in[i], exactly.
inline void WidenFloat16(const uint16_t* in, int64_t count, float* out) {
  int64_t i = 0;
#if QLITE_ISA_avx512
  for (; i + 16 <= count; i += 16) {
    _mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i))));
  }
#elif QLITE_ISA_avx2
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  }
#elif QLITE_ISA_neon
  for (; i + 4 <= count; i += 4) vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(in + i))));
#endif
  for (; i < count; ++i) out[i] = Float16ToFloat(in[i]);
}

#endif

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_SIMD_F16_H_
