// Calibration against the bare work under it: decoding the samples, and running the float network over them.
//
//   bench_calibration MODEL.onnx CONFIG [threads] [rounds] [METHOD ...]
//
// CONFIG is a converter's configuration file; its [data_preprocess_param] names the samples. The figures are the least
// over the rounds: wall seconds, and processor seconds of all threads, which other processes disturb less. A
// calibration makes its sessions, identifies graph and data, and ends with the range of every value, sought on all
// threads as the Quantizer does. The bare work is timed in two loops, all samples decoded, then all run; the last
// figures are against a program that runs the float network as a calibration has to: it makes its sessions, then
// decodes and runs sample by sample.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "common/data_request.h"
#include "convert/converter_config.h"
#include "qlite/calibrator.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"
#include "qlite/session.h"

namespace {

struct Seconds {
  double wall = 1e30, processor = 1e30;
};

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <class T>
T Need(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status());
  return *std::move(value);
}

void Need(const absl::Status& status) {
  if (!status.ok()) Fail(status);
}

void Time(Seconds& least, const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const double processor = ProcessorSeconds();
  work();
  least.processor = std::min(least.processor, ProcessorSeconds() - processor);
  least.wall = std::min(least.wall, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

// The samples shared out over sessions of one thread each, as calibration does it.
class BareRuns {
 public:
  BareRuns(const qlite::Context& context, const qlite::Graph& graph, const qlite::DataSet& data)
      : context_(context), data_(data) {
    const qlite::Context one_thread = context.WithExecutor(qlite::MakeThreadPool(1));
    sessions_.push_back(Need(qlite::Session::Create(one_thread, graph)));
    while (static_cast<int>(sessions_.size()) < context.executor().concurrency()) {
      sessions_.push_back(Need(sessions_[0]->Fork(one_thread)));
    }
  }

  void Decode() {
    ForSamples([&](qlite::Session& session, int64_t sample) { Need(data_.Read(sample, Inputs(session))); });
  }
  void Infer() {
    ForSamples([&](qlite::Session& session, int64_t) { Need(session.Run()); });
  }
  void DecodeAndInfer() {
    ForSamples([&](qlite::Session& session, int64_t sample) {
      Need(data_.Read(sample, Inputs(session)));
      Need(session.Run());
    });
  }

 private:
  static std::vector<qlite::MutableTensorView> Inputs(qlite::Session& session) {
    std::vector<qlite::MutableTensorView> inputs;
    for (size_t i = 0; i < session.input_count(); ++i) inputs.push_back(session.input(i));
    return inputs;
  }

  void ForSamples(const std::function<void(qlite::Session&, int64_t)>& work) {
    const auto workers = static_cast<int64_t>(sessions_.size());
    context_.executor().ParallelFor(workers, [&](int64_t begin, int64_t end, int) {
      for (int64_t worker = begin; worker < end; ++worker) {
        for (int64_t i = worker; i < data_.size(); i += workers) work(*sessions_[static_cast<size_t>(worker)], i);
      }
    });
  }

  const qlite::Context& context_;
  const qlite::DataSet& data_;
  std::vector<std::unique_ptr<qlite::Session>> sessions_;
};

void ComputeRanges(const qlite::Context& context, const qlite::CalibrationTable& table) {
  std::vector<std::string_view> names;
  for (const auto& [name, tensor] : table.tensors) names.push_back(name);
  context.executor().ParallelFor(static_cast<int64_t>(names.size()), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) Need(table.Range(names[static_cast<size_t>(i)]).status());
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_calibration MODEL.onnx CONFIG [threads] [rounds] [METHOD ...]\n");
    return 1;
  }
  const int threads = argc > 3 ? std::atoi(argv[3]) : 1, rounds = argc > 4 ? std::atoi(argv[4]) : 3;
  qlite::ContextOptions options;
  options.num_threads = threads;
  const qlite::Context context = Need(qlite::Context::Create(options));
  qlite::Graph graph = Need(qlite::LoadModel(context, argv[1]));
  qlite::cli::ConvertRequest request;
  std::ifstream file(argv[2]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  Need(qlite::cli::ApplySectionedConfig(text, argv[2], request));
  const auto inputs = Need(qlite::InputSpecs(graph, request.input_shapes));
  const auto data = Need(qlite::cli::OpenDataRequest(request.data, inputs, context.limits()));
  Need(graph.InferShapes(request.input_shapes));
  Need(qlite::SimplifyGraph(context, graph).status());

  BareRuns bare(context, graph, *data);
  Seconds decode, infer, program;
  std::map<std::string, Seconds> methods;
  for (int i = 5; i < argc; ++i) methods[argv[i]] = {};
  if (methods.empty()) methods = {{"MAX_MIN", {}}, {"KL", {}}, {"REMOVAL_OUTLIER", {}}};
  for (int round = 0; round < rounds; ++round) {
    Time(decode, [&] { bare.Decode(); });
    Time(infer, [&] { bare.Infer(); });
    Time(program, [&] { BareRuns(context, graph, *data).DecodeAndInfer(); });
    for (auto& [method, seconds] : methods) {
      Time(seconds, [&, method = method] {
        qlite::CalibratorOptions calibration;
        calibration.method = method;
        calibration.check_inputs = false;
        const auto table = Need(qlite::Calibrator(context, graph, calibration).Run(*data));
        ComputeRanges(context, table);
      });
    }
  }
  std::printf(
      "%d threads, %lld samples, wall (processor) seconds: decode %.3f (%.3f), inference %.3f (%.3f), float program "
      "%.3f (%.3f)\n",
      threads, static_cast<long long>(data->size()), decode.wall, decode.processor, infer.wall, infer.processor,
      program.wall, program.processor);
  const Seconds bare_work{decode.wall + infer.wall, decode.processor + infer.processor};
  for (const auto& [method, seconds] : methods) {
    std::printf("%-16s %.3f (%.3f), %.2f (%.2f) times the bare work, %.2f (%.2f) times the float program\n",
                method.c_str(), seconds.wall, seconds.processor, seconds.wall / bare_work.wall,
                seconds.processor / bare_work.processor, seconds.wall / program.wall,
                seconds.processor / program.processor);
  }
  return 0;
}
