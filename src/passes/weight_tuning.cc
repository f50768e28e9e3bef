#include "passes/weight_tuning.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/output_similarity.h"

namespace qlite {
namespace {

constexpr int64_t kMostSamples = 32;
constexpr double kNearEnough = 1.02, kLargestError = 0.9, kLeastError = 1e-4;

// The errors between which the answer lies; 0 where no bound is known yet.
struct Bracket {
  double good = 0, bad = 0;

  double Next(double start) const {
    if (good > 0 && bad > 0) return std::sqrt(good * bad);
    if (good > 0) return std::min(2 * good, kLargestError);
    return bad > 0 ? bad / 2 : start;
  }
  bool Done() const { return good >= kLargestError || (good > 0 && bad > 0 && bad <= good * kNearEnough); }
};

}  // namespace

absl::StatusOr<QuantizationResult> TuneMixedBits(const Context& context, const Graph& graph,
                                                 const WeightQuantizerOptions& options, const DataSet* data) {
  WeightQuantizerOptions fixed = options;
  fixed.auto_tune = false;
  Graph shaped = graph;
  QLITE_RETURN_IF_ERROR(shaped.InferShapes(options.input_shapes));
  absl::StatusOr<OutputReference> reference = OutputReference::Create(context, shaped, data, kMostSamples);
  if (!reference.ok()) return reference.status();
  Bracket bracket;
  std::optional<QuantizationResult> best;
  double best_cosine = 0, closest = 0;
  int round = 0;
  for (; round < options.max_iterations && !bracket.Done(); ++round) {
    QLITE_RETURN_IF_ERROR(context.Report({"search for the error", round, options.max_iterations}));
    fixed.mixed_error = bracket.Next(options.mixed_error);
    if (fixed.mixed_error < kLeastError) break;
    absl::StatusOr<QuantizationResult> result = WeightQuantize(context, graph, fixed, nullptr);
    if (!result.ok()) return result.status();
    const absl::StatusOr<double> cosine = reference->Cosine(context, result->graph);
    if (!cosine.ok()) return cosine.status();
    closest = std::max(closest, *cosine);
    if (*cosine >= options.cosine_target) {
      bracket.good = fixed.mixed_error;
      best_cosine = *cosine;
      best = *std::move(result);
    } else {
      bracket.bad = fixed.mixed_error;
    }
  }
  if (!best) {
    return absl::OutOfRangeError(StrCat("auto_tune: no relative error reached a cosine of ", options.cosine_target,
                                        " in ", round, " rounds, the nearest was ", closest,
                                        "; lower cosine_target, or quantize to a fixed width of 8 bits"));
  }
  best->steps.push_back(StrCat("searched the error in ", round, " rounds: the outputs' mean cosine is ", best_cosine));
  return *std::move(best);
}

}  // namespace qlite
