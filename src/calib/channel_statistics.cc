#include "calib/channel_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/error_site.h"
#include "core/infinity.h"
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

void AddTo(int64_t addend, FixedSum* sum) {
  const uint64_t low = sum->low + static_cast<uint64_t>(addend);
  sum->high += (addend < 0 ? -1 : 0) + (low < sum->low ? 1 : 0);
  sum->low = low;
}

// Rounded half to even; 2^26 saturated samples still fit in a FixedSum.
Int128 ToQuanta(double value) {
  constexpr double kLimit = 0x1p100;
  return static_cast<Int128>(std::nearbyint(std::clamp(value / kQuantum, -kLimit, kLimit)));
}

}  // namespace

double ChannelStatistics::Mean(size_t channel) const {
  return static_cast<double>(ToInteger(sum[channel])) * kQuantum / static_cast<double>(count);
}

namespace calib {
namespace {

const kernels::ObserveF32Kernels& Kernels() { return kernels::ObserveF32(kernels::BestVectorIsa()); }

// Into the caches, while the values are scanned: the network's own data have displaced what samples before left there.
template <class T>
void Fetch(const std::vector<T>& values) {
  constexpr size_t kLine = 64 / sizeof(T);
  for (size_t i = 0; i < values.size(); i += kLine) __builtin_prefetch(values.data() + i, 1);
}

int64_t ChannelsOf(const TappedValue& value) { return value.dims.size() < 2 ? 1 : value.dims[1]; }

// Widens the extremes and adds to the sums of every channel.
void Scan(const TappedValue& value, int64_t channels, float* min, float* max, double* sum) {
  const float* data = static_cast<const float*>(value.data);
  if (channels == 1) {
    Kernels().row_statistics(data, 1, value.elements, min, max, sum);
  } else if (value.channels_last || value.dims.size() == 2) {
    Kernels().column_statistics(data, value.elements / channels, channels, min, max, sum);
  } else {
    const int64_t batch = value.dims[0], inner = value.elements / (batch * channels);
    for (int64_t n = 0; n < batch; ++n, data += channels * inner) {
      if (inner == 1) {  // a row of channels: the same sums, without a call for each
        Kernels().column_statistics(data, 1, channels, min, max, sum);
      } else {
        Kernels().row_statistics(data, channels, inner, min, max, sum);
      }
    }
  }
}

}  // namespace

void ChannelScan::Start(int64_t channels) {
  const auto size = static_cast<size_t>(channels);
  min_.assign(size, kInfinity);
  max_.assign(size, -kInfinity);
  sum_.assign(size, 0);
  quanta_.resize(size);
}

void ChannelScan::Begin(const TappedValue& value, int64_t ready) {
  const int64_t channels = ChannelsOf(value);
  if (!value.channels_last || channels < kernels::kGroupedColumns) return;
  if (rows_ == 0) {
    Start(channels);
    groups_.resize(static_cast<size_t>((value.elements / channels / kernels::kGroupRows + 1) * channels));
  }
  ScanGroups(value, ready / channels);
}

void ChannelScan::ScanGroups(const TappedValue& value, int64_t end_row) {
  if (end_row == rows_) return;
  const int64_t channels = ChannelsOf(value);
  Kernels().column_groups(static_cast<const float*>(value.data) + rows_ * channels, rows_, end_row - rows_, channels,
                          min_.data(), max_.data(), groups_.data());
  rows_ = end_row;
}

void ChannelScan::Finish(const TappedValue& value) {
  const int64_t channels = ChannelsOf(value), rows = value.elements / channels;
  ScanGroups(value, rows);
  Kernels().add_groups(groups_.data(), (rows - 1) / kernels::kGroupRows + 1, channels, sum_.data());
  rows_ = 0;
}

std::optional<ObservedRange> ChannelScan::Add(const TappedValue& value, ChannelStatistics* statistics) {
  const int64_t channels = ChannelsOf(value);
  const auto size = static_cast<size_t>(channels);
  if (statistics->count == 0) {
    statistics->min.assign(size, kInfinity);
    statistics->max.assign(size, -kInfinity);
    statistics->sum.resize(size);
  }
  Fetch(statistics->sum);
  Fetch(statistics->min);
  Fetch(statistics->max);
  if (rows_ > 0) {
    Finish(value);
  } else {
    Start(channels);
    Scan(value, channels, min_.data(), max_.data(), sum_.data());
  }
  if (Kernels().to_quanta(sum_.data(), channels, quanta_.data())) {
    for (size_t c = 0; c < size; ++c) AddTo(quanta_[c], &statistics->sum[c]);
  } else {
    // A sum is not finite where a value is not, or where values are so large that a few of them overflow.
    if (!std::all_of(sum_.begin(), sum_.end(), [](double sum) { return std::isfinite(sum); })) return std::nullopt;
    for (size_t c = 0; c < size; ++c) AddTo(ToQuanta(sum_[c]), &statistics->sum[c]);
  }
  statistics->count += static_cast<uint64_t>(value.elements / channels);
  ObservedRange range{min_[0], max_[0]};
  // Zeros are made +0: which of the two is kept would depend on the order of values.
  Kernels().widen(min_.data(), max_.data(), channels, statistics->min.data(), statistics->max.data(), &range.min,
                  &range.max);
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
