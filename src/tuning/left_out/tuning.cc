// Takes the place of the files of this folder in a build without reports (QLITE_REPORTS=OFF).
#include "qlite/loss_target.h"
#include "qlite/sensitivity.h"

namespace qlite {
namespace {

absl::Status LeftOut() {
  return absl::UnimplementedError("this library was built without bounds on the loss (QLITE_REPORTS=OFF)");
}

}  // namespace

absl::StatusOr<LossTarget> ParseLossTarget(std::string_view) { return LeftOut(); }
bool Meets(const OutputLoss&, const LossTarget&) { return false; }

absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context&, const Graph&, const QuantizerOptions&,
                                                      const DataSet&, const LossTarget&, const TargetOptions&) {
  return LeftOut();
}
absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context&, const Graph&, const WeightQuantizerOptions&,
                                                      const DataSet&, const LossTarget&, const TargetOptions&) {
  return LeftOut();
}

absl::StatusOr<OutputLoss> CompareOutputs(const Context&, const Graph&, const Graph&, const DataSet&, int64_t) {
  return LeftOut();
}
absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context&, const Graph&, const QuantizerOptions&,
                                                                 const DataSet&, const SensitivityOptions&) {
  return LeftOut();
}
absl::StatusOr<std::vector<LayerSensitivity>> MeasureSensitivity(const Context&, const Graph&,
                                                                 const WeightQuantizerOptions&, const DataSet&,
                                                                 const SensitivityOptions&) {
  return LeftOut();
}

}  // namespace qlite
