// The vector types that kernel templates are written in. Included by *.isa.cc alone: what it declares lives in the
// namespace of the instruction set being compiled, so that no two copies share a name.
//
// VecF32 has kLanes float lanes; its operations are those of the promise in docs/numerics.md: each is one correctly
// rounded IEEE operation, so a kernel gives the same bits whatever kLanes is, as long as lanes run across outputs.
#ifndef QLITE_KERNELS_SIMD_H_
#define QLITE_KERNELS_SIMD_H_

#ifndef QLITE_ISA
#error "kernels/simd.h is for *.isa.cc sources, which are compiled with QLITE_ISA"
#endif

#include <cmath>
#include <cstdint>
#include <cstring>

#if QLITE_ISA_sse42
#include "kernels/fused_sse42.h"
#endif

#if !QLITE_ISA_generic
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the deliberately undefined operands inside its own AVX-512 intrinsics for uninitialized variables.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <xsimd/xsimd.hpp>
#endif

// Before a loop of constant length: unrolls it completely. An array of vectors stays in registers only where all its
// indices are constants, and the compiler does not unroll long loop bodies by itself.
#if defined(__clang__)
#define QLITE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define QLITE_UNROLL _Pragma("GCC unroll 32")
#endif

namespace qlite::kernels::QLITE_ISA {

// Vector registers that a kernel may fill. A fused multiply-add in software needs some for itself.
#if QLITE_ISA_generic || QLITE_ISA_sse42
inline constexpr int kVectorRegisters = 12;
#elif QLITE_ISA_avx2
inline constexpr int kVectorRegisters = 16;
#else
inline constexpr int kVectorRegisters = 32;
#endif

#if QLITE_ISA_generic

// One lane, and the fused multiply-add of the C library: the specification that the vector versions are tested against.
struct VecF32 {
  static constexpr int kLanes = 1;
  float v;
  VecF32() = default;
  VecF32(float x) : v(x) {}  // NOLINT: broadcast, as in the vector versions
  static VecF32 Load(const float* p) { return *p; }
  void Store(float* p) const { *p = v; }
  static VecF32 LoadPartial(const float* p, int n) { return n > 0 ? *p : 0.0f; }
  void StorePartial(float* p, int n) const {
    if (n > 0) *p = v;
  }
  friend VecF32 operator+(VecF32 a, VecF32 b) { return a.v + b.v; }
  friend VecF32 operator-(VecF32 a, VecF32 b) { return a.v - b.v; }
  friend VecF32 operator*(VecF32 a, VecF32 b) { return a.v * b.v; }
  friend VecF32 operator/(VecF32 a, VecF32 b) { return a.v / b.v; }
  // a*b + c, rounded once.
  friend VecF32 MulAdd(VecF32 a, VecF32 b, VecF32 c) { return std::fma(a.v, b.v, c.v); }
  // The second operand where either is NaN, as the x86 instructions do.
  friend VecF32 Min(VecF32 a, VecF32 b) { return a.v < b.v ? a.v : b.v; }
  friend VecF32 Max(VecF32 a, VecF32 b) { return a.v > b.v ? a.v : b.v; }
};

#else

#if QLITE_ISA_sse42
using Arch = xsimd::sse4_2;
#elif QLITE_ISA_avx2
using Arch = xsimd::fma3<xsimd::avx2>;
#elif QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
using Arch = xsimd::avx512bw;
#else
using Arch = xsimd::neon64;
#endif

struct VecF32 {
  using Batch = xsimd::batch<float, Arch>;
  static constexpr int kLanes = static_cast<int>(Batch::size);
  Batch v;
  VecF32() = default;
  VecF32(float x) : v(x) {}  // NOLINT: broadcast
  VecF32(Batch x) : v(x) {}  // NOLINT
  static VecF32 Load(const float* p) { return Batch::load_unaligned(p); }
  void Store(float* p) const { v.store_unaligned(p); }
  // The first n lanes (0 <= n <= kLanes), zero in the others; memory behind them is not touched.
#if QLITE_ISA_avx2
  static VecF32 LoadPartial(const float* p, int n) { return Batch(_mm256_maskload_ps(p, Mask(n))); }
  void StorePartial(float* p, int n) const { _mm256_maskstore_ps(p, Mask(n), v); }
#elif QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
  static VecF32 LoadPartial(const float* p, int n) {
    return Batch(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p));
  }
  void StorePartial(float* p, int n) const { _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), v); }
