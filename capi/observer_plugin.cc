// Observers that the host wrote in C.
#include <cmath>
#include <memory>
#include <string>

#include "capi/bodies.h"
#include "capi/plugin_bytes.h"
#include "qlite/observer.h"

namespace qlite::capi {
namespace {

struct ObserverType {
  qlite_observer_type host;
  std::string name;
  std::shared_ptr<void> loan;

  absl::Status Status(qlite_status status, const char* function) const {
    if (status == QLITE_OK) return absl::OkStatus();  // without a text that takes memory
    return CallbackStatus(status, std::string(function) + " of observer " + name);
  }
};

class HostObserver : public Observer {
 public:
  explicit HostObserver(std::shared_ptr<const ObserverType> type) : type_(std::move(type)) {
    Check(type_->Status(type_->host.create(type_->host.user, &state_), "create"));
  }
  ~HostObserver() override { type_->host.destroy(state_); }

  absl::Status Observe(std::span<const float> values, ObservedRange range) override {
    return type_->Status(type_->host.observe(state_, values.data(), values.size(), range.min, range.max), "observe");
  }

  absl::Status Merge(const Observer& other) override {
    const auto* same = dynamic_cast<const HostObserver*>(&other);
    if (same == nullptr || same->type_->name != type_->name) {
      return absl::InvalidArgumentError("observers of different kinds cannot be merged");
    }
    return type_->Status(type_->host.merge(state_, same->state_), "merge");
  }

  std::string Save() const override {
    std::string bytes;
    Check(type_->Status(type_->host.save(state_, AppendBytes, &bytes), "save"));
    return bytes;
  }

  absl::Status Load(std::string_view bytes) override {
    return type_->Status(type_->host.load(state_, bytes.data(), bytes.size()), "load");
  }

  absl::StatusOr<ObservedRange> Compute(int bits) const override {
    ObservedRange range;
    const absl::Status status = type_->Status(type_->host.compute(state_, bits, &range.min, &range.max), "compute");
    if (!status.ok()) return status;
    if (std::isfinite(range.min) && std::isfinite(range.max) && range.min <= range.max) return range;
    return absl::FailedPreconditionError("observer " + type_->name + " computed the range [" +
                                         std::to_string(range.min) + ", " + std::to_string(range.max) + "]");
  }

 private:
  std::shared_ptr<const ObserverType> type_;
  void* state_ = nullptr;
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
      auto shared = std::make_shared<const ObserverType>(ObserverType{host, name, std::move(loan)});
      const std::lock_guard lock(body.registry_mutex);
      Check(body.observers.Register(name, [shared] { return std::make_unique<HostObserver>(shared); }));
    });
  });
}
