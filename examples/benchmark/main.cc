// qlite_benchmark: measures a model. See docs/benchmark.md.
#include <cstdio>
#include <string>

#include "benchmark/benchmark_flags.h"
#include "benchmark/json_file.h"
#include "benchmark/run_benchmark.h"
#include "common/exit_status.h"

namespace {

using qlite::cli::ExitCode;

int Fail(const std::string& model, const absl::Status& status) {
  const ExitCode code = ExitCode::kError;
  std::fprintf(stderr, "%s\nRun Benchmark %s Failed : %d\n", std::string(status.message()).c_str(), model.c_str(),
               static_cast<int>(code));
  return qlite::cli::ProcessStatus(code);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // where a log takes both streams, lines keep their order
  const absl::StatusOr<qlite::cli::BenchmarkCommand> command = qlite::cli::ReadBenchmarkCommand(argc, argv);
  if (!command.ok()) return Fail("", command.status());
  if (command->help) {
    std::fputs(command->usage.c_str(), stdout);
    return 0;
  }
  const qlite::cli::BenchmarkRequest& request = command->request;
  qlite::cli::JsonFile json;
  if (!request.json.empty()) {
    if (const absl::Status status = json.Open(request.json); !status.ok()) return Fail(request.model_file, status);
  }
  for (const auto& [name, value] : command->settings) std::printf("%s = %s\n", name.c_str(), value.c_str());
  const absl::StatusOr<qlite::cli::BenchmarkReport> report = qlite::cli::RunBenchmark(request);
  if (!report.ok()) return Fail(request.model_file, report.status());
  if (!request.json.empty()) {
    const absl::Status status = json.Write(qlite::cli::ReportAsJson(request, *report));
    if (!status.ok()) return Fail(request.model_file, status);
  }
  std::printf("Run Benchmark %s Success.\n", request.model_file.c_str());
  return 0;
}
