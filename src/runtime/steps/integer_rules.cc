#include "runtime/steps/integer_rules.h"

#include <algorithm>

namespace qlite::integer_rules {
namespace {

bool ConstantOrAbsent(const Graph& graph, const Node& node, size_t input) {
  return !node.has_input(input) || graph.value(node.inputs[input]).is_constant();
}

int64_t Rank(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return value.constant ? static_cast<int64_t>(value.constant->dims().size()) : value.shape.rank();
}

}  // namespace

bool Always(const Graph&, const Node&) { return true; }

bool Never(const Graph&, const Node&) { return false; }

bool ConstantWeights(const Graph& graph, const Node& node) {
  return node.has_input(1) && graph.value(node.inputs[1]).is_constant() && ConstantOrAbsent(graph, node, 2);
}

bool PlainGemm(const Graph& graph, const Node& node) {
  const auto& attrs = node.attr<GemmAttrs>();
  if (attrs.trans_a || attrs.alpha != 1.0f || attrs.beta != 1.0f || !ConstantWeights(graph, node)) return false;
  if (!node.has_input(2)) return true;
  const Tensor& weights = *graph.value(node.inputs[1]).constant;
  const int64_t columns = weights.dims()[attrs.trans_b ? 0 : 1];
  return graph.value(node.inputs[2]).constant->element_count() == columns;
}

bool ConstantMatrix(const Graph& graph, const Node& node) {
  return ConstantWeights(graph, node) && Rank(graph, node.inputs[1]) == 2;
}

bool SingleOutput(const Graph&, const Node& node) { return node.outputs.size() == 1; }

bool SpatialMean(const Graph& graph, const Node& node) {
  const auto& attrs = node.attr<ReduceAttrs>();
  const int64_t rank = Rank(graph, node.inputs[0]);
  if (rank < 3 || rank > 4 || static_cast<int64_t>(attrs.axes.size()) != rank - 2) return false;
  return std::all_of(attrs.axes.begin(), attrs.axes.end(),
                     [rank](int64_t axis) { return (axis < 0 ? axis + rank : axis) >= 2; });
}

bool NearestResize(const Graph&, const Node& node) { return node.attr<ResizeAttrs>().mode == ResizeMode::kNearest; }

}  // namespace qlite::integer_rules
