#include "report/histogram.h"

#include <algorithm>
#include <cmath>

namespace qlite::report {

void CountInto(std::span<const float> elements, float min, float max, std::vector<uint64_t>& counts) {
  counts.resize(kHistogramBins);
  const double width = static_cast<double>(max) - static_cast<double>(min);
  for (const float x : elements) {
    if (std::isnan(x)) continue;
    size_t bin = kHistogramBins / 2;
    if (width > 0 && std::isfinite(width)) {
      const double at = (static_cast<double>(x) - static_cast<double>(min)) / width * kHistogramBins;
      bin = static_cast<size_t>(std::clamp(at, 0.0, kHistogramBins - 1.0));
    }
    ++counts[bin];
  }
}

}  // namespace qlite::report
