// Counts of a tensor's values for charts.
#ifndef QLITE_REPORT_HISTOGRAM_H_
#define QLITE_REPORT_HISTOGRAM_H_

#include <cstdint>
#include <span>
#include <vector>

namespace qlite::report {

inline constexpr size_t kHistogramBins = 48;

// Adds how many elements lie in each of kHistogramBins equal parts of [min, max]. Those outside count at the ends, NaN
// nowhere; where min is max, or one is not finite, all count in the middle.
void CountInto(std::span<const float> elements, float min, float max, std::vector<uint64_t>& counts);

}  // namespace qlite::report

#endif  // QLITE_REPORT_HISTOGRAM_H_
