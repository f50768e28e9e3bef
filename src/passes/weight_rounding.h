// One weight tensor to integers.
#ifndef QLITE_PASSES_WEIGHT_ROUNDING_H_
#define QLITE_PASSES_WEIGHT_ROUNDING_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite {

// The form that a weight is brought into.
struct RoundingForm {
  int bits = 8;
  QuantScheme scheme = QuantScheme::kAsymmetric;
  int64_t axis = -1;       // of the channels, or of the blocks; -1: one pair of scale and zero point for the tensor
  int64_t block_size = 0;  // 0: no blocks
  bool search = false;   // for the range with the least squared error, rather than from the least to the largest weight
  bool correct = false;  // the distribution, on decoding
};

struct RoundedWeight {
  Tensor integers;  // int8 up to 8 bits, else int16
  QuantParams params;
  double error = 0;  // norm of the difference of decoded and float weights over the norm of these
};

// Every weight to the nearest point of its pair's grid, halves to even. Threads share out the pairs; the result is the
// same for any number of them. kFailedPrecondition where a weight is not finite.
absl::StatusOr<RoundedWeight> RoundWeight(Executor& executor, const Tensor& weights, const RoundingForm& form);

// The steps that RoundWeight is made of.

// The grids, every one with 0 on it. A search minimises the sum of squared errors, each times the weight's importance
// where such are given (as many as weights).
absl::StatusOr<QuantParams> ChooseGrids(Executor& executor, const Tensor& weights, const RoundingForm& form,
                                        std::span<const float> importance = {});
Tensor RoundToGrids(Executor& executor, const Tensor& weights, const QuantParams& params);
// Variance ratios and mean shifts with which the decoded weights of every pair have the mean and the deviation that
// they had. A ratio of 10 or more tells of weights that fell on hardly more than one point: then the mean alone is
// restored.
void CorrectDistribution(Executor& executor, const Tensor& weights, const Tensor& integers, QuantParams& params);
// RoundedWeight::error.
double RoundingError(Executor& executor, const Tensor& weights, const Tensor& integers, const QuantParams& params);

}  // namespace qlite

#endif  // QLITE_PASSES_WEIGHT_ROUNDING_H_
