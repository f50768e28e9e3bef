#include "calib/channel_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error_site.h"
#include "core/str_cat.h"
#include "kernels/observe_f32.h"

namespace qlite {
namespace {

__extension__ using Int128 = __int128;

// The quantum of a FixedSum.
constexpr double kQuantum = 0x1p-40;

Int128 ToInteger(const FixedSum& sum) { return static_cast<Int128>(sum.high) * (Int128{1} << 64) + sum.low; }

void AddTo(Int128 addend, FixedSum* sum) {
  const Int128 total = ToInteger(*sum) + addend;
  sum->high = static_cast<int64_t>(total >> 64);
  sum->low = static_cast<uint64_t>(total);
}

// Rounded half to even; 2^26 saturated samples still fit in a FixedSum.
Int128 ToQuanta(double value) {
  if (std::fabs(value) < 0x1p22) return static_cast<Int128>(std::llrint(value / kQuantum));  // the same, for less
  constexpr double kLimit = 0x1p100;
  return static_cast<Int128>(std::nearbyint(std::clamp(value / kQuantum, -kLimit, kLimit)));
}

}  // namespace

double ChannelStatistics::Mean(size_t channel) const {
  return static_cast<double>(ToInteger(sum[channel])) * kQuantum / static_cast<double>(count);
}

namespace calib {
namespace {

void Start(int64_t channels, ChannelStatistics* statistics) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  statistics->min.assign(static_cast<size_t>(channels), kInfinity);
  statistics->max.assign(static_cast<size_t>(channels), -kInfinity);
  statistics->sum.resize(static_cast<size_t>(channels));
}

// Widens the extremes and adds to the sums of every channel.
void Scan(const TappedValue& value, int64_t channels, float* min, float* max, double* sum) {
  const float* data = static_cast<const float*>(value.data);
  const kernels::ObserveF32Kernels& kernels = kernels::ObserveF32(kernels::BestVectorIsa());
  if (channels == 1) {
    kernels.row_statistics(data, 1, value.elements, min, max, sum);
  } else if (value.channels_last || value.dims.size() == 2) {
    kernels.column_statistics(data, value.elements / channels, channels, min, max, sum);
  } else {
    const int64_t batch = value.dims[0], inner = value.elements / (batch * channels);
    for (int64_t n = 0; n < batch; ++n) {
      kernels.row_statistics(data + n * channels * inner, channels, inner, min, max, sum);
    }
  }
}

}  // namespace

std::optional<ObservedRange> AddSample(const TappedValue& value, ChannelStatistics* statistics) {
  const int64_t channels = value.dims.size() < 2 ? 1 : value.dims[1];
  if (statistics->count == 0) Start(channels, statistics);
  ChannelStatistics sample;
  Start(channels, &sample);
  std::vector<double> sum(static_cast<size_t>(channels));
  Scan(value, channels, sample.min.data(), sample.max.data(), sum.data());
  statistics->count += static_cast<uint64_t>(value.elements / channels);
  ObservedRange range{sample.min[0], sample.max[0]};
  for (size_t c = 0; c < sum.size(); ++c) {
    // -0 becomes +0: which of the two is kept would depend on the order of values.
    statistics->min[c] = std::min(statistics->min[c], sample.min[c]) + 0.0f;
    statistics->max[c] = std::max(statistics->max[c], sample.max[c]) + 0.0f;
    range = {std::min(range.min, sample.min[c]), std::max(range.max, sample.max[c])};
  }
  for (size_t c = 0; c < sum.size(); ++c) {
    // It is not finite where a value is not, or where values are so large that a few of them overflow.
    if (!std::isfinite(sum[c])) return std::nullopt;
    AddTo(ToQuanta(sum[c]), &statistics->sum[c]);
  }
  return range;
}

absl::Status MergeChannelStatistics(std::string_view value_name, const ChannelStatistics& from,
                                    ChannelStatistics* into) {
  if (into->count == 0) {
    *into = from;
    return absl::OkStatus();
  }
  if (from.min.size() != into->min.size()) {
    return AtValue(
        absl::InvalidArgumentError(StrCat("value '", value_name, "' has ", into->min.size(),
                                          " channels in one calibration table and ", from.min.size(), " in the other")),
        value_name);
  }
  for (size_t c = 0; c < from.min.size(); ++c) {
    into->min[c] = std::min(into->min[c], from.min[c]);
    into->max[c] = std::max(into->max[c], from.max[c]);
    AddTo(ToInteger(from.sum[c]), &into->sum[c]);
  }
  into->count += from.count;
  return absl::OkStatus();
}

bool ValidChannelStatistics(const ChannelStatistics& statistics) {
  const size_t channels = statistics.min.size();
  if (statistics.max.size() != channels || statistics.sum.size() != channels) return false;
  if ((statistics.count == 0) != (channels == 0)) return false;
  // Far from the ends of 128 bits, so that merging cannot overflow.
  constexpr int64_t kMaxHigh = int64_t{1} << 62;
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(statistics.min[c]) || !std::isfinite(statistics.max[c])) return false;
    if (statistics.min[c] > statistics.max[c]) return false;
    if (statistics.sum[c].high > kMaxHigh || statistics.sum[c].high < -kMaxHigh) return false;
  }
  return true;
}

}  // namespace calib
}  // namespace qlite
