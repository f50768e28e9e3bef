#include "convert/convert.h"

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/progress_line.h"
#include "common/text.h"
#include "convert/account.h"
#include "convert/quantize.h"
#include "qlite/calibrator.h"
#include "qlite/session.h"

namespace qlite::cli {
namespace {

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

using Manifest = std::map<std::string, std::string>;

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
  loading.format = request.model_format;
  loading.input_shapes = request.input_shapes;
  absl::StatusOr<Graph> graph = LoadModel(*context, request.model_file, loading);
  if (!graph.ok()) return graph.status();

  ExportOptions exporting;
  exporting.format = request.output_format;
  exporting.onnx_uint8_activations = request.uint8_activations;
  exporting.manifest["model_hash"] = Hex(GraphFingerprint(*graph));
  std::unique_ptr<DataSet> data;
  absl::Status status;
  bool interrupted = false;
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
    case QuantType::kWeight:
      exporting.encode_weights = request.encode_weights && !request.on_the_fly;
      if (request.on_the_fly) exporting.manifest["dequant_strategy"] = "ON_THE_FLY";
      [[fallthrough]];
    case QuantType::kFull:
      status = QuantizeAsRequested(*context, request, data.get(), *graph, exporting.manifest, interrupted);
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
  if (interrupted) {
    return absl::CancelledError(
        Join({"interrupted before --maxLoss was reached: ", request.output_file, " is the best result so far"}));
  }
  return absl::OkStatus();
}

}  // namespace qlite::cli
