#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "calib/input_alternatives.h"
#include "calib/input_evidence.h"
#include "calib/worker_sessions.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/calibrator.h"

namespace qlite {
namespace {

using calib::Alternative;
using calib::BatchNormFit;
using calib::FirstBatchNorm;
using calib::PictureInput;

constexpr int64_t kSamples = 16;

using Pictures = std::vector<std::vector<float>>;

// What the network makes of the pictures under one alternative.
struct Response {
  std::vector<std::vector<double>> probabilities;  // of classes, by sample; empty for other networks
  std::vector<BatchNormFit> fits;                  // by sample; empty without a BatchNormalization to compare with
};

// Runs the network on the pictures, spread over the context's threads.
class Prober {
 public:
  Prober(const Context& context, const Graph& graph, const PictureInput& input, const Pictures& pictures,
         const std::optional<FirstBatchNorm>& batch_norm)
      : context_(context), graph_(graph), input_(input), pictures_(pictures), batch_norm_(batch_norm) {}

  absl::Status Start() {
    auto sessions = calib::MakeWorkerSessions(context_, graph_, context_.executor().concurrency());
    if (!sessions.ok()) return sessions.status();
    sessions_ = *std::move(sessions);
    const TensorView output = sessions_[0]->output(0);
    classifier_ = sessions_[0]->output_count() == 1 && output.type == ElementType::kFloat32 &&
                  output.dims.size() == 2 && output.dims[0] == 1 && output.dims[1] > 2;
    return absl::OkStatus();
  }

  bool classifier() const { return classifier_; }

  // Null: the pictures as they are.
  absl::StatusOr<Response> Probe(const Alternative* alternative) {
    Response response;
    if (batch_norm_) response.fits.assign(pictures_.size(), BatchNormFit(*batch_norm_));
    if (!batch_norm_) response.probabilities.resize(pictures_.size());
    std::vector<absl::Status> status(pictures_.size());
    std::atomic<size_t> next = 0;
    context_.executor().ParallelFor(static_cast<int64_t>(sessions_.size()), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        Session& session = *sessions_[static_cast<size_t>(i)];
        for (size_t k; (k = next++) < pictures_.size();) status[k] = ProbeOne(alternative, k, session, &response);
      }
    });
    for (const absl::Status& one : status) {
      if (!one.ok()) return one;
    }
    return response;
  }

 private:
  absl::Status ProbeOne(const Alternative* alternative, size_t sample, Session& session, Response* response) {
    const std::span<float> input = session.input(0).as<float>();
    if (alternative == nullptr) {
      std::copy(pictures_[sample].begin(), pictures_[sample].end(), input.begin());
    } else {
      calib::Correct(*alternative, input_, pictures_[sample], input);
    }
    if (batch_norm_) {
      return session.RunTapped([&](ValueId id, const TappedValue& value) {
        if (id == batch_norm_->input) response->fits[sample].Add(value);
      });
    }
    if (absl::Status status = session.Run(); !status.ok()) return status;
    response->probabilities[sample] = calib::ClassProbabilities(session.output(0).as<float>());
    return absl::OkStatus();
  }

  const Context& context_;
  const Graph& graph_;
  const PictureInput& input_;
  const Pictures& pictures_;
  const std::optional<FirstBatchNorm>& batch_norm_;
  std::vector<std::unique_ptr<Session>> sessions_;
  bool classifier_ = false;
};

// How much better the best alternative is; the text is the evidence.
struct Verdict {
  double gain = 0;
  std::string evidence;
};

double Divergence(const Response& response) {
  BatchNormFit all = response.fits.front();
  for (size_t i = 1; i < response.fits.size(); ++i) all.Merge(response.fits[i]);
  return all.Divergence();
}

// By the statistics that the first BatchNormalization remembers from training.
Verdict CompareBatchNorm(const Response& given, const Response& other, const Alternative& alternative) {
  constexpr double kLeastGain = 0.03, kLeastRatio = 2;
  const double as_given = Divergence(given), corrected = Divergence(other);
  if (as_given - corrected < kLeastGain || as_given < kLeastRatio * corrected) return {};
  return {as_given - corrected,
          absl::StrFormat("the first BatchNormalization's inputs are %.3f nats from what it saw in training, and %.3f "
                          "nats with the correction: %s",
                          as_given, corrected, alternative.correction)};
}

