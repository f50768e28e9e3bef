// Runs the float network over a data set and records, for each activation, what its quantization needs.
#ifndef QLITE_CALIBRATOR_H_
#define QLITE_CALIBRATOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/observer.h"

namespace qlite {

// Exact sum of floats whatever their order: fixed point, quantum 2^-40, saturating far beyond any activation. A
// sample's contribution is its channel's sum over its values in memory, in an order that its shape fixes, rounded once
// to the quantum.
struct FixedSum {
  int64_t high = 0;  // the 128-bit two's complement sum, upper and lower half
  uint64_t low = 0;
  friend bool operator==(const FixedSum&, const FixedSum&) = default;
};

// Minimum, maximum and mean of each channel (second dimension of the value; one channel for rank < 2) over all samples.
// The means drive bias correction, the ranges equalisation. All are independent of sample order, threads and merges.
struct ChannelStatistics {
  std::vector<float> min, max;
  std::vector<FixedSum> sum;
  uint64_t count = 0;  // elements of each channel seen

  double Mean(size_t channel) const;
};

struct TensorCalibration {
  std::unique_ptr<Observer> observer;
  ChannelStatistics channels;
  uint64_t elements = 0;  // seen over all samples
};

// The result of a calibration, whole or of one shard: per value name an observer's state and channel statistics. Tables
// of the same graph and method merge in any order to the same bits. Movable.
class CalibrationTable {
 public:
  std::string method;              // observer's name
  uint64_t graph_fingerprint = 0;  // of the float graph's structure and weights
  uint64_t data_fingerprint = 0;   // of the data set; 0 after a merge of different sets
  int64_t samples_done = 0;        // the first samples_done samples of the data set are in
  std::map<std::string, TensorCalibration, std::less<>> tensors;

  // kNotFound for an unobserved value.
  absl::StatusOr<ObservedRange> Range(std::string_view value_name, int bits = 8) const;

  // kInvalidArgument where method or graph differ.
  absl::Status Merge(const CalibrationTable& other);

  // Bytes, equal for equal tables; and back, refusing what is damaged (checksum) or of another version.
  absl::StatusOr<std::string> Serialize() const;
  static absl::StatusOr<CalibrationTable> Parse(std::string_view bytes, const ObserverRegistry& registry);
  absl::Status SaveFile(const std::string& path) const;
  static absl::StatusOr<CalibrationTable> LoadFile(const std::string& path, const ObserverRegistry& registry);
};

struct CalibratorOptions {
  std::string method = "MAX_MIN";
  const ObserverRegistry* registry = nullptr;  // null: ObserverRegistry::Default()
  // The first samples look like what the network was trained on? See CheckInputStatistics.
  bool check_inputs = true;
  // Where set, the state so far is saved there when the run is interrupted, and every `checkpoint_every` samples.
  std::string checkpoint_path;
  int64_t checkpoint_every = 0;
};

// A warning about the samples: which likely mistake, and the evidence for it.
struct InputWarning {
  std::string likely_mistake;  // "pixel values were not scaled", "channels are swapped", ...
  std::string evidence;
};

class Calibrator {
 public:
  // `graph`: the float graph that the Quantizer will rewrite (already simplified). Must outlive the Calibrator.
  Calibrator(const Context& context, const Graph& graph, CalibratorOptions options);

  // Observes all samples, each on one thread of the context, and returns the table. `resume`: a table of an interrupted
  // run over the same graph, data and method; its samples are not run again. On cancellation the checkpoint is written
  // and kCancelled returned. Non-finite activations are an error that names sample and value. Memory: one activation
  // arena and one set of observers a thread, whatever the number of samples.
  absl::StatusOr<CalibrationTable> Run(const DataSet& data, const CalibrationTable* resume = nullptr);

  // Looks at the first few samples and says what seems wrong with their preprocessing, judged from the statistics that
  // BatchNormalization layers carry (`original`: the graph before they were folded) and from how activations of the
  // first layers behave under the alternatives (unscaled, mean kept, channels swapped, other layout).
  absl::StatusOr<std::vector<InputWarning>> CheckInputStatistics(const DataSet& data, const Graph& original);

 private:
  Context context_;
  const Graph& graph_;
  CalibratorOptions options_;
};

// The specs of the graph's inputs with batch 1 (an unknown dimension other than the first is an error that names it,
// unless `shapes` gives it).
absl::StatusOr<std::vector<InputSpec>> InputSpecs(const Graph& graph,
                                                  const std::map<std::string, std::vector<int64_t>>& shapes = {});

// A hash of operators, attributes, names and weights.
uint64_t GraphFingerprint(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_CALIBRATOR_H_
