#include "convert/convert.h"

#include <sys/resource.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "common/progress_line.h"
#include "common/text.h"
#include "qlite/calibrator.h"
#include "qlite/report.h"
#include "qlite/session.h"

namespace qlite::cli {
namespace {

std::string Hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, number);
  return text;
}

void Say(const std::string& line) { std::printf("%s\n", line.c_str()); }
void Warn(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

absl::StatusOr<Context> MakeContext(const ConvertRequest& request, ProgressLine& progress) {
  ContextOptions options;
  options.num_threads = static_cast<int>(request.num_threads);
  options.log = MakeStderrLogSink(LogLevel::kWarning);
  options.progress = [&progress](const Progress& p) {
    progress.Show(p);
    return !Interrupted();
  };
  options.limits.memory_budget_bytes = static_cast<uint64_t>(request.memory_limit_mb) << 20;
  return Context::Create(std::move(options));
}

// What the nodes became: counts, and every node that stayed float with its reason.
void PrintOutcomes(const QuantizationResult& result) {
  size_t integer = 0;
  for (const NodeOutcome& node : result.nodes) integer += node.integer ? 1 : 0;
  std::printf("%zu of %zu nodes run in integers\n", integer, result.nodes.size());
  for (const NodeOutcome& node : result.nodes) {
    if (!node.integer) Say(Join({"  float: ", node.op, " '", node.name, "': ", node.reason}));
  }
}

// What the weights became: how far rounding moved them in all, and every weight that stayed float with its reason.
void PrintWeights(const QuantizationResult& result) {
  for (const WeightOutcome& weight : result.weights) {
    if (!weight.reason.empty())
      Say(Join({"  float: '", weight.name, "' of ", weight.op, " '", weight.node, "': ", weight.reason}));
  }
}

void PrintAccount(const QuantizationResult& result) {
  for (const std::string& step : result.steps) Say(step);
  for (const InputWarning& warning : result.warnings) {
    Warn(Join({"WARNING: ", warning.likely_mistake, ": ", warning.evidence}));
  }
  if (!result.nodes.empty()) PrintOutcomes(result);
  PrintWeights(result);
  std::string times;
  for (const auto& [stage, seconds] : result.seconds) {
    char text[64];
    std::snprintf(text, sizeof(text), "%s%s %.2f s", times.empty() ? "" : ", ", stage.c_str(), seconds);
    times += text;
  }
  Say(times);
}

// The table of an interrupted run, where the file is there.
absl::StatusOr<std::optional<CalibrationTable>> ReadCalibration(const std::string& path) {
  std::error_code error;  // a path that cannot even be looked up is for LoadFile to explain
  if (path.empty() || (!std::filesystem::exists(path, error) && !error)) return std::optional<CalibrationTable>();
  absl::StatusOr<CalibrationTable> table = CalibrationTable::LoadFile(path, ObserverRegistry::Default());
  if (!table.ok()) return table.status();
  return std::optional<CalibrationTable>(*std::move(table));
}

absl::Status WriteReport(const Context& context, const QuantizationResult& result, const DataSet& data,
                         const std::string& folder) {
  const absl::StatusOr<Report> report = MakeReport(context, result.float_graph, result.graph, data, {});
  if (!report.ok()) return report.status();
  if (absl::Status status = WriteReportCsv(*report, folder); !status.ok()) return status;
  Say(Join({"wrote a report over ", std::to_string(report->rounds.size()), " samples to ", folder}));
  return absl::OkStatus();
}

using Manifest = std::map<std::string, std::string>;

absl::Status Quantize(const Context& context, const ConvertRequest& request, const DataSet& data, Graph& graph,
                      Manifest& manifest) {
  QuantizerOptions options = request.quantizer;
  options.checkpoint_path = request.calibration_file;
  options.keep_float_graph = !request.report_folder.empty();
  absl::StatusOr<std::optional<CalibrationTable>> resume = ReadCalibration(request.calibration_file);
  if (!resume.ok()) return resume.status();
  absl::StatusOr<QuantizationResult> result =
      Quantizer(context, options).FullQuantize(graph, data, resume->has_value() ? &**resume : nullptr);
  if (!result.ok()) return result.status();
  PrintAccount(*result);
  if (!request.calibration_file.empty()) {
    if (absl::Status status = result->table.SaveFile(request.calibration_file); !status.ok()) return status;
  }
  if (!request.report_folder.empty()) {
    if (absl::Status status = WriteReport(context, *result, data, request.report_folder); !status.ok()) return status;
  }
  manifest["quantization"] = "FULL_QUANT";
  manifest["activation_quant_method"] = options.activation_method;
  manifest["per_channel"] = options.per_channel ? "true" : "false";
  manifest["bias_correction"] = options.bias_correction ? "true" : "false";
  manifest["equalization"] = options.equalization ? "true" : "false";
  manifest["calibration_samples"] = std::to_string(result->table.samples_done);
  manifest["data_hash"] = Hex(result->table.data_fingerprint);
  graph = std::move(result->graph);
  return absl::OkStatus();
}

absl::Status QuantizeWeights(const Context& context, const ConvertRequest& request, const DataSet* data, Graph& graph,
                             Manifest& manifest) {
  const WeightQuantizerOptions& options = request.weights;
  absl::StatusOr<QuantizationResult> result = WeightQuantize(context, graph, options, data);
  if (!result.ok()) return result.status();
  PrintAccount(*result);
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

absl::Status Simplify(const Context& context, const ConvertRequest& request, Graph& graph) {
  if (!request.input_shapes.empty()) {
    if (absl::Status status = graph.InferShapes(request.input_shapes); !status.ok()) return status;
  }
  if (!request.simplify) return absl::OkStatus();
  absl::StatusOr<std::vector<std::string>> steps = SimplifyGraph(context, graph);
  if (!steps.ok()) return steps.status();
  for (const std::string& step : *steps) Say(step);
  return absl::OkStatus();
}

absl::Status StoreInHalf(Graph& graph, ElementType type, Manifest& manifest) {
  absl::StatusOr<std::vector<WeightOutcome>> outcomes = StoreFloatsAsHalf(graph, type);
  if (!outcomes.ok()) return outcomes.status();
  int64_t stored = 0;
  for (const WeightOutcome& outcome : *outcomes) stored += outcome.reason.empty() ? 1 : 0;
  std::printf("stored %jd of %zu float constants as %s\n", static_cast<intmax_t>(stored), outcomes->size(),
              std::string(ElementTypeName(type)).c_str());
  manifest["fp16"] = type == ElementType::kFloat16 ? "on" : "bf16";
  return absl::OkStatus();
}

absl::Status RunOnce(const Context& context, const Graph& graph) {
  auto session = Session::Create(context, graph);
  if (!session.ok()) return session.status();
  if (absl::Status status = (*session)->Run(); !status.ok()) return status;
  Say("ran one inference");
  return absl::OkStatus();
}

void PrintSizes(const ConvertRequest& request) {
  std::error_code error;
  const auto before = std::filesystem::file_size(request.model_file, error);
  const auto after = std::filesystem::file_size(request.output_file, error);
  if (error) return;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%s: %ju bytes, %.3f of %s (%ju bytes); peak memory %.1f MB\n", request.output_file.c_str(),
              static_cast<uintmax_t>(after), static_cast<double>(after) / static_cast<double>(before),
              request.model_file.c_str(), static_cast<uintmax_t>(before),
              static_cast<double>(usage.ru_maxrss) / 1024.0);
}

}  // namespace

