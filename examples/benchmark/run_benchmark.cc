#include "benchmark/run_benchmark.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "benchmark/cpu_binding.h"
#include "benchmark/golden_file.h"
#include "benchmark/model_runner.h"
#include "common/progress_line.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

double RunOnceMs(Session& session, absl::Status& status) {
  const auto start = std::chrono::steady_clock::now();
  status = session.Run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Latency Summarise(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  Latency latency;
  latency.min_ms = times.front();
  latency.max_ms = times.back();
  for (const double t : times) latency.average_ms += t / static_cast<double>(times.size());
  const size_t middle = times.size() / 2;
  latency.median_ms = times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  return latency;
}

absl::Status MeasureLatency(const BenchmarkRequest& request, LoadedModel& model, BenchmarkReport& report) {
  absl::Status status;
  ProgressLine progress;
  CatchInterrupts();
  std::printf("Running warm up loops...\n");
  for (int64_t i = 0; i < request.warm_up_count && status.ok() && !Interrupted(); ++i)
    RunOnceMs(*model.session, status);
  std::printf("Running benchmark loops...\n");
  std::vector<double> times;
  for (int64_t i = 0; i < request.loop_count && status.ok() && !Interrupted(); ++i) {
    times.push_back(RunOnceMs(*model.session, status));
    progress.Show({"loops", i + 1, request.loop_count});
  }
  progress.Clear();
  if (!status.ok()) return status;
  if (Interrupted() || times.empty()) return absl::CancelledError("interrupted");
  report.latency = Summarise(std::move(times));
  report.memory = model.session->memory();
  PrintLatency(request, *report.latency);
  if (request.time_profiling) {
    report.profile = model.session->profile();
    PrintProfile(report.profile, request.loop_count + request.warm_up_count);
  }
  PrintMemory(report.memory);
  return absl::OkStatus();
}

// The first values of a tensor, as the reference shows them.
void PrintValues(const TensorView& tensor, size_t most) {
  const size_t count = std::min(most, ElementCountOf(tensor));
  for (size_t i = 0; i < count; ++i) std::printf("%g ", ElementAsNumber(tensor, i));
  std::printf("\n");
}

// The session output of each golden tensor; both lists of names stand in the error where they differ.
absl::StatusOr<std::vector<size_t>> MatchOutputs(const std::vector<GoldenTensor>& golden, const Session& session) {
  std::vector<size_t> places;
  for (const GoldenTensor& tensor : golden) {
    for (size_t i = 0; i < session.output_count(); ++i) {
      if (session.output_name(i) == tensor.name) places.push_back(i);
    }
  }
  if (places.size() == golden.size() && golden.size() == session.output_count()) return places;
  std::string expected, found;
  for (size_t i = 0; i < session.output_count(); ++i) expected += " '" + session.output_name(i) + "'";
  for (const GoldenTensor& tensor : golden) found += " '" + tensor.name + "'";
  return absl::InvalidArgumentError(
      Join({"The output tensor name is wrong. The model's outputs:", expected, "; the golden file's:", found}));
}

absl::Status CompareOutput(const GoldenTensor& golden, const TensorView& output, GoldenComparison& comparison) {
  if (!SameShape(golden.dims, output.dims)) {
    return absl::InvalidArgumentError(
        Join({"Shape of output '", golden.name, "' and of the golden file are different"}));
  }
  std::printf("Data of node %s : ", golden.name.c_str());
  PrintValues(output, 50);
  absl::StatusOr<double> bias = MeanBias(golden, output);
  if (!bias.ok()) return bias.status();
  comparison = {golden.name, 100 * *bias, CosineSimilarity(golden, output)};
  constexpr double kNone = 1e-7;
  std::printf("Mean bias of node/tensor %s : %g%%\n", golden.name.c_str(),
              *bias <= kNone ? 0.0 : comparison.bias_percent);
  return absl::OkStatus();
}

absl::Status CheckThresholds(const BenchmarkRequest& request, const std::vector<GoldenComparison>& golden) {
  double bias = 0, cosine = 0;
  for (const GoldenComparison& comparison : golden) {
    bias += comparison.bias_percent / static_cast<double>(golden.size());
    cosine += comparison.cosine / static_cast<double>(golden.size());
  }
  std::printf("Mean bias of all nodes/tensors: %g%%\n", bias);
  for (const GoldenComparison& comparison : golden) {
    std::printf("Cosine similarity of node/tensor %s : %.6f\n", comparison.name.c_str(), comparison.cosine);
  }
  std::printf("Cosine distance of all nodes/tensors: %.6f\n", cosine);
  std::printf("=======================================================\n");
  if (bias > request.accuracy_threshold_percent) {
    return absl::OutOfRangeError(Join({"Mean bias of all nodes/tensors is too big: ", std::to_string(bias), "%"}));
  }
  if (request.cosine_threshold >= -1 && cosine < request.cosine_threshold) {
    return absl::OutOfRangeError(
        Join({"Mean cosine distance of all nodes/tensors is too small: ", std::to_string(cosine)}));
  }
  return absl::OkStatus();
}

absl::Status CompareWithGolden(const BenchmarkRequest& request, LoadedModel& model, BenchmarkReport& report) {
  absl::StatusOr<std::vector<GoldenTensor>> golden = ReadGoldenFile(request.golden_file);
  if (!golden.ok()) return golden.status();
  Session& session = *model.session;
  std::printf("MarkAccuracy\n");
  for (size_t i = 0; i < session.input_count(); ++i) {
    const MutableTensorView input = session.input(i);
    std::printf("InData %zu: ", i);
    PrintValues({input.type, input.dims, input.data, input.bytes}, 20);
  }
  absl::StatusOr<std::vector<size_t>> places = MatchOutputs(*golden, session);
  if (!places.ok()) return places.status();
  if (absl::Status status = session.Run(); !status.ok()) return status;
  std::printf("================ Comparing Output data ================\n");
  for (size_t i = 0; i < golden->size(); ++i) {
    GoldenComparison& comparison = report.golden.emplace_back();
    const absl::Status status = CompareOutput((*golden)[i], session.output((*places)[i]), comparison);
    if (!status.ok()) return status;
  }
  return CheckThresholds(request, report.golden);
}

// Every float output of the two models on the same inputs.
absl::Status CompareModels(const BenchmarkRequest& request, const Context& context, LoadedModel& model,
                           BenchmarkReport& report) {
  absl::StatusOr<LoadedModel> other = LoadForBenchmark(context, request.compare_model, request.ForOther());
  if (!other.ok()) return other.status();
  Session &a = *model.session, &b = *other->session;
  if (a.input_count() != b.input_count() || a.output_count() != b.output_count()) {
    return absl::InvalidArgumentError("the two models differ in their number of inputs or outputs");
  }
  for (size_t i = 0; i < a.input_count(); ++i) {
    const MutableTensorView from = a.input(i), to = b.input(i);
    if (from.type != to.type || from.bytes != to.bytes) {
      return absl::InvalidArgumentError(
          Join({"input ", std::to_string(i), " of the two models differs in type or size"}));
    }
    std::memcpy(to.data, from.data, from.bytes);
  }
  for (Session* session : {&a, &b}) {
    if (absl::Status status = session->Run(); !status.ok()) return status;
  }
  OutputDifference difference;
  for (size_t i = 0; i < a.output_count(); ++i) {
    const TensorView x = a.output(i), reference = b.output(i);
    if (x.type != ElementType::kFloat32 || reference.type != x.type || reference.bytes != x.bytes) {
      return absl::InvalidArgumentError(
          Join({"output '", a.output_name(i), "' differs in type or size, or is not float32"}));
    }
    difference.Add(reference.as<float>(), x.as<float>());
  }
  PrintComparison(difference, request.compare_model);
  report.comparison = difference;
  return absl::OkStatus();
}

absl::Status MeasureImages(const BenchmarkRequest& request, BenchmarkReport& report) {
  absl::StatusOr<ImageAccuracy> images = MeasureImageAccuracy(request);
  if (!images.ok()) return images.status();
  if (request.float16) PrintFloat16(images->float16);
  PrintImages(*images);
  if (images->outputs) PrintComparison(*images->outputs, request.compare_model);
  report.float16 = images->float16;
  report.images = *std::move(images);
  return absl::OkStatus();
}

// In the reference's words, of every run: dimensions that neither the model nor a flag fixes are 1.
void PrintShapes(Session& session) {
  for (size_t i = 0; i < session.input_count(); ++i) {
    std::printf("Resize Dims: ");
    for (const int64_t dim : session.input(i).dims) std::printf("%lld ", static_cast<long long>(dim));
    std::printf("\n");
  }
}

}  // namespace

