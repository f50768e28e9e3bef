#include "qlite/sensitivity.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/status_macros.h"
#include "tuning/rank_layers.h"

namespace qlite {
namespace tuning {

absl::StatusOr<std::vector<RankedLayer>> RankLayers(const Context& context, Variants& variants,
                                                    const OutputComparer& comparer) {
  const std::vector<VariantLayer>& layers = variants.layers();
  std::vector<RankedLayer> ranked;
  for (size_t i = 0; i < layers.size(); ++i) {
    QLITE_RETURN_IF_ERROR(
        context.Report({"sensitivity", static_cast<int64_t>(i), static_cast<int64_t>(layers.size())}));
    std::vector<int> rungs(layers.size(), variants.rungs() - 1);
    rungs[i] = 0;
    const absl::StatusOr<QuantizationResult> made = variants.Make(rungs);
    if (!made.ok()) return made.status();
    const absl::StatusOr<int> bits = variants.Bits(i, 0);
    if (!bits.ok()) return bits.status();
    const absl::StatusOr<OutputLoss> loss = comparer.Compare(made->graph);
    if (!loss.ok()) return loss.status();
    ranked.push_back({i, {layers[i].node, layers[i].op, *bits, *loss}});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const RankedLayer& a, const RankedLayer& b) {
    return a.sensitivity.loss.snr_db < b.sensitivity.loss.snr_db;
  });
  return ranked;
}

namespace {

template <class QuantizationOptions>
absl::StatusOr<std::vector<LayerSensitivity>> Measure(const Context& context, const Graph& graph,
                                                      const QuantizationOptions& quantization, const DataSet& data,
                                                      const SensitivityOptions& options) {
  absl::StatusOr<std::unique_ptr<Variants>> variants = MakeVariants(context, graph, quantization, data);
  if (!variants.ok()) return variants.status();
  const absl::StatusOr<OutputComparer> comparer =
      OutputComparer::Create(context, (*variants)->original(), data, options.samples, "compare outputs");
  if (!comparer.ok()) return comparer.status();
  const absl::StatusOr<std::vector<RankedLayer>> ranked = RankLayers(context, **variants, *comparer);
  if (!ranked.ok()) return ranked.status();
  std::vector<LayerSensitivity> layers;
  for (const RankedLayer& layer : *ranked) layers.push_back(layer.sensitivity);
  return layers;
}

}  // namespace
}  // namespace tuning

absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context& context, const Graph& graph,
                                                                 const QuantizerOptions& quantization,
                                                                 const DataSet& data,
                                                                 const SensitivityOptions& options) {
  return tuning::Measure(context, graph, quantization, data, options);
}

absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context& context, const Graph& graph,
                                                                 const WeightQuantizerOptions& quantization,
                                                                 const DataSet& data,
                                                                 const SensitivityOptions& options) {
  return tuning::Measure(context, graph, quantization, data, options);
}

}  // namespace qlite
