// What a benchmark found, as the reference's text lines and as JSON.
#ifndef QLITE_EXAMPLES_BENCHMARK_REPORT_H_
#define QLITE_EXAMPLES_BENCHMARK_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "benchmark/benchmark_request.h"
#include "benchmark/image_accuracy.h"
#include "benchmark/output_difference.h"
#include "qlite/session.h"

namespace qlite::cli {

struct Latency {
  double min_ms = 0, max_ms = 0, average_ms = 0, median_ms = 0;
};

// How one output compares with the golden file.
struct GoldenComparison {
  std::string name;
  double bias_percent = 0, cosine = 1;
};

// Everything that a run may find; parts that did not run are absent.
struct BenchmarkReport {
  double prepare_ms = 0;
  std::optional<Latency> latency;
  std::vector<NodeProfile> profile;
  std::vector<GoldenComparison> golden;
  std::optional<OutputDifference> comparison;
  std::optional<ImageAccuracy> images;
  SessionMemory memory;
  Float16Use float16 = Float16Use::kNone;
};

// The most memory that this process has held, in bytes.
uint64_t PeakMemoryBytes();

// Text on stdout, in the order of the reference.
void PrintLatency(const BenchmarkRequest& request, const Latency& latency);
void PrintProfile(const std::vector<NodeProfile>& profile, int64_t loops);
void PrintComparison(const OutputDifference& difference, const std::string& other);
void PrintImages(const ImageAccuracy& images);
void PrintMemory(const SessionMemory& memory);
void PrintFloat16(Float16Use use);

std::string ReportAsJson(const BenchmarkRequest& request, const BenchmarkReport& report);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_REPORT_H_
