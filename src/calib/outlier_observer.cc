#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "calib/builtin_observers.h"
#include "calib/exact_sum.h"
#include "core/infinity.h"
#include "kernels/observe_f32.h"

namespace qlite::calib {
namespace {

// The `count` values that come first in the order `Before`, of any number of values. Candidates are collected and cut
// back to `count` whenever twice as many are held: linear time for any order of the values.
template <class Before>
class Foremost {
 public:
  Foremost(size_t count, float last_of_all) : count_(count), bound_(last_of_all) { kept_.reserve(2 * count); }

  // The value that others must come before to be kept.
  float bound() const { return bound_; }

  void Offer(float value) {
    if (!Before()(value, bound_)) return;
    kept_.push_back(value);
    if (kept_.size() == 2 * count_) Cut();
  }

  // The last of the `count`; where fewer were kept, the others equal the initial bound.
  float Last() {
    if (kept_.size() < count_) return bound_;
    Cut();
    return bound_;
  }

 private:
  void Cut() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(count_ - 1), kept_.end(), Before());
    bound_ = kept_[count_ - 1];
    kept_.resize(count_);
  }

  size_t count_;
  float bound_;
  std::vector<float> kept_;
};

struct OrderStatistics {
  float low, high;
};

// The values at the indices n / 10000 and 9999 n / 10000 of the sorted values; n > 0.
OrderStatistics SelectTails(std::span<const float> values) {
  constexpr size_t kBlock = 512;
  const size_t n = values.size();
  // 9999 n / 10000 without overflow.
  const size_t high_index = n / 10000 * 9999 + n % 10000 * 9999 / 10000;
  Foremost<std::less<float>> lowest(n / 10000 + 1, kInfinity);
  Foremost<std::greater<float>> highest(n - high_index, -kInfinity);
  const kernels::ObserveF32Kernels& kernels = kernels::ObserveF32(kernels::BestVectorIsa());
  for (size_t begin = 0; begin < n; begin += kBlock) {
    const std::span<const float> block = values.subspan(begin, std::min(kBlock, n - begin));
    float min = kInfinity, max = -kInfinity;
    kernels.range(block.data(), static_cast<int64_t>(block.size()), &min, &max);
    // Most blocks hold nothing that belongs to a tail.
    if (min < lowest.bound()) {
      for (float value : block) lowest.Offer(value);
    }
    if (max > highest.bound()) {
      for (float value : block) highest.Offer(value);
    }
  }
  return {lowest.Last(), highest.Last()};
}

class OutlierObserver : public Observer {
 public:
  absl::Status Observe(std::span<const float> values, ObservedRange) override {
    const OrderStatistics tails = SelectTails(values);
    low_.Add(tails.low);
    high_.Add(tails.high);
    ++samples_;
    return absl::OkStatus();
  }

  absl::Status Merge(const Observer& other) override {
    const auto* same = dynamic_cast<const OutlierObserver*>(&other);
    if (same == nullptr) return DifferentKinds();
    low_.Add(same->low_);
    high_.Add(same->high_);
    samples_ += same->samples_;
    return absl::OkStatus();
  }

  std::string Save() const override {
    ByteWriter out;
    out.Varint(samples_);
    low_.Save(&out);
    high_.Save(&out);
    return out.Take();
  }

  absl::Status Load(std::string_view bytes) override {
    ByteReader in(bytes);
    OutlierObserver loaded;
    loaded.samples_ = in.Varint();
    loaded.low_.Load(&in);
    loaded.high_.Load(&in);
    if (!in.Done() || (loaded.samples_ > 0 && !loaded.Consistent())) return DamagedState("REMOVAL_OUTLIER");
    *this = loaded;
    return absl::OkStatus();
  }

  absl::StatusOr<ObservedRange> Compute(int bits) const override {
    if (absl::Status status = CheckBits(bits); !status.ok()) return status;
    if (samples_ == 0) return NothingObserved();
    const float low = low_.Mean(samples_);
    return ObservedRange{low, std::max(low, high_.Mean(samples_))};
  }

 private:
  bool Consistent() const { return std::isfinite(low_.Mean(samples_)) && std::isfinite(high_.Mean(samples_)); }

  uint64_t samples_ = 0;
  ExactSum low_, high_;
};

}  // namespace

std::unique_ptr<Observer> MakeOutlierObserver() { return std::make_unique<OutlierObserver>(); }

}  // namespace qlite::calib
