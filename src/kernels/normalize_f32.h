// Normalisations.
#ifndef QLITE_KERNELS_NORMALIZE_F32_H_
#define QLITE_KERNELS_NORMALIZE_F32_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// Statistics of (outer, length, inner) lines, see kernels/reduce_f32.h: line l is normalised by its own mean and
// variance, m = sum(x)/length and v = sum((x-m)^2)/length, both by the 16-lane tree, the second with fused squares:
// with r = gamma/sqrt(v + epsilon), y = (x - m)*r + beta, the last two rounded once.
struct LineNorm {
  int64_t length = 0;
  int64_t inner = 1;
  // Instance normalisation: line l takes gamma[l % channels]. Channels-last images: length = H*W, inner = channels = C.
  // Channels-first: length = H*W, inner = 1.
  int64_t channels = 1;
  float epsilon = 0.0f;
};

struct NormalizeF32Kernels {
  // out[p*channels + c] = in[p*channels + c]*scale[c] + shift[c], rounded once, for pixels p in [begin, end).
  void (*scale_shift)(const float* in, float* out, const float* scale, const float* shift, int64_t channels,
                      int64_t begin, int64_t end);
  // The same where `inner` elements share a channel: planes [begin, end), plane p is the elements [p*inner,
  // (p+1)*inner) and has channel p % channels.
  void (*scale_shift_planes)(const float* in, float* out, const float* scale, const float* shift, int64_t channels,
                             int64_t inner, int64_t begin, int64_t end);
  // Lines [begin, end). gamma and beta have norm.channels elements.
  void (*instance_norm)(const float* in, float* out, const float* gamma, const float* beta, const LineNorm& norm,
                        int64_t begin, int64_t end);
  // Rows [begin, end) of `length` elements, each normalised over itself; gamma and beta have `length` elements; beta
  // may be null, for none. y = ((x - m)*(1/sqrt(v + epsilon)))*gamma + beta, the last two rounded once.
  void (*layer_norm)(const float* in, float* out, const float* gamma, const float* beta, int64_t length, float epsilon,
                     int64_t begin, int64_t end);
  // Local response normalisation across the channels of pixels [begin, end), channels last (ONNX LRN):
  // out = x / (bias + (alpha/size)*s)^beta, the base rounded once, where s sums the squares of the channels
  // [c - (size-1)/2, c + size/2] that exist, in ascending order, fused. size >= 1. in and out do not overlap, while for
  // the others they may be the same memory.
  void (*lrn)(const float* in, float* out, int64_t channels, int64_t size, float alpha, float beta, float bias,
              int64_t begin, int64_t end);
};

const NormalizeF32Kernels& NormalizeF32(Isa isa);

// scale = gamma/sqrt(variance + epsilon) and shift = beta - mean*scale (rounded once) for batch normalisation by given
// statistics. scale and shift have `channels` elements.
void BatchNormCoefficients(const float* gamma, const float* beta, const float* mean, const float* variance,
                           float epsilon, int64_t channels, float* scale, float* shift);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_NORMALIZE_F32_H_
