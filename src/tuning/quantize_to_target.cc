#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/status_macros.h"
#include "qlite/loss_target.h"
#include "qlite/report.h"
#include "tuning/fixes.h"
#include "tuning/output_comparer.h"
#include "tuning/rank_layers.h"
#include "tuning/target_search.h"
#include "tuning/variants.h"

namespace qlite {
namespace tuning {
namespace {

// Samples that causes are looked for on.
constexpr int64_t kDiagnosedSamples = 16;

// What is done once, with the options as given: the samples are looked at, and the calibration is saved.
absl::Status FinishFirst(QuantizerOptions& options, const CalibrationTable& table) {
  options.check_inputs = false;
  const std::string path = std::exchange(options.checkpoint_path, "");
  return path.empty() ? absl::OkStatus() : table.SaveFile(path);
}
absl::Status FinishFirst(WeightQuantizerOptions&, const CalibrationTable&) { return absl::OkStatus(); }

bool Cancelled(const absl::Status& status) { return status.code() == absl::StatusCode::kCancelled; }

template <class Options>
class Tuner {
 public:
  Tuner(const Context& context, const Graph& graph, const Options& quantization, const DataSet& data,
        const LossTarget& target, const TargetOptions& options)
      : context_(context), graph_(graph), present_(quantization), data_(data), target_(target), options_(options) {}

  absl::StatusOr<TargetedQuantization> Run() {
    QLITE_RETURN_IF_ERROR(CheckLossTarget(target_));
    absl::Status status = Search();
    if (!status.ok() && !(Cancelled(status) && best_)) return status;
    best_->met = Meets(best_->loss, target_);
    best_->quantization.warnings = std::move(warnings_);
    return *std::move(best_);
  }

 private:
  absl::Status Search() {
    if (const absl::StatusOr<bool> first = Attempt(present_, nullptr, options_.resume); !first.ok())
      return first.status();
    best_->first_loss = best_->loss;
    warnings_ = best_->quantization.warnings;
    QLITE_RETURN_IF_ERROR(FinishFirst(present_, best_->quantization.table));
    if (options_.fix) QLITE_RETURN_IF_ERROR(Fix());
    return Meets(best_->loss, target_) ? absl::OkStatus() : Raise();
  }

  // Quantizes with the options; what comes of it is kept, and the result true, where it is better than before.
  absl::StatusOr<bool> Attempt(const Options& options, const tuning::Fix<Options>* fix,
                               const CalibrationTable* resume = nullptr) {
    QLITE_RETURN_IF_ERROR(context_.Report({.stage = "try settings", .done = attempts_++}));
    absl::StatusOr<std::unique_ptr<Variants>> variants = MakeVariants(context_, graph_, options, data_, resume);
    if (!variants.ok()) return variants.status();
    absl::StatusOr<QuantizationResult> made = (*variants)->Make(std::vector<int>((*variants)->layers().size(), 0));
    if (!made.ok()) return made.status();
    // Equalisation changes the float network by rounding alone; each is held against its own.
    absl::StatusOr<OutputComparer> comparer =
        OutputComparer::Create(context_, (*variants)->original(), data_, options_.samples, "compare outputs");
    if (!comparer.ok()) return comparer.status();
    const absl::StatusOr<OutputLoss> loss = comparer->Compare(made->graph);
    if (!loss.ok()) return loss.status();
    if (best_ && !Better(*loss, best_->loss, target_)) return false;
    if (!best_) best_.emplace();
    best_->quantization = *std::move(made);
    const double before_db = std::exchange(best_->loss, *loss).snr_db;
    if (fix != nullptr) best_->applied.push_back({fix->name, fix->expected_db, before_db, loss->snr_db});
    present_ = options;
    variants_ = *std::move(variants);
    comparer_.emplace(*std::move(comparer));
    return true;
  }

  // One remedy after the other, those of the causes that are left first, until none is new or the target is met.
  absl::Status Fix() {
    std::set<std::string> tried;
    std::vector<tuning::Fix<Options>> fixes;
    bool diagnose = true;
    while (!Meets(best_->loss, target_)) {
      if (diagnose) {
        ReportOptions options;
        options.rounds = std::min(data_.size(), kDiagnosedSamples);
        const absl::StatusOr<Report> report =
            MakeReport(context_, variants_->original(), best_->quantization.graph, data_, options);
        if (!report.ok()) return report.status();
        fixes = FixesFor(report->findings, present_);
      }
      const auto next =
          std::find_if(fixes.begin(), fixes.end(), [&](const auto& fix) { return tried.count(fix.name) == 0; });
      if (next == fixes.end()) return absl::OkStatus();
      tried.insert(next->name);
      const absl::StatusOr<bool> better = Attempt(next->options, &*next);
      if (Cancelled(better.status())) return better.status();
      diagnose = better.ok() && *better;  // settings that this network cannot have do not help it
    }
    return absl::OkStatus();
  }

  // More bits, or float, for the most sensitive layers.
  absl::Status Raise() {
    const absl::StatusOr<OutputComparer> comparer =
        OutputComparer::Create(context_, variants_->original(), data_, options_.sensitivity_samples, "compare outputs");
    if (!comparer.ok()) return comparer.status();
    const absl::StatusOr<std::vector<RankedLayer>> ranked = RankLayers(context_, *variants_, *comparer);
    if (!ranked.ok()) return ranked.status();
    for (const RankedLayer& layer : *ranked) best_->sensitivity.push_back(layer.sensitivity);
    TargetSearch search(context_, *variants_, *comparer_, target_);
    const absl::Status status = search.Run(best_->loss, *ranked);
    if (!status.ok() && !Cancelled(status)) return status;
    if (search.best()) QLITE_RETURN_IF_ERROR(Adopt(*std::move(search.best())));
    return status;
  }

  absl::Status Adopt(TargetSearch::Found found) {
    best_->quantization = std::move(found.made);
    best_->loss = found.loss;
    for (size_t i = 0; i < found.rungs.size(); ++i) {
      if (found.rungs[i] == 0) continue;
      const absl::StatusOr<int> bits = variants_->Bits(i, found.rungs[i]), before = variants_->Bits(i, 0);
      if (!bits.ok()) return bits.status();
      if (!before.ok()) return before.status();
      const VariantLayer& layer = variants_->layers()[i];
      if (*bits != *before) best_->raised.push_back({layer.node, layer.op, *bits});
    }
    return absl::OkStatus();
  }

  const Context& context_;
  const Graph& graph_;
  Options present_;
  const DataSet& data_;
  const LossTarget& target_;
  const TargetOptions& options_;
  int64_t attempts_ = 0;
  std::optional<TargetedQuantization> best_;
  std::vector<InputWarning> warnings_;
  std::unique_ptr<Variants> variants_;  // of the best
  std::optional<OutputComparer> comparer_;
};

}  // namespace
}  // namespace tuning

absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context& context, const Graph& graph,
                                                      const QuantizerOptions& quantization, const DataSet& data,
                                                      const LossTarget& target, const TargetOptions& options) {
  return tuning::Tuner<QuantizerOptions>(context, graph, quantization, data, target, options).Run();
}

absl::StatusOr<TargetedQuantization> QuantizeToTarget(const Context& context, const Graph& graph,
                                                      const WeightQuantizerOptions& quantization, const DataSet& data,
                                                      const LossTarget& target, const TargetOptions& options) {
  if (options.resume != nullptr) {
    return absl::InvalidArgumentError("a calibration to resume goes with full quantization alone: weights have none");
  }
  return tuning::Tuner<WeightQuantizerOptions>(context, graph, quantization, data, target, options).Run();
}

}  // namespace qlite