// Swapped colours leave the distribution of values as it is, so that sureness is evidence: the entropies, sample by
// sample, fall by more than chance explains.
Verdict CompareSureness(const Response& given, const Response& other, const Alternative& alternative) {
  constexpr double kLeastDeviations = 2, kLeastShare = 0.1;
  double sum = 0, squares = 0, before = 0, after = 0;
  const double n = static_cast<double>(given.probabilities.size());
  for (size_t i = 0; i < given.probabilities.size(); ++i) {
    const double a = calib::Entropy(given.probabilities[i]), b = calib::Entropy(other.probabilities[i]);
    before += a / n, after += b / n;
    sum += a - b, squares += (a - b) * (a - b);
  }
  const double mean = sum / n;
  const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean) / n);
  if (mean < kLeastShare * before || mean < kLeastDeviations * deviation) return {};
  return {mean, absl::StrFormat("the network is surer of its answers %s (mean entropy %.2f instead of %.2f nats, %.1f "
                                "standard errors)",
                                alternative.correction, after, before, deviation > 0 ? mean / deviation : 99.0)};
}

// The ratio by which the answers under a correction must be more informative.
constexpr double kLeastInformationRatio = 1.25;

// What answers that tell every sample from every other, as far as there are classes, would reach.
double MostInformation(const Response& response) {
  return std::log(static_cast<double>(std::min(response.probabilities.size(), response.probabilities.front().size())));
}

// Other corrections change the scale: what counts is how well the answers tell the pictures apart.
Verdict CompareInformation(const Response& given, const Response& other, const Alternative& alternative) {
  constexpr double kLeastGain = 0.3, kLeastRatioEnlarging = 4, kTrained = 0.25;
  const double as_given = calib::MutualInformation(given.probabilities);
  const double corrected = calib::MutualInformation(other.probabilities);
  const double most = MostInformation(other);
  const double ratio = alternative.enlarges ? kLeastRatioEnlarging : kLeastInformationRatio;
  if (corrected - as_given < kLeastGain || corrected < ratio * as_given || corrected < kTrained * most) return {};
  return {corrected - as_given,
          absl::StrFormat("the network's answers tell the samples apart by %.2f nats, and by %.2f nats with the "
                          "correction: %s",
                          as_given, corrected, alternative.correction)};
}

std::vector<int64_t> Extents(const PictureInput& input) {
  if (input.channels_last) return {1, input.height, input.width, input.channels};
  return {1, input.channels, input.height, input.width};
}

