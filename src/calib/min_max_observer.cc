#include "absl/status/status.h"
#include "calib/builtin_observers.h"
#include "calib/value_range.h"

namespace qlite::calib {
namespace {

class MinMaxObserver : public Observer {
 public:
  absl::Status Observe(std::span<const float>, ObservedRange range) override {
    range_.Widen(range);
    return absl::OkStatus();
  }

  bool needs_values() const override { return false; }

  absl::Status Merge(const Observer& other) override {
    const auto* same = dynamic_cast<const MinMaxObserver*>(&other);
    if (same == nullptr) return DifferentKinds();
    range_.Widen(same->range_);
    return absl::OkStatus();
  }

  std::string Save() const override {
    ByteWriter out;
    range_.Save(&out);
    return out.Take();
  }

  absl::Status Load(std::string_view bytes) override {
    ByteReader in(bytes);
    ValueRange range;
    if (!range.Load(&in) || !in.Done()) return DamagedState("MAX_MIN");
    range_ = range;
    return absl::OkStatus();
  }

  absl::StatusOr<ObservedRange> Compute(int bits) const override {
    if (absl::Status status = CheckBits(bits); !status.ok()) return status;
    if (range_.empty()) return NothingObserved();
    return ObservedRange{range_.min, range_.max};
  }

 private:
  ValueRange range_;
};

}  // namespace

std::unique_ptr<Observer> MakeMinMaxObserver() { return std::make_unique<MinMaxObserver>(); }

}  // namespace qlite::calib
