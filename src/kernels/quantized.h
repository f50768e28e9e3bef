// What the int8 kernel families share: how an int8 tensor lies in memory and how an accumulator becomes an output.
//
// Activations. A quantized value q in [-128, 127] with zero point zp is stored as the byte u = q + 128, and every zero
// point below is that of the byte, z = zp + 128, in [0, 255]. The real value is scale * (u - z).
//
// Weights are int8 in [-128, 127] with zero point 0, one scale for the tensor or one for each output channel.
//
// Accumulators are int32 and exact: acc = bias[c] + sum (u - z) * w. Intermediate sums wrap modulo 2^32, so the result
// is right whenever acc itself fits, which holds for every reduction of fewer than 65000 terms and a bias within
// +-2^23.
//
// Requantization, the same bits on every instruction set:
//
//     t = float(acc) * m[c]                   int32 to float32 to nearest even, then one float32 product
//     y = z_out + rne(clamp(t, lo - z_out, hi - z_out))
//
// where rne rounds to the nearest integer, halves to even, and [lo, hi] are bytes, the bounds of a fused activation
// (0 and 255 where there is none). Clamping before rounding or after is the same, because the bounds are integers. The
// multipliers m[c] = scale_in * scale_w[c] / scale_out are the caller's and finite.
#ifndef QLITE_KERNELS_QUANTIZED_H_
#define QLITE_KERNELS_QUANTIZED_H_

#include <cstddef>
#include <cstdint>

namespace qlite::kernels {

// Bytes behind the last element of every u8 input buffer that a kernel may read, and whose contents do not influence
// any result. Outputs are never written beyond their elements, and nothing is read in front of a buffer.
inline constexpr size_t kReadSlackBytes = 64;

// Alignment that packed weights and workspaces must have. Activations need none.
inline constexpr size_t kPackedAlignment = 64;

// The affine map and the bounds of a u8 output.
struct OutputQuantization {
  int32_t zero_point = 0;  // in [0, 255]
  uint8_t lo = 0;
  uint8_t hi = 255;  // lo <= hi
};

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_QUANTIZED_H_
