// Which layers cost most at the outputs when they are quantized.
#ifndef QLITE_TUNING_RANK_LAYERS_H_
#define QLITE_TUNING_RANK_LAYERS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/sensitivity.h"
#include "tuning/output_comparer.h"
#include "tuning/variants.h"

namespace qlite::tuning {

struct RankedLayer {
  size_t layer = 0;  // index into Variants::layers()
  LayerSensitivity sensitivity;
};

// Every layer at rung 0 while all others are float; the worst first. Reports progress as "sensitivity".
absl::StatusOr<std::vector<RankedLayer>> RankLayers(const Context& context, Variants& variants,
                                                    const OutputComparer& comparer);

}  // namespace qlite::tuning

#endif  // QLITE_TUNING_RANK_LAYERS_H_
