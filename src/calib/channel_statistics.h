// Minima, maxima and sums of the channels of tapped values.
#ifndef QLITE_CALIB_CHANNEL_STATISTICS_H_
#define QLITE_CALIB_CHANNEL_STATISTICS_H_

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "qlite/calibrator.h"
#include "qlite/session.h"

namespace qlite::calib {

// Adds a float32 value of one sample, with one element at least, to `statistics` (made on the first call). Returns the
// least and the greatest element, or nothing where one is not finite or beyond any use (1e36); the statistics are then
// unspecified.
std::optional<ObservedRange> AddSample(const TappedValue& value, ChannelStatistics* statistics);

// Adds `from`; kInvalidArgument, naming the value, where the numbers of channels differ.
absl::Status MergeChannelStatistics(std::string_view value_name, const ChannelStatistics& from,
                                    ChannelStatistics* into);

// Whether they can have been observed: equal lengths, extremes finite and in order, a count.
bool ValidChannelStatistics(const ChannelStatistics& statistics);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_CHANNEL_STATISTICS_H_