#else
  static VecF32 LoadPartial(const float* p, int n) {
    float lanes[4] = {};
    CopyFirst(p, n, lanes);
    return Load(lanes);
  }
  void StorePartial(float* p, int n) const {
    float lanes[4];
    Store(lanes);
    CopyFirst(lanes, n, p);
  }
#endif
  friend VecF32 operator+(VecF32 a, VecF32 b) { return a.v + b.v; }
  friend VecF32 operator-(VecF32 a, VecF32 b) { return a.v - b.v; }
  friend VecF32 operator*(VecF32 a, VecF32 b) { return a.v * b.v; }
#if QLITE_ISA_neon || QLITE_ISA_neondot
  // Not xsimd's, which refines an estimate and is not always rounded correctly.
  friend VecF32 operator/(VecF32 a, VecF32 b) { return Batch(vdivq_f32(a.v, b.v)); }
#else
  friend VecF32 operator/(VecF32 a, VecF32 b) { return a.v / b.v; }
#endif
  // Not xsimd::fma, which is a product and a sum, rounded twice, on some of them. Min and Max as above.
#if QLITE_ISA_sse42
  friend VecF32 MulAdd(VecF32 a, VecF32 b, VecF32 c) { return Batch(FusedMultiplyAdd(a.v, b.v, c.v)); }
  friend VecF32 Min(VecF32 a, VecF32 b) { return Batch(_mm_min_ps(a.v, b.v)); }
  friend VecF32 Max(VecF32 a, VecF32 b) { return Batch(_mm_max_ps(a.v, b.v)); }
#elif QLITE_ISA_avx2
  friend VecF32 MulAdd(VecF32 a, VecF32 b, VecF32 c) { return Batch(_mm256_fmadd_ps(a.v, b.v, c.v)); }
  friend VecF32 Min(VecF32 a, VecF32 b) { return Batch(_mm256_min_ps(a.v, b.v)); }
  friend VecF32 Max(VecF32 a, VecF32 b) { return Batch(_mm256_max_ps(a.v, b.v)); }
#elif QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
  friend VecF32 MulAdd(VecF32 a, VecF32 b, VecF32 c) { return Batch(_mm512_fmadd_ps(a.v, b.v, c.v)); }
  friend VecF32 Min(VecF32 a, VecF32 b) { return Batch(_mm512_min_ps(a.v, b.v)); }
  friend VecF32 Max(VecF32 a, VecF32 b) { return Batch(_mm512_max_ps(a.v, b.v)); }
#else
  friend VecF32 MulAdd(VecF32 a, VecF32 b, VecF32 c) { return Batch(vfmaq_f32(c.v, a.v, b.v)); }
  // Not vminq_f32 and vmaxq_f32, which give NaN where either operand is NaN.
  friend VecF32 Min(VecF32 a, VecF32 b) { return Batch(vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)); }
  friend VecF32 Max(VecF32 a, VecF32 b) { return Batch(vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)); }
#endif

 private:
#if QLITE_ISA_avx2
  static __m256i Mask(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
#elif QLITE_ISA_sse42 || QLITE_ISA_neon || QLITE_ISA_neondot
  static void CopyFirst(const float* from, int n, float* to) {
    if (n > 3) to[3] = from[3];
    if (n > 2) to[2] = from[2];
    if (n > 1) to[1] = from[1];
    if (n > 0) to[0] = from[0];
  }
#endif
};

#endif

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_SIMD_H_
