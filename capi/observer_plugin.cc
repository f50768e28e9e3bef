// Observers that the host wrote in C.
#include <cmath>
#include <memory>
#include <string>

#include "capi/bodies.h"
#include "capi/plugin.h"
#include "qlite/observer.h"

namespace qlite::capi {
namespace {

using ObserverType = PluginType<qlite_observer_type>;

class HostObserver : public Observer {
 public:
  explicit HostObserver(std::shared_ptr<const ObserverType> type) : state_(std::move(type)) {}

  absl::Status Observe(std::span<const float> values, ObservedRange range) override {
    return state_.Status(state_.host().observe(state_.get(), values.data(), values.size(), range.min, range.max),
                         "observe");
  }

  absl::Status Merge(const Observer& other) override {
    const auto* same = dynamic_cast<const HostObserver*>(&other);
    if (same == nullptr) return absl::InvalidArgumentError("observers of different kinds cannot be merged");
    return state_.Merge(same->state_);
  }

  std::string Save() const override { return state_.Save(); }

  absl::Status Load(std::string_view bytes) override { return state_.Load(bytes); }

  absl::StatusOr<ObservedRange> Compute(int bits) const override {
    ObservedRange range;
    const absl::Status status =
        state_.Status(state_.host().compute(state_.get(), bits, &range.min, &range.max), "compute");
    if (!status.ok()) return status;
    if (std::isfinite(range.min) && std::isfinite(range.max) && range.min <= range.max) return range;
    return absl::FailedPreconditionError(state_.title() + " computed the range [" + std::to_string(range.min) + ", " +
                                         std::to_string(range.max) + "]");
  }

 private:
  PluginState<qlite_observer_type> state_;
};

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_context_register_observer(const qlite_context* context, const char* name,
                                             const qlite_observer_type* type) {
  return WithLoanOf(type, [&](std::shared_ptr<void> loan) {
    return Call<ContextBody>(context, [&](ContextBody& body) {
      const qlite_observer_type host = ReadStruct(type, qlite_observer_type{}, "the observer type");
      Needed(name, "name");
      Needed(host.create, "create"), Needed(host.destroy, "destroy"), Needed(host.observe, "observe");
      Needed(host.merge, "merge"), Needed(host.save, "save"), Needed(host.load, "load"),
          Needed(host.compute, "compute");
      auto shared =
          std::make_shared<const ObserverType>(ObserverType{host, std::string("observer ") + name, std::move(loan)});
      const std::lock_guard lock(body.registry_mutex);
      Check(body.observers.Register(name, [shared] { return std::make_unique<HostObserver>(shared); }));
    });
  });
}
