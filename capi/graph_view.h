// A graph as plain arrays with stable addresses, for a host that walks over it by number.
#ifndef QLITE_CAPI_GRAPH_VIEW_H_
#define QLITE_CAPI_GRAPH_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "capi/attributes.h"
#include "qlite/graph.h"

namespace qlite::capi {

// Nodes in topological order and values in the order of their ids, both numbered without gaps.
struct GraphView {
  struct NodeView {
    NodeId id;
    std::string op;
    std::vector<int32_t> inputs, outputs;  // value numbers, -1 for absent ones
    std::vector<Attribute> attributes;
  };
  struct ValueView {
    ValueId id;
    std::vector<int64_t> dims;  // -1 where unknown
  };

  explicit GraphView(const Graph& graph);
  // -1 for an invalid id.
  int32_t Number(ValueId id) const { return id.valid() ? value_numbers[static_cast<size_t>(id.index)] : -1; }
  int32_t Number(NodeId id) const { return id.valid() ? node_numbers[static_cast<size_t>(id.index)] : -1; }

  std::vector<NodeView> nodes;
  std::vector<ValueView> values;
  std::vector<int32_t> inputs, outputs;              // value numbers
  std::vector<int32_t> value_numbers, node_numbers;  // by id; -1 for removed ones
  std::vector<const std::string*> metadata_keys, metadata_values;
};

}  // namespace qlite::capi

#endif  // QLITE_CAPI_GRAPH_VIEW_H_
