// The search for the smallest file of mixed-bit weights that the outputs bear.
#ifndef QLITE_PASSES_WEIGHT_TUNING_H_
#define QLITE_PASSES_WEIGHT_TUNING_H_

#include "absl/status/statusor.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

// WeightQuantize with auto_tune. Each weight is quantized alone with an error of mixed_error, over 16 samples: what
// that takes from the outputs' cosine, over the squared error, is the weight's sensitivity s. A weight of n elements
// then gets the error t * sqrt(n / s), which for even steps and an entropy coder is the least number of bits at a given
// loss, the sum of s * error^2 (Shoham, Gersho, "Efficient Bit Allocation for an Arbitrary Set of Quantizers", IEEE
// Transactions on Acoustics, Speech, and Signal Processing, 1988). t is bisected on the real outputs over up to 64
// samples, until it is known to 2 %, for the largest whose cosine keeps to the target with a margin of two standard
// errors.
absl::StatusOr<QuantizationResult> TuneMixedBits(const Context& context, const Graph& graph,
                                                 const WeightQuantizerOptions& options, const DataSet* data);

}  // namespace qlite

#endif  // QLITE_PASSES_WEIGHT_TUNING_H_
