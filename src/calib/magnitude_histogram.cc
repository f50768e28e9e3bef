#include "calib/magnitude_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/observe_f32.h"

namespace qlite::calib {
namespace {

constexpr int kLogBins = 12;
static_assert(1 << kLogBins == MagnitudeHistogram::kBins);

void MergeBins(int doublings, std::vector<uint64_t>* side) {
  const int shift = std::min(doublings, kLogBins);
  for (size_t bin = 0; bin < side->size(); ++bin) {
    const uint64_t count = std::exchange((*side)[bin], 0);
    (*side)[bin >> shift] += count;
  }
}

// 2^exponent for the exponent of a normal float.
float PowerOfTwo(int exponent) { return std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23); }

size_t FirstCounter(size_t side) { return side * MagnitudeHistogram::kBins; }

// `extreme`: the largest magnitude of this side, which no bin in use may lie beyond; negative where the side is empty.
bool LoadSide(ByteReader* in, double extreme, double width, std::vector<uint64_t>* side) {
  const uint64_t used = in->Varint();
  const uint64_t most = extreme < 0 ? 0 : static_cast<uint64_t>(extreme / width) + 1;
  if (used > most || used > MagnitudeHistogram::kBins) return false;
  side->resize(used);
  for (uint64_t bin = 0; bin < used; ++bin) {
    constexpr uint64_t kMaxCount = uint64_t{1} << 48;
    (*side)[bin] = in->Varint();
    if ((*side)[bin] > kMaxCount) return false;
  }
  return used == 0 || (*side)[used - 1] > 0;
}

}  // namespace

int MagnitudeHistogram::ExponentFor(float magnitude) {
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
  return magnitude == 0 ? kLowestExponent : std::max(exponent - kLogBins, kLowestExponent);
}

double MagnitudeHistogram::bin_width() const { return std::ldexp(1.0, exponent_); }

void MagnitudeHistogram::Add(std::span<const float> values, const ObservedRange& range) {
  constexpr size_t kMostRecent = std::numeric_limits<uint16_t>::max();
  static_assert(std::max(kDenseValues, 2 * kCountedValues + kRunValues) <= kMostRecent);
  const size_t period = values.size() <= kDenseValues ? kRunValues : kRunValues * (values.size() / kCountedValues);
  const size_t counted = std::min(values.size(), (values.size() / period + 1) * kRunValues);
  ValueRange wider = range_;
  wider.Widen(range);
  const int exponent = ExponentFor(wider.MaxMagnitude());
  if (exponent > exponent_ || recent_values_ + counted > kMostRecent) Settle();
  range_ = wider;
  WidenBins(exponent);
  recent_.resize(kernels::CounterCount(kBins));
  recent_values_ += counted;
  FetchRecent();
  kernels::ObserveF32(kernels::BestVectorIsa())
      .count_magnitudes(values.data(), static_cast<int64_t>(values.size()),
                        {.run = kRunValues, .period = static_cast<int64_t>(period)}, PowerOfTwo(-exponent_), kBins,
                        recent_.data());
}

int64_t MagnitudeHistogram::ReachableBins(size_t side) const {
  const float extreme = side == 0 ? range_.max : -range_.min;
  return extreme > 0 ? static_cast<int64_t>(extreme * PowerOfTwo(-exponent_)) + 1 : 0;
}

void MagnitudeHistogram::FetchRecent() const {
  constexpr int64_t kLine = 64 / sizeof(uint16_t);
  for (size_t side = 0; side < sides_.size(); ++side) {
    const uint16_t* counters = recent_.data() + FirstCounter(side);
    for (int64_t bin = 0; bin < ReachableBins(side); bin += kLine) __builtin_prefetch(counters + bin, 1);
  }
}

void MagnitudeHistogram::AddRecent(size_t side, Side* counts) const {
  if (recent_values_ == 0) return;
  const int64_t bins = ReachableBins(side);
  if (std::ssize(*counts) < bins) counts->resize(static_cast<size_t>(bins));
  kernels::ObserveF32(kernels::BestVectorIsa()).add_counters(recent_.data() + FirstCounter(side), bins, counts->data());
}

void MagnitudeHistogram::Settle() {
  if (recent_values_ == 0) return;
  for (size_t side = 0; side < sides_.size(); ++side) {
    AddRecent(side, &sides_[side]);
    std::fill_n(recent_.data() + FirstCounter(side), ReachableBins(side), uint16_t{0});
  }
  recent_values_ = 0;
}

void MagnitudeHistogram::WidenBins(int exponent) {
  if (exponent <= exponent_) return;
  for (Side& side : sides_) MergeBins(exponent - exponent_, &side);
  exponent_ = exponent;
}

void MagnitudeHistogram::Merge(const MagnitudeHistogram& other) {
  Settle();
  WidenBins(other.exponent_);
  for (size_t side = 0; side < sides_.size(); ++side) {
    Side addend = other.Counts(side);
    MergeBins(exponent_ - other.exponent_, &addend);
    sides_[side].resize(std::max(sides_[side].size(), addend.size()));
    for (size_t bin = 0; bin < addend.size(); ++bin) sides_[side][bin] += addend[bin];
  }
  range_.Widen(other.range_);
}

std::vector<uint64_t> MagnitudeHistogram::Counts(size_t side) const {
  Side counts = sides_[side];
  AddRecent(side, &counts);
  while (!counts.empty() && counts.back() == 0) counts.pop_back();
  return counts;
}

void MagnitudeHistogram::Save(ByteWriter* out) const {
  range_.Save(out);
  for (size_t side = 0; side < sides_.size(); ++side) {
    const Side counts = Counts(side);
    out->Varint(counts.size());
    for (const uint64_t count : counts) out->Varint(count);
  }
}

bool MagnitudeHistogram::Load(ByteReader* in) {
  MagnitudeHistogram loaded;
  if (!loaded.range_.Load(in)) return false;
  const ValueRange& range = loaded.range_;
  loaded.exponent_ = ExponentFor(range.MaxMagnitude());
  const double width = loaded.bin_width();
  const double positive_extreme = !range.empty() && range.max > 0 ? range.max : -1;
  const double negative_extreme = !range.empty() && range.min < 0 ? -double{range.min} : -1;
  if (!LoadSide(in, positive_extreme, width, &loaded.sides_[0])) return false;
  if (!LoadSide(in, negative_extreme, width, &loaded.sides_[1])) return false;
  *this = std::move(loaded);
  return true;
}

}  // namespace qlite::calib
