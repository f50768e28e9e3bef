#include "kernels/normalize_f32.h"

#include <cmath>

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(NormalizeF32)

void BatchNormCoefficients(const float* gamma, const float* beta, const float* mean, const float* variance,
                           float epsilon, int64_t channels, float* scale, float* shift) {
  for (int64_t c = 0; c < channels; ++c) {
    scale[c] = gamma[c] / std::sqrt(variance[c] + epsilon);
    shift[c] = std::fma(-mean[c], scale[c], beta[c]);
  }
}

}  // namespace qlite::kernels
