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

// Scans values, one after the other, and keeps the memory that it takes.
class ChannelScan {
 public:
  // Scans what there is of a float32 value already, its first `ready` elements in memory, of which those of earlier
  // calls may be gone. Values with channels last and kernels::kGroupedColumns channels at least; of others it does
  // nothing, and Add needs them whole.
  void Begin(const TappedValue& value, int64_t ready);

  // Adds the value of one sample, the one that was begun if any was, to `statistics` (made on the first call). It is
  // float32 and has one element at least. Returns the least and the greatest element, or nothing where one is not
  // finite or beyond any use (1e36); the statistics are then unspecified. Parts do not change a bit.
  std::optional<ObservedRange> Add(const TappedValue& value, ChannelStatistics* statistics);

 private:
  void Start(int64_t channels);
  void ScanGroups(const TappedValue& value, int64_t end_row);
  void Finish(const TappedValue& value);

  int64_t rows_ = 0;           // of a value that was begun, channels-last: those scanned
  std::vector<float> groups_;  // its sums by group of rows
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
