// Bytes to the integer lanes of a vector. Included by *.isa.cc alone, as kernels/simd.h is.
#ifndef QLITE_KERNELS_SIMD_WIDEN_H_
#define QLITE_KERNELS_SIMD_WIDEN_H_

#include "kernels/simd_ops.h"

namespace qlite::kernels::QLITE_ISA {

// VecF32::kLanes bytes as numbers of [0, 255].
#if QLITE_ISA_generic
inline VecI32 WidenBytes(const uint8_t* p) { return {*p}; }
#elif QLITE_ISA_sse42
inline VecI32 WidenBytes(const uint8_t* p) {
  int32_t bytes;
  std::memcpy(&bytes, p, sizeof(bytes));
  return {_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes))};
}
#elif QLITE_ISA_avx2
inline VecI32 WidenBytes(const uint8_t* p) {
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
#elif QLITE_ISA_neon
inline VecI32 WidenBytes(const uint8_t* p) {
  uint32_t bytes;
  std::memcpy(&bytes, p, sizeof(bytes));
  const uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)))};
}
#else
inline VecI32 WidenBytes(const uint8_t* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
#endif

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_SIMD_WIDEN_H_
