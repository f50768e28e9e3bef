#include "kernels/elementwise_u8.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ElementwiseU8)

AddU8Coefficients MakeAddU8(float scale_a, int32_t zero_a, float scale_b, int32_t zero_b, float scale_out, int sign_b) {
  const double ka = static_cast<double>(scale_a) / scale_out;
  const double kb = sign_b * static_cast<double>(scale_b) / scale_out;
  return {static_cast<float>(ka), static_cast<float>(kb), static_cast<float>(-(zero_a * ka + zero_b * kb))};
}

void MakeRequantizeTable(int32_t zero_in, float multiplier, const OutputQuantization& output, uint8_t table[256]) {
  const float lo = static_cast<float>(output.lo - output.zero_point);
  const float hi = static_cast<float>(output.hi - output.zero_point);
  for (int32_t u = 0; u < 256; ++u) {
    float t = static_cast<float>(u - zero_in) * multiplier;
    t = t < hi ? t : hi;
    t = t > lo ? t : lo;
    // The addition of 1.5 * 2^23 leaves no fraction bits, and so rounds halves to even whatever the rounding mode of
    // library functions.
    table[u] = static_cast<uint8_t>(output.zero_point + static_cast<int32_t>((t + 12582912.0f) - 12582912.0f));
  }
}

}  // namespace qlite::kernels
