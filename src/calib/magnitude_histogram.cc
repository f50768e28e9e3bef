#include "calib/magnitude_histogram.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/observe_f32.h"

namespace qlite::calib {
namespace {

using kernels::kCountLanes;

constexpr int kLogBins = 12;
static_assert(1 << kLogBins == MagnitudeHistogram::kBins);
void AddCounters(const uint16_t* counters, size_t bins, std::vector<uint64_t>* side) {
  if (side->empty()) side->resize(MagnitudeHistogram::kBins);
  for (size_t bin = 0; bin < bins; ++bin) {
    uint32_t sum = 0;
    for (int lane = 0; lane < kCountLanes; ++lane) sum += counters[bin * kCountLanes + static_cast<size_t>(lane)];
    (*side)[bin] += sum;
  }
}

void MergeBins(int doublings, std::vector<uint64_t>* side) {
  const int shift = std::min(doublings, kLogBins);
  for (size_t bin = 0; bin < side->size(); ++bin) {
    const uint64_t count = std::exchange((*side)[bin], 0);
    (*side)[bin >> shift] += count;
  }
}

size_t UsedBins(const std::vector<uint64_t>& side) {
  size_t used = side.size();
  while (used > 0 && side[used - 1] == 0) --used;
  return used;
}

void SaveSide(const std::vector<uint64_t>& side, ByteWriter* out) {
  const size_t used = UsedBins(side);
  out->Varint(used);
  for (size_t bin = 0; bin < used; ++bin) out->Varint(side[bin]);
}

// `extreme`: the largest magnitude of this side, which the last bin in use must hold; negative where the side is empty.
bool LoadSide(ByteReader* in, double extreme, double width, std::vector<uint64_t>* side) {
  const uint64_t used = in->Varint();
  const uint64_t expected = extreme < 0 ? 0 : static_cast<uint64_t>(extreme / width) + 1;
  if (used != expected || used > MagnitudeHistogram::kBins) return false;
  if (used > 0) side->resize(MagnitudeHistogram::kBins);
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
  const size_t stride = values.size() > kDenseValues ? kSampledRuns : 1;
  std::vector<uint16_t> counters(static_cast<size_t>(kernels::CounterCount(kBins)));
  // A tensor of one block is counted whole, of a larger one so many sampled blocks fit in the counters together.
  static_assert(kDenseValues <= kernels::kMaxCounted);
  constexpr size_t kBlocksTogether = kernels::kMaxCounted / (kernels::kMaxCounted / kSampledRuns + kRunValues);
  for (size_t block = 0; !values.empty(); ++block) {
    if (block > 0 && block % kBlocksTogether == 0) TakeCounters(range, &counters);
    const size_t count = std::min<size_t>(values.size(), kernels::kMaxCounted);
    CountBlock(values.first(count), stride, &counters);
    values = values.subspan(count);
  }
  TakeCounters(range, &counters);
}

void MagnitudeHistogram::CountBlock(std::span<const float> values, size_t stride,
                                    std::vector<uint16_t>* counters) const {
  const float inverse_width = std::ldexp(1.0f, -exponent_);
  const auto& observe = kernels::ObserveF32(kernels::BestIsa());
  const size_t run = stride == 1 ? values.size() : kRunValues;
  for (size_t begin = 0; begin < values.size(); begin += run * stride) {
    const auto count = static_cast<int64_t>(std::min(run, values.size() - begin));
    observe.count_magnitudes(values.data() + begin, count, inverse_width, kBins, counters->data());
  }
}

void MagnitudeHistogram::TakeCounters(const ObservedRange& range, std::vector<uint16_t>* counters) {
  const float inverse_width = std::ldexp(1.0f, -exponent_);
  const auto reached = [inverse_width](float extreme) { return static_cast<size_t>(extreme * inverse_width) + 1; };
  const auto take = [counters](size_t first, size_t bins, Side* side) {
    uint16_t* begin = counters->data() + first * kCountLanes;
    AddCounters(begin, bins, side);
    std::fill(begin, begin + bins * kCountLanes, uint16_t{0});
  };
  if (range.max > 0) take(0, reached(range.max), &positive_);
  if (range.min < 0) take(kBins, reached(-range.min), &negative_);
}

void MagnitudeHistogram::WidenBins(int exponent) {
  if (exponent <= exponent_) return;
  MergeBins(exponent - exponent_, &positive_);
  MergeBins(exponent - exponent_, &negative_);
  exponent_ = exponent;
}

void MagnitudeHistogram::Merge(const MagnitudeHistogram& other) {
  MagnitudeHistogram addend = other;
  const int exponent = std::max(exponent_, addend.exponent_);
  WidenBins(exponent);
  addend.WidenBins(exponent);
  for (auto [into, from] : {std::pair(&positive_, &addend.positive_), std::pair(&negative_, &addend.negative_)}) {
    if (into->empty()) into->resize(from->size());
    for (size_t bin = 0; bin < from->size(); ++bin) (*into)[bin] += (*from)[bin];
  }
  range_.Widen(addend.range_);
}

std::vector<uint64_t> MagnitudeHistogram::PositiveCounts() const {
  Side counts = positive_;
  counts.resize(UsedBins(counts));
  return counts;
}

std::vector<uint64_t> MagnitudeHistogram::NegativeCounts() const {
  Side counts = negative_;
  counts.resize(UsedBins(counts));
  return counts;
}

void MagnitudeHistogram::Save(ByteWriter* out) const {
  range_.Save(out);
  SaveSide(positive_, out);
  SaveSide(negative_, out);
}

bool MagnitudeHistogram::Load(ByteReader* in) {
  MagnitudeHistogram loaded;
  if (!loaded.range_.Load(in)) return false;
  const ValueRange& range = loaded.range_;
  loaded.exponent_ = ExponentFor(range.MaxMagnitude());
  const double width = loaded.bin_width();
  const double positive_extreme = !range.empty() && range.max > 0 ? range.max : -1;
  const double negative_extreme = !range.empty() && range.min < 0 ? -double{range.min} : -1;
  if (!LoadSide(in, positive_extreme, width, &loaded.positive_)) return false;
  if (!LoadSide(in, negative_extreme, width, &loaded.negative_)) return false;
  *this = std::move(loaded);
  return true;
}

}  // namespace qlite::calib
