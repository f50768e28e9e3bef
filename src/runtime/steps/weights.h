// What the integer products know of their weights.
#ifndef QLITE_RUNTIME_STEPS_WEIGHTS_H_
#define QLITE_RUNTIME_STEPS_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/lowering.h"

namespace qlite {

// int8 weights with what turns accumulators into results.
struct IntegerWeights {
  std::span<const int8_t> data;
  std::vector<float> multipliers;  // one for each output channel
  std::vector<int32_t> bias;       // the same; empty for none
  int32_t input_zero_point = 0;    // of the bytes
  bool float_output = false;
};

// Inputs: int8 activation (0), constant int8 weights (1) with a zero point of 0 and a scale for the tensor or for each
// index of `channel_axis`, constant int32 bias (2, may be absent). Output channel c has the scale c modulo the number
// of scales. The result is int8 or float32. Errors name the node and the value.
absl::StatusOr<IntegerWeights> ReadIntegerWeights(const Lowering& lowering, const Node& node, int64_t channel_axis,
                                                  int64_t output_channels);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_WEIGHTS_H_
