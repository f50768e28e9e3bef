// As many bits for each weight as a given error asks for.
#ifndef QLITE_PASSES_MIXED_BITS_H_
#define QLITE_PASSES_MIXED_BITS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "passes/weight_rounding.h"
#include "qlite/context.h"
#include "qlite/tensor.h"

namespace qlite {

// The mean over the channels along `channel_axis` (-1: the tensor is one channel) of the norm of the rounding error
// over the norm of the weights; channels of a squared norm below 1e-10 do not count.
double ChannelError(const Tensor& weights, const Tensor& integers, const QuantParams& params, int64_t channel_axis);

// Symmetric integers, wide enough for the largest weight, for a ChannelError within 2 % of `target`. With `per_channel`
// the step of every channel is the same share of the root mean square of its weights, otherwise the tensor has one
// step; the share, or the step, is bisected. Channels that are scaled alike leave the integers with one distribution,
// which an entropy coder makes the most of. `correct` keeps the mean of what shares a step by rounding it together
// (kernel_rounding.h); fewer than 64 weights a step get mean_shifts instead, and have their spread restored in the
// scales.
//
// kOutOfRange where more than 16 bits would be needed or no step is near enough; kFailedPrecondition where a weight is
// not finite.
struct ErrorTarget {
  double error = 0.02;  // within (0, 1)
  bool per_channel = true, correct = true;
};
absl::StatusOr<RoundedWeight> RoundToError(Executor& executor, const Tensor& weights, int64_t channel_axis,
                                           const ErrorTarget& target);

}  // namespace qlite

#endif  // QLITE_PASSES_MIXED_BITS_H_
