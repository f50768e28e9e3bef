// The fewest layers with more bits that meet a target.
#ifndef QLITE_TUNING_TARGET_SEARCH_H_
#define QLITE_TUNING_TARGET_SEARCH_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "qlite/context.h"
#include "qlite/loss_target.h"
#include "tuning/output_comparer.h"
#include "tuning/rank_layers.h"
#include "tuning/variants.h"

namespace qlite::tuning {

// Lower is better, by the measure of the target; among equal ones the signal-to-noise ratio decides.
bool Better(const OutputLoss& a, const OutputLoss& b, const LossTarget& target);

class TargetSearch {
 public:
  TargetSearch(const Context& context, Variants& variants, const OutputComparer& comparer, const LossTarget& target)
      : context_(context), variants_(variants), comparer_(comparer), target_(target) {}

  // `start`: the loss with every layer at rung 0, which misses the target. What was found so far is in best() even
  // where this fails.
  absl::Status Run(const OutputLoss& start, const std::vector<RankedLayer>& ranked);

  struct Found {
    std::vector<int> rungs;
    OutputLoss loss;
    QuantizationResult made;
  };
  // The best so far: that meets the target with the fewest layers raised, or else has the least loss. Nothing where no
  // try was better than the start.
  std::optional<Found>& best() { return best_; }

 private:
  // The `count` first of the ranking at `rung`, the others one lower.
  std::vector<int> Raised(const std::vector<RankedLayer>& ranked, size_t count, int rung) const;
  // Whether the target is met; the loss is kept where it is the best so far.
  absl::StatusOr<bool> Try(const std::vector<int>& rungs);
  absl::Status Bisect(const std::vector<RankedLayer>& ranked, int rung);
  absl::Status LowerAgain(const std::vector<RankedLayer>& ranked);

  const Context& context_;
  Variants& variants_;
  const OutputComparer& comparer_;
  const LossTarget& target_;
  int64_t tried_ = 0;
  OutputLoss least_;  // so far
  std::optional<Found> best_;
  bool met_ = false;
};

}  // namespace qlite::tuning

#endif  // QLITE_TUNING_TARGET_SEARCH_H_
