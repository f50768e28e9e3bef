#include "calib/input_evidence.h"

#include <algorithm>
#include <cmath>

#include "core/unused_nodes.h"

namespace qlite::calib {

std::vector<double> ClassProbabilities(std::span<const float> output) {
  std::vector<double> p(output.begin(), output.end());
  double sum = 0;
  for (double x : p) sum += x;
  const bool normalized = std::all_of(p.begin(), p.end(), [](double x) { return x >= 0; }) && std::fabs(sum - 1) < 1e-3;
  if (normalized) return p;
  const double max = *std::max_element(p.begin(), p.end());
  sum = 0;
  for (double& x : p) sum += x = std::exp(x - max);
  for (double& x : p) x /= sum;
  return p;
}

double Entropy(std::span<const double> probabilities) {
  double entropy = 0;
  for (double p : probabilities) entropy -= p > 0 ? p * std::log(p) : 0;
  return entropy;
}

double MutualInformation(const std::vector<std::vector<double>>& probabilities) {
  std::vector<double> mean(probabilities.front().size());
  double mean_entropy = 0;
  const double share = 1.0 / static_cast<double>(probabilities.size());
  for (const std::vector<double>& p : probabilities) {
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += share * p[i];
    mean_entropy += share * Entropy(p);
  }
  return Entropy(mean) - mean_entropy;
}

std::optional<FirstBatchNorm> FindFirstBatchNorm(const Graph& graph) {
  for (const ValueId graph_input : graph.inputs()) {
    for (const NodeId conv : graph.Consumers(graph_input)) {
      if (graph.node(conv).op != OpType::kConv) continue;
      const ValueId convolved = graph.node(conv).outputs[0];
      for (const NodeId id : graph.Consumers(convolved)) {
        const Node& node = graph.node(id);
        if (node.op != OpType::kBatchNormalization || node.inputs.size() != 5 || node.inputs[0] != convolved) continue;
        const Value& mean = graph.value(node.inputs[3]);
        const Value& variance = graph.value(node.inputs[4]);
        if (!mean.is_constant() || !variance.is_constant() || mean.constant->type() != ElementType::kFloat32 ||
            variance.constant->type() != ElementType::kFloat32 ||
            mean.constant->element_count() != variance.constant->element_count()) {
          continue;
        }
        const auto means = mean.constant->data<float>(), variances = variance.constant->data<float>();
        return FirstBatchNorm{id, convolved, {means.begin(), means.end()}, {variances.begin(), variances.end()}};
      }
    }
  }
  return std::nullopt;
}

Graph UpToFirstBatchNorm(const Graph& graph) {
  const std::optional<FirstBatchNorm> batch_norm = FindFirstBatchNorm(graph);
  if (!batch_norm) return Graph();
  return PartThatMakes(graph, {graph.node(batch_norm->node).outputs[0]});
}

BatchNormFit::BatchNormFit(const FirstBatchNorm& expected)
    : expected_(&expected), sum_(expected.mean.size()), squares_(expected.mean.size()) {}

void BatchNormFit::Add(const TappedValue& value) {
  const int64_t channels = static_cast<int64_t>(sum_.size());
  if (value.type != ElementType::kFloat32 || value.dims.size() < 2 || value.dims[1] != channels || channels == 0)
    return;
  const float* data = static_cast<const float*>(value.data);
  const int64_t inner = value.channels_last ? 1 : value.elements / (value.dims[0] * channels);
  for (int64_t i = 0; i < value.elements; ++i) {
    const size_t c = static_cast<size_t>(i / inner % channels);
    const double x = static_cast<double>(data[i]);
    sum_[c] += x;
    squares_[c] += x * x;
  }
  count_ += value.elements / channels;
}

void BatchNormFit::Merge(const BatchNormFit& other) {
  for (size_t c = 0; c < sum_.size(); ++c) {
    sum_[c] += other.sum_[c];
    squares_[c] += other.squares_[c];
  }
  count_ += other.count_;
}

double BatchNormFit::Divergence() const {
  constexpr double kSmallestVariance = 1e-5;
  if (count_ == 0 || sum_.empty()) return 0;
  double total = 0;
  for (size_t c = 0; c < sum_.size(); ++c) {
    const double mean = sum_[c] / static_cast<double>(count_);
    const double variance = std::max(squares_[c] / static_cast<double>(count_) - mean * mean, kSmallestVariance);
    const double expected = std::max(static_cast<double>(expected_->variance[c]), kSmallestVariance);
    const double distance = mean - static_cast<double>(expected_->mean[c]);
    total += 0.5 * (std::log(expected / variance) + (variance + distance * distance) / expected - 1);
  }
  return total / static_cast<double>(sum_.size());
}

}  // namespace qlite::calib
