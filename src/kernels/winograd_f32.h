// 3x3 convolution of float32 images in NHWC memory by minimal filtering, F(4x4, 3x3): 36 products make 16 outputs of a
// channel pair instead of 144. For stride 1 without dilation and groups.
//
// Method: Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2015. The polynomials are evaluated at 0, 3/4, -3/4, 3/2, -3/2 and infinity, which are exact in
// binary: with them the error is about twice that of a direct sum, where the usual 0, 1, -1, 2 and -2 make it five times
// as large (tests/kernels/winograd_f32_test.cc holds it to a bound).
//
// Arithmetic, the same bits for every instruction set and every split into units. Output rows and columns are cut into
// tiles of 4x4 from the first ones on; a tile reads a patch of 6x6 pixels, +0 in the padding and behind the last pixel
// that an output needs. With the transforms of six numbers
//
//   In(x):   v0 = fma(81/64, x0, fma(-45/16, x2, x4))     v5 = fma(81/64, x1, fma(-45/16, x3, x5))
//            e = fma(-9/4, x2, x4), o = fma(-9/4, x1, x3):     v1 = fma(3/4, o, e),  v2 = fma(-3/4, o, e)
//            e = fma(-9/16, x2, x4), o = fma(-9/16, x1, x3):   v3 = fma(3/2, o, e),  v4 = fma(-3/2, o, e)
//   Out(m):  s = m1 + m2, d = m1 - m2, t = m3 + m4, e = m3 - m4:
//            y0 = (m0 + s) + t       y1 = fma(3/4, d, 3/2 * e)
//            y2 = fma(9/16, s, 9/4 * t)       y3 = fma(27/64, d, fma(27/8, e, m5))
//
// the patch V is In of every column, then of every row. The weights U are, for the columns of the kernel, then for the
// rows, ((g0 + p * p * g2) + p * g1) * (1 / product of p - q over the other points q) of every point p in the order
// above, and g2, all in double and rounded once to float at the end. M of each of the 36 positions is the sum over input
// channels, in ascending order from +0, of fused multiply-adds of V and U; the tile is Out of every column of M, then
// of every row. Then the bias is added, if there is one, then the residual, then comes the clamp as in conv_f32.h. An
// input that is not finite reaches every output of the tiles that read it.
#ifndef QLITE_KERNELS_WINOGRAD_F32_H_
#define QLITE_KERNELS_WINOGRAD_F32_H_

#include <cstdint>

#include "kernels/conv_f32.h"
#include "kernels/isa.h"

namespace qlite::kernels {

// Rows and columns of a tile: an image that is made in pieces, each a convolution of its own, has the same bits where
// all pieces but the last have a multiple of as many rows.
inline constexpr int64_t kWinogradTile = 4;

// The functions have the meaning and the guarantees of those in ConvF32Kernels, for geometries of 3x3 kernels with
// stride, dilation and groups of 1 and at least one channel in and out. The packed weights are four times as large as
// the weights.
struct WinogradF32Kernels {
  int64_t (*packed_floats)(const ConvF32Geometry& geometry);
  void (*pack)(const ConvF32Geometry& geometry, const float* weights, float* packed);
  int64_t (*workspace_bytes)(const ConvF32Geometry& geometry);
  int64_t (*units)(const ConvF32Geometry& geometry);
  void (*run)(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end);
};

const WinogradF32Kernels& WinogradF32(Isa isa);

// Whether this family computes the geometry, and faster than conv_f32.h: not with so few channels that the transforms
// cost what the products save, nor with images of so few tiles, or weights so large, that reading four times the
// weights does. Depends neither on the batch nor on the machine.
bool PaysWinograd(const ConvF32Geometry& geometry);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_WINOGRAD_F32_H_
