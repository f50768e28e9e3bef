// qlite_benchmark: measures a model. See docs/benchmark.md.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "benchmark/benchmark_flags.h"
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

// Sends what is printed from now on to standard error, so that JSON alone is left on standard output. Returns that
// stream, or null.
std::FILE* DivertText() {
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  if (kept < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return nullptr;
  return fdopen(kept, "w");
}

absl::Status NotWritten(const std::string& json) {
  return absl::UnavailableError((json == "-" ? "the standard output" : json) +
                                ": cannot be written: " + std::strerror(errno));
}

bool WriteText(std::FILE* file, const std::string& text) {
  const bool written = std::fputs(text.c_str(), file) >= 0 && std::fputc('\n', file) >= 0;
  return std::fclose(file) == 0 && written;
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
  std::FILE* json = nullptr;
  if (!request.json.empty()) {  // before the work, which may take long
    json = request.json == "-" ? DivertText() : std::fopen(request.json.c_str(), "w");
    if (json == nullptr) return Fail(request.model_file, NotWritten(request.json));
  }
  for (const auto& [name, value] : command->settings) std::printf("%s = %s\n", name.c_str(), value.c_str());
  const absl::StatusOr<qlite::cli::BenchmarkReport> report = qlite::cli::RunBenchmark(request);
  if (!report.ok()) return Fail(request.model_file, report.status());
  if (json != nullptr && !WriteText(json, qlite::cli::ReportAsJson(request, *report))) {
    return Fail(request.model_file, NotWritten(request.json));
  }
  std::printf("Run Benchmark %s Success.\n", request.model_file.c_str());
  return 0;
}
