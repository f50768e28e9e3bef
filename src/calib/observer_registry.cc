#include <utility>

#include "calib/builtin_observers.h"
#include "core/str_cat.h"
#include "qlite/nearest_name.h"
#include "qlite/observer.h"

namespace qlite {
namespace calib {

absl::Status DifferentKinds() { return absl::InvalidArgumentError("observers of different kinds cannot be merged"); }

absl::Status DamagedState(std::string_view method) {
  return absl::DataLossError(StrCat("the saved state of a ", method, " observer is damaged"));
}

absl::Status NothingObserved() { return absl::FailedPreconditionError("no values were observed"); }

absl::Status CheckBits(int bits) {
  if (bits >= 2 && bits <= 16) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("a range for ", bits, " bits: expected 2 to 16"));
}

}  // namespace calib

ObserverRegistry ObserverRegistry::Default() {
  ObserverRegistry registry;
  registry.factories_ = {{"MAX_MIN", calib::MakeMinMaxObserver},
                         {"KL", calib::MakeKlObserver},
                         {"REMOVAL_OUTLIER", calib::MakeOutlierObserver},
                         {"RemovalOutlier", calib::MakeOutlierObserver}};
  return registry;
}

absl::Status ObserverRegistry::Register(std::string name, ObserverFactory factory) {
  if (name.empty() || factory == nullptr) {
    return absl::InvalidArgumentError("an observer needs a name and a function that makes it");
  }
  const auto [entry, added] = factories_.try_emplace(std::move(name), std::move(factory));
  if (!added) return absl::AlreadyExistsError(StrCat("an observer named '", entry->first, "' is registered already"));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Observer>> ObserverRegistry::Make(std::string_view name) const {
  const auto found = factories_.find(name);
  if (found == factories_.end()) {
    return absl::NotFoundError(StrCat("no observer is named '", name, "'; ", DidYouMean(name, Names())));
  }
  std::unique_ptr<Observer> observer = found->second();
  if (observer == nullptr) return absl::InternalError(StrCat("the maker of observer '", name, "' returned null"));
  return observer;
}

std::vector<std::string> ObserverRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

}  // namespace qlite
