// An observer of one's own: the mean over samples of each sample's smallest and largest value.
//
// One odd picture among a hundred then moves the range by a hundredth of what it moves MAX_MIN.
#ifndef QLITE_EXAMPLES_CUSTOM_OBSERVER_MEAN_EXTREMES_H_
#define QLITE_EXAMPLES_CUSTOM_OBSERVER_MEAN_EXTREMES_H_

#include <cstdint>

#include "qlite/observer.h"

class MeanExtremes : public qlite::Observer {
 public:
  absl::Status Observe(std::span<const float> values, qlite::ObservedRange range) override;
  absl::Status Merge(const qlite::Observer& other) override;
  bool needs_values() const override { return false; }
  std::string Save() const override;
  absl::Status Load(std::string_view bytes) override;
  absl::StatusOr<qlite::ObservedRange> Compute(int bits) const override;

 private:
  // Sums in whole 2^-20: integers can be added in any order, which an observer's state must allow.
  int64_t sum_of_minima_ = 0;
  int64_t sum_of_maxima_ = 0;
  int64_t samples_ = 0;
};

#endif  // QLITE_EXAMPLES_CUSTOM_OBSERVER_MEAN_EXTREMES_H_
