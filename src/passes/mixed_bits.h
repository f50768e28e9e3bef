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

// Symmetric integers with one step for the tensor, wide enough for the largest weight, with distribution correction:
// the step is bisected until the ChannelError is within 1 % of `target`. One step for all leaves the integers with a
// distribution that an entropy coder makes the most of. kOutOfRange where more than 16 bits would be needed or no step
// is near enough; kFailedPrecondition where a weight is not finite.
absl::StatusOr<RoundedWeight> RoundToError(Executor& executor, const Tensor& weights, int64_t channel_axis,
                                           double target);

}  // namespace qlite

#endif  // QLITE_PASSES_MIXED_BITS_H_
