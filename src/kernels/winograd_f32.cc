#include "kernels/winograd_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(WinogradF32)

bool PaysWinograd(const ConvF32Geometry& g) {
  constexpr int64_t kFewestChannels = 16, kMostWeights = 1 << 16, kCachedWeights = 1 << 14;
  if (g.kernel_h != 3 || g.kernel_w != 3 || g.groups != 1) return false;
  if (g.stride_h * g.stride_w != 1 || g.dilation_h * g.dilation_w != 1) return false;
  if (g.in_channels < kFewestChannels || g.out_channels < kFewestChannels) return false;
  if (g.in_channels * g.out_channels > kMostWeights) return false;
  const int64_t tiles =
      ((g.out_h + kWinogradTile - 1) / kWinogradTile) * ((g.out_w + kWinogradTile - 1) / kWinogradTile);
  // For a pair of channels: the products, and as many as are computed while its 36 floats are read, from a second-level
  // cache or from behind it. Direct sums take 9 products a pixel, and these run a little better.
  const int64_t reading = g.in_channels * g.out_channels <= kCachedWeights ? 300 : 700;
  return 36 * tiles + reading < 7 * g.out_h * g.out_w;
}

}  // namespace qlite::kernels
