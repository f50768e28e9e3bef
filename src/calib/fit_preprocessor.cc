#include <algorithm>
#include <utility>

#include "calib/sample_buffers.h"
#include "calib/sample_loop.h"
#include "core/status_macros.h"
#include "qlite/preprocessor.h"

namespace qlite {
namespace {

// A step of its own for every thread, which learns from the samples that the thread takes.
struct Worker {
  absl::Status Process(const DataSet& data, int64_t sample) {
    QLITE_RETURN_IF_ERROR(data.Read(sample, buffers.views()));
    return step->Observe(buffers.views());
  }

  std::unique_ptr<Preprocessor> step;
  calib::SampleBuffers buffers;
};

absl::StatusOr<std::vector<Worker>> MakeWorkers(const PreprocessorRegistry& registry, std::string_view name,
                                                const std::vector<InputSpec>& inputs, int64_t count) {
  std::vector<Worker> workers;
  for (int64_t i = 0; i < count; ++i) {
    absl::StatusOr<std::unique_ptr<Preprocessor>> step = registry.Make(name);
    if (!step.ok()) return step.status();
    absl::StatusOr<calib::SampleBuffers> buffers = calib::SampleBuffers::Create(inputs);
    if (!buffers.ok()) return buffers.status();
    workers.push_back({*std::move(step), *std::move(buffers)});
  }
  return workers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Preprocessor>> FitPreprocessor(const Context& context,
                                                              const PreprocessorRegistry& registry,
                                                              std::string_view name, const DataSet& data,
                                                              const std::vector<InputSpec>& inputs) {
  if (data.size() <= 0) return absl::InvalidArgumentError("the data set is empty");
  const int64_t count = std::min<int64_t>(context.executor().concurrency(), data.size());
  absl::StatusOr<std::vector<Worker>> workers = MakeWorkers(registry, name, inputs, count);
  if (!workers.ok()) return workers.status();
  const calib::SamplesTaken taken =
      calib::TakeSamples(context, "preprocess", data, 0, data.size(), workers->size(),
                         [&](size_t worker, int64_t sample) { return (*workers)[worker].Process(data, sample); });
  QLITE_RETURN_IF_ERROR(taken.error);
  QLITE_RETURN_IF_ERROR(taken.stopped);
  for (size_t i = 1; i < workers->size(); ++i) QLITE_RETURN_IF_ERROR((*workers)[0].step->Merge(*(*workers)[i].step));
  return std::move((*workers)[0].step);
}

}  // namespace qlite
