// Plain loops, which the compiler turns into the vectors of the instruction set.
#include "kernels/log_f64.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

[[gnu::always_inline]] inline double LogOf(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716. The
  // exponent is kept above zero and made a double by its bits: no instruction set before AVX-512 converts 64-bit
  // integers, nor shifts them with their sign.
  constexpr double kLn2 = 0.693147180559945309417;
  constexpr uint64_t kSqrtHalfBits = 0x3FE6A09E667F3BCDull, kBias = 1023, kTwoTo52Bits = 0x4330000000000000ull;
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  const uint64_t biased = (bits - kSqrtHalfBits + (kBias << 52)) >> 52;
  const uint64_t m_bits = bits - (biased << 52) + (kBias << 52), exponent_bits = biased | kTwoTo52Bits;
  double m, exponent;
  __builtin_memcpy(&m, &m_bits, sizeof(m));
  __builtin_memcpy(&exponent, &exponent_bits, sizeof(exponent));
  exponent -= 0x1p52 + static_cast<double>(kBias);
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  // The series ends where the next term is below the rounding of the first.
  double sum = 1.0 / 19;
#pragma GCC unroll 9
  for (int k = 17; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
  return exponent * kLn2 + 2 * s * sum;
}

void Log(const double* __restrict x, int64_t n, double* __restrict logs) {
  for (int64_t i = 0; i < n; ++i) logs[i] = LogOf(x[i]);
}

// At most kAtOnce terms of weighted_log_sum.
constexpr int64_t kAtOnce = 256;
void Terms(const double* __restrict weights, const double* __restrict x, int64_t n, double* __restrict terms) {
  for (int64_t i = 0; i < n; ++i) {
    const double product = weights[i] * LogOf(x[i]);
    const double term = x[i] > 0 ? product : -__builtin_inf();
    terms[i] = weights[i] > 0 ? term : 0;
  }
}

double WeightedLogSum(const double* weights, const double* x, int64_t n) {
  double terms[kAtOnce], sum = 0;
  for (int64_t begin = 0; begin < n; begin += kAtOnce) {
    const int64_t count = n - begin < kAtOnce ? n - begin : kAtOnce;
    Terms(weights + begin, x + begin, count, terms);
    for (int64_t i = 0; i < count; ++i) sum += terms[i];
  }
  return sum;
}

}  // namespace

extern const LogF64Kernels kLogF64Kernels;
const LogF64Kernels kLogF64Kernels = {.log = Log, .weighted_log_sum = WeightedLogSum};

}  // namespace qlite::kernels::QLITE_ISA