absl::StatusOr<BenchmarkReport> RunBenchmark(const BenchmarkRequest& request) {
  BenchmarkReport report;
  absl::Status status = BindToCores(request.cpu_bind_mode, request.num_threads, request.cpu_cores);
  if (!status.ok()) return status;
  std::printf("start unified benchmark run\n");
  if (!request.image_folder.empty()) {
    status = MeasureImages(request, report);
    if (!status.ok()) return status;
    return report;
  }
  absl::StatusOr<Context> context = MakeBenchmarkContext(request, request.num_threads);
  if (!context.ok()) return context.status();
  absl::StatusOr<LoadedModel> model = LoadForBenchmark(*context, request.model_file, request);
  if (!model.ok()) return model.status();
  report.prepare_ms = model->prepare_ms;
  report.float16 = model->session->float16();
  PrintShapes(*model->session);
  std::printf("PrepareTime = %f ms\n", model->prepare_ms);
  if (request.float16) PrintFloat16(report.float16);
  if (status = FillInputs(request, *model->session); !status.ok()) return status;
  status = request.golden_file.empty() ? MeasureLatency(request, *model, report)
                                       : CompareWithGolden(request, *model, report);
  if (status.ok() && !request.compare_model.empty()) status = CompareModels(request, *context, *model, report);
  if (!status.ok()) return status;
  return report;
}

}  // namespace qlite::cli
