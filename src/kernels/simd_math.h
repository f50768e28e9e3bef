// Transcendental functions of VecF32: polynomials and exact exponent arithmetic, the same rounded operations on every
// instruction set. Included by *.isa.cc alone.
//
// Largest errors, in units in the last place of the correctly rounded float (tests/kernels/unary_f32_test.cc and
// binary_f32_test.cc hold them to these): Exp 1, Log 1, Erf 2, Tanh 3, Sigmoid 3, Pow 2.
//
// Coefficients are minimax fits made by scripts/fit_kernel_polynomials.py. The reductions are the classical ones (Cody
// and Waite, "Software Manual for the Elementary Functions", 1980; double-float products by fused multiply-add after
// Dekker, "A floating-point technique for extending the available precision", 1971).
#ifndef QLITE_KERNELS_SIMD_MATH_H_
#define QLITE_KERNELS_SIMD_MATH_H_

#include "kernels/simd_ops.h"

namespace qlite::kernels::QLITE_ISA {

inline constexpr float kInfinity = __builtin_inff();

// log(2) = kLn2High + kLn2Low; the first has 16 bits, so that its product with an exponent is exact.
inline constexpr float kLn2High = 0x1.62e4p-1f;
inline constexpr float kLn2Low = 0x1.7f7d1cp-20f;
inline constexpr float kInverseLn2 = 0x1.715476p+0f;

// 2^n for integer-valued n in [-126, 127]; unspecified for others.
inline VecF32 PowerOfTwo(VecI32 n) { return AsFloat(ShiftLeft<23>(n + VecI32::Broadcast(127))); }

// p * 2^n for integer-valued n in [-252, 254], rounded once when p is in [1/2, 2].
inline VecF32 ScaleByPowerOfTwo(VecF32 p, VecF32 n) {
#if QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
  return VecF32::Batch(_mm512_scalef_ps(p.v, n.v));
#else
  const VecI32 whole = ToInt(n);
  const VecI32 half = ShiftRight<1>(whole);
  return p * PowerOfTwo(half) * PowerOfTwo(whole - half);
#endif
}

// exp(r) - 1 = r + r^2 * ReducedExpTail(r) for |r| <= log(2)/2.
inline VecF32 ReducedExpTail(VecF32 r) {
  VecF32 p = 0x1.9e8b3ep-13f;
  p = MulAdd(p, r, 0x1.6d4050p-10f);
  p = MulAdd(p, r, 0x1.1112d0p-7f);
  p = MulAdd(p, r, 0x1.5554f4p-5f);
  p = MulAdd(p, r, 0x1.555554p-3f);
  return MulAdd(p, r, 0.5f);
}

// x = n*log(2) + r with |r| <= log(2)/2 (a hair more by rounding).
struct ReducedExp {
  VecF32 n, r;
};
inline ReducedExp ReduceExp(VecF32 x) {
  const VecF32 n = RoundEven(x * kInverseLn2);
  return {n, MulAdd(n, -kLn2Low, MulAdd(n, -kLn2High, x))};
}

// exp(x) for x in [-105, 89].
inline VecF32 ExpInside(VecF32 x) {
  const ReducedExp e = ReduceExp(x);
  const VecF32 p = MulAdd(e.r * e.r, ReducedExpTail(e.r), e.r) + 1.0f;
  return ScaleByPowerOfTwo(p, e.n);
}

// Beyond these the result is 0 or infinity, after the same rounding.
inline VecF32 ExpOfNegative(VecF32 x) { return ExpInside(Max(-105.0f, x)); }
inline VecF32 Exp(VecF32 x) { return ExpInside(Min(89.0f, Max(-105.0f, x))); }

// exp(x) - 1 without cancellation, for x <= 88; the value at 88 beyond.
inline VecF32 ExpMinus1(VecF32 x) {
  const ReducedExp e = ReduceExp(Min(88.0f, Max(-30.0f, x)));
  const VecF32 p = MulAdd(e.r * e.r, ReducedExpTail(e.r), e.r);
  const VecF32 scale = PowerOfTwo(ToInt(e.n));
  return Select(Equal(e.n, 0.0f), p, MulAdd(scale, p, scale - 1.0f));
}

// x = m * 2^exponent with m in [sqrt(1/2), sqrt(2)), for finite x > 0, subnormal ones included.
struct SplitFloat {
  VecF32 m, exponent;
};
inline SplitFloat Split(VecF32 x) {
  const VecMask subnormal = Less(x, 0x1p-126f);
  const VecF32 scaled = Select(subnormal, x * 0x1p+23f, x);
  // Offsetting by the bits of sqrt(1/2) makes the exponent field count from there.
  const VecI32 root_half = VecI32::Broadcast(0x3f3504f3);
  const VecI32 offset = AsInt(scaled) - root_half;
  const VecI32 exponent = ShiftRight<23>(offset);
  const VecI32 mantissa = (offset & VecI32::Broadcast(0x007fffff)) + root_half;
  return {AsFloat(mantissa), ToFloat(exponent) - Select(subnormal, 23.0f, 0.0f)};
}

// The logarithm of finite x > 0.
inline VecF32 LogOfPositive(VecF32 x) {
  const SplitFloat split = Split(x);
  const VecF32 f = split.m - 1.0f;
  VecF32 p = 0x1.147334p-4f;
  p = MulAdd(p, f, -0x1.de01d8p-4f);
  p = MulAdd(p, f, 0x1.e6c00ap-4f);
  p = MulAdd(p, f, -0x1.fc28cap-4f);
  p = MulAdd(p, f, 0x1.233ba2p-3f);
  p = MulAdd(p, f, -0x1.555c44p-3f);
  p = MulAdd(p, f, 0x1.99a476p-3f);
  p = MulAdd(p, f, -0x1.000006p-2f);
  p = MulAdd(p, f, 0x1.555548p-2f);
  const VecF32 square = f * f;
  // Smallest terms first.
  VecF32 tail = MulAdd(square * f, p, split.exponent * kLn2Low);
  tail = MulAdd(square, -0.5f, tail);
  return MulAdd(split.exponent, kLn2High, tail + f);
}

inline VecF32 Log(VecF32 x) {
  VecF32 y = LogOfPositive(x);
  y = Select(Equal(x, kInfinity), x, y);
  y = Select(Equal(x, 0.0f), -kInfinity, y);
  return Select(Less(x, 0.0f) | IsNan(x), __builtin_nanf(""), y);
}

// log(1 + e) for e in [0, 1]: the rounding of 1 + e is made good to first order.
inline VecF32 Log1pOfUnit(VecF32 e) {
  const VecF32 u = e + 1.0f;
  return LogOfPositive(u) + (e - (u - 1.0f)) / u;
}

inline VecF32 Sigmoid(VecF32 x) {
  const VecF32 e = ExpOfNegative(NegateAbs(x));
  return Select(Less(x, 0.0f), e, 1.0f) / (e + 1.0f);
}

inline VecF32 Tanh(VecF32 x) {
  // tanh|x| = t/(t + 2) with t = exp(2|x|) - 1; above 10 it rounds to 1.
  const VecF32 t = ExpMinus1(Min(20.0f, Abs(x) + Abs(x)));
  return CopySign(t / (t + 2.0f), x);
}

inline VecF32 Softplus(VecF32 x) { return Max(0.0f, x) + Log1pOfUnit(ExpOfNegative(NegateAbs(x))); }

inline VecF32 Erf(VecF32 x) {
  const VecF32 a = Abs(x);
  const VecF32 t = x * x;
  VecF32 inner = -0x1.238cdap-19f;
  inner = MulAdd(inner, t, 0x1.69b1b2p-14f);
  inner = MulAdd(inner, t, -0x1.a998eep-11f);
  inner = MulAdd(inner, t, 0x1.5482fep-8f);
  inner = MulAdd(inner, t, -0x1.b8044ep-6f);
  inner = MulAdd(inner, t, 0x1.ce2d74p-4f);
  inner = MulAdd(inner, t, -0x1.812740p-2f);
  inner = MulAdd(inner, t, 0x1.06eba8p-3f);
  inner = MulAdd(inner, x, x);
  // Above 1: erf(a) = 1 - exp(outer(a)); above 4 it rounds to 1.
  const VecF32 b = Min(4.0f, a);
  VecF32 outer = -0x1.6bcd88p-16f;
  outer = MulAdd(outer, b, 0x1.cebefcp-12f);
  outer = MulAdd(outer, b, -0x1.138acep-8f);
  outer = MulAdd(outer, b, 0x1.9d01eap-6f);
  outer = MulAdd(outer, b, -0x1.bc14bep-4f);
  outer = MulAdd(outer, b, -0x1.44356ep-1f);
  outer = MulAdd(outer, b, -0x1.212c0cp+0f);
  outer = MulAdd(outer, b, 0x1.8a577cp-13f);
  return Select(Less(1.0f, a), CopySign(VecF32(1.0f) - ExpInside(outer), x), inner);
}

// An unevaluated sum: `low` is what `high` misses.
struct DoubleFloat {
  VecF32 high, low;
};

// a + b for |a| >= |b| or a = 0, exactly.
inline DoubleFloat FastTwoSum(VecF32 a, VecF32 b) {
  const VecF32 sum = a + b;
  return {sum, b - (sum - a)};
}

// a * b, exactly (but for underflow).
inline DoubleFloat TwoProduct(VecF32 a, VecF32 b) {
  const VecF32 product = a * b;
  return {product, MulAdd(a, b, Negate(product))};
}

// The base-2 logarithm of finite x > 0, to about 2^-33 of itself: with s = (m - 1)/(m + 1) and t = s^2 it is
// exponent + 2/log(2) * (s + s*t*P(t)), everything to double length but for the tail of P.
inline DoubleFloat Log2OfPositive(VecF32 x) {
  const SplitFloat split = Split(x);
  // f/(f + 2): the residual of the division, and the rounding of f + 2, are both divided by f + 2.
  const VecF32 f = split.m - 1.0f;
  const VecF32 g = f + 2.0f;
  const VecF32 g_low = f - (g - 2.0f);
  const VecF32 s = f / g;
  const VecF32 s_low = MulAdd(Negate(s), g_low, MulAdd(Negate(s), g, f)) / g;
  DoubleFloat t = TwoProduct(s, s);
  t.low = MulAdd(s + s, s_low, t.low);
  VecF32 tail = 0x1.f13cfep-4f;
  tail = MulAdd(tail, t.high, 0x1.23d3dcp-3f);
  tail = MulAdd(tail, t.high, 0x1.999c26p-3f);
  const VecF32 p_first = 0x1.555554p-2f;
  const VecF32 p = MulAdd(tail, t.high, p_first);
  const VecF32 p_low = MulAdd(tail, t.high, p_first - p);
  DoubleFloat q = TwoProduct(t.high, p);
  q.low = MulAdd(t.high, p_low, MulAdd(t.low, p, q.low));
  // head = 2/log(2) * s, then times 1 + q.
  const VecF32 c_high = 0x1.715476p+1f, c_low = 0x1.4ae0c0p-25f;
  DoubleFloat head = TwoProduct(s, c_high);
  head.low = MulAdd(s, c_low, MulAdd(s_low, c_high, head.low));
  DoubleFloat correction = TwoProduct(head.high, q.high);
  correction.low = MulAdd(head.low, q.high, MulAdd(head.high, q.low, correction.low));
  const DoubleFloat fraction = FastTwoSum(head.high, correction.high);
  // The exponent is zero or larger than the fraction.
  const DoubleFloat sum = FastTwoSum(split.exponent, fraction.high);
  return FastTwoSum(sum.high, sum.low + (fraction.low + (head.low + correction.low)));
}

// |x|^y for |x| not zero, infinite or NaN, through 2^(y*log2|x|).
inline VecF32 PowOfMagnitude(VecF32 magnitude, VecF32 y) {
  const DoubleFloat log = Log2OfPositive(magnitude);
  const VecF32 product = y * log.high;
  const VecF32 product_low = MulAdd(y, log.low, MulAdd(y, log.high, Negate(product)));
  const VecF32 clamped = Min(200.0f, Max(-200.0f, product));
  const VecF32 n = RoundEven(clamped);
  // Where it was clamped the low part means nothing, and may be NaN.
  const VecF32 r = (clamped - n) + Select(Equal(clamped, product), product_low, 0.0f);
  VecF32 p = 0x1.444e7cp-13f;
  p = MulAdd(p, r, 0x1.5f10a4p-10f);
  p = MulAdd(p, r, 0x1.3b2a22p-7f);
  p = MulAdd(p, r, 0x1.c6af70p-5f);
  p = MulAdd(p, r, 0x1.ebfbe0p-3f);
  p = MulAdd(p, r, 0x1.62e430p-1f);
  return ScaleByPowerOfTwo(MulAdd(p, r, 1.0f), n);
}

// x^y with the special cases of C's pow. The exponents 1, 2, 3 and (for x > 0) 1/2 are products and a square root.
inline VecF32 Pow(VecF32 x, VecF32 y) {
  const VecF32 magnitude = Abs(x);
  const VecF32 y_magnitude = Abs(y);
  const VecMask grows = Less(1.0f, magnitude);
  VecF32 result = PowOfMagnitude(magnitude, y);
  // x zero or infinite, y infinite: 0 or infinity, by whether |x| > 1 and y > 0 agree.
  const VecF32 limit = Select(Less(0.0f, y), Select(grows, kInfinity, 0.0f), Select(grows, 0.0f, kInfinity));
  const VecMask at_limit = Equal(magnitude, 0.0f) | Equal(magnitude, kInfinity) | Equal(y_magnitude, kInfinity);
  result = Select(at_limit, limit, result);
  result = Select(Equal(magnitude, 1.0f), 1.0f, result);
  // Odd: an integer whose half is none. From 2^24 on every float is an even integer.
  const VecMask whole = Equal(Floor(y), y);
  const VecF32 half = y * 0.5f;
  const VecF32 odd_sign = Select(whole, Select(Equal(Floor(half), half), 1.0f, x), 1.0f);
  const VecF32 negative = Select(whole | Equal(magnitude, kInfinity) | Equal(magnitude, 0.0f),
                                 CopySign(result, odd_sign), __builtin_nanf(""));
  result = Select(Less(CopySign(1.0f, x), 0.0f), negative, result);
  const VecF32 square = x * x;
  result = Select(Equal(y, 3.0f), square * x, Select(Equal(y, 2.0f), square, result));
  result = Select(Equal(y, 0.5f) & Less(0.0f, x), Sqrt(x), Select(Equal(y, 1.0f), x, result));
  result = Select(IsNan(x) | IsNan(y), x + y, result);
  return Select(Equal(y, 0.0f) | Equal(x, 1.0f), 1.0f, result);
}

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_SIMD_MATH_H_
