#include "passes/product_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/node_geometry.h"
#include "passes/kernel_rounding.h"

namespace qlite {
namespace {

constexpr double kLargestQ = 127;
// The largest distance of an int8 activation from its zero point.
constexpr double kLargestActivation = 255;
constexpr double kAccumulatorLimit = 2147483647.0;
// Biases stay within half of the accumulator, so that correction has room.
constexpr double kBiasLimit = 1073741824.0;
// Where all weights of a channel are 0 the scale serves the bias alone, with this many steps.
constexpr double kBiasSteps = 16777216.0;
// Keeps products of scales among the normal floats.
constexpr float kSmallestScale = 1e-15f;

class ProductQuantizer {
 public:
  ProductQuantizer(const ProductLayout& layout, std::span<const float> weights, const std::vector<double>& bias,
                   float input_scale, const ProductQuantizationOptions& options)
      : layout_(layout), weights_(weights), float_bias_(bias), input_scale_(input_scale), options_(options) {
    // A grouped ConvTranspose has its groups share the scales of its weights' second dimension.
    scale_count_ = options.per_channel ? static_cast<size_t>(layout.dims[static_cast<size_t>(layout.output_axis)]) : 1;
    integers_.resize(weights.size());
    bias_ = bias;
    bias_.resize(static_cast<size_t>(layout.output_channels), 0.0);
    has_bias_ = !bias.empty();
  }

  QuantizedProduct Quantize() {
    ChooseScales();
    RoundWeights();
    // A raised scale needs the weights and the correction anew; each round at least keeps the limit of the one before.
    constexpr int kMaxRounds = 4;
    for (int round = 0; round < kMaxRounds && RaiseScales(); ++round) RoundWeights();
    return Result();
  }

 private:
  size_t ScaleOf(int64_t output) const { return static_cast<size_t>(output) % scale_count_; }
  double BiasScale(size_t output) const { return static_cast<double>(input_scale_ * scales_[output % scale_count_]); }

  void ChooseScales() {
    std::vector<double> largest(scale_count_, 0.0), largest_bias(scale_count_, 0.0);
    layout_.ForEach([&](int64_t position, int64_t output, int64_t) {
      double& channel = largest[ScaleOf(output)];
      channel = std::max(channel, std::abs(static_cast<double>(weights_[static_cast<size_t>(position)])));
    });
    for (size_t c = 0; c < bias_.size(); ++c) {
      double& channel = largest_bias[c % scale_count_];
      channel = std::max(channel, std::abs(bias_[c]));
    }
    const double of_tensor = *std::max_element(largest.begin(), largest.end());
    for (size_t s = 0; s < scale_count_; ++s) {
      double scale = largest[s] / kLargestQ;
      if (largest[s] == 0) {
        scale = largest_bias[s] > 0 ? largest_bias[s] / (static_cast<double>(input_scale_) * kBiasSteps)
                                    : (of_tensor > 0 ? of_tensor / kLargestQ : 1.0);
      }
      scales_.push_back(std::max(static_cast<float>(scale), kSmallestScale));
    }
  }

  void RoundWeights() {
    std::vector<double> scaled(layout_.Taps());
    layout_.ForEachKernel([&](int64_t position, int64_t output, int64_t) {
      const std::span weights = weights_.subspan(static_cast<size_t>(position), scaled.size());
      const auto scale = static_cast<double>(scales_[ScaleOf(output)]);
      for (size_t tap = 0; tap < scaled.size(); ++tap) scaled[tap] = static_cast<double>(weights[tap]) / scale;
      RoundKernel(scaled, kLargestQ, std::span(integers_).subspan(static_cast<size_t>(position), scaled.size()));
    });
    Correct();
  }

  void Correct() {
    if (options_.input_means.empty()) return;
    bias_ = float_bias_;
    bias_.resize(static_cast<size_t>(layout_.output_channels), 0.0);
    layout_.ForEach([&](int64_t position, int64_t output, int64_t input) {
      const auto at = static_cast<size_t>(position);
      const double error = static_cast<double>(weights_[at]) -
                           static_cast<double>(integers_[at]) * static_cast<double>(scales_[ScaleOf(output)]);
      const double coverage =
          options_.tap_coverage.empty() ? 1.0 : options_.tap_coverage[static_cast<size_t>(layout_.Tap(position))];
      bias_[static_cast<size_t>(output)] += error * options_.input_means[static_cast<size_t>(input)] * coverage;
    });
    has_bias_ = has_bias_ || std::any_of(bias_.begin(), bias_.end(), [](double value) { return value != 0; });
  }

