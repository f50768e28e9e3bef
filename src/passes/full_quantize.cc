#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "calib/input_evidence.h"
#include "core/error_site.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/activation_params.h"
#include "passes/constant_sharing.h"
#include "passes/equalization.h"
#include "passes/graph_edit.h"
#include "passes/integer_regions.h"
#include "passes/integer_rewrite.h"
#include "passes/product_weights.h"
#include "passes/quantization_stages.h"
#include "passes/sampled_data_set.h"
#include "passes/skipped_nodes.h"
#include "qlite/quantizer.h"

namespace qlite {
namespace {

// Samples that equalisation looks at, a fifth of them within these bounds.
constexpr int64_t kFewestSamples = 8, kMostSamples = 20;

class FullQuantization {
 public:
  FullQuantization(const Context& context, const QuantizerOptions& options, const DataSet& data)
      : context_(context), options_(options), data_(data) {}

  absl::StatusOr<QuantizationResult> Run(Graph original, const CalibrationTable* resume) {
    QLITE_RETURN_IF_ERROR(RequireFloatGraph(original));
    QLITE_RETURN_IF_ERROR(CheckNodeNames(original, options_.skip_nodes));
    // What is asked of the original later; its weights are not kept beside those of the simplified graph.
    const Graph names = WithoutConstants(original);
    const Graph beginning = calib::UpToFirstBatchNorm(original);
    QLITE_RETURN_IF_ERROR(SimplifyStage(context_, std::move(original), options_.input_shapes, &result_));
    if (options_.check_inputs) QLITE_RETURN_IF_ERROR(Timed("check inputs", [&] { return CheckInputs(beginning); }));
    KeepFloat(names);
    if (options_.equalization) QLITE_RETURN_IF_ERROR(Timed("equalise", [&] { return Equalize(); }));
    QLITE_RETURN_IF_ERROR(Timed("calibrate", [&] { return Calibrate(resume); }));
    QLITE_RETURN_IF_ERROR(Timed("quantize", [&] { return Quantize(); }));
    return std::move(result_);
  }

 private:
  template <class Work>
  absl::Status Timed(const char* stage, Work work) {
    return RunStage(context_, stage, &result_, std::move(work));
  }

  CalibratorOptions Calibration(const std::string& method) const {
    CalibratorOptions options;
    options.method = method;
    options.registry = options_.registry;
    options.check_inputs = false;
    return options;
  }

  // `beginning`: of the graph as it was, which BatchNormalizations remember the training in.
  absl::Status CheckInputs(const Graph& beginning) {
    Calibrator calibrator(context_, result_.graph, Calibration(options_.activation_method));
    absl::StatusOr<std::vector<InputWarning>> warnings = calibrator.CheckInputStatistics(data_, beginning);
    if (!warnings.ok()) return warnings.status();
    result_.warnings = *std::move(warnings);
    for (const InputWarning& warning : result_.warnings) {
      context_.Log(LogLevel::kWarning, StrCat(warning.likely_mistake, ": ", warning.evidence));
    }
    return absl::OkStatus();
  }

  // The nodes that the options leave float, with the reason.
  void KeepFloat(const Graph& original) {
    const Graph& graph = result_.graph;
    for (const NodeId id : graph.TopologicalOrder()) {
      if (!FindProduct(graph, graph.node(id))) continue;
      const int64_t elements = graph.value(graph.node(id).inputs[1]).constant->element_count();
      if (elements > options_.min_weight_elements) continue;
      kept_float_[id] = StrCat("its weights have ", elements, " elements, not more than the least number to quantize, ",
                               options_.min_weight_elements);
    }
    for (const NodeId id : FindSkippedNodes(original, graph, options_.skip_nodes)) {
      kept_float_[id] = "it is among the nodes to skip";
    }
  }

  absl::Status Equalize() {
    if (!CanEqualize(result_.graph, options_.per_channel)) return absl::OkStatus();
    const SampledDataSet some(data_, std::clamp(data_.size() / 5, kFewestSamples, kMostSamples));
    CalibratorOptions options = Calibration("MAX_MIN");
    options.registry = nullptr;
    Calibrator calibrator(context_, result_.graph, options);
    const absl::StatusOr<CalibrationTable> statistics = calibrator.Run(some);
    if (!statistics.ok()) return statistics.status();
    const absl::StatusOr<int> groups = EqualizeChannels(result_.graph, *statistics, options_.per_channel);
    if (!groups.ok()) return groups.status();
    if (*groups == 0) return absl::OkStatus();
    result_.steps.push_back(StrCat("equalised the channels of ", *groups, " groups of activations"));
    // As simplification would leave it: the table then belongs to this graph when it is quantized once more.
    const absl::StatusOr<int> shared = ShareConstants(result_.graph);
    if (shared.ok()) result_.graph.Compact();
    return shared.status();
  }

  absl::Status Calibrate(const CalibrationTable* resume) {
    CalibratorOptions options = Calibration(options_.activation_method);
    options.checkpoint_path = options_.checkpoint_path;
    Calibrator calibrator(context_, result_.graph, options);
    absl::StatusOr<CalibrationTable> table = calibrator.Run(data_, resume);
    if (!table.ok()) return table.status();
    result_.table = *std::move(table);
    result_.steps.push_back(StrCat("calibrated ", result_.table.tensors.size(), " activations with ",
                                   options_.activation_method, " on ", data_.size(), " samples"));
    return absl::OkStatus();
  }

  absl::Status Quantize() {
    Graph& graph = result_.graph;
    const absl::StatusOr<IntegerRegions> regions = FindIntegerRegions(graph, kept_float_);
    if (!regions.ok()) return regions.status();
    const auto params = ChooseActivationParams(graph, *regions, result_.table, context_.executor());
    if (!params.ok()) return params.status();
    Account(*regions);
    if (options_.keep_float_graph) result_.float_graph = graph;
    IntegerRewriteOptions options;
    options.per_channel = options_.per_channel;
    options.means = options_.bias_correction ? &result_.table : nullptr;
    QLITE_RETURN_IF_ERROR(RewriteIntegerRegions(graph, *regions, *params, options));
    if (const absl::StatusOr<int> shared = ShareConstants(graph); !shared.ok()) return shared.status();
    graph.Compact();
    QLITE_RETURN_IF_ERROR(graph.Validate());
    return graph.InferShapes();
  }

  void Account(const IntegerRegions& regions) {
    size_t integer = 0;
    for (const NodeId id : result_.graph.TopologicalOrder()) {
      const Node& node = result_.graph.node(id);
      const bool is_integer = regions.IsInteger(id);
      result_.nodes.push_back({node.name, std::string(OpName(node.op)), is_integer,
                               is_integer ? "" : regions.reasons[static_cast<size_t>(id.index)]});
      integer += is_integer ? 1 : 0;
    }
    result_.steps.push_back(StrCat("made ", integer, " of ", result_.nodes.size(), " nodes integer, weights ",
                                   options_.per_channel ? "per channel" : "per layer",
                                   options_.bias_correction ? ", biases corrected" : ""));
  }

  const Context& context_;
  const QuantizerOptions& options_;
  const DataSet& data_;
  std::map<NodeId, std::string> kept_float_;
  QuantizationResult result_;
};

}  // namespace

Quantizer::Quantizer(const Context& context, QuantizerOptions options)
    : context_(context), options_(std::move(options)) {}

absl::StatusOr<QuantizationResult> Quantizer::FullQuantize(Graph graph, const DataSet& data,
                                                           const CalibrationTable* resume) {
  return FullQuantization(context_, options_, data).Run(std::move(graph), resume);
}

}  // namespace qlite
