#include "qlite/calibrator.h"

#include <algorithm>
#include <utility>

#include "calib/sample_loop.h"
#include "calib/sample_worker.h"
#include "calib/worker_sessions.h"
#include "core/str_cat.h"
#include "kernels/last_cache.h"

namespace qlite {
namespace {

using calib::SampleWorker;

constexpr std::string_view kStage = "calibrate";

// One for each thread that there is a sample for, fewer where the memory budget says so.
absl::StatusOr<std::vector<SampleWorker>> MakeWorkers(const Context& context, const Graph& graph,
                                                      std::string_view method, const ObserverRegistry& registry,
                                                      int64_t samples) {
  std::vector<SampleWorker> workers;
  const int64_t most = std::min<int64_t>(context.executor().concurrency(), samples);
  if (most <= 0) return workers;
  const auto observer = registry.Make(method);
  if (!observer.ok()) return observer.status();
  // From a near cache large values come back fast enough, and the next reader finds what was scanned last.
  const EarlyTapOptions taps = {.keep_values = (*observer)->needs_values(),
                                .split_values = !kernels::HasNearLastCache()};
  auto sessions = calib::MakeWorkerSessions(context, graph, most, taps);
  if (!sessions.ok()) return sessions.status();
  for (std::unique_ptr<Session>& session : *sessions) {
    workers.emplace_back(std::move(session), graph, method, registry, taps);
  }
  return workers;
}

// What a calibration needs before its first sample.
struct Preparation {
  absl::StatusOr<uint64_t> data_fingerprint;
  uint64_t graph_fingerprint = 0;
  absl::StatusOr<std::vector<SampleWorker>> workers;
};

// The workers on the calling thread, and beside it what names graph and data.
Preparation Prepare(const Context& context, const Graph& graph, const DataSet& data, std::string_view method,
                    const ObserverRegistry& registry, int64_t samples) {
  Preparation made;
  enum Task : int64_t { kWorkers, kFingerprints, kTasks };
  context.executor().ParallelFor(kTasks, [&](int64_t begin, int64_t end, int) {
    for (int64_t task = begin; task < end; ++task) {
      if (task == kWorkers) {
        made.workers = MakeWorkers(context, graph, method, registry, samples);
      } else {
        made.graph_fingerprint = GraphFingerprint(graph);
        made.data_fingerprint = data.Fingerprint();
      }
    }
  });
  return made;
}

// Samples run in rounds that end where a checkpoint is due.
class CalibrationRun {
 public:
  CalibrationRun(const Context& context, const CalibratorOptions& options, const DataSet& data, CalibrationTable table,
                 std::vector<SampleWorker> workers)
      : context_(context), options_(options), data_(data), table_(std::move(table)), workers_(std::move(workers)) {}

  absl::StatusOr<CalibrationTable> Run() {
    const int64_t total = data_.size();
    const int64_t round =
        !options_.checkpoint_path.empty() && options_.checkpoint_every > 0 ? options_.checkpoint_every : total;
    stopped_ = context_.Report({.stage = kStage, .done = table_.samples_done, .total = total});
    while (stopped_.ok() && table_.samples_done < total) {
      const int64_t end = table_.samples_done + std::min(round, total - table_.samples_done);
      if (absl::Status status = RunRound(end); !status.ok()) return status;
      if (!options_.checkpoint_path.empty() && (end < total || !stopped_.ok())) {
        if (absl::Status status = table_.SaveFile(options_.checkpoint_path); !status.ok()) return status;
      }
    }
    if (!stopped_.ok()) return stopped_;
    return std::move(table_);
  }

 private:
  // Runs the samples up to `end`, fewer when cancelled, and adds them to the table.
  absl::Status RunRound(int64_t end) {
    calib::SamplesTaken taken =
        calib::TakeSamples(context_, kStage, data_, table_.samples_done, end, workers_.size(),
                           [this](size_t worker, int64_t sample) { return workers_[worker].Process(data_, sample); });
    if (!taken.error.ok()) return taken.error;
    for (SampleWorker& worker : workers_) {
      if (absl::Status status = worker.MoveInto(&table_.tensors); !status.ok()) return status;
    }
    table_.samples_done = taken.done;
    stopped_ = std::move(taken.stopped);
    return absl::OkStatus();
  }

