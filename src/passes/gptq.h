// Rounding that makes up for itself: each weight takes on the error that the weights before it caused at the output.
#ifndef QLITE_PASSES_GPTQ_H_
#define QLITE_PASSES_GPTQ_H_

#include <vector>

#include "absl/status/statusor.h"
#include "passes/input_moments.h"
#include "qlite/context.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite {

// What is added to the moments, for what the samples did not show: `share` of the mean of their diagonal times the
// moments of inputs that are alike and independent, whose squared mean is `common` of their second moment. 0: no mean.
struct GptqDamping {
  double share = 0.01;  // above 0
  double common = 0;    // within [0, 1)
};

// Integers on the grids of `params` for which the product's results over the data set of the moments differ little from
// those of the float weights (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
// Transformers", ICLR 2023). The inputs with the largest second moment are rounded first, ties in memory order.
//
// With H the moments in that order, damped, and H = U D U^T for a unit upper triangular U, weight q is rounded from
// w[q] + sum over j < q of U[j][q] (w[j] - decoded[j]): the same as updating all later weights with the inverse's
// Cholesky factor after every rounding, without inverting. Then every weight is rounded again three times, given what
// all others became (Behdin et al., "QuantEase: Optimization-based Quantization for Language Models", 2023), which
// makes up for what the order left behind. Sums are in double, in one order for any number of threads and any
// processor.
//
// Inputs that were always 0 have their weights rounded as they are. kFailedPrecondition where the moments are not
// finite, or where no damping up to 1 makes them positive definite.
absl::StatusOr<Tensor> RoundByGptq(Executor& executor, const Tensor& weights, const ReductionView& view,
                                   const QuantParams& params, const InputMoments& moments, const GptqDamping& damping);

// What the squared error of every weight counts at the output, seen by itself: the second moment of its input.
std::vector<float> ImportanceOf(const Tensor& weights, const ReductionView& view, const InputMoments& moments);

}  // namespace qlite

#endif  // QLITE_PASSES_GPTQ_H_
