#include "kernels/winograd_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(WinogradF32)

bool PaysWinograd(const ConvF32Geometry& g) {
  constexpr int64_t kFewestChannels = 16, kMostWeights = 1 << 16;
  if (g.kernel_h != 3 || g.kernel_w != 3 || g.groups != 1) return false;
  if (g.stride_h * g.stride_w != 1 || g.dilation_h * g.dilation_w != 1) return false;
  if (g.in_channels < kFewestChannels || g.out_channels < kFewestChannels) return false;
  if (g.in_channels * g.out_channels > kMostWeights) return false;
  const int64_t tiles =
      ((g.out_h + kWinogradTile - 1) / kWinogradTile) * ((g.out_w + kWinogradTile - 1) / kWinogradTile);
  // Of a pair of channels: the products here, and reading 36 floats, which takes about as long as 460 products. Direct
  // sums take 9 products a pixel, and these run a little better.
  return 36 * tiles + 460 < 7 * g.out_h * g.out_w;
}

}  // namespace qlite::kernels
