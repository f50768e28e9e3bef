// Vec128 of kernels/simd_u8.h, which includes this file, for AArch64. Vectors of bytes and of int32 lanes are four
// lanes wide, so that unpacked order is byte order.
#ifndef QLITE_KERNELS_SIMD_U8_NEON_H_
#define QLITE_KERNELS_SIMD_U8_NEON_H_

#include <arm_neon.h>

#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

struct Vec128 {
  static constexpr int kLanes = 4;
  static constexpr int kBytes = 16;
  using I32 = int32x4_t;
  using F32 = float32x4_t;
  using U8 = uint8x16_t;

  static I32 Zero() { return vdupq_n_s32(0); }
  static I32 LoadI32(const void* p) { return vreinterpretq_s32_u8(LoadU8(static_cast<const uint8_t*>(p))); }
  static F32 LoadF32(const float* p) { return vld1q_f32(p); }
  static U8 LoadU8(const uint8_t* p) { return vld1q_u8(p); }
  static void StoreI32(void* p, I32 x) { vst1q_u8(static_cast<uint8_t*>(p), vreinterpretq_u8_s32(x)); }
  static void StoreF32(float* p, F32 x) { vst1q_f32(p, x); }
  static void StoreU8(uint8_t* p, U8 x, int n) {
    if (n == kBytes) return vst1q_u8(p, x);
    if (n == 8) return vst1_u8(p, vget_low_u8(x));
    uint8_t bytes[kBytes];
    vst1q_u8(bytes, x);
    std::memcpy(p, bytes, static_cast<size_t>(n));
  }
  template <int kPieces, int kPiece>
  static void StorePiece(uint8_t* p, U8 x, int n) {
    StoreU8(p, vextq_u8(x, x, kPiece * (kBytes / kPieces)), n);
  }
  static U8 SetU8(uint8_t x) { return vdupq_n_u8(x); }
  static I32 Add(I32 a, I32 b) { return vaddq_s32(a, b); }
#if QLITE_ISA_neondot
  static I32 BroadcastInput(const DotInput* p) {
    uint32_t x;
    std::memcpy(&x, p, sizeof x);
    return vreinterpretq_s32_u8(Signed(vreinterpretq_u8_u32(vdupq_n_u32(x))));
  }
  static I32 Dot(I32 acc, I32 input, I32 weights) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(input), vreinterpretq_s8_s32(weights));
  }
  // What Interleave consists of: pairs of bytes of two rows, then pairs of such pairs.
  static void ZipBytes(U8 a, U8 b, U8 out[2]) {
    out[0] = vzip1q_u8(a, b);
    out[1] = vzip2q_u8(a, b);
  }
  static void ZipWords(const U8 a[2], const U8 b[2], I32 out[4]) {
    for (int i = 0; i < 2; ++i) {
      const uint16x8x2_t taps = vzipq_u16(vreinterpretq_u16_u8(a[i]), vreinterpretq_u16_u8(b[i]));
      out[2 * i] = vreinterpretq_s32_u8(Signed(vreinterpretq_u8_u16(taps.val[0])));
      out[2 * i + 1] = vreinterpretq_s32_u8(Signed(vreinterpretq_u8_u16(taps.val[1])));
    }
  }
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) {
    U8 upper[2], lower[2];
    ZipBytes(rows[0], rows[1], upper);
    ZipBytes(rows[2], rows[3], lower);
    ZipWords(upper, lower, out);
  }
  // u - kInputOffset of every byte.
  static U8 Signed(U8 x) { return veorq_u8(x, vdupq_n_u8(0x80)); }
#else
  static I32 BroadcastInput(const DotInput* p) {
    return vreinterpretq_s32_s16(vcombine_s16(vld1_dup_s16(p), vld1_dup_s16(p + 1)));
  }
  static I32 Dot(I32 acc, I32 input, I32 weights) {
    const int16x8_t x = vreinterpretq_s16_s32(input);
    const int16x8_t w = vreinterpretq_s16_s32(weights);
    return vmlal_high_s16(vmlal_s16(acc, vget_low_s16(x), vget_low_s16(w)), x, w);
  }
  static void Interleave(const U8 rows[kDotDepth], I32 out[4]) {
    I32 upper[2], lower[2];
    Widen(rows[0], upper);
    Widen(rows[1], lower);
    for (int i = 0; i < 2; ++i) {
      const int64x2_t a = vreinterpretq_s64_s32(upper[i]);
      const int64x2_t b = vreinterpretq_s64_s32(lower[i]);
      out[2 * i] = vreinterpretq_s32_s64(vzip1q_s64(a, b));
      out[2 * i + 1] = vreinterpretq_s32_s64(vzip2q_s64(a, b));
    }
  }
#endif
  static F32 Scale(I32 acc, F32 m) { return vmulq_f32(vcvtq_f32_s32(acc), m); }
  template <Epilogue kEpilogue>
  static I32 Round(F32 t, const OutputMap& map) {
    // Not vminq_f32: NaN gives the bound.
    const F32 hi = LoadF32(map.float_hi);
    if constexpr (kEpilogue != Epilogue::kSaturated) t = vbslq_f32(vcltq_f32(t, hi), t, hi);
    return vcvtnq_s32_f32(t);
  }
  template <Epilogue kEpilogue>
  static U8 Narrow4(const I32 v[4], const OutputMap& map) {
    const int16x8_t z = vld1q_s16(map.zero_point);
    const int16x8_t low = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v[0]), v[1]), z);
    const int16x8_t high = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v[2]), v[3]), z);
    const U8 bytes = vqmovun_high_s16(vqmovun_s16(low), high);
    if constexpr (kEpilogue == Epilogue::kSaturated) return bytes;
    return vminq_u8(vmaxq_u8(bytes, LoadU8(map.lo)), LoadU8(map.hi));
  }
  template <int kRows>
  static U8 GatherRows(U8 x) {
    return x;
  }
  static U8 Max(U8 a, U8 b) { return vmaxq_u8(a, b); }
  // The zero-extended bytes as eight int16 each.
  static void Widen(U8 x, I32 out[2]) {
    out[0] = vreinterpretq_s32_u16(vmovl_u8(vget_low_u8(x)));
    out[1] = vreinterpretq_s32_u16(vmovl_high_u8(x));
  }
  static void Widen4(U8 x, I32 out[4]) {
    I32 words[2];
    Widen(x, words);
    for (int i = 0; i < 2; ++i) {
      const uint16x8_t w = vreinterpretq_u16_s32(words[i]);
      out[2 * i] = vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(w)));
      out[2 * i + 1] = vreinterpretq_s32_u32(vmovl_high_u16(w));
    }
  }
  static I32 LoadBytes(const uint8_t* p) {
    uint32_t x;
    std::memcpy(&x, p, sizeof x);
    const uint16x8_t wide = vmovl_u8(vcreate_u8(x));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(wide)));
  }
  static I32 SetI32(int32_t x) { return vdupq_n_s32(x); }
  static F32 SetF32(float x) { return vdupq_n_f32(x); }
  static F32 ToFloat(I32 x) { return vcvtq_f32_s32(x); }
  static F32 Subtract(F32 a, F32 b) { return vsubq_f32(a, b); }
  static F32 Multiply(F32 a, F32 b) { return vmulq_f32(a, b); }
  static F32 Divide(F32 a, F32 b) { return vdivq_f32(a, b); }
  static F32 MultiplyAdd(F32 a, F32 b, F32 c) { return vfmaq_f32(c, a, b); }
};

using VecWide = Vec128;

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_SIMD_U8_NEON_H_
