#include "passes/skipped_nodes.h"

#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/nearest_name.h"

namespace qlite {
namespace {

// The node of `simplified` that makes a result which the named node, or one behind it that took it over, made before.
NodeId Successor(const Graph& original, const Graph& simplified, NodeId node) {
  std::vector<NodeId> open = {node};
  std::set<NodeId> seen = {node};
  for (size_t next = 0; next < open.size(); ++next) {
    for (const ValueId output : original.node(open[next]).outputs) {
      if (!output.valid()) continue;
      const auto kept = simplified.FindValue(original.value(output).name);
      if (kept) return simplified.value(*kept).producer;
      for (const NodeId reader : original.Consumers(output)) {
        if (seen.insert(reader).second) open.push_back(reader);
      }
    }
  }
  return {};
}

}  // namespace

absl::Status CheckNodeNames(const Graph& graph, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (graph.FindNode(name)) continue;
    std::vector<std::string> known;
    for (const NodeId id : graph.TopologicalOrder()) known.push_back(graph.node(id).name);
    return AtNode(absl::NotFoundError(
                      StrCat("no node is called '", name, "', which is to be skipped; ", DidYouMean(name, known))),
                  name);
  }
  return absl::OkStatus();
}

std::set<NodeId> FindSkippedNodes(const Graph& original, const Graph& simplified,
                                  const std::vector<std::string>& names) {
  std::set<NodeId> skipped;
  for (const std::string& name : names) {
    if (const auto same = simplified.FindNode(name)) {
      skipped.insert(*same);
      continue;
    }
    const NodeId successor = Successor(original, simplified, *original.FindNode(name));
    if (successor.valid()) skipped.insert(successor);
  }
  return skipped;
}

}  // namespace qlite
