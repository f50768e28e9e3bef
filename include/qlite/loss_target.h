// Quantization that keeps the loss at the outputs within a bound: by remedies for what the report finds, and by more
// bits or float where it costs most.
//
//   auto target = ParseLossTarget("cosine:0.995");
//   auto tuned = QuantizeToTarget(context, graph, QuantizerOptions(), data, *target);
//   ExportModel(context, tuned->quantization.graph, "model.qlite", {});
#ifndef QLITE_LOSS_TARGET_H_
#define QLITE_LOSS_TARGET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/diagnosis.h"
#include "qlite/graph.h"
#include "qlite/quantizer.h"
#include "qlite/sensitivity.h"
#include "qlite/weight_quantizer.h"

namespace qlite {

enum class LossMeasure : uint8_t {
  kCosine,  // OutputLoss::cosine is at least the bound, within (0, 1]
  kSnr,     // OutputLoss::snr_db is at least the bound
  kTop1,    // OutputLoss::top1 is at most the bound, in points of a hundred, below 1: within [0, 100)
};

struct LossTarget {
  LossMeasure measure = LossMeasure::kCosine;
  double bound = 0.995;
};

// "cosine:0.995", "snr:30", "top1:0.5". kInvalidArgument says what was found and what is known.
absl::StatusOr<LossTarget> ParseLossTarget(std::string_view text);
// kInvalidArgument for a bound that is out of its measure's range.
absl::Status CheckLossTarget(const LossTarget& target);
bool Meets(const OutputLoss& loss, const LossTarget& target);

struct TargetOptions {
  int64_t samples = 0;               // to hold the target on, spread evenly over the data set; 0: all
  int64_t sensitivity_samples = 32;  // to rank layers with; 0: all
  // First try what remedies there are for the causes that MakeReport finds, those with the largest expected gain first:
  // other options of the quantization (per_channel, equalization, activation_method, scheme, range_search, rounding).
  // Each is kept only where it lowers the loss.
  bool fix = false;
  // Of full quantization with the options as given: resumes or takes the place of its calibration (Quantizer), while
  // the samples measure the loss. Remedies that change the network or its observers calibrate anew. kInvalidArgument
  // for weight quantization, which calibrates nothing.
  const CalibrationTable* resume = nullptr;
};

// A layer that was given more bits than the options say.
struct RaisedLayer {
  std::string node, op;
  int bits = 32;  // 32: float
};

struct TargetedQuantization {
  // As Quantizer::FullQuantize and WeightQuantize give it; with the float graph, for a report.
  QuantizationResult quantization;
  OutputLoss first_loss;  // of the quantization with the options as given
  OutputLoss loss;        // of `quantization`
  bool met = false;
  std::vector<AppliedRemedy> applied;         // the options that were changed and helped, in that order
  std::vector<RaisedLayer> raised;            // in topological order
  std::vector<LayerSensitivity> sensitivity;  // the worst first; empty where the target was met without
};

// Quantizes, measures the loss at the outputs over the samples, and where it misses the target gives the most sensitive
// layers more bits (weight quantization) or leaves them float, as few of them as it takes: their number is bisected
// along the ranking, and each that turns out not to be needed goes back. The same result for any number of threads.
// QuantizerOptions::checkpoint_path takes the calibration of the options as given, done or interrupted.
//
// `met` is false only where the context asked to stop: then it is the best result so far, or kCancelled where there is
// none yet.
absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context& context, const Graph& graph,
                                                      const QuantizerOptions& quantization, const DataSet& data,
                                                      const LossTarget& target, const TargetOptions& options = {});
absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context& context, const Graph& graph,
                                                      const WeightQuantizerOptions& quantization, const DataSet& data,
                                                      const LossTarget& target, const TargetOptions& options = {});

}  // namespace qlite

#endif  // QLITE_LOSS_TARGET_H_
