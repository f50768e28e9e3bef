#include "passes/weight_tuning.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/output_similarity.h"
#include "passes/weight_choices.h"

namespace qlite {
namespace {

constexpr int64_t kSensitivitySamples = 16, kMostTuningSamples = 64;
constexpr double kNearEnough = 1.02, kLargestError = 0.5, kLeastError = 1e-4;
// Sensitivities below this share of the largest are rounding of the outputs.
constexpr double kLeastShare = 1e-9;

// The factors between which the answer lies; 0 where no bound is known yet.
struct Bracket {
  double good = 0, bad = 0;

  double Next(double start) const {
    if (good > 0 && bad > 0) return std::sqrt(good * bad);
    if (good > 0) return 2 * good;
    return bad > 0 ? bad / 2 : start;
  }
  bool Done() const { return good > 0 && bad > 0 && bad <= good * kNearEnough; }
};

struct TunedWeight {
  std::string name;
  double elements = 0;
  double sensitivity = 0;  // of 1 - cosine to the squared relative error
};

class MixedBitsSearch {
 public:
  MixedBitsSearch(const Context& context, const Graph& graph, const WeightQuantizerOptions& options,
                  const DataSet* data)
      : context_(context), graph_(graph), options_(options), data_(data) {
    options_.auto_tune = false;
  }

  absl::StatusOr<QuantizationResult> Run() {
    Graph shaped = graph_;
    QLITE_RETURN_IF_ERROR(shaped.InferShapes(options_.input_shapes));
    QLITE_RETURN_IF_ERROR(MeasureSensitivities(shaped));
    absl::StatusOr<OutputReference> reference = OutputReference::Create(context_, shaped, data_, kMostTuningSamples);
    if (!reference.ok()) return reference.status();
    return Bisect(*reference);
  }

 private:
  absl::Status MeasureSensitivities(const Graph& shaped) {
    absl::StatusOr<QuantizationResult> all = WeightQuantize(context_, graph_, options_, nullptr);
    if (!all.ok()) return all.status();
    for (const WeightOutcome& weight : all->weights) {
      if (weight.reason.empty()) weights_.push_back({weight.name, static_cast<double>(weight.elements)});
    }
    const absl::StatusOr<OutputReference> reference =
        OutputReference::Create(context_, shaped, data_, kSensitivitySamples);
    if (!reference.ok()) return reference.status();
    const auto count = static_cast<int64_t>(weights_.size());
    for (int64_t i = 0; i < count; ++i) {
      QLITE_RETURN_IF_ERROR(context_.Report({"measure sensitivities", i, count}));
      TunedWeight& weight = weights_[static_cast<size_t>(i)];
      const absl::StatusOr<OutputSimilarity> alone =
          Similarity({{weight.name, WeightChoice{0, options_.mixed_error}}}, *reference, nullptr);
      if (!alone.ok()) return alone.status();
      weight.sensitivity = std::max(0.0, 1 - alone->cosine) / (options_.mixed_error * options_.mixed_error);
    }
    double largest = 0;
    for (const TunedWeight& weight : weights_) largest = std::max(largest, weight.sensitivity);
    for (TunedWeight& weight : weights_) weight.sensitivity = std::max(weight.sensitivity, largest * kLeastShare);
    return absl::OkStatus();
  }

  // How near these choices come; the quantized graph goes to `result` where one is given.
  absl::StatusOr<OutputSimilarity> Similarity(const WeightChoices& choices, const OutputReference& reference,
                                              QuantizationResult* result) const {
    absl::StatusOr<QuantizationResult> quantized = QuantizeChosenWeights(context_, graph_, options_, choices, nullptr);
    if (!quantized.ok()) return quantized.status();
    absl::StatusOr<OutputSimilarity> similarity = reference.Compare(context_, quantized->graph);
    if (result != nullptr) *result = *std::move(quantized);
    return similarity;
  }

  // Errors of equal gain in bits for equal loss.
  WeightChoices ChoicesAt(double factor) const {
    WeightChoices choices;
    for (const TunedWeight& weight : weights_) {
      const double error = weight.sensitivity > 0 ? factor * std::sqrt(weight.elements / weight.sensitivity) : 1;
      choices[weight.name] = WeightChoice{0, std::clamp(error, kLeastError, kLargestError)};
    }
    return choices;
  }

  // Whether a factor farther the same way changes nothing.
  static bool AllAt(const WeightChoices& choices, double error) {
    return std::all_of(choices.begin(), choices.end(), [&](const auto& one) { return one.second.error == error; });
  }

  // With which the sensitivities predict the loss that is allowed.
  double FirstFactor() const {
    double elements = 1;
    for (const TunedWeight& weight : weights_) elements += weight.elements;
    return std::sqrt((1 - options_.cosine_target) / elements);
  }

  absl::StatusOr<QuantizationResult> Bisect(const OutputReference& reference) {
    Bracket bracket;
    std::optional<QuantizationResult> best;
    OutputSimilarity reached;
    double closest = 0;
    int round = 0;
    while (round < options_.max_iterations && !bracket.Done()) {
      QLITE_RETURN_IF_ERROR(context_.Report({"search for the errors", round++, options_.max_iterations}));
      const double factor = bracket.Next(FirstFactor());
      const WeightChoices choices = ChoicesAt(factor);
      QuantizationResult result;
      const absl::StatusOr<OutputSimilarity> similarity = Similarity(choices, reference, &result);
      if (!similarity.ok()) return similarity.status();
      closest = std::max(closest, similarity->CosineBound());
      const bool good = similarity->CosineBound() >= options_.cosine_target;
      (good ? bracket.good : bracket.bad) = factor;
      if (good) reached = *similarity, best = std::move(result);
      if (AllAt(choices, good ? kLargestError : kLeastError)) break;
    }
    if (!best) return NotReached(closest, round);
    best->steps.push_back(StrCat(
        "measured the sensitivities of ", weights_.size(), " weights and searched their errors in ", round,
        " rounds: the outputs' mean cosine is ", reached.cosine, ", its standard error ", reached.cosine_deviation));
    return *std::move(best);
  }

  absl::Status NotReached(double closest, int rounds) const {
    return absl::OutOfRangeError(StrCat("auto_tune: no errors of the weights reached a cosine of ",
                                        options_.cosine_target, " with a margin of two standard errors in ", rounds,
                                        " rounds, the nearest was ", closest,
                                        "; lower cosine_target, or quantize to a fixed width of 8 bits"));
  }

  const Context& context_;
  const Graph& graph_;
  WeightQuantizerOptions options_;
  const DataSet* data_;
  std::vector<TunedWeight> weights_;
};

}  // namespace

absl::StatusOr<QuantizationResult> TuneMixedBits(const Context& context, const Graph& graph,
                                                 const WeightQuantizerOptions& options, const DataSet* data) {
  return MixedBitsSearch(context, graph, options, data).Run();
}

}  // namespace qlite
