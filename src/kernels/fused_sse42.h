// The fused multiply-add of four floats for processors that have none. Included by *.isa.cc alone.
//
// The product of two floats is exact in double. Its sum with the third operand is rounded to odd there: truncated, and
// the last bit set where something was cut off. Rounding that to float gives what rounding the exact sum once would
// (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE
// Transactions on Computers 57(4), 2008), subnormal results included.
#ifndef QLITE_KERNELS_FUSED_SSE42_H_
#define QLITE_KERNELS_FUSED_SSE42_H_

#ifndef QLITE_ISA
#error "kernels/fused_sse42.h is for *.isa.cc sources, which are compiled with QLITE_ISA"
#endif

#include <nmmintrin.h>

namespace qlite::kernels::QLITE_ISA {

// a + b rounded to odd, for sums that stay within the range of double. Infinities and NaN come out as of a + b.
inline __m128d AddRoundingToOdd(__m128d a, __m128d b) {
  const __m128d sum = _mm_add_pd(a, b);
  // What the sum misses, exactly (Knuth's TwoSum); NaN where the sum is not finite.
  const __m128d b_part = _mm_sub_pd(sum, a);
  const __m128d error = _mm_add_pd(_mm_sub_pd(a, _mm_sub_pd(sum, b_part)), _mm_sub_pd(b, b_part));
  const __m128d magnitude = _mm_andnot_pd(_mm_set1_pd(-0.0), error);
  const __m128i inexact = _mm_castpd_si128(_mm_cmplt_pd(_mm_setzero_pd(), magnitude));
  // The sum was rounded away from zero where the error has the other sign: one step back truncates it.
  const __m128i away = _mm_srli_epi64(_mm_castpd_si128(_mm_xor_pd(sum, error)), 63);
  const __m128i truncated = _mm_sub_epi64(_mm_castpd_si128(sum), _mm_and_si128(away, inexact));
  return _mm_castsi128_pd(_mm_or_si128(truncated, _mm_srli_epi64(inexact, 63)));
}

// a*b + c in each lane, rounded once.
inline __m128 FusedMultiplyAdd(__m128 a, __m128 b, __m128 c) {
  const auto fuse = [](__m128 x, __m128 y, __m128 z) {
    const __m128d product = _mm_mul_pd(_mm_cvtps_pd(x), _mm_cvtps_pd(y));
    return _mm_cvtpd_ps(AddRoundingToOdd(product, _mm_cvtps_pd(z)));
  };
  const __m128 low = fuse(a, b, c);
  const __m128 high = fuse(_mm_movehl_ps(a, a), _mm_movehl_ps(b, b), _mm_movehl_ps(c, c));
  return _mm_movelh_ps(low, high);
}

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_FUSED_SSE42_H_
