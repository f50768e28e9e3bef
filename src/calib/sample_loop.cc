#include "calib/sample_loop.h"

#include <mutex>
#include <utility>

#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite::calib {
namespace {

using Process = absl::FunctionRef<absl::Status(size_t worker, int64_t sample)>;

class Loop {
 public:
  Loop(const Context& context, std::string_view stage, const DataSet& data, int64_t begin, int64_t end)
      : context_(context), stage_(stage), data_(data), end_(end), next_(begin) {
    taken_.done = begin;
  }

  void Work(size_t worker, Process process) {
    int64_t sample;
    while (Next(&sample)) End(sample, process(worker, sample));
  }

  SamplesTaken Result() { return std::move(taken_); }

 private:
  bool Next(int64_t* sample) {
    const std::lock_guard lock(mutex_);
    if (!taken_.error.ok() || !taken_.stopped.ok() || next_ >= end_) return false;
    *sample = next_++;
    return true;
  }

  void End(int64_t sample, absl::Status status) {
    if (!status.ok()) status = Prefixed(status, StrCat("sample ", sample, " (", data_.Describe(sample), ")"));
    const std::lock_guard lock(mutex_);
    if (status.ok()) {
      ++taken_.done;
      if (taken_.stopped.ok()) {
        taken_.stopped = context_.Report({.stage = stage_, .done = taken_.done, .total = data_.size()});
      }
    } else if (taken_.error.ok() || sample < error_sample_) {
      taken_.error = std::move(status);
      error_sample_ = sample;
    }
  }

  const Context& context_;
  const std::string_view stage_;
  const DataSet& data_;
  const int64_t end_;
  std::mutex mutex_;  // guards the rest
  int64_t next_, error_sample_ = 0;
  SamplesTaken taken_;
};

}  // namespace

SamplesTaken TakeSamples(const Context& context, std::string_view stage, const DataSet& data, int64_t begin,
                         int64_t end, size_t workers, Process process) {
  Loop loop(context, stage, data, begin, end);
  context.executor().ParallelFor(static_cast<int64_t>(workers), [&](int64_t first, int64_t last, int) {
    for (int64_t worker = first; worker < last; ++worker) loop.Work(static_cast<size_t>(worker), process);
  });
  return loop.Result();
}

}  // namespace qlite::calib
