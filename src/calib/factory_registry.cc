#include "qlite/factory_registry.h"

#include "core/str_cat.h"
#include "qlite/nearest_name.h"
#include "qlite/observer.h"
#include "qlite/preprocessor.h"

namespace qlite {

template <class T>
absl::Status FactoryRegistry<T>::Register(std::string name, Factory factory) {
  if (name.empty() || factory == nullptr) {
    return absl::InvalidArgumentError(StrCat(kind_, ": a name and a function that makes it are needed"));
  }
  const auto [entry, added] = factories_.try_emplace(std::move(name), std::move(factory));
  if (added) return absl::OkStatus();
  return absl::AlreadyExistsError(StrCat(kind_, " '", entry->first, "' is registered already"));
}

template <class T>
absl::StatusOr<std::unique_ptr<T>> FactoryRegistry<T>::Make(std::string_view name) const {
  const auto found = factories_.find(name);
  if (found == factories_.end()) {
    return absl::NotFoundError(StrCat("no ", kind_, " is named '", name, "'; ", DidYouMean(name, Names())));
  }
  std::unique_ptr<T> made = found->second();
  if (made == nullptr) return absl::InternalError(StrCat("the maker of ", kind_, " '", name, "' returned null"));
  return made;
}

template <class T>
std::vector<std::string> FactoryRegistry<T>::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

template class FactoryRegistry<Observer>;
template class FactoryRegistry<Preprocessor>;

}  // namespace qlite
