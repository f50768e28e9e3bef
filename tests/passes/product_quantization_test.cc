#include "passes/product_quantization.h"

#include "passes/graph_edit.h"
#include "passes/graph_maker.h"

namespace qlite {
namespace {

using namespace testing;

struct Product {
  Graph graph;
  NodeId node;
  ProductLayout layout;
  std::vector<float> weights;
  std::vector<double> bias;
};

Product ConvProduct(const std::vector<float>& weights, const std::vector<float>& bias, int64_t inputs = 1) {
  GraphMaker maker;
  const auto outputs = static_cast<int64_t>(bias.size());
  const ValueId x = maker.Input({1, inputs, 4, 4});
  maker.Finish(
      {maker.Node(OpType::kConv, {x, maker.Floats({outputs, inputs, 1, 1}, weights), maker.Floats({outputs}, bias)})});
  Product product{maker.graph, maker.graph.TopologicalOrder()[0], {}, weights, {bias.begin(), bias.end()}};
  product.layout = *FindProduct(product.graph, product.graph.node(product.node));
  return product;
}

TEST_CASE("Weights use the whole narrow range of every channel, or of the layer") {
  const Product conv = ConvProduct({1.0f, -2.0f, 0.01f, 0.0051f}, {0.5f, 0.0f}, 2);
  const QuantizedProduct per_channel = QuantizeProduct(conv.layout, conv.weights, conv.bias, 0.1f, {});
  REQUIRE(per_channel.weight_params.axis == 0);
  REQUIRE(per_channel.weight_params.Validate().ok());
  const auto q = per_channel.weights.data<int8_t>();
  REQUIRE(std::vector<int>(q.begin(), q.end()) == std::vector<int>{64, -127, 127, 65});
  REQUIRE(per_channel.bias_params.scales[0] == Approx(0.1f * 2.0f / 127));
  REQUIRE(per_channel.bias.data<int32_t>()[0] == 318);  // 0.5 / (0.2 / 127) = 317.5, to even

  ProductQuantizationOptions options;
  options.per_channel = false;
  const QuantizedProduct per_layer = QuantizeProduct(conv.layout, conv.weights, conv.bias, 0.1f, options);
  REQUIRE(per_layer.weight_params.axis == -1);
  REQUIRE(per_layer.weight_params.scales.size() == 1);
  REQUIRE(per_layer.bias_params.scales.size() == 1);
  REQUIRE(per_layer.weights.data<int8_t>()[2] == 1);
}

TEST_CASE("Where the bias would not fit, the channel's scale is raised and its weights with it") {
  const Product conv = ConvProduct({1e-12f, 0.5f}, {3.0f, 3.0f});
  const QuantizedProduct result = QuantizeProduct(conv.layout, conv.weights, conv.bias, 1e-3f, {});
  const auto bias = result.bias.data<int32_t>();
  for (size_t c = 0; c < 2; ++c) {
    const double scale = static_cast<double>(1e-3f * result.weight_params.scales[c]);
    REQUIRE(scale * bias[c] == Approx(3.0).epsilon(1e-5));
    REQUIRE(std::abs(static_cast<double>(bias[c])) <= 1073741824.0);
    const double weight = static_cast<double>(result.weight_params.scales[c]) * result.weights.data<int8_t>()[c];
    REQUIRE(std::abs(weight - static_cast<double>(conv.weights[c])) <=
            static_cast<double>(result.weight_params.scales[c]) / 2 + 1e-12);
  }
  REQUIRE(result.weights.data<int8_t>()[1] == 127);
}

TEST_CASE("A channel without weights keeps its bias to many digits") {
  const Product conv = ConvProduct({0.0f, 0.0f}, {0.37f, 0.0f});
  const QuantizedProduct result = QuantizeProduct(conv.layout, conv.weights, conv.bias, 0.02f, {});
  const double scale = static_cast<double>(0.02f * result.weight_params.scales[0]);
  REQUIRE(scale * result.bias.data<int32_t>()[0] == Approx(0.37).epsilon(1e-5));
  REQUIRE(result.weight_params.scales[1] == 1.0f);
  REQUIRE(result.weights.data<int8_t>()[0] == 0);
}

TEST_CASE("Correction moves the mean error of the weights into the bias") {
  const std::vector<float> weights = {0.3f, 1.0f, -0.77f, 0.113f};
  const Product conv = ConvProduct(weights, {0.1f, 0.2f}, 2);
  ProductQuantizationOptions options;
  options.input_means = {2.0, -3.0};
  const QuantizedProduct result = QuantizeProduct(conv.layout, conv.weights, conv.bias, 0.01f, options);
  for (size_t o = 0; o < 2; ++o) {
    double expected = conv.bias[o], found = 0;
    for (size_t i = 0; i < 2; ++i) {
      expected += static_cast<double>(weights[o * 2 + i]) * options.input_means[i];
      found += static_cast<double>(result.weight_params.scales[o]) * result.weights.data<int8_t>()[o * 2 + i] *
               options.input_means[i];
    }
    found += static_cast<double>(result.bias_params.scales[o]) * result.bias.data<int32_t>()[o];
    REQUIRE(found == Approx(expected).margin(static_cast<double>(result.bias_params.scales[o])));
  }
}

TEST_CASE("A missing bias is made only where correction needs one") {
  const Product conv = ConvProduct({0.3f, 1.0f}, {0.0f}, 2);
  REQUIRE_FALSE(QuantizeProduct(conv.layout, conv.weights, {}, 0.01f, {}).has_bias);
  ProductQuantizationOptions options;
  options.input_means = {1.0, 1.0};
  const QuantizedProduct corrected = QuantizeProduct(conv.layout, conv.weights, {}, 0.01f, options);
  REQUIRE(corrected.has_bias);
  REQUIRE(corrected.bias.data<int32_t>()[0] != 0);
}

TEST_CASE("Taps at the border count by how often they meet the input") {
  GraphMaker maker;
  Graph& graph = maker.Finish({maker.Conv(maker.Input({1, 2, 4, 4}), 2, 2, 3)});
  const std::vector<double> coverage = TapCoverage(graph, graph.node(graph.TopologicalOrder()[0]));
  REQUIRE(coverage.size() == 9);
  REQUIRE(coverage[4] == 1.0);
  REQUIRE(coverage[1] == 0.75);
  REQUIRE(coverage[0] == 0.75 * 0.75);
}

TEST_CASE("Layouts tell the channels of every weight") {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 4, 4});
  ConvTransposeAttrs attrs;
  attrs.group = 2;
  maker.Finish(
      {maker.Node(OpType::kConvTranspose, attrs, {maker.Conv(x, 4, 4, 1, 2), maker.RandomConstant({4, 3, 1, 1})})});
  const auto order = maker.graph.TopologicalOrder();
  std::vector<std::pair<int64_t, int64_t>> conv, transposed;
  FindProduct(maker.graph, maker.graph.node(order[0]))->ForEach([&](int64_t, int64_t o, int64_t i) {
    conv.emplace_back(o, i);
  });
  FindProduct(maker.graph, maker.graph.node(order[1]))->ForEach([&](int64_t, int64_t o, int64_t i) {
    transposed.emplace_back(o, i);
  });
  REQUIRE(conv ==
          std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}, {2, 3}, {3, 2}, {3, 3}});
  REQUIRE(transposed ==
          std::vector<std::pair<int64_t, int64_t>>{
              {0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 2}, {3, 3}, {4, 3}, {5, 3}});
}

}  // namespace
}  // namespace qlite
