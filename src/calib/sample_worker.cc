#include "calib/sample_worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "calib/channel_statistics.h"
#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite::calib {

std::vector<MutableTensorView> InputBuffers(Session& session) {
  std::vector<MutableTensorView> buffers;
  for (size_t i = 0; i < session.input_count(); ++i) buffers.push_back(session.input(i));
  return buffers;
}

SampleWorker::SampleWorker(std::unique_ptr<Session> session, const Graph& graph, std::string_view method,
                           const ObserverRegistry& registry, const EarlyTapOptions& taps)
    : session_(std::move(session)),
      inputs_(InputBuffers(*session_)),
      graph_(graph),
      method_(method),
      registry_(registry),
      taps_(taps),
      tensors_(graph.value_slots()) {}

absl::Status SampleWorker::Process(const DataSet& data, int64_t index) {
  if (absl::Status status = data.Read(index, inputs_); !status.ok()) return status;
  absl::Status observed;
  const absl::Status ran = RunTappedEarly(*session_, taps_, [&](ValueId id, const TappedValue& value, int64_t ready) {
    if (!observed.ok()) return;
    if (ready == value.elements) {
      observed = Observe(id, value);
    } else if (value.type == ElementType::kFloat32) {
      ScanOf(id).scan.Begin(value, ready);
    }
  });
  return observed.ok() ? ran : observed;
}

SampleWorker::Scan& SampleWorker::ScanOf(ValueId id) {
  const auto of = [&](ValueId wanted) {
    return std::find_if(scans_.begin(), scans_.end(), [&](const Scan& scan) { return scan.of == wanted; });
  };
  auto found = of(id);
  if (found == scans_.end()) found = of(ValueId());
  if (found == scans_.end()) found = scans_.insert(scans_.end(), Scan());
  found->of = id;
  return *found;
}

absl::Status SampleWorker::Observe(ValueId id, const TappedValue& value) {
  if (value.type != ElementType::kFloat32 || value.elements == 0 || graph_.value(id).is_constant()) {
    return absl::OkStatus();
  }
  TensorCalibration& tensor = tensors_[static_cast<size_t>(id.index)];
  if (tensor.observer == nullptr) {
    absl::StatusOr<std::unique_ptr<Observer>> observer = registry_.Make(method_);
    if (!observer.ok()) return observer.status();
    tensor.observer = *std::move(observer);
  }
  Scan& scan = ScanOf(id);
  const std::optional<ObservedRange> range = scan.scan.Add(value, &tensor.channels);
  scan.of = ValueId();
  if (!range) {
    return AtValue(absl::FailedPreconditionError(
                       StrCat("value '", graph_.value(id).name,
                              "' is infinite, NaN or beyond 1e36 somewhere, which no integer range can hold")),
                   graph_.value(id).name);
  }
  tensor.elements += static_cast<uint64_t>(value.elements);
  const size_t count = taps_.keep_values ? static_cast<size_t>(value.elements) : 0;
  return tensor.observer->Observe({static_cast<const float*>(value.data), count}, *range);
}

absl::Status SampleWorker::MoveInto(std::map<std::string, TensorCalibration, std::less<>>* tensors) {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].observer == nullptr) continue;
    TensorCalibration part = std::exchange(tensors_[i], TensorCalibration());
    const std::string& name = graph_.value(ValueId{static_cast<int32_t>(i)}).name;
    TensorCalibration& whole = (*tensors)[name];
    if (whole.observer == nullptr) {
      whole = std::move(part);
      continue;
    }
    if (absl::Status status = whole.observer->Merge(*part.observer); !status.ok()) return status;
    if (absl::Status status = MergeChannelStatistics(name, part.channels, &whole.channels); !status.ok()) return status;
    whole.elements += part.elements;
  }
  return absl::OkStatus();
}

}  // namespace qlite::calib
