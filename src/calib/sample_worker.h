// One thread's share of a calibration: a session, and an observer and channel statistics for every value.
#ifndef QLITE_CALIB_SAMPLE_WORKER_H_
#define QLITE_CALIB_SAMPLE_WORKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "calib/channel_statistics.h"
#include "qlite/calibrator.h"
#include "qlite/session.h"
#include "runtime/early_taps.h"

namespace qlite::calib {

// The session's buffers for the samples of a data set.
std::vector<MutableTensorView> InputBuffers(Session& session);

class SampleWorker {
 public:
  // The references outlive the worker. What is observed does not depend on how values are tapped; without keep_values
  // the method's observers need none.
  SampleWorker(std::unique_ptr<Session> session, const Graph& graph, std::string_view method,
               const ObserverRegistry& registry, const EarlyTapOptions& taps);

  // Reads and runs a sample and observes every float value. After an error the state is unspecified.
  absl::Status Process(const DataSet& data, int64_t index);

  // Adds what was observed since the last call to `tensors` and starts anew.
  absl::Status MoveInto(std::map<std::string, TensorCalibration, std::less<>>* tensors);

 private:
  struct Scan {
    ValueId of;  // invalid while it is idle
    ChannelScan scan;
  };
  // The scan of a value: the one that was begun, or one that was idle.
  Scan& ScanOf(ValueId id);
  absl::Status Observe(ValueId id, const TappedValue& value);

  std::unique_ptr<Session> session_;
  std::vector<MutableTensorView> inputs_;
  const Graph& graph_;
  std::string method_;
  const ObserverRegistry& registry_;
  EarlyTapOptions taps_;
  std::vector<Scan> scans_;
  std::vector<TensorCalibration> tensors_;  // by value; without observer until the value is seen
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_SAMPLE_WORKER_H_
