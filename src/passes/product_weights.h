// The operators that multiply by constant weights - Conv, ConvTranspose, Gemm, MatMul - seen alike: which index of the
// weights belongs to which output and input channel.
#ifndef QLITE_PASSES_PRODUCT_WEIGHTS_H_
#define QLITE_PASSES_PRODUCT_WEIGHTS_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "qlite/graph.h"

namespace qlite {

// Channels are those of the activations: dimension 1 of a convolution's input and output, the last one of a Gemm's or
// MatMul's.
struct ProductLayout {
  OpType op = OpType::kConv;
  std::vector<int64_t> dims;  // of the weights
  int64_t group = 1;
  int64_t output_channels = 0;
  int64_t input_channels = 0;
  int64_t output_axis = 0;  // dimension of the weights that runs over output channels (of one group for ConvTranspose)
  int64_t input_axis = 1;   // the same for input channels (of one group for Conv)

  // Every output channel reads one input channel only.
  bool depthwise() const { return group > 1 && group == input_channels; }
  // Calls visit(position, output channel, input channel) for every weight, in memory order.
  template <class Visit>
  void ForEach(Visit visit) const {
    const int64_t taps = static_cast<int64_t>(Taps());
    ForEachKernel([&](int64_t position, int64_t output, int64_t input) {
      for (const int64_t end = position + taps; position < end; ++position) visit(position, output, input);
    });
  }
  // The same once for all positions of a kernel, with the first one's.
  template <class Visit>
  void ForEachKernel(Visit visit) const {
    if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return;
    const bool rows_are_outputs = output_axis == 0;
    const int64_t taps = static_cast<int64_t>(Taps());
    const int64_t outputs_a_group = output_channels / group, inputs_a_group = input_channels / group;
    int64_t position = 0;
    for (int64_t row = 0; row < dims[0]; ++row) {
      const int64_t first_input = op == OpType::kConv ? row / outputs_a_group * inputs_a_group : 0;
      const int64_t first_output = op == OpType::kConvTranspose ? row / inputs_a_group * outputs_a_group : 0;
      for (int64_t column = 0; column < dims[1]; ++column, position += taps) {
        visit(position, first_output + (rows_are_outputs ? row : column),
              first_input + (rows_are_outputs ? column : row));
      }
    }
  }
  // The position within the kernel's spatial extent, row-major; 0 for Gemm and MatMul.
  int64_t Tap(int64_t position) const;
  // The number of those positions; they lie side by side in memory. At least 1.
  size_t Taps() const;
};

// The layout of a product over a float32 activation with constant float32 weights (rank 2 for MatMul) and a constant or
// absent bias with one element for each output channel; Gemm with alpha and beta 1 and A not transposed. Nothing for
// other nodes.
std::optional<ProductLayout> FindProduct(const Graph& graph, const Node& node);

// The bias of a product, zeros where it has none.
std::vector<double> BiasOf(const Graph& graph, const Node& node, const ProductLayout& layout);

// Gives the node other weights of the same extents, or another bias, as float32 constants.
void SetWeights(Graph& graph, NodeId node, std::vector<float> weights);
void SetBias(Graph& graph, NodeId node, const std::vector<double>& bias);

// Scales output channel c by factors[c]: its weights and its bias. Clamps stay as they are.
void ScaleOutputChannels(Graph& graph, NodeId node, const ProductLayout& layout, const std::vector<double>& factors);
// Scales the weights that multiply input channel c by factors[c].
void ScaleInputChannels(Graph& graph, NodeId node, const ProductLayout& layout, const std::vector<double>& factors);

}  // namespace qlite

#endif  // QLITE_PASSES_PRODUCT_WEIGHTS_H_
