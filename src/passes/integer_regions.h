// Which nodes of a float graph become integer.
#ifndef QLITE_PASSES_INTEGER_REGIONS_H_
#define QLITE_PASSES_INTEGER_REGIONS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

struct IntegerRegions {
  std::vector<char> integer;         // by node index
  std::vector<std::string> reasons;  // by node index: why a node stays float

  // False for nodes that were added since.
  bool IsInteger(NodeId id) const {
    return id.valid() && static_cast<size_t>(id.index) < integer.size() && integer[static_cast<size_t>(id.index)];
  }
  // A product all of whose readers are float: it gives float32 straight from its accumulators.
  bool GivesFloat(const Graph& graph, NodeId id) const;
  // Some integer node computes with the value.
  bool ReadAsInteger(const Graph& graph, ValueId id) const;
  // The value is made as int8.
  bool MadeAsInteger(const Graph& graph, ValueId id) const;
};

// `graph`: simplified, shapes inferred, float. A node becomes integer where the runtime has an integer step for it, it
// is not in `kept_float` (which says why), and its region (neighbours that are integer too) holds a product: without
// one, converting to integers and back would cost more than it saves. Nodes that only see results of products on their
// way out of the region stay float, since those results are had in float for nothing. kFailedPrecondition, with the
// constant's name, for weights or other constants of an integer node that are not finite.
absl::StatusOr<IntegerRegions> FindIntegerRegions(const Graph& graph, const std::map<NodeId, std::string>& kept_float);

}  // namespace qlite

#endif  // QLITE_PASSES_INTEGER_REGIONS_H_
