#include "qlite/preprocessor.h"

#include <utility>

#include "calib/standardize.h"
#include "core/str_cat.h"
#include "qlite/nearest_name.h"

namespace qlite {

absl::Status Preprocessor::Observe(std::span<const MutableTensorView>) {
  return absl::UnimplementedError("this preprocessing step does not learn from samples");
}

absl::Status Preprocessor::Merge(const Preprocessor&) {
  return absl::UnimplementedError("this preprocessing step does not learn from samples");
}

PreprocessorRegistry PreprocessorRegistry::Default() {
  PreprocessorRegistry registry;
  registry.factories_ = {{"STANDARDIZE", calib::MakeStandardize}};
  return registry;
}

absl::Status PreprocessorRegistry::Register(std::string name, PreprocessorFactory factory) {
  if (name.empty() || factory == nullptr) {
    return absl::InvalidArgumentError("a preprocessing step needs a name and a function that makes it");
  }
  const auto [entry, added] = factories_.try_emplace(std::move(name), std::move(factory));
  if (added) return absl::OkStatus();
  return absl::AlreadyExistsError(StrCat("a preprocessing step named '", entry->first, "' is registered already"));
}

absl::StatusOr<std::unique_ptr<Preprocessor>> PreprocessorRegistry::Make(std::string_view name) const {
  const auto found = factories_.find(name);
  if (found == factories_.end()) {
    return absl::NotFoundError(StrCat("no preprocessing step is named '", name, "'; ", DidYouMean(name, Names())));
  }
  std::unique_ptr<Preprocessor> step = found->second();
  if (step == nullptr) return absl::InternalError(StrCat("the maker of preprocessing step '", name, "' returned null"));
  return step;
}

std::vector<std::string> PreprocessorRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories_) names.push_back(name);
  return names;
}

}  // namespace qlite
