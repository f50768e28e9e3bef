#include "calib/magnitude_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "kernels/observe_f32.h"

namespace qlite::calib {
namespace {

using kernels::kCountLanes;

constexpr int kLogBins = 12;
static_assert(1 << kLogBins == MagnitudeHistogram::kBins);

void MergeBins(int doublings, std::vector<uint64_t>* side) {
  const int shift = std::min(doublings, kLogBins);
  for (size_t bin = 0; bin < side->size(); ++bin) {
    const uint64_t count = std::exchange((*side)[bin], 0);
    (*side)[bin >> shift] += count;
  }
}

// Without the empty bins at the end.
std::vector<uint64_t> Used(std::vector<uint64_t> side) {
  while (!side.empty() && side.back() == 0) side.pop_back();
  return side;
}

void SaveSide(const std::vector<uint64_t>& side, ByteWriter* out) {
  const std::vector<uint64_t> used = Used(side);
  out->Varint(used.size());
  for (const uint64_t count : used) out->Varint(count);
}

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
  range_.Widen(range);
  WidenBins(ExponentFor(range_.MaxMagnitude()));
  const float inverse_width = std::ldexp(1.0f, -exponent_);
  // Small counters that many tensors share stay in the nearest cache; those that no value can reach are not touched.
  const auto counters = std::make_unique_for_overwrite<uint16_t[]>(kernels::CounterCount(kBins));
  static_assert(kDenseValues <= std::numeric_limits<uint16_t>::max() && 2 * kCountedValues <= kDenseValues);
  const std::array<float, 2> extremes = {range.max, -range.min};
  std::array<int64_t, 2> bins;
  const auto counters_of = [&](size_t side) { return counters.get() + side * kBins * kCountLanes; };
  for (size_t side = 0; side < sides_.size(); ++side) {
    bins[side] = extremes[side] > 0 ? static_cast<int64_t>(extremes[side] * inverse_width) + 1 : 0;
    std::fill_n(counters_of(side), bins[side] * kCountLanes, uint16_t{0});
  }
  const size_t period = values.size() <= kDenseValues ? kRunValues : kRunValues * (values.size() / kCountedValues);
  const kernels::ObserveF32Kernels& kernels = kernels::ObserveF32(kernels::BestVectorIsa());
  kernels.count_magnitudes(values.data(), static_cast<int64_t>(values.size()),
                           {.run = kRunValues, .period = static_cast<int64_t>(period)}, inverse_width, kBins,
                           counters.get());
  for (size_t side = 0; side < sides_.size(); ++side) {
    if (std::ssize(sides_[side]) < bins[side]) sides_[side].resize(static_cast<size_t>(bins[side]));
    kernels.add_counters(counters_of(side), bins[side], sides_[side].data());
  }
}

void MagnitudeHistogram::WidenBins(int exponent) {
  if (exponent <= exponent_) return;
  for (Side& side : sides_) MergeBins(exponent - exponent_, &side);
  exponent_ = exponent;
}

void MagnitudeHistogram::Merge(const MagnitudeHistogram& other) {
  MagnitudeHistogram addend = other;
  const int exponent = std::max(exponent_, addend.exponent_);
  WidenBins(exponent);
  addend.WidenBins(exponent);
  for (size_t side = 0; side < sides_.size(); ++side) {
    const Side& from = addend.sides_[side];
    sides_[side].resize(std::max(sides_[side].size(), from.size()));
    for (size_t bin = 0; bin < from.size(); ++bin) sides_[side][bin] += from[bin];
  }
  range_.Widen(addend.range_);
}

std::vector<uint64_t> MagnitudeHistogram::PositiveCounts() const { return Used(sides_[0]); }

std::vector<uint64_t> MagnitudeHistogram::NegativeCounts() const { return Used(sides_[1]); }

void MagnitudeHistogram::Save(ByteWriter* out) const {
  range_.Save(out);
  for (const Side& side : sides_) SaveSide(side, out);
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
