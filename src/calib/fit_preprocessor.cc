#include <algorithm>
#include <mutex>
#include <utility>

#include "calib/sample_buffers.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/preprocessor.h"

namespace qlite {
namespace {

// Every thread lets a step of its own learn from samples that it takes one by one; the steps are merged at the end.
class Fit {
 public:
  Fit(const Context& context, const DataSet& data) : context_(context), data_(data) {}

  absl::Status AddWorker(std::unique_ptr<Preprocessor> step, const std::vector<InputSpec>& inputs) {
    absl::StatusOr<calib::SampleBuffers> buffers = calib::SampleBuffers::Create(inputs);
    if (!buffers.ok()) return buffers.status();
    workers_.push_back({std::move(step), *std::move(buffers)});
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Preprocessor>> Run() {
    context_.executor().ParallelFor(static_cast<int64_t>(workers_.size()), [this](int64_t first, int64_t last, int) {
      for (int64_t i = first; i < last; ++i) TakeSamples(workers_[static_cast<size_t>(i)]);
    });
    if (!error_.ok()) return error_;
    for (size_t i = 1; i < workers_.size(); ++i) {
      QLITE_RETURN_IF_ERROR(workers_[0].step->Merge(*workers_[i].step));
    }
    return std::move(workers_[0].step);
  }

 private:
  struct Worker {
    std::unique_ptr<Preprocessor> step;
    calib::SampleBuffers buffers;
  };

  absl::Status TakeSample(Worker& worker, int64_t sample) {
    absl::Status status = data_.Read(sample, worker.buffers.views());
    if (status.ok()) status = worker.step->Observe(worker.buffers.views());
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        StrCat("sample ", sample, " (", data_.Describe(sample), "): ", std::string(status.message())));
  }

  void TakeSamples(Worker& worker) {
    while (true) {
      int64_t sample;
      {
        const std::lock_guard lock(mutex_);
        if (!error_.ok() || next_ >= data_.size()) return;
        sample = next_++;
      }
      const absl::Status status = TakeSample(worker, sample);
      const std::lock_guard lock(mutex_);
      // Samples are taken in order, so the first faulty one is always among those that ran.
      if (!status.ok()) {
        if (error_sample_ < 0 || sample < error_sample_) error_ = status, error_sample_ = sample;
        return;
      }
      ++done_;
      if (error_.ok()) error_ = context_.Report({.stage = "preprocess", .done = done_, .total = data_.size()});
    }
  }

  const Context& context_;
  const DataSet& data_;
  std::vector<Worker> workers_;
  std::mutex mutex_;  // guards the rest
  int64_t next_ = 0, done_ = 0, error_sample_ = -1;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Preprocessor>> FitPreprocessor(const Context& context,
                                                              const PreprocessorRegistry& registry,
                                                              std::string_view name, const DataSet& data,
                                                              const std::vector<InputSpec>& inputs) {
  if (data.size() <= 0) return absl::InvalidArgumentError("the data set is empty");
  Fit fit(context, data);
  const int64_t workers = std::min<int64_t>(context.executor().concurrency(), data.size());
  for (int64_t i = 0; i < workers; ++i) {
    absl::StatusOr<std::unique_ptr<Preprocessor>> step = registry.Make(name);
    if (!step.ok()) return step.status();
    QLITE_RETURN_IF_ERROR(fit.AddWorker(*std::move(step), inputs));
  }
  return fit.Run();
}

}  // namespace qlite
