#include "benchmark/report.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace qlite::cli {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity: equal outputs have no finite ratio.
Json FiniteOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void PrintTable(const char* title, const std::vector<NodeProfile>& rows, int64_t loops) {
  double total = 0;
  for (const NodeProfile& row : rows) total += row.total_ms;
  std::printf("%-48s %12s %12s %12s %14s\n", title, "avg(ms)", "percent", "calledTimes", "opTotalTime");
  for (const NodeProfile& row : rows) {
    std::printf("%-48s %12.6f %12.6f %12lld %14.6f\n", row.name.c_str(), row.total_ms / static_cast<double>(loops),
                total > 0 ? row.total_ms / total : 0.0, static_cast<long long>(row.calls), row.total_ms);
  }
}

std::vector<NodeProfile> SumByOperator(const std::vector<NodeProfile>& profile) {
  std::map<std::string, NodeProfile> sums;
  for (const NodeProfile& node : profile) {
    NodeProfile& sum = sums[node.op];
    sum.name = node.op;
    sum.calls += node.calls;
    sum.total_ms += node.total_ms;
  }
  std::vector<NodeProfile> rows;
  for (auto& [op, row] : sums) rows.push_back(std::move(row));
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.total_ms > b.total_ms; });
  return rows;
}

const char* Float16Name(Float16Use use) {
  constexpr const char* kNames[] = {"none", "storage", "arithmetic"};
  return kNames[static_cast<size_t>(use)];
}

Json ComparisonAsJson(const OutputDifference& difference) {
  return {{"cosine", difference.MeanCosine()},
          {"snr_db", FiniteOrNull(difference.SignalToNoise())},
          {"max_error", difference.LargestError()},
          {"top1_agreement", difference.Top1Agreement()},
          {"samples", difference.count()}};
}

void AddImages(const ImageAccuracy& images, Json& json) {
  json["images"] = images.images;
  json["top1"] = images.Share(images.model.top1);
  json["top5"] = images.Share(images.model.top5);
  if (!images.other) return;
  json["compare"] = ComparisonAsJson(*images.outputs);
  json["compare"]["top1"] = images.Share(images.other->top1);
  json["compare"]["top5"] = images.Share(images.other->top5);
  json["compare"]["top1_difference"] = images.top1_difference->difference;
  json["compare"]["top1_difference_ci95"] = {images.top1_difference->difference - images.top1_difference->half_width,
                                             images.top1_difference->difference + images.top1_difference->half_width};
}

}  // namespace

uint64_t PeakMemoryBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

void PrintLatency(const BenchmarkRequest& request, const Latency& latency) {
  const std::string file = request.model_file.substr(request.model_file.find_last_of('/') + 1);
  std::printf("Model = %s, NumThreads = %lld, MinRunTime = %f ms, MaxRuntime = %f ms, AvgRunTime = %f ms\n",
              file.c_str(), static_cast<long long>(request.num_threads), latency.min_ms, latency.max_ms,
              latency.average_ms);
  std::printf("MedianRunTime = %f ms\n", latency.median_ms);
}

void PrintProfile(const std::vector<NodeProfile>& profile, int64_t loops) {
  PrintTable("opName", profile, loops);
  std::printf("\n");
  PrintTable("opType", SumByOperator(profile), loops);
}

void PrintComparison(const OutputDifference& difference, const std::string& other) {
  std::printf("Against %s: cosine similarity %.6f, SNR %.2f dB, largest error %g, same first choice %.2f %%\n",
              other.c_str(), difference.MeanCosine(), difference.SignalToNoise(), difference.LargestError(),
              100 * difference.Top1Agreement());
}

void PrintImages(const ImageAccuracy& images) {
  std::printf("%lld pictures: top-1 %.2f %%, top-5 %.2f %%\n", static_cast<long long>(images.images),
              100 * images.Share(images.model.top1), 100 * images.Share(images.model.top5));
  if (!images.other) return;
  std::printf("other model: top-1 %.2f %%, top-5 %.2f %%\n", 100 * images.Share(images.other->top1),
              100 * images.Share(images.other->top5));
  std::printf("top-1 difference %+.2f points, 95 %% confidence interval %+.2f to %+.2f\n",
              100 * images.top1_difference->difference,
              100 * (images.top1_difference->difference - images.top1_difference->half_width),
              100 * (images.top1_difference->difference + images.top1_difference->half_width));
}

void PrintMemory(const SessionMemory& memory) {
  std::printf("Memory: weights %.2f MB, activations %.2f MB, peak of the process %.2f MB\n",
              static_cast<double>(memory.weights_bytes) / 1e6, static_cast<double>(memory.activations_bytes) / 1e6,
              static_cast<double>(PeakMemoryBytes()) / 1e6);
  if (memory.coded_bytes > 0) {
    std::printf("Weights decoded on the fly: %.2f MB of them\n", static_cast<double>(memory.coded_bytes) / 1e6);
  }
}

void PrintFloat16(Float16Use use) {
  switch (use) {
    case Float16Use::kNone:
      std::printf("Float16: not used, the model has no product that it is for\n");
      break;
    case Float16Use::kStorage:
      std::printf("Float16: weights alone, this processor computes in float32\n");
      break;
    case Float16Use::kArithmetic:
      std::printf("Float16: weights and products\n");
      break;
  }
}

std::string ReportAsJson(const BenchmarkRequest& request, const BenchmarkReport& report) {
  Json json = {{"model", request.model_file}, {"threads", request.num_threads}};
  if (request.float16) json["float16"] = Float16Name(report.float16);
  if (report.latency) {
    json["prepare_ms"] = report.prepare_ms;
    json["loops"] = request.loop_count;
    json["min_ms"] = report.latency->min_ms;
    json["max_ms"] = report.latency->max_ms;
    json["avg_ms"] = report.latency->average_ms;
    json["median_ms"] = report.latency->median_ms;
    json["weights_bytes"] = report.memory.weights_bytes;
    json["on_the_fly_bytes"] = report.memory.coded_bytes;
    json["activations_bytes"] = report.memory.activations_bytes;
  }
  for (const NodeProfile& node : report.profile) {
    json["nodes"].push_back({{"name", node.name}, {"op", node.op}, {"calls", node.calls}, {"total_ms", node.total_ms}});
  }
  for (const GoldenComparison& golden : report.golden) {
    json["golden"].push_back(
        {{"name", golden.name}, {"mean_bias_percent", golden.bias_percent}, {"cosine", golden.cosine}});
  }
  if (report.comparison) json["compare"] = ComparisonAsJson(*report.comparison);
  if (report.images) AddImages(*report.images, json);
  json["peak_memory_bytes"] = PeakMemoryBytes();
  return json.dump(2);
}

}  // namespace qlite::cli
