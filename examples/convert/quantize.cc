#include "convert/quantize.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "common/progress_line.h"
#include "common/text.h"
#include "convert/account.h"
#include "qlite/calibrator.h"
#include "qlite/random_data_set.h"
#include "qlite/report.h"
#include "qlite/sensitivity.h"

namespace qlite::cli {
namespace {

// Samples of a report where there are no data.
constexpr int64_t kRandomSamples = 4;

using Manifest = std::map<std::string, std::string>;

// The table of an interrupted run, where the file is there.
absl::StatusOr<std::optional<CalibrationTable>> ReadCalibration(const std::string& path) {
  std::error_code error;  // a path that cannot even be looked up is for LoadFile to explain
  if (path.empty() || (!std::filesystem::exists(path, error) && !error)) return std::optional<CalibrationTable>();
  absl::StatusOr<CalibrationTable> table = CalibrationTable::LoadFile(path, ObserverRegistry::Default());
  if (!table.ok()) return table.status();
  return std::optional<CalibrationTable>(*std::move(table));
}

absl::StatusOr<QuantizationResult> QuantizeOnce(const Context& context, const ConvertRequest& request,
                                                const QuantizerOptions& options, Graph graph, const DataSet* data) {
  absl::StatusOr<std::optional<CalibrationTable>> resume = ReadCalibration(request.calibration_file);
  if (!resume.ok()) return resume.status();
  return Quantizer(context, options).FullQuantize(std::move(graph), *data, resume->has_value() ? &**resume : nullptr);
}

absl::StatusOr<QuantizationResult> QuantizeOnce(const Context& context, const ConvertRequest& request,
                                                const WeightQuantizerOptions& options, Graph graph,
                                                const DataSet* data) {
  Graph kept = request.report_folder.empty() ? Graph() : graph;
  absl::StatusOr<QuantizationResult> result = WeightQuantize(context, std::move(graph), options, data);
  if (!result.ok() || request.report_folder.empty()) return result;
  result->float_graph = std::move(kept);
  if (absl::Status status = result->float_graph.InferShapes(options.input_shapes); !status.ok()) return status;
  if (const auto steps = SimplifyGraph(context, result->float_graph); !steps.ok()) return steps.status();
  return result;
}

// Beside the quantization itself.
struct Findings {
  std::vector<LayerSensitivity> sensitivity;
  std::vector<AppliedRemedy> applied;
  bool interrupted = false;
};

absl::Status WriteReport(const Context& context, const ConvertRequest& request, const QuantizationResult& result,
                         const DataSet* data, Findings findings) {
  std::unique_ptr<DataSet> random;
  if (data == nullptr) {
    absl::StatusOr<std::vector<InputSpec>> inputs = InputSpecs(result.float_graph);
    if (!inputs.ok()) return inputs.status();
    random = MakeRandomDataSet(*inputs, kRandomSamples);
    data = random.get();
  }
  ReportOptions options;
  options.times = request.report_times;
  options.reasons = ReasonsToStayFloat(result);
  absl::StatusOr<Report> report = MakeReport(context, result.float_graph, result.graph, *data, options);
  if (!report.ok()) return report.status();
  report->sensitivity = std::move(findings.sensitivity);
  report->applied = std::move(findings.applied);
  if (absl::Status status = WriteReportCsv(*report, request.report_folder); !status.ok()) return status;
  if (absl::Status status = WriteReportHtml(*report, request.report_folder); !status.ok()) return status;
  Say(Join({"wrote a report over ", std::to_string(report->rounds.size()), random ? " random samples" : " samples",
            " to ", request.report_folder}));
  return absl::OkStatus();
}

// Quantizes once, or until the target is met.
template <class Options>
absl::StatusOr<QuantizationResult> Quantize(const Context& context, const ConvertRequest& request,
                                            const Options& options, Graph graph, const DataSet* data,
                                            Findings& findings, Manifest& manifest) {
  if (!request.max_loss) return QuantizeOnce(context, request, options, std::move(graph), data);
  TargetOptions target;
  target.fix = request.auto_fix;
  const absl::StatusOr<std::optional<CalibrationTable>> resume = ReadCalibration(request.calibration_file);
  if (!resume.ok()) return resume.status();
  if (resume->has_value()) target.resume = &**resume;
  absl::StatusOr<TargetedQuantization> tuned =
      QuantizeToTarget(context, graph, options, *data, *request.max_loss, target);
  if (!tuned.ok()) return tuned.status();
  if (!tuned->met) {
    Warn("interrupted: the best result so far is written");
    ForgetInterrupt();
    findings.interrupted = true;
    manifest["max_loss"] = "not reached, interrupted";
  }
  PrintTarget(*tuned);
  if (!tuned->sensitivity.empty()) findings.sensitivity = std::move(tuned->sensitivity);
  std::string fixes;
  for (const AppliedRemedy& remedy : tuned->applied) fixes += (fixes.empty() ? "" : ",") + remedy.change;
  findings.applied = std::move(tuned->applied);
  if (!fixes.empty()) manifest["changed_for_max_loss"] = fixes;
  manifest["raised_layers"] = std::to_string(tuned->raised.size());
  return std::move(tuned->quantization);
}

template <class Options>
absl::StatusOr<QuantizationResult> QuantizeAndReport(const Context& context, const ConvertRequest& request,
                                                     const Options& options, Graph graph, const DataSet* data,
                                                     Manifest& manifest, bool& interrupted) {
  Findings findings;
  if (request.sensitivity) {
    absl::StatusOr<std::vector<LayerSensitivity>> measured = MeasureSensitivity(context, graph, options, *data);
    if (!measured.ok()) return measured.status();
    findings.sensitivity = *std::move(measured);
    PrintSensitivity(findings.sensitivity);
  }
  absl::StatusOr<QuantizationResult> result =
      Quantize(context, request, options, std::move(graph), data, findings, manifest);
  if (!result.ok()) return result.status();
  interrupted = findings.interrupted;
  PrintAccount(*result);
  if (!request.report_folder.empty()) {
    absl::Status status = WriteReport(context, request, *result, data, std::move(findings));
    if (!status.ok()) return status;
  }
  return result;
}

absl::Status QuantizeFully(const Context& context, const ConvertRequest& request, const DataSet* data, Graph& graph,
                           Manifest& manifest, bool& interrupted) {
  QuantizerOptions options = request.quantizer;
  options.checkpoint_path = request.calibration_file;
  options.keep_float_graph = !request.report_folder.empty();
  absl::StatusOr<QuantizationResult> result =
      QuantizeAndReport(context, request, options, std::move(graph), data, manifest, interrupted);
  if (!result.ok()) return result.status();
  if (!request.calibration_file.empty() && !request.max_loss) {  // with which the first one is saved
    if (absl::Status status = result->table.SaveFile(request.calibration_file); !status.ok()) return status;
  }
  manifest["quantization"] = "FULL_QUANT";
  manifest["activation_quant_method"] = result->table.method;
  manifest["per_channel"] = options.per_channel ? "true" : "false";
  manifest["bias_correction"] = options.bias_correction ? "true" : "false";
  manifest["equalization"] = options.equalization ? "true" : "false";
  manifest["calibration_samples"] = std::to_string(result->table.samples_done);
  manifest["data_hash"] = Hex(result->table.data_fingerprint);
  graph = std::move(result->graph);
  return absl::OkStatus();
}

absl::Status QuantizeWeights(const Context& context, const ConvertRequest& request, const DataSet* data, Graph& graph,
                             Manifest& manifest, bool& interrupted) {
  const WeightQuantizerOptions& options = request.weights;
  absl::StatusOr<QuantizationResult> result =
      QuantizeAndReport(context, request, options, std::move(graph), data, manifest, interrupted);
  if (!result.ok()) return result.status();
  manifest["quantization"] = "WEIGHT_QUANT";
  manifest["bit_num"] = std::to_string(options.bits);
  manifest["per_channel"] = options.per_channel ? "true" : "false";
  manifest["bias_correction"] = options.bias_correction ? "true" : "false";
  if (options.block_size > 0) manifest["block_size"] = std::to_string(options.block_size);
  if (options.rounding == WeightRounding::kGptq) manifest["quant_strategy"] = "GPTQ";
  if (options.bits == 0 && options.auto_tune) manifest["auto_tune"] = "true";
  graph = std::move(result->graph);
  return absl::OkStatus();
}

}  // namespace

absl::Status QuantizeAsRequested(const Context& context, const ConvertRequest& request, const DataSet* data,
                                 Graph& graph, Manifest& manifest, bool& interrupted) {
  return request.quant_type == QuantType::kFull ? QuantizeFully(context, request, data, graph, manifest, interrupted)
                                                : QuantizeWeights(context, request, data, graph, manifest, interrupted);
}

}  // namespace qlite::cli
