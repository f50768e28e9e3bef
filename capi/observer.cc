// Observers in the host's hands.
#include "qlite/observer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>

#include "capi/bodies.h"

namespace qlite::capi {
namespace {

struct ObserverBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kObserver;
  using Handle = qlite_observer;

  ObserverBody(std::shared_ptr<ContextBody> maker, std::string of)
      : MadeWithContext(std::move(maker)), registry(context->Observers()), name(std::move(of)), observer(New()) {}

  std::unique_ptr<Observer> New() const { return Take(registry.Make(name)); }

  const ObserverRegistry registry;
  const std::string name;
  std::unique_ptr<Observer> observer;
};

// What an observer counts on.
ObservedRange FiniteRange(std::span<const float> values) {
  if (values.empty()) Refuse("there are no values");
  const auto wrong = std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (wrong != values.end()) {
    throw Failure(absl::FailedPreconditionError("value " + std::to_string(wrong - values.begin()) + " is not finite"));
  }
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return {*min, *max};
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_observer_create(const qlite_context* context, const char* name, qlite_observer** observer) {
  return Make<ContextBody>(context, observer, [&](ContextBody&) {
    return std::make_shared<ObserverBody>(Needed<ContextBody>(context, "context"), Needed(name, "name"));
  });
}

qlite_status qlite_observer_release(qlite_observer* observer) { return Release<ObserverBody>(observer); }

qlite_status qlite_observer_observe(qlite_observer* observer, const float* values, size_t count) {
  return Call<ObserverBody>(observer, [&](ObserverBody& body) {
    const std::span<const float> given(Needed(values, "values"), count);
    Check(body.observer->Observe(given, FiniteRange(given)));
  });
}

qlite_status qlite_observer_merge(qlite_observer* observer, const qlite_observer* other) {
  return Call<ObserverBody>(observer, [&](ObserverBody& body) {
    const auto from = Needed<ObserverBody>(other, "other");
    if (from.get() == &body) Refuse("an observer cannot be merged with itself");
    if (from->name != body.name) Refuse("observer " + body.name + " cannot be merged with observer " + from->name);
    Check(body.observer->Merge(*from->observer));
  });
}

qlite_status qlite_observer_save(const qlite_observer* observer, qlite_bytes** state) {
  return Make<ObserverBody>(observer, state, [](ObserverBody& body) { return MakeBytes(body.observer->Save()); });
}

qlite_status qlite_observer_load(qlite_observer* observer, const void* state, size_t size) {
  return Call<ObserverBody>(observer, [&](ObserverBody& body) {
    std::unique_ptr<qlite::Observer> loaded = body.New();
    Check(loaded->Load({static_cast<const char*>(Needed(state, "state")), size}));
    body.observer = std::move(loaded);
  });
}

qlite_status qlite_observer_compute(const qlite_observer* observer, int32_t bits, float* min, float* max) {
  return Call<ObserverBody>(observer, [&](ObserverBody& body) {
    const qlite::ObservedRange range = Take(body.observer->Compute(bits));
    *Needed(min, "min") = range.min;
    *Needed(max, "max") = range.max;
  });
}
