// The observers that the library brings. Each is made of integer counts, extremes and exact sums, so that its state
// depends on the multiset of samples alone.
#ifndef QLITE_CALIB_BUILTIN_OBSERVERS_H_
#define QLITE_CALIB_BUILTIN_OBSERVERS_H_

#include <memory>
#include <string_view>

#include "qlite/observer.h"

namespace qlite::calib {

// MAX_MIN: the extremes of all values.
std::unique_ptr<Observer> MakeMinMaxObserver();

// REMOVAL_OUTLIER: of the n values of each sample, sorted, those at the indices floor(n / 10000) and
// floor(9999 n / 10000); the range is the mean of each over the samples.
std::unique_ptr<Observer> MakeOutlierObserver();

// KL: the range whose quantized histogram has the smallest Kullback-Leibler divergence from the histogram of all
// values; see kl_threshold.h.
std::unique_ptr<Observer> MakeKlObserver();

// Errors that all of them give.
absl::Status DifferentKinds();
absl::Status DamagedState(std::string_view method);
absl::Status NothingObserved();
// 2 to 16 bits.
absl::Status CheckBits(int bits);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_BUILTIN_OBSERVERS_H_
