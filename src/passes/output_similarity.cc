#include "passes/output_similarity.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <span>

#include "absl/functional/function_ref.h"
#include "core/random_input.h"
#include "core/status_macros.h"
#include "passes/sampled_data_set.h"
#include "qlite/session.h"

namespace qlite {
namespace {

double CosineOf(std::span<const float> a, std::span<const float> b) {
  double dot = 0, norm_a = 0, norm_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y, norm_a += x * x, norm_b += y * y;
  }
  if (norm_a == 0 && norm_b == 0) return 1;
  const double cosine = dot / std::sqrt(norm_a * norm_b);
  return std::isfinite(cosine) ? cosine : 0;
}

struct Mean {
  double sum = 0, count = 0;

  void Add(double x) { sum += x, count += 1; }
  double value() const { return count > 0 ? sum / count : 0; }
};

void AddRelativeErrors(std::span<const float> reference, std::span<const float> result, Mean& mean) {
  constexpr double kAbsolute = 1e-4, kRelative = 1e-5;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double expected = std::abs(static_cast<double>(reference[i]));
    const double error = std::abs(static_cast<double>(result[i]) - static_cast<double>(reference[i]));
    mean.Add(error <= kAbsolute + kRelative * expected ? 0 : error / std::max(expected, kAbsolute));
  }
}

// Runs the samples in order and calls see(result) for every float output of each.
absl::Status RunSamples(const Context& context, const Graph& graph, const DataSet* data, int64_t samples,
                        absl::FunctionRef<void(std::span<const float>)> see) {
  absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(context, graph);
  if (!session.ok()) return session.status();
  std::vector<MutableTensorView> inputs;
  for (size_t i = 0; i < (*session)->input_count(); ++i) inputs.push_back((*session)->input(i));
  std::mt19937 generator(20260101);
  for (int64_t sample = 0; sample < samples; ++sample) {
    if (data != nullptr) {
      QLITE_RETURN_IF_ERROR(SampledDataSet(*data, samples).Read(sample, inputs));
    } else {
      for (const MutableTensorView& input : inputs) FillRandom(generator, input);
    }
    QLITE_RETURN_IF_ERROR((*session)->Run());
    for (size_t i = 0; i < (*session)->output_count(); ++i) {
      const TensorView output = (*session)->output(i);
      if (output.type == ElementType::kFloat32) see(output.as<float>());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OutputReference> OutputReference::Create(const Context& context, const Graph& graph, const DataSet* data,
                                                        int64_t samples) {
  OutputReference reference(data, data != nullptr ? std::min(samples, data->size()) : samples);
  QLITE_RETURN_IF_ERROR(RunSamples(context, graph, data, reference.samples_, [&](std::span<const float> result) {
    reference.results_.emplace_back(result.begin(), result.end());
  }));
  if (reference.samples_ > 0) reference.outputs_ = reference.results_.size() / static_cast<size_t>(reference.samples_);
  return reference;
}

absl::StatusOr<OutputSimilarity> OutputReference::Compare(const Context& context, const Graph& graph) const {
  size_t next = 0;
  Mean relative;
  std::vector<double> cosines(results_.size(), 0.0);
  QLITE_RETURN_IF_ERROR(RunSamples(context, graph, data_, samples_, [&](std::span<const float> result) {
    if (next < results_.size() && results_[next].size() == result.size()) {
      cosines[next] = CosineOf(results_[next], result);
      AddRelativeErrors(results_[next], result, relative);
    }
    ++next;
  }));
  OutputSimilarity similarity;
  similarity.relative_error = relative.value();
  if (results_.empty()) return similarity;
  Mean mean, squares;
  for (size_t first = 0; first < cosines.size(); first += outputs_) {
    Mean sample;
    for (size_t i = 0; i < outputs_; ++i) sample.Add(cosines[first + i]);
    mean.Add(sample.value());
    squares.Add(sample.value() * sample.value());
  }
  similarity.cosine = mean.value();
  const double variance = std::max(0.0, squares.value() - mean.value() * mean.value());
  if (mean.count > 1) similarity.cosine_deviation = std::sqrt(variance / (mean.count - 1));
  return similarity;
}

}  // namespace qlite