  // True where a scale had to grow for the sums of some channel to stay within int32.
  bool RaiseScales() {
    std::vector<double> magnitude(bias_.size(), 0.0);
    layout_.ForEach([&](int64_t position, int64_t output, int64_t) {
      magnitude[static_cast<size_t>(output)] += std::abs(static_cast<double>(integers_[static_cast<size_t>(position)]));
    });
    std::vector<double> growth(scale_count_, 1.0);
    for (size_t c = 0; c < bias_.size(); ++c) {
      const double bias = std::abs(bias_[c]) / BiasScale(c);
      const double sum = magnitude[c] * kLargestActivation + bias;
      const double needed = std::max(bias / kBiasLimit, sum / kAccumulatorLimit);
      growth[c % scale_count_] = std::max(growth[c % scale_count_], needed);
    }
    bool raised = false;
    for (size_t s = 0; s < scale_count_; ++s) {
      if (growth[s] <= 1.0) continue;
      // A little more, for the rounding of scale and weights.
      scales_[s] = static_cast<float>(static_cast<double>(scales_[s]) * growth[s] * 1.01);
      raised = true;
    }
    return raised;
  }

  QuantizedProduct Result() {
    QuantizedProduct result;
    result.weights = Tensor::Of<int8_t>(layout_.dims, std::move(integers_));
    result.weight_params.scheme = QuantScheme::kSymmetric;
    result.weight_params.narrow_range = true;
    result.weight_params.axis = options_.per_channel ? layout_.output_axis : -1;
    result.weight_params.scales = scales_;
    result.weight_params.zero_points.assign(scale_count_, 0);
    result.has_bias = has_bias_;
    if (!has_bias_) return result;
    std::vector<int32_t> rounded;
    QuantParams& params = result.bias_params;
    for (size_t c = 0; c < bias_.size(); ++c) {
      const double value = std::nearbyint(bias_[c] / BiasScale(c));
      rounded.push_back(static_cast<int32_t>(std::clamp(value, -kAccumulatorLimit, kAccumulatorLimit)));
      if (options_.per_channel || c == 0) params.scales.push_back(input_scale_ * scales_[c % scale_count_]);
    }
    params.bits = 32;
    params.scheme = QuantScheme::kSymmetric;
    params.axis = options_.per_channel ? 0 : -1;
    params.zero_points.assign(params.scales.size(), 0);
    result.bias = Tensor::Of<int32_t>({layout_.output_channels}, std::move(rounded));
    return result;
  }

  const ProductLayout& layout_;
  std::span<const float> weights_;
  const std::vector<double>& float_bias_;
  float input_scale_;
  const ProductQuantizationOptions& options_;
  size_t scale_count_ = 1;
  std::vector<float> scales_;
  std::vector<int8_t> integers_;
  std::vector<double> bias_;
  bool has_bias_ = false;
};

// By tap of one dimension: the share of output positions for which it lies on the input.
std::vector<double> AxisCoverage(const WindowAxis& axis) {
  std::vector<double> shares;
  for (int64_t tap = 0; tap < axis.kernel.value; ++tap) {
    int64_t inside = 0;
    for (int64_t out = 0; out < axis.output.value; ++out) {
      const int64_t at = out * axis.stride + tap * axis.dilation - axis.pad_begin;
      inside += at >= 0 && at < axis.input.value ? 1 : 0;
    }
    shares.push_back(static_cast<double>(inside) / static_cast<double>(axis.output.value));
  }
  return shares;
}

std::span<const Dim> Spatial(const Shape& shape) { return std::span<const Dim>(shape.dims()).subspan(2); }

}  // namespace

QuantizedProduct QuantizeProduct(const ProductLayout& layout, std::span<const float> weights,
                                 const std::vector<double>& bias, float input_scale,
                                 const ProductQuantizationOptions& options) {
  return ProductQuantizer(layout, weights, bias, input_scale, options).Quantize();
}

std::vector<double> TapCoverage(const Graph& graph, const Node& node) {
  const Shape& input = graph.value(node.inputs[0]).shape;
  const Shape& weights = graph.value(node.inputs[1]).shape;
  std::vector<double> coverage = {1.0};
  if (node.op == OpType::kConvTranspose) {
    double share = 1.0;
    for (const int64_t stride : node.attr<ConvTransposeAttrs>().strides) share /= static_cast<double>(stride);
    int64_t taps = 1;
    for (const Dim& dim : Spatial(weights)) taps *= dim.value;
    return std::vector<double>(static_cast<size_t>(taps), share);
  }
  if (node.op != OpType::kConv || input.rank() < 3) return {};
  const auto geometry = ConvGeometry(node.attr<ConvAttrs>(), Spatial(input), Spatial(weights));
  if (!geometry.ok() || !geometry->pads_known()) return {};
  for (const WindowAxis& axis : geometry->axes) {
    if (!axis.input.known() || !axis.output.known() || axis.output.value < 1) return {};
    std::vector<double> product;
    for (const double before : coverage) {
      for (const double share : AxisCoverage(axis)) product.push_back(before * share);
    }
    coverage = std::move(product);
  }
  return coverage;
}

}  // namespace qlite
