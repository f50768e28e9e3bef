// int8 weights and int32 biases of convolutions and matrix products.
#ifndef QLITE_PASSES_PRODUCT_QUANTIZATION_H_
#define QLITE_PASSES_PRODUCT_QUANTIZATION_H_

#include <vector>

#include "passes/product_weights.h"
#include "qlite/graph.h"
#include "qlite/quant_params.h"

namespace qlite {

struct ProductQuantizationOptions {
  bool per_channel = true;
  // E[x] of every input channel, for bias correction; empty for none.
  std::vector<double> input_means;
  // By position within the kernel: the share of output positions for which the tap lies on the input rather than on
  // padding. Empty: all of them.
  std::vector<double> tap_coverage;
};

struct QuantizedProduct {
  Tensor weights;  // int8, extents of the float weights
  QuantParams weight_params;
  Tensor bias;  // int32, one for each output channel; default-made where the product has and needs none
  QuantParams bias_params;
  bool has_bias = false;
};

// Weights: symmetric, narrow range, scale = largest magnitude / 127 of a channel or of the tensor; the taps of a kernel
// are rounded together (passes/kernel_rounding.h). Bias: scale = input scale * weight scale, rounded half to even.
// Where a channel's accumulator could leave int32 - tiny weights make for a scale in which the bias is huge - the
// weights' scale is raised, and the weights are quantized with the raised scale. Bias correction (Finkelstein et al.
// 2019, "Fighting Quantization Bias With Bias"; Nagel et al. 2019, "Data-Free Quantization", section 4.2): the bias
// takes up sum over (W - quantized W) * E[x], the mean error of the channel. `weights` and `bias` of the layout's
// extents, finite; `bias` empty for none.
QuantizedProduct QuantizeProduct(const ProductLayout& layout, std::span<const float> weights,
                                 const std::vector<double>& bias, float input_scale,
                                 const ProductQuantizationOptions& options);

// The coverage of the taps of a Conv with inferred, static spatial shapes; for a ConvTranspose the share of output
// positions that a tap reaches; empty otherwise.
std::vector<double> TapCoverage(const Graph& graph, const Node& node);

}  // namespace qlite

#endif  // QLITE_PASSES_PRODUCT_QUANTIZATION_H_
