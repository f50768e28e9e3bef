// Rounding of the taps of a convolution's kernel together.
#ifndef QLITE_PASSES_KERNEL_ROUNDING_H_
#define QLITE_PASSES_KERNEL_ROUNDING_H_

#include <cstdint>
#include <span>

namespace qlite {

// Rounds `scaled` (weights over their scale, within [-limit, limit]) to integers whose sum is as near to the sum of the
// weights as integers allow: half to even each, then, as long as the sum is off by more than a half, the tap that was
// rounded farthest the wrong way goes to its other neighbour, the first one on ties.
//
// Neighbouring pixels are nearly equal, so what a kernel makes of the rounding errors of its taps is mostly their sum.
// Rounded one by one the errors of a 3x3 kernel add up to 0.87 steps (root mean square), together to 0.29. The taps'
// own errors grow little. This is the kernel-wise step of Guo et al., "SQuant: On-the-Fly Data-Free Quantization via
// Diagonal Hessian Approximation", ICLR 2022. O(taps log taps).
void RoundKernel(std::span<const double> scaled, double limit, std::span<int8_t> rounded);
void RoundKernel(std::span<const double> scaled, double limit, std::span<int16_t> rounded);

}  // namespace qlite

#endif  // QLITE_PASSES_KERNEL_ROUNDING_H_
