// What every kind of quantization does alike: named stages with progress and time, the first of which simplifies.
#ifndef QLITE_PASSES_QUANTIZATION_STAGES_H_
#define QLITE_PASSES_QUANTIZATION_STAGES_H_

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/status_macros.h"
#include "qlite/quantizer.h"

namespace qlite {

// Reports the stage, does `work`, which returns absl::Status, and adds its time to result->seconds. kCancelled where
// the host wants no more.
template <class Work>
absl::Status RunStage(const Context& context, const char* stage, QuantizationResult* result, Work work) {
  QLITE_RETURN_IF_ERROR(context.Report({.stage = stage}));
  const auto begin = std::chrono::steady_clock::now();
  absl::Status status = work();
  result->seconds[stage] += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return status;
}

// The stage that makes result->graph: `original` with the shapes of `input_shapes`, simplified. A graph that is moved
// in gives up the weights that are replaced.
inline absl::Status SimplifyStage(const Context& context, Graph original,
                                  const std::map<std::string, std::vector<int64_t>>& input_shapes,
                                  QuantizationResult* result) {
  return RunStage(context, "simplify", result, [&]() -> absl::Status {
    result->graph = std::move(original);
    QLITE_RETURN_IF_ERROR(result->graph.InferShapes(input_shapes));
    absl::StatusOr<std::vector<std::string>> steps = SimplifyGraph(context, result->graph);
    if (!steps.ok()) return steps.status();
    result->steps = *std::move(steps);
    return absl::OkStatus();
  });
}

}  // namespace qlite

#endif  // QLITE_PASSES_QUANTIZATION_STAGES_H_
