#include "mean_extremes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/status/status.h"

namespace {

constexpr double kUnit = 0x1p-20;
// Beyond any activation, and so small that 2^20 samples fit in the sums.
constexpr double kLargest = 0x1p22;

int64_t ToUnits(float value) {
  return std::llround(std::clamp(static_cast<double>(value), -kLargest, kLargest) / kUnit);
}

}  // namespace

absl::Status MeanExtremes::Observe(std::span<const float>, qlite::ObservedRange range) {
  sum_of_minima_ += ToUnits(range.min);
  sum_of_maxima_ += ToUnits(range.max);
  ++samples_;
  return absl::OkStatus();
}

absl::Status MeanExtremes::Merge(const qlite::Observer& other) {
  const auto* same = dynamic_cast<const MeanExtremes*>(&other);
  if (same == nullptr) return absl::InvalidArgumentError("observers of different kinds cannot be merged");
  sum_of_minima_ += same->sum_of_minima_;
  sum_of_maxima_ += same->sum_of_maxima_;
  samples_ += same->samples_;
  return absl::OkStatus();
}

std::string MeanExtremes::Save() const {
  const int64_t state[] = {sum_of_minima_, sum_of_maxima_, samples_};
  return {reinterpret_cast<const char*>(state), sizeof(state)};
}

absl::Status MeanExtremes::Load(std::string_view bytes) {
  int64_t state[3];
  if (bytes.size() != sizeof(state)) return absl::DataLossError("a saved MEAN_EXTREMES has 24 bytes");
  std::memcpy(state, bytes.data(), sizeof(state));
  constexpr int64_t kMostSamples = int64_t{1} << 20;
  constexpr int64_t kLargestSum = kMostSamples << 42;  // that many of the largest extremes
  const auto possible = [](int64_t sum) { return sum >= -kLargestSum && sum <= kLargestSum; };
  if (state[2] < 0 || state[2] > kMostSamples || !possible(state[0]) || !possible(state[1]) || state[0] > state[1]) {
    return absl::DataLossError("a saved MEAN_EXTREMES is damaged");
  }
  sum_of_minima_ = state[0];
  sum_of_maxima_ = state[1];
  samples_ = state[2];
  return absl::OkStatus();
}

absl::StatusOr<qlite::ObservedRange> MeanExtremes::Compute(int) const {
  if (samples_ == 0) return absl::FailedPreconditionError("no values were observed");
  const auto mean = [this](int64_t sum) {
    return static_cast<float>(static_cast<double>(sum) * kUnit / static_cast<double>(samples_));
  };
  return qlite::ObservedRange{mean(sum_of_minima_), mean(sum_of_maxima_)};
}
