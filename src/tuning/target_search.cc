#include "tuning/target_search.h"

#include <algorithm>
#include <utility>

#include "core/status_macros.h"

namespace qlite::tuning {
namespace {

// Layers that are tried at fewer bits again in the end, the least sensitive first.
constexpr size_t kMostLowered = 16;

}  // namespace

bool Better(const OutputLoss& a, const OutputLoss& b, const LossTarget& target) {
  if (target.measure == LossMeasure::kCosine && a.cosine != b.cosine) return a.cosine > b.cosine;
  if (target.measure == LossMeasure::kTop1 && a.top1 != b.top1) return a.top1 > b.top1;
  return a.snr_db > b.snr_db;
}

std::vector<int> TargetSearch::Raised(const std::vector<RankedLayer>& ranked, size_t count, int rung) const {
  std::vector<int> rungs(ranked.size(), rung - 1);
  for (size_t i = 0; i < count; ++i) rungs[ranked[i].layer] = rung;
  return rungs;
}

absl::StatusOr<bool> TargetSearch::Try(const std::vector<int>& rungs) {
  QLITE_RETURN_IF_ERROR(context_.Report({.stage = "reach target", .done = tried_++}));
  absl::StatusOr<QuantizationResult> made = variants_.Make(rungs);
  if (!made.ok()) return made.status();
  const absl::StatusOr<OutputLoss> loss = comparer_.Compare(made->graph);
  if (!loss.ok()) return loss.status();
  const bool met = Meets(*loss, target_);
  // Each try that meets the target raises less than the one before that did.
  if (met || (!met_ && Better(*loss, least_, target_))) {
    least_ = *loss;
    best_ = Found{rungs, *loss, *std::move(made)};
  }
  met_ = met_ || met;
  return met;
}

absl::Status TargetSearch::Run(const OutputLoss& start, const std::vector<RankedLayer>& ranked) {
  least_ = start;
  for (int rung = 1; rung < variants_.rungs(); ++rung) {
    const absl::StatusOr<bool> all = Try(Raised(ranked, ranked.size(), rung));
    if (!all.ok()) return all.status();
    if (!*all) continue;
    QLITE_RETURN_IF_ERROR(Bisect(ranked, rung));
    return LowerAgain(ranked);
  }
  return absl::OkStatus();
}

absl::Status TargetSearch::Bisect(const std::vector<RankedLayer>& ranked, int rung) {
  size_t misses = 0, meets = ranked.size();
  while (meets - misses > 1) {
    const size_t middle = misses + (meets - misses) / 2;
    const absl::StatusOr<bool> met = Try(Raised(ranked, middle, rung));
    if (!met.ok()) return met.status();
    (*met ? meets : misses) = middle;
  }
  return absl::OkStatus();
}

absl::Status TargetSearch::LowerAgain(const std::vector<RankedLayer>& ranked) {
  size_t tries = 0;
  for (auto layer = ranked.rbegin(); layer != ranked.rend() && tries < kMostLowered; ++layer) {
    std::vector<int> rungs = best_->rungs;
    const int highest = *std::max_element(rungs.begin(), rungs.end());
    if (rungs[layer->layer] < highest) continue;
    --rungs[layer->layer];
    ++tries;
    if (const absl::StatusOr<bool> met = Try(rungs); !met.ok()) return met.status();
  }
  return absl::OkStatus();
}

}  // namespace qlite::tuning
