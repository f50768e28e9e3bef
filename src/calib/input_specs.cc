#include <algorithm>

#include "absl/strings/str_join.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/calibrator.h"
#include "qlite/nearest_name.h"

namespace qlite {
namespace {

absl::StatusOr<std::vector<int64_t>> ExtentsOf(const Value& input, const std::vector<int64_t>* given) {
  const Shape& shape = input.shape;
  if (given != nullptr && shape.has_rank() && static_cast<int64_t>(given->size()) != shape.rank()) {
    return AtValue(absl::InvalidArgumentError(StrCat("input '", input.name, "' has the shape ", shape.ToString(),
                                                     ", but [", absl::StrJoin(*given, ","), "] was given")),
                   input.name);
  }
  if (given == nullptr && !shape.has_rank()) {
    return AtValue(absl::InvalidArgumentError(StrCat("input '", input.name, "' has no shape; give one")), input.name);
  }
  const int64_t rank = given != nullptr ? static_cast<int64_t>(given->size()) : shape.rank();
  std::vector<int64_t> extents;
  for (int64_t i = 0; i < rank; ++i) {
    const Dim declared = shape.has_rank() ? shape.dim(i) : Dim();
    int64_t extent = given != nullptr ? (*given)[static_cast<size_t>(i)] : declared.value;
    if (extent < 0 && declared.known()) extent = declared.value;
    if (extent < 0 && i == 0) extent = 1;
    if (extent < 0) {
      return AtValue(absl::InvalidArgumentError(StrCat("dimension ", i, " of input '", input.name, "' ",
                                                       shape.ToString(), " is unknown; give the input's shape")),
                     input.name);
    }
    if (declared.known() && extent != declared.value) {
      return AtValue(absl::InvalidArgumentError(StrCat("dimension ", i, " of input '", input.name, "' is ",
                                                       declared.value, " in the model, but ", extent, " was given")),
                     input.name);
    }
    extents.push_back(extent);
  }
  return extents;
}

}  // namespace

absl::StatusOr<std::vector<InputSpec>> InputSpecs(const Graph& graph,
                                                  const std::map<std::string, std::vector<int64_t>>& shapes) {
  std::vector<std::string> names;
  for (ValueId id : graph.inputs()) names.push_back(graph.value(id).name);
  for (const auto& [name, extents] : shapes) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return AtValue(absl::NotFoundError(StrCat("the model has no input '", name, "'; ", DidYouMean(name, names))),
                     name);
    }
  }
  std::vector<InputSpec> specs;
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const auto given = shapes.find(input.name);
    absl::StatusOr<std::vector<int64_t>> extents = ExtentsOf(input, given == shapes.end() ? nullptr : &given->second);
    if (!extents.ok()) return extents.status();
    specs.push_back({.name = input.name, .type = input.type, .dims = *std::move(extents)});
  }
  return specs;
}

}  // namespace qlite
