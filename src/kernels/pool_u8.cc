#include "kernels/pool_u8.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(PoolU8)

PoolU8Args GlobalPoolU8(int64_t batch, int64_t h, int64_t w, int64_t channels) {
  PoolU8Args args;
  args.batch = batch;
  args.channels = args.in_pixel_stride = args.out_pixel_stride = channels;
  args.in_h = args.kernel_h = h;
  args.in_w = args.kernel_w = w;
  args.out_h = args.out_w = 1;
  return args;
}

}  // namespace qlite::kernels
