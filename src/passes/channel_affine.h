// y = x * scale[c] + shift[c] with constants for each channel, as BatchNormalization and arithmetic with constants
// spell it, and its folding into the product before or behind it.
#ifndef QLITE_PASSES_CHANNEL_AFFINE_H_
#define QLITE_PASSES_CHANNEL_AFFINE_H_

#include <optional>
#include <vector>

#include "qlite/graph.h"

namespace qlite {

struct ChannelAffine {
  ValueId input;              // x
  std::vector<double> scale;  // of every channel
  std::vector<double> shift;
  FusedClamp clamp;  // applied to y
};

// BatchNormalization with constant, finite parameters; channels are dimension 1.
std::optional<ChannelAffine> BatchNormAffine(const Graph& graph, const Node& node);

// Add, Sub, Mul or Div of a float value of known rank with a constant that varies along dimension `axis` (from the
// front) only, and does not broadcast the value. `channels` is the extent of that dimension.
std::optional<ChannelAffine> ArithmeticAffine(const Graph& graph, const Node& node, int64_t axis, int64_t channels);

// The dimension of its result, or of its input, that a product's channels are; -1 where the rank is unknown.
int64_t ChannelAxis(const Graph& graph, const Node& product, ValueId value);

// Folds the affine node `id` into the product that makes its input, when nothing else reads that input. The product
// takes over the node's result and clamp. False where it cannot.
bool FoldIntoProducer(Graph& graph, NodeId id, const ChannelAffine& affine);

// Folds the affine node into the one product that reads its result. The shift needs a product without padding. False
// where it cannot.
bool FoldIntoReader(Graph& graph, NodeId id, const ChannelAffine& affine);

}  // namespace qlite

#endif  // QLITE_PASSES_CHANNEL_AFFINE_H_
