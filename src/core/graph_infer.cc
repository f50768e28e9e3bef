#include <algorithm>
#include <string>

#include "absl/strings/str_join.h"
#include "core/error_site.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite {
namespace {

std::string InputNames(const Graph& graph) {
  return absl::StrJoin(graph.inputs(), ", ",
                       [&](std::string* out, ValueId id) { StrAppend(out, graph.value(id).name); });
}

using SymbolValues = std::map<std::string, int64_t>;

// Gives the graph input its extents and notes what its symbolic dimensions stand for.
absl::Status FixInput(Graph& graph, const std::string& name, const std::vector<int64_t>& extents,
                      SymbolValues& symbols) {
  const std::optional<ValueId> id = graph.FindValue(name);
  if (!id || std::find(graph.inputs().begin(), graph.inputs().end(), *id) == graph.inputs().end()) {
    return AtValue(
        absl::NotFoundError(StrCat("the graph has no input '", name, "'; its inputs are: ", InputNames(graph))), name);
  }
  Value& value = graph.mutable_value(*id);
  const auto refuse = [&](const auto&... what) {
    return AtValue(absl::InvalidArgumentError(StrCat("input '", name, "': ", what...)), name);
  };
  if (absl::Status status = ElementCount(extents, ElementSize(value.type)).status(); !status.ok()) {
    return refuse(Message(status));
  }
  if (value.shape.has_rank() && value.shape.rank() != static_cast<int64_t>(extents.size())) {
    return refuse("expected ", value.shape.rank(), " extents for shape ", value.shape.ToString(), ", found [",
                  absl::StrJoin(extents, ","), "]");
  }
  for (size_t i = 0; value.shape.has_rank() && i < extents.size(); ++i) {
    const Dim& dim = value.shape.dim(static_cast<int64_t>(i));
    if (dim.known() || dim.symbol.empty()) continue;
    const auto [known, inserted] = symbols.emplace(dim.symbol, extents[i]);
    if (!inserted && known->second != extents[i]) {
      return refuse("dimension '", dim.symbol, "' is ", extents[i], " here and ", known->second, " elsewhere");
    }
  }
  value.shape = Shape::Of(extents);
  return absl::OkStatus();
}

void SubstituteSymbols(Graph& graph, const SymbolValues& symbols) {
  for (const ValueId id : graph.inputs()) {
    Shape& shape = graph.mutable_value(id).shape;
    for (int64_t i = 0; i < shape.rank(); ++i) {
      const auto found = symbols.find(shape.dim(i).symbol);
      if (!shape.dim(i).known() && found != symbols.end()) shape.dim(i) = found->second;
    }
  }
}

}  // namespace

absl::Status Graph::InferShapes(const std::map<std::string, std::vector<int64_t>>& input_shapes) {
  QLITE_RETURN_IF_ERROR(Validate());
  SymbolValues symbols;
  for (const auto& [input_name, extents] : input_shapes) {
    QLITE_RETURN_IF_ERROR(FixInput(*this, input_name, extents, symbols));
  }
  SubstituteSymbols(*this, symbols);
  PartialValues known;
  for (const NodeId id : TopologicalOrder()) {
    InferContext context(*this, id, known);
    QLITE_RETURN_IF_ERROR(RuleOf(node(id).op).infer(context));
  }
  return absl::OkStatus();
}

}  // namespace qlite
