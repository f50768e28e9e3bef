// Comparison of graphs part by part, with the first difference in words.
#ifndef QLITE_TESTS_FORMATS_SAME_GRAPH_H_
#define QLITE_TESTS_FORMATS_SAME_GRAPH_H_

#include <string>

#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite::testing {

// The first difference between the graphs once both are compact, or nothing. Names, order, attributes, types, shapes,
// quantization, constants, border and metadata count; where constants lie in memory does not.
inline std::string FirstDifference(Graph a, Graph b) {
  a.Compact();
  b.Compact();
  if (a.name != b.name) return StrCat("names '", a.name, "' and '", b.name, "'");
  if (a.metadata != b.metadata) return "metadata";
  if (a.value_slots() != b.value_slots()) return StrCat(a.value_slots(), " and ", b.value_slots(), " values");
  if (a.node_slots() != b.node_slots()) return StrCat(a.node_slots(), " and ", b.node_slots(), " nodes");
  for (int32_t i = 0; i < static_cast<int32_t>(a.value_slots()); ++i) {
    const Value &x = a.value(ValueId{i}), &y = b.value(ValueId{i});
    const std::string where = StrCat("value ", i, " '", x.name, "': ");
    if (x.name != y.name) return where + "name";
    if (x.type != y.type) return where + "type";
    if (!(x.shape == y.shape)) return where + "shape";
    if (x.quant != y.quant) return where + "quantization";
    if (x.producer != y.producer) return where + "producer";
    if (x.is_constant() != y.is_constant()) return where + "kind";
    if (x.is_constant() && !(*x.constant == *y.constant)) return where + "data";
  }
  for (int32_t i = 0; i < static_cast<int32_t>(a.node_slots()); ++i) {
    const Node &x = a.node(NodeId{i}), &y = b.node(NodeId{i});
    const std::string where = StrCat("node ", i, " '", x.name, "': ");
    if (x.name != y.name) return where + "name";
    if (x.op != y.op) return where + "operator";
    if (!(x.attrs == y.attrs)) return where + "attributes";
    if (x.inputs != y.inputs || x.outputs != y.outputs) return where + "inputs or outputs";
  }
  const auto same = [](auto p, auto q) { return std::equal(p.begin(), p.end(), q.begin(), q.end()); };
  if (!same(a.inputs(), b.inputs())) return "graph inputs";
  if (!same(a.outputs(), b.outputs())) return "graph outputs";
  return "";
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_FORMATS_SAME_GRAPH_H_
