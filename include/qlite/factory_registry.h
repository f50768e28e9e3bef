// Names -> functions that make things: how plug-ins are found. The base of the registries of observers and of
// preprocessing steps.
#ifndef QLITE_FACTORY_REGISTRY_H_
#define QLITE_FACTORY_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace qlite {

// A value: copy a registry and add to the copy. T is Observer or Preprocessor.
template <class T>
class FactoryRegistry {
 public:
  using Factory = std::function<std::unique_ptr<T>()>;

  // kAlreadyExists where the name is taken; kInvalidArgument for an empty name or function.
  absl::Status Register(std::string name, Factory factory);
  // kNotFound lists the known names and the nearest one.
  absl::StatusOr<std::unique_ptr<T>> Make(std::string_view name) const;
  // In bytewise order.
  std::vector<std::string> Names() const;

 protected:
  using Factories = std::map<std::string, Factory, std::less<>>;
  // `kind` is what errors call a T; it lives forever.
  FactoryRegistry(std::string_view kind, Factories factories) : kind_(kind), factories_(std::move(factories)) {}

 private:
  std::string_view kind_;
  Factories factories_;
};

}  // namespace qlite

#endif  // QLITE_FACTORY_REGISTRY_H_
