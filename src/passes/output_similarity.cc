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
  return reference;
}

absl::StatusOr<double> OutputReference::Cosine(const Context& context, const Graph& graph) const {
  size_t next = 0;
  double sum = 0;
  QLITE_RETURN_IF_ERROR(RunSamples(context, graph, data_, samples_, [&](std::span<const float> result) {
    if (next < results_.size() && results_[next].size() == result.size()) sum += CosineOf(results_[next], result);
    ++next;
  }));
  return results_.empty() ? 1.0 : sum / static_cast<double>(results_.size());
}

}  // namespace qlite
