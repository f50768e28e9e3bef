// Convolutions and matrix products of float32 images whose weights are kept in float16: half the memory of float32
// weights, and about twice the speed where the processor computes in float16.
//
// A weight is w = h * 2^e with a float16 number h and one exponent e for each output channel, chosen so that the
// largest |h| of the channel lies in [1/4, 1/2). Then, for each output element,
//
// - where the instruction set has float16 arithmetic (AVX512-FP16, NEON float16): the input is rounded to float16,
//   kFloat16Terms products at a time are summed by fused multiply-adds in float16, these sums are added in float32,
//   and the whole is multiplied by 2^e and takes bias, residual and clamp in float32. Inputs beyond 65504 become
//   infinite;
// - elsewhere: as conv_f32.h, with the rounded weights.
//
// The two differ, so that results are not the same on every processor: nothing here is part of that promise.
#ifndef QLITE_KERNELS_CONV_F16_H_
#define QLITE_KERNELS_CONV_F16_H_

#include <cstdint>

#include "kernels/conv_f32.h"
#include "kernels/isa.h"

namespace qlite::kernels {

// Products that are summed in float16.
inline constexpr int64_t kFloat16Terms = 64;

// Weight (output channel o, channel c of its group, tap t) is factor * data[o * out_stride + c * in_stride +
// t * tap_stride]. Any order is thus packed; a matrix product of [m, k] and [k, n] is a convolution with kernels of one
// tap over an image of one row, with in_w = m, k channels and n outputs.
struct ConvF16Weights {
  const float* data = nullptr;
  int64_t out_stride = 0;
  int64_t in_stride = 0;
  int64_t tap_stride = 0;
  float factor = 1.0f;
};

// One convolution. `conv.packed_weights` is not read.
struct ConvF16Args {
  ConvF32Args conv;
  const void* packed = nullptr;  // from `pack` of the same table
};

// The functions are thread-safe, allocate nothing and check nothing.
struct ConvF16Kernels {
  bool float16_arithmetic;

  // Bytes of the packed weights. Depends on channels, groups and kernel size alone.
  int64_t (*packed_bytes)(const ConvF32Geometry& geometry);
  // 64-byte aligned `packed` is fastest. Its form belongs to this table: it is neither stored in files nor shared with
  // another.
  void (*pack)(const ConvF32Geometry& geometry, const ConvF16Weights& weights, void* packed);

  // Bytes of scratch memory, 64-byte aligned, that each concurrent `run` needs for itself.
  int64_t (*workspace_bytes)(const ConvF32Geometry& geometry);
  // As in conv_f32.h.
  int64_t (*units)(const ConvF32Geometry& geometry);
  void (*run)(const ConvF16Args& args, void* workspace, int64_t begin, int64_t end);
};

// The table with float16 arithmetic where `isa` is a 512-bit one, or NEON, and the processor has it.
const ConvF16Kernels& ConvF16(Isa isa);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_CONV_F16_H_
