// Pooling of u8 NHWC images (kernels/quantized.h). Vectors run across channels.
#ifndef QLITE_KERNELS_POOL_U8_H_
#define QLITE_KERNELS_POOL_U8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

// A window sliding over an image. Positions outside the image belong to no maximum and add nothing to a sum.
struct PoolU8Args {
  int64_t batch = 1;
  int64_t channels = 0;
  int64_t in_h = 0, in_w = 0;
  int64_t out_h = 0, out_w = 0;
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  // Rows above and columns left of the image, and those below and to the right, which matter to count_include_pad.
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int64_t in_pixel_stride = 0, out_pixel_stride = 0;  // elements, >= channels
  const uint8_t* input = nullptr;                     // kReadSlackBytes readable behind it
  uint8_t* output = nullptr;
};

// An average over n positions of which the sum of bytes is `sum`:
//
//     y = z_out + rne(clamp(float(sum - n_inside * z_in) * (ratio / float(n)), lo - z_out, hi - z_out))
//
// with ratio = scale_in / scale_out, one float32 division and one product, each rounded once; n_inside counts the
// positions of the window inside the image. n is n_inside, or, where padding counts, the positions inside the padded
// image. The sum is exact for windows of up to 2^23 positions.
struct AverageU8 {
  int32_t zero_in = 0;
  float ratio = 1.0f;
  bool count_include_pad = false;
  OutputQuantization quantization;
};

// Units are rows of the output, batch * out_h of them; any split gives the same bytes. Functions are thread-safe.
struct PoolU8Kernels {
  // A window entirely outside the image gives 0.
  void (*max)(const PoolU8Args& args, int64_t begin, int64_t end);
  // A window entirely outside the image gives z_out, within the bounds.
  void (*average)(const PoolU8Args& args, const AverageU8& average, int64_t begin, int64_t end);
};

const PoolU8Kernels& PoolU8(Isa isa);

// The arguments of the average over whole images: [batch, h, w, channels] to [batch, 1, 1, channels].
PoolU8Args GlobalPoolU8(int64_t batch, int64_t h, int64_t w, int64_t channels);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_POOL_U8_H_
