// Rescaling of channels between layers, which leaves the float network as it is and quantizes better.
#ifndef QLITE_PASSES_EQUALIZATION_H_
#define QLITE_PASSES_EQUALIZATION_H_

#include "absl/status/statusor.h"
#include "qlite/calibrator.h"
#include "qlite/graph.h"

namespace qlite {

// With weights quantized per channel: a value read by depthwise convolutions only can have its channels scaled at no cost to
// any weight, since each channel of the weights on both sides has a scale of its own. Every channel is stretched towards
// the range of the largest, so that it uses the activation's 8 bits.
//
// With one scale for a layer's weights: channels are scaled so that weights on both sides fill their layer's range alike
// (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.1), bounded so
// that the activation's range does not grow and a clamp such as Relu6 keeps its meaning.
//
// `statistics`: channel statistics of the graph's values over some samples. Returns the number of groups of values rescaled.
absl::StatusOr<int> EqualizeChannels(Graph& graph, const CalibrationTable& statistics, bool per_channel);

}  // namespace qlite

#endif  // QLITE_PASSES_EQUALIZATION_H_
