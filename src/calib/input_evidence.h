// How well a network fits the pictures it is fed, as two scores that tell right preprocessing from wrong.
#ifndef QLITE_CALIB_INPUT_EVIDENCE_H_
#define QLITE_CALIB_INPUT_EVIDENCE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "qlite/graph.h"
#include "qlite/session.h"

namespace qlite::calib {

// A probability for every class from a classifier's output: as it is where it sums to 1, else its softmax.
std::vector<double> ClassProbabilities(std::span<const float> output);

// Entropy in nats.
double Entropy(std::span<const double> probabilities);

// The mutual information between the samples and the classes, in nats: the entropy of the mean distribution less the
// mean entropy. Near zero where a network says the same, or nothing definite, about all pictures (the quantity behind
// the Inception score of Salimans et al., "Improved Techniques for Training GANs", 2016).
double MutualInformation(const std::vector<std::vector<double>>& probabilities);

// A BatchNormalization whose input is a convolution of the graph's input, with constant statistics.
struct FirstBatchNorm {
  NodeId node;
  ValueId input;
  std::vector<float> mean, variance;
};
std::optional<FirstBatchNorm> FindFirstBatchNorm(const Graph& graph);

// The part of the graph that ends with that BatchNormalization, under the same ids; an empty graph where there is none.
Graph UpToFirstBatchNorm(const Graph& graph);

// Gathers mean and variance of the channels of a tapped value, and says how far they are from those that a
// BatchNormalization remembers: the mean over channels of the divergence between the two normal distributions, in nats.
class BatchNormFit {
 public:
  explicit BatchNormFit(const FirstBatchNorm& expected);
  void Add(const TappedValue& value);
  void Merge(const BatchNormFit& other);
  double Divergence() const;

 private:
  const FirstBatchNorm* expected_;
  std::vector<double> sum_, squares_;
  int64_t count_ = 0;
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_INPUT_EVIDENCE_H_
