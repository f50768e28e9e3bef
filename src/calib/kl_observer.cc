#include "absl/status/status.h"
#include "calib/builtin_observers.h"
#include "calib/kl_threshold.h"
#include "calib/magnitude_histogram.h"

namespace qlite::calib {
namespace {

class KlObserver : public Observer {
 public:
  absl::Status Observe(std::span<const float> values, ObservedRange range) override {
    histogram_.Add(values, range);
    return absl::OkStatus();
  }

  absl::Status Merge(const Observer& other) override {
    const auto* same = dynamic_cast<const KlObserver*>(&other);
    if (same == nullptr) return DifferentKinds();
    histogram_.Merge(same->histogram_);
    return absl::OkStatus();
  }

  std::string Save() const override {
    ByteWriter out;
    histogram_.Save(&out);
    return out.Take();
  }

  absl::Status Load(std::string_view bytes) override {
    ByteReader in(bytes);
    MagnitudeHistogram histogram;
    if (!histogram.Load(&in) || !in.Done()) return DamagedState("KL");
    histogram_ = std::move(histogram);
    return absl::OkStatus();
  }

  absl::StatusOr<ObservedRange> Compute(int bits) const override {
    if (absl::Status status = CheckBits(bits); !status.ok()) return status;
    const ValueRange& range = histogram_.range();
    if (range.empty()) return NothingObserved();
    return FindRangeByDivergence({.positive = histogram_.PositiveCounts(),
                                  .negative = histogram_.NegativeCounts(),
                                  .bin_width = histogram_.bin_width(),
                                  .min = range.min,
                                  .max = range.max},
                                 bits);
  }

 private:
  MagnitudeHistogram histogram_;
};

}  // namespace

std::unique_ptr<Observer> MakeKlObserver() { return std::make_unique<KlObserver>(); }

}  // namespace qlite::calib
