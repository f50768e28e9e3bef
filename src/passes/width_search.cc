#include "passes/width_search.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/output_similarity.h"
#include "passes/weight_choices.h"

namespace qlite {
namespace {

constexpr int kNarrowest = 2, kWidest = 8;
constexpr int64_t kMostSearchSamples = 64;

// The weights that are quantized at all, in the order of their first readers.
absl::StatusOr<std::vector<std::string>> QuantizedNames(const Context& context, const Graph& graph,
                                                        const WeightQuantizerOptions& options) {
  absl::StatusOr<QuantizationResult> all = WeightQuantize(context, graph, options);
  if (!all.ok()) return all.status();
  std::vector<std::string> names;
  for (const WeightOutcome& weight : all->weights) {
    if (weight.reason.empty()) names.push_back(weight.name);
  }
  return names;
}

}  // namespace

absl::StatusOr<QuantizationResult> SearchWidths(const Context& context, const Graph& graph,
                                                const WeightQuantizerOptions& options, const DataSet& data) {
  WeightQuantizerOptions fixed = options;
  fixed.width_error = 0;
  fixed.bits = kWidest;
  fixed.rounding = WeightRounding::kNearest;  // tried many times over
  Graph shaped = graph;
  QLITE_RETURN_IF_ERROR(shaped.InferShapes(options.input_shapes));
  const absl::StatusOr<OutputReference> reference = OutputReference::Create(context, shaped, &data, kMostSearchSamples);
  if (!reference.ok()) return reference.status();
  const absl::StatusOr<std::vector<std::string>> names = QuantizedNames(context, graph, fixed);
  if (!names.ok()) return names.status();
  WeightChoices choices;
  double error = 0;
  for (size_t i = names->size(); i-- > 0;) {
    QLITE_RETURN_IF_ERROR(context.Report(
        {"search for widths", static_cast<int64_t>(names->size() - 1 - i), static_cast<int64_t>(names->size())}));
    for (int bits = kNarrowest; bits <= kWidest; ++bits) {
      choices[(*names)[i]] = WeightChoice{bits, 0};
      const absl::StatusOr<QuantizationResult> tried = QuantizeChosenWeights(context, graph, fixed, choices, nullptr);
      if (!tried.ok()) return tried.status();
      const absl::StatusOr<OutputSimilarity> similarity = reference->Compare(context, tried->graph);
      if (!similarity.ok()) return similarity.status();
      error = similarity->relative_error;
      if (error <= options.width_error) break;
    }
  }
  absl::StatusOr<QuantizationResult> result = QuantizeChosenWeights(context, graph, fixed, choices, nullptr);
  if (result.ok()) result->steps.push_back(StrCat("searched the widths: the outputs' mean relative error is ", error));
  return result;
}

}  // namespace qlite
