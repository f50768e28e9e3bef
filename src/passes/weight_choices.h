// Weight quantization with a setting for each weight.
#ifndef QLITE_PASSES_WEIGHT_CHOICES_H_
#define QLITE_PASSES_WEIGHT_CHOICES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

struct WeightChoice {
  int bits = 8;      // 1 to 16, or 0: as many as `error` takes
  double error = 0;  // see WeightQuantizerOptions::mixed_error
};
using WeightChoices = std::map<std::string, WeightChoice>;  // by the constant's name

// WeightQuantize with these choices in the place of WeightQuantizerOptions::bits and mixed_error. Weights without a
// choice stay float. Of no use with auto_tune, which chooses.
absl::StatusOr<QuantizationResult> QuantizeChosenWeights(const Context& context, const Graph& graph,
                                                         const WeightQuantizerOptions& options,
                                                         const WeightChoices& choices, const DataSet* data);

}  // namespace qlite

#endif  // QLITE_PASSES_WEIGHT_CHOICES_H_