absl::Status Convert(const ConvertRequest& request) {
  for (const std::string& notice : request.notices) Warn(Join({"NOTICE: ", notice}));
  CatchInterrupts();
  ProgressLine progress;
  absl::StatusOr<Context> context = MakeContext(request, progress);
  if (!context.ok()) return context.status();
  LoadOptions loading;
  loading.input_shapes = request.input_shapes;
  absl::StatusOr<Graph> graph = LoadModel(*context, request.model_file, loading);
  if (!graph.ok()) return graph.status();

  ExportOptions exporting;
  exporting.format = request.output_format;
  exporting.onnx_uint8_activations = request.uint8_activations;
  exporting.manifest["model_hash"] = Hex(GraphFingerprint(*graph));
  std::unique_ptr<DataSet> data;
  absl::Status status;
  if (!request.data.folders.empty()) {
    absl::StatusOr<std::vector<InputSpec>> inputs = InputSpecs(*graph, request.input_shapes);
    if (!inputs.ok()) return inputs.status();
    absl::StatusOr<std::unique_ptr<DataSet>> opened = OpenDataRequest(request.data, *inputs, context->limits());
    if (!opened.ok()) return opened.status();
    data = *std::move(opened);
    exporting.check_data = data.get();
  }
  switch (request.quant_type) {
    case QuantType::kNone:
      status = Simplify(*context, request, *graph);
      break;
    case QuantType::kFull:
      status = Quantize(*context, request, *data, *graph, exporting.manifest);
      break;
    case QuantType::kWeight:
      exporting.encode_weights = request.encode_weights && !request.on_the_fly;
      if (request.on_the_fly) exporting.manifest["dequant_strategy"] = "ON_THE_FLY";
      status = QuantizeWeights(*context, request, data.get(), *graph, exporting.manifest);
      break;
  }
  if (status.ok() && request.float_storage != ElementType::kFloat32) {
    status = StoreInHalf(*graph, request.float_storage, exporting.manifest);
  }
  if (!status.ok()) return status;
  if (status = ExportModel(*context, *graph, request.output_file, exporting); !status.ok()) return status;
  progress.Clear();
  if (request.run_once) {
    if (status = RunOnce(*context, *graph); !status.ok()) return status;
  }
  PrintSizes(request);
  return absl::OkStatus();
}

}  // namespace qlite::cli