absl::StatusOr<Pictures> ReadPictures(const DataSet& data, const PictureInput& input, const Graph& graph) {
  Pictures pictures;
  const std::vector<int64_t> dims = Extents(input);
  for (int64_t i = 0; i < std::min(kSamples, data.size()); ++i) {
    // Spread over the set: neighbours are often alike.
    const int64_t index = i * data.size() / std::min(kSamples, data.size());
    std::vector<float> picture(static_cast<size_t>(input.size()));
    const MutableTensorView view{ElementType::kFloat32, dims, picture.data(), picture.size() * sizeof(float)};
    if (absl::Status status = data.Read(index, {&view, 1}); !status.ok()) return status;
    for (float x : picture) {
      if (std::isfinite(x)) continue;
      return AtValue(
          absl::FailedPreconditionError(StrCat("sample ", index, " (", data.Describe(index), "): input '",
                                               graph.value(graph.inputs()[0]).name, "' is infinite or NaN somewhere")),
          graph.value(graph.inputs()[0]).name);
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

calib::ValueSpan SpanOf(const Pictures& pictures) {
  calib::ValueSpan span{pictures.front().front(), pictures.front().front()};
  double sum = 0, count = 0;
  for (const std::vector<float>& picture : pictures) {
    const auto [min, max] = std::minmax_element(picture.begin(), picture.end());
    span.min = std::min(span.min, *min), span.max = std::max(span.max, *max);
    for (float x : picture) sum += static_cast<double>(x);
    count += static_cast<double>(picture.size());
  }
  span.mean = static_cast<float>(sum / count);
  return span;
}

// Probes the alternatives and keeps what they prove: values that are wrong, or else colours that are.
absl::StatusOr<std::vector<InputWarning>> CompareAlternatives(const std::vector<Alternative>& alternatives,
                                                              bool by_batch_norm, Prober& prober) {
  const absl::StatusOr<Response> given = prober.Probe(nullptr);
  if (!given.ok()) return given.status();
  // Where the answers are nearly as informative as can be, no correction of values can improve on them.
  const bool values_right = !by_batch_norm && kLeastInformationRatio * calib::MutualInformation(given->probabilities) >
                                                  MostInformation(*given);
  std::optional<InputWarning> colours, values;
  double best_gain = 0;
  for (const Alternative& alternative : alternatives) {
    if (values_right && !alternative.swap_channels) continue;
    const absl::StatusOr<Response> other = prober.Probe(&alternative);
    if (!other.ok()) return other.status();
    const Verdict verdict = by_batch_norm               ? CompareBatchNorm(*given, *other, alternative)
                            : alternative.swap_channels ? CompareSureness(*given, *other, alternative)
                                                        : CompareInformation(*given, *other, alternative);
    if (verdict.gain <= 0) continue;
    if (alternative.swap_channels) {
      colours = {alternative.mistake, verdict.evidence};
    } else if (verdict.gain > best_gain) {
      best_gain = verdict.gain;
      values = {alternative.mistake, verdict.evidence};
    }
  }
  // Wrong values distort what colours are judged by.
  if (values) return std::vector<InputWarning>{*values};
  if (colours) return std::vector<InputWarning>{*colours};
  return std::vector<InputWarning>();
}

std::optional<InputWarning> CheckLayout(const PictureInput& input, const Pictures& pictures) {
  // Right pictures are at least a tenth rougher in the wrong layout, wrong ones a good deal smoother.
  constexpr double kMuchSmoother = 0.8;
  if (input.channels == 1) return std::nullopt;
  double declared = 0, other = 0;
  for (const std::vector<float>& picture : pictures) {
    const calib::Roughness roughness = calib::MeasureRoughness(input, picture);
    declared += roughness.as_declared;
    other += roughness.as_other_layout;
  }
  if (other >= kMuchSmoother * declared) return std::nullopt;
  const char* have = input.channels_last ? "NCHW" : "NHWC";
  const char* want = input.channels_last ? "NHWC" : "NCHW";
  return InputWarning{
      StrCat("the data are ", have, ", but the input takes ", want),
      absl::StrFormat("neighbouring pixels differ by %.3g when the samples are read as %s, by %.3g as %s",
                      declared / static_cast<double>(pictures.size()), want,
                      other / static_cast<double>(pictures.size()), have)};
}

}  // namespace

absl::StatusOr<std::vector<InputWarning>> Calibrator::CheckInputStatistics(const DataSet& data, const Graph& original) {
  const std::vector<InputWarning> nothing;
  const std::optional<PictureInput> input = calib::FindPictureInput(graph_);
  if (!input || data.size() == 0) return nothing;
  const absl::StatusOr<Pictures> pictures = ReadPictures(data, *input, graph_);
  if (!pictures.ok()) return pictures.status();
  if (std::optional<InputWarning> layout = CheckLayout(*input, *pictures)) return std::vector<InputWarning>{*layout};

  const std::optional<FirstBatchNorm> batch_norm = calib::FindFirstBatchNorm(original);
  Graph beginning = calib::UpToFirstBatchNorm(original);  // all that is looked at
  if (batch_norm) {  // the extents may have been fixed in the graph to calibrate alone
    const std::string& name = original.value(original.inputs()[0]).name;
    if (absl::Status status = beginning.InferShapes({{name, Extents(*input)}}); !status.ok()) return status;
  }
  Prober prober(context_, batch_norm ? beginning : graph_, *input, *pictures, batch_norm);
  if (absl::Status status = prober.Start(); !status.ok()) return status;
  // Without a memory of the training, only a classifier's answers can be judged.
  if (!batch_norm && (!prober.classifier() || pictures->size() < 2)) return nothing;
  return CompareAlternatives(calib::PlausibleAlternatives(*input, SpanOf(*pictures)), batch_norm.has_value(), prober);
}

}  // namespace qlite
