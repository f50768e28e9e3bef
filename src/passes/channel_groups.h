// Values whose channels can be scaled together without changing what the network computes.
#ifndef QLITE_PASSES_CHANNEL_GROUPS_H_
#define QLITE_PASSES_CHANNEL_GROUPS_H_

#include <vector>

#include "qlite/graph.h"

namespace qlite {

// If channel c of every member is multiplied by k[c] > 0 - by the producers' output channels - and the consumers' input
// channels are divided by it, the outputs of the network stay what they are. Between the members stand operators that
// are homogeneous in each channel: sums, pooling, Relu, resizing.
struct ChannelGroup {
  std::vector<ValueId> members;   // in topological order
  std::vector<NodeId> producers;  // products that make members
  std::vector<NodeId> consumers;  // products that read members
  int64_t channels = 0;
  // Some member is clamped at a bound that is finite and not 0: then k >= 1 only, and what comes above bound / k is
  // cut.
  bool bounded = false;
};

// In topological order of their first members. Groups that reach an input or output of the graph, or an operator that
// mixes channels otherwise, are left out.
std::vector<ChannelGroup> FindChannelGroups(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_CHANNEL_GROUPS_H_
