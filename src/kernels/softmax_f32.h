// Softmax and log-softmax along one axis.
//
// A tensor is seen as (outer, length, inner): line l = o*inner + i has the elements at o*length*inner + k*inner + i,
// 0 <= k < length. The lines are the work units. With m the largest element of a line and s the sum of exp(x - m) by
// the 16-lane tree (kernels/reduce_f32.h), the result is exp(x - m)/s, or (x - m) - log(s). A line that holds NaN or
// +infinity, or is all -infinity, becomes NaN. The bits of a line do not depend on inner.
#ifndef QLITE_KERNELS_SOFTMAX_F32_H_
#define QLITE_KERNELS_SOFTMAX_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// Lines [begin, end) of the tensor at `in`, written to the same places of `out`, which may be `in`.
using SoftmaxF32Function = void (*)(const float* in, float* out, int64_t length, int64_t inner, int64_t begin,
                                    int64_t end);

struct SoftmaxF32Kernels {
  SoftmaxF32Function softmax;
  SoftmaxF32Function log_softmax;
};

const SoftmaxF32Kernels& SoftmaxF32(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_SOFTMAX_F32_H_
