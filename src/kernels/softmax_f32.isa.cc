#include "kernels/softmax_f32.h"

#include "kernels/line_tree.h"
#include "kernels/simd_math.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

// exp(x) for x <= 0, and 0 below exp(-71) = 2^-102.4: the quotient by the sum of up to 2^23 elements then is no
// subnormal number, which processors compute a hundred times slower, here and in the products that follow. Masks of
// -100, as those of shifted windows, make many of them.
inline VecF32 ExpOrZero(VecF32 x) {
  const VecF32 least = -71.0f;
  return Select(Less(x, least), VecF32(0.0f), ExpInside(Max(least, x)));
}

// Lines that lie contiguous, one at a time.
template <bool kLog>
void RunAlong(const float* in, float* out, int64_t length) {
  const VecF32 largest = TreeAlong<MaxTree>(
      length, -kInfinity, [&](VecF32 acc, int64_t at, auto lanes) { return MaxNan(acc, lanes.Load(in + at)); });
  const VecF32 sum = TreeAlong<SumTree>(length, 0.0f, [&](VecF32 acc, int64_t at, auto lanes) {
    const VecF32 e = ExpOrZero(lanes.Load(in + at) - largest);
    if (!kLog) lanes.Store(e, out + at);
    return acc + e;
  });
  const VecF32 log_sum = kLog ? Log(sum) : sum;
  ForEachVector(length, [&](int64_t at, auto lanes) {
    lanes.Store(kLog ? (lanes.Load(in + at) - largest) - log_sum : lanes.Load(out + at) / sum, out + at);
  });
}

// Lines that lie side by side, a vector of them at a time.
template <bool kLog, typename Lanes>
void RunAcross(const float* in, float* out, int64_t length, int64_t inner, Lanes lanes) {
  const VecF32 largest = TreeAcross<MaxTree>(length, inner, -kInfinity,
                                             [&](VecF32 acc, int64_t at) { return MaxNan(acc, lanes.Load(in + at)); });
  const VecF32 sum = TreeAcross<SumTree>(length, inner, 0.0f, [&](VecF32 acc, int64_t at) {
    const VecF32 e = ExpOrZero(lanes.Load(in + at) - largest);
    if (!kLog) lanes.Store(e, out + at);
    return acc + e;
  });
  const VecF32 log_sum = kLog ? Log(sum) : sum;
  for (int64_t at = 0; at < length * inner; at += inner) {
    lanes.Store(kLog ? (lanes.Load(in + at) - largest) - log_sum : lanes.Load(out + at) / sum, out + at);
  }
}

template <bool kLog>
void Run(const float* in, float* out, int64_t length, int64_t inner, int64_t begin, int64_t end) {
  if (inner == 1) {
    for (int64_t line = begin; line < end; ++line) RunAlong<kLog>(in + line * length, out + line * length, length);
    return;
  }
  ForEachLineGroup(length, inner, begin, end, [&](int64_t, int64_t offset, auto lanes) {
    RunAcross<kLog>(in + offset, out + offset, length, inner, lanes);
  });
}

}  // namespace

extern const SoftmaxF32Kernels kSoftmaxF32Kernels;
const SoftmaxF32Kernels kSoftmaxF32Kernels = {Run<false>, Run<true>};

}  // namespace qlite::kernels::QLITE_ISA
