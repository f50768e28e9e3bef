// Rescaling of channels between layers, which leaves the float network as it is and quantizes better.
#ifndef QLITE_PASSES_EQUALIZATION_H_
#define QLITE_PASSES_EQUALIZATION_H_

#include "absl/status/statusor.h"
#include "qlite/calibrator.h"
#include "qlite/graph.h"

namespace qlite {

// Weights with one scale a layer: channels are scaled so that the weights on both sides fill their layer's range alike
// (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.1), in one
// sweep from the input on. Unlike there, a clamp such as Relu6 keeps its meaning: channels before one are only ever
// stretched, and only as far as what was seen stays below the clamp with a margin; and no stretch widens an
// activation's range.
//
// Weights with a scale for each channel (`per_channel`): the channels of values that only depthwise convolutions read
// are stretched towards the range of the largest, so that each uses the activation's 8 bits. That costs no weight
// anything. Channels of values that other products read, and no clamp holds, are stretched by the square root of that:
// the weights that read them shrink within their output channel's scale, and share the loss (the even split of Xiao et
// al. 2022, "SmoothQuant", section 4).
//
// `statistics`: channel statistics of the graph's values over some samples. Returns the number of groups of values
// rescaled.
absl::StatusOr<int> EqualizeChannels(Graph& graph, const CalibrationTable& statistics, bool per_channel);

// Whether there is anything to equalise, so that statistics are worth collecting.
bool CanEqualize(const Graph& graph, bool per_channel);

}  // namespace qlite

#endif  // QLITE_PASSES_EQUALIZATION_H_
