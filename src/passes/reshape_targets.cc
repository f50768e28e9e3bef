#include "passes/reshape_targets.h"

#include <optional>

#include "core/str_cat.h"
#include "passes/graph_edit.h"

namespace qlite {
namespace {

std::optional<std::vector<int64_t>> KnownTarget(const Graph& graph, const Node& node) {
  const Shape& in = graph.value(node.inputs[0]).shape;
  const Shape& out = graph.value(node.outputs[0]).shape;
  if (!out.has_rank()) return std::nullopt;
  std::vector<int64_t> target;
  int64_t inferred = 0;
  for (int64_t i = 0; i < out.rank(); ++i) {
    if (out.dim(i).known()) {
      // An extent of 0 would be read as "as the input".
      if (out.dim(i).value == 0) return std::nullopt;
      target.push_back(out.dim(i).value);
      continue;
    }
    const bool kept = in.has_rank() && i < in.rank() && in.dim(i).SameAs(out.dim(i));
    target.push_back(kept ? 0 : -1);
    inferred += kept ? 0 : 1;
  }
  if (inferred > 1) return std::nullopt;
  return target;
}

}  // namespace

absl::StatusOr<int> FixReshapeTargets(Graph& graph) {
  int fixed = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    Node& node = graph.mutable_node(id);
    if (node.op != OpType::kReshape || graph.value(node.inputs[1]).is_constant()) continue;
    const auto target = KnownTarget(graph, node);
    if (!target) continue;
    node.attr<ReshapeAttrs>().allow_zero = false;
    const std::string name = StrCat(node.name, ".shape");
    const auto rank = static_cast<int64_t>(target->size());
    graph.SetInput(id, 1, graph.AddConstant(name, Tensor::Of<int64_t>({rank}, *target)));
    ++fixed;
  }
  return fixed;
}

}  // namespace qlite