  const Context& context_;
  const CalibratorOptions& options_;
  const DataSet& data_;
  CalibrationTable table_;
  std::vector<SampleWorker> workers_;
  absl::Status stopped_;
};

absl::Status CheckResumable(const CalibrationTable& resume, const CalibrationTable& fresh, const DataSet& data) {
  const auto refuse = [](std::string_view what) {
    return absl::InvalidArgumentError(StrCat("the calibration cannot be resumed: the saved table is of ", what));
  };
  if (resume.method != fresh.method) return refuse(StrCat("method ", resume.method, ", not ", fresh.method));
  // Samples before the graph: equalisation makes of other samples another graph too.
  if (resume.data_fingerprint != fresh.data_fingerprint) {
    return refuse("other samples: other files, another number of them, or prepared in another way");
  }
  if (resume.graph_fingerprint != fresh.graph_fingerprint) {
    return refuse("another graph: of another model, or simplified or equalised with other settings");
  }
  if (resume.samples_done < 0 || resume.samples_done > data.size()) {
    return refuse(StrCat(resume.samples_done, " samples, but the data set has ", data.size()));
  }
  return absl::OkStatus();
}

absl::Status CopyTensors(const CalibrationTable& from, const ObserverRegistry& registry, CalibrationTable* into) {
  for (const auto& [name, tensor] : from.tensors) {
    absl::StatusOr<std::unique_ptr<Observer>> observer = registry.Make(from.method);
    if (!observer.ok()) return observer.status();
    if (absl::Status status = (*observer)->Load(tensor.observer->Save()); !status.ok()) return status;
    into->tensors[name] = {.observer = *std::move(observer), .channels = tensor.channels, .elements = tensor.elements};
  }
  into->samples_done = from.samples_done;
  return absl::OkStatus();
}

}  // namespace

Calibrator::Calibrator(const Context& context, const Graph& graph, CalibratorOptions options)
    : context_(context), graph_(graph), options_(std::move(options)) {}

absl::StatusOr<CalibrationTable> Calibrator::Run(const DataSet& data, const CalibrationTable* resume) {
  if (data.size() <= 0) return absl::InvalidArgumentError("the data set is empty");
  if (options_.checkpoint_every < 0) return absl::InvalidArgumentError("checkpoint_every is negative");
  const ObserverRegistry defaults = ObserverRegistry::Default();
  const ObserverRegistry& registry = options_.registry != nullptr ? *options_.registry : defaults;
  if (absl::Status known = registry.Make(options_.method).status(); !known.ok()) return known;
  const int64_t done = resume == nullptr ? 0 : std::clamp<int64_t>(resume->samples_done, 0, data.size());
  if (options_.check_inputs && done == 0) {
    absl::StatusOr<std::vector<InputWarning>> warnings = CheckInputStatistics(data, graph_);
    if (!warnings.ok()) return warnings.status();
    for (const InputWarning& warning : *warnings) {
      context_.Log(LogLevel::kWarning, StrCat(warning.likely_mistake, ": ", warning.evidence));
    }
  }
  Preparation made = Prepare(context_, graph_, data, options_.method, registry, data.size() - done);
  CalibrationTable table;
  table.method = options_.method;
  if (!made.data_fingerprint.ok()) return made.data_fingerprint.status();
  table.data_fingerprint = *made.data_fingerprint;
  table.graph_fingerprint = made.graph_fingerprint;
  if (resume != nullptr) {
    if (absl::Status status = CheckResumable(*resume, table, data); !status.ok()) return status;
    if (absl::Status status = CopyTensors(*resume, registry, &table); !status.ok()) return status;
  }
  if (!made.workers.ok()) return made.workers.status();
  return CalibrationRun(context_, options_, data, std::move(table), *std::move(made.workers)).Run();
}

}  // namespace qlite
