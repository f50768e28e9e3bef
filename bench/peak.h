// The limits of the machine that measures itself: what a register-only loop of an instruction set's best instruction
// computes in a second, and what a core reads in a second from a footprint. Both are the best of many short runs in the
// calling thread, so that a neighbour who takes the processor for a while is not measured.
#ifndef QLITE_BENCH_PEAK_H_
#define QLITE_BENCH_PEAK_H_

#include <cstdint>

#include "kernels/isa.h"

namespace qlite::kernels {

// The loops, one instantiation an instruction set. A multiply-add counts as two operations.
struct PeakKernels {
  // `steps` times fused multiply-adds of whole registers; returns the operations executed.
  int64_t (*multiply_add)(int64_t steps);
  // The same, and of the register tile of the float products: its operands come from the first-level cache, and nothing
  // else moves. Where the clock sinks with what a core draws, no product runs faster than this for long.
  int64_t (*tile_multiply_add)(int64_t steps);
  // The same as the first of the exact dot product of the int8 kernels, with the additions that it needs where they are
  // not fused; of a matrix unit's tiles where there is one.
  int64_t (*dot_product)(int64_t steps);
  // Reads `floats` floats at p with whole registers.
  void (*read)(const float* p, int64_t floats);
};

const PeakKernels& Peak(Isa isa);

// Operations a second of float32 fused multiply-adds and of the int8 dot product.
double MultiplyAddPeak(Isa isa);
double DotProductPeak(Isa isa);

// Bytes a second that one thread reads from a buffer of `bytes` bytes, again and again.
double ReadBandwidth(Isa isa, int64_t bytes);

// Processor seconds of the calling thread.
double ThreadSeconds();

}  // namespace qlite::kernels

#endif  // QLITE_BENCH_PEAK_H_
