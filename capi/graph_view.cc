#include "capi/graph_view.h"

namespace qlite::capi {

GraphView::GraphView(const Graph& graph)
    : value_numbers(graph.value_slots(), -1), node_numbers(graph.node_slots(), -1) {
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!graph.alive(id)) continue;
    value_numbers[i] = static_cast<int32_t>(values.size());
    ValueView& value = values.emplace_back(ValueView{id, {}});
    for (const Dim& dim : graph.value(id).shape.dims()) value.dims.push_back(dim.value);
  }
  for (const NodeId id : graph.TopologicalOrder()) {
    node_numbers[static_cast<size_t>(id.index)] = static_cast<int32_t>(nodes.size());
    const Node& node = graph.node(id);
    NodeView& view = nodes.emplace_back(NodeView{id, std::string(OpName(node.op)), {}, {}, ListAttributes(node.attrs)});
    for (const ValueId input : node.inputs) view.inputs.push_back(Number(input));
    for (const ValueId output : node.outputs) view.outputs.push_back(Number(output));
  }
  for (const ValueId id : graph.inputs()) inputs.push_back(Number(id));
  for (const ValueId id : graph.outputs()) outputs.push_back(Number(id));
  for (const auto& [key, value] : graph.metadata) {
    metadata_keys.push_back(&key);
    metadata_values.push_back(&value);
  }
}

}  // namespace qlite::capi
