// The numbers that turn quantization parameters of a graph into arguments of the int8 kernels. One definition of each,
// so that every program that executes a quantized graph can compute the same (docs/numerics.md). All arithmetic is
// float32, each operation rounded once to nearest even.
#ifndef QLITE_RUNTIME_REQUANTIZATION_H_
#define QLITE_RUNTIME_REQUANTIZATION_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/quantized.h"
#include "qlite/ops.h"
#include "qlite/quant_params.h"

namespace qlite {

// Activations lie in memory as q + 128.
inline constexpr int32_t kByteOffset = 128;

// The factor from an accumulator to an int8 output.
inline float RequantizeMultiplier(float scale_input, float scale_weight, float scale_output) {
  const float product = scale_input * scale_weight;
  return product / scale_output;
}

// The factor from an accumulator to a float output.
inline float DequantizeMultiplier(float scale_input, float scale_weight) { return scale_input * scale_weight; }

// The zero point of the bytes in memory.
inline int32_t ByteZeroPoint(const QuantParams& params) { return params.zero_points[0] + kByteOffset; }

// The byte that stands for `real`: round half to even of real / scale, within the bounds of the parameters.
inline uint8_t QuantizeToByte(float real, const QuantParams& params) {
  const float zero = static_cast<float>(params.zero_points[0]);
  const float lowest = static_cast<float>(params.qmin()) - zero, highest = static_cast<float>(params.qmax()) - zero;
  const float bounded = std::min(highest, std::max(lowest, real / params.scales[0]));
  return static_cast<uint8_t>(static_cast<int32_t>(std::nearbyintf(bounded)) + ByteZeroPoint(params));
}

// Zero point and bounds of an int8 result; the bounds of the clamp are the bytes that stand for them.
inline kernels::OutputQuantization OutputQuantizationOf(const QuantParams& params, const FusedClamp& clamp = {}) {
  kernels::OutputQuantization output;
  output.zero_point = ByteZeroPoint(params);
  output.lo = std::isinf(clamp.min) && clamp.min < 0 ? static_cast<uint8_t>(params.qmin() + kByteOffset)
                                                     : QuantizeToByte(clamp.min, params);
  output.hi = std::isinf(clamp.max) && clamp.max > 0 ? static_cast<uint8_t>(params.qmax() + kByteOffset)
                                                     : QuantizeToByte(clamp.max, params);
  output.lo = std::min(output.lo, output.hi);
  return output;
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_REQUANTIZATION_H_
