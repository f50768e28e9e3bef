// Minima, maxima and sums of the channels of tapped values.
#ifndef QLITE_CALIB_CHANNEL_STATISTICS_H_
#define QLITE_CALIB_CHANNEL_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "qlite/calibrator.h"
#include "qlite/session.h"

namespace qlite::calib {

// Scans values, and keeps the memory that it takes.
class ChannelScan {
 public:
  // Adds a float32 value of one sample, with one element at least, to `statistics` (made on the first call). Returns
  // the least and the greatest element, or nothing where one is not finite or beyond any use (1e36); the statistics are
  // then unspecified.
  std::optional<ObservedRange> Add(const TappedValue& value, ChannelStatistics* statistics);

 private:
  // Of the sample, by channel.
  std::vector<float> min_, max_;
  std::vector<double> sum_;
  std::vector<int64_t> quanta_;
};

// Adds `from`; kInvalidArgument, naming the value, where the numbers of channels differ.
absl::Status MergeChannelStatistics(std::string_view value_name, const ChannelStatistics& from,
                                    ChannelStatistics* into);

// Whether they can have been observed: equal lengths, extremes finite and in order, a count.
bool ValidChannelStatistics(const ChannelStatistics& statistics);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_CHANNEL_STATISTICS_H_
