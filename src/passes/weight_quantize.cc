#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/quant_runs.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/gptq.h"
#include "passes/graph_edit.h"
#include "passes/input_moments.h"
#include "passes/made_up_pictures.h"
#include "passes/mixed_bits.h"
#include "passes/quantization_stages.h"
#include "passes/skipped_nodes.h"
#include "passes/weight_candidates.h"
#include "passes/weight_choices.h"
#include "passes/weight_rounding.h"
#include "passes/weight_tuning.h"
#include "passes/width_search.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

constexpr int kMostBits = 16;
// From here on the range of the weights serves as well as any smaller one.
constexpr int kEnoughBits = 8;
constexpr int64_t kLeastBlock = 16, kLargestBlock = 256;
constexpr size_t kSmallConstantBytes = size_t{1} << 20;
// Of input moments held at a time.
constexpr int64_t kMostMomentBytes = int64_t{128} << 20;
// Without being asked for, GPTQ is for products that sum over no more: its time grows with the cube.
constexpr int64_t kMostInputs = 2560;
constexpr int64_t kMadeUpPictures = 32;
constexpr int64_t kPositions = 256, kMadeUpPositions = 64;  // that are looked at in each
// Made-up pictures say less of the inputs than real ones. Of rectified inputs, whose mean a normal distribution puts at
// 1 / pi of their second moment, they say least how much the channels have in common.
constexpr double kMadeUpDamping = 0.1, kMadeUpCommon = 0.318;

absl::Status CheckBlocks(const WeightQuantizerOptions& options) {
  const int64_t size = options.block_size;
  if (size == 0) return absl::OkStatus();
  if (size < kLeastBlock || size > kLargestBlock || !std::has_single_bit(static_cast<uint64_t>(size))) {
    return absl::InvalidArgumentError(StrCat("block_size: expected 0 or a power of two within [", kLeastBlock, ", ",
                                             kLargestBlock, "], found ", size));
  }
  if (options.bits != 2 && options.bits != 3 && options.bits != 4 && options.bits != 8) {
    return absl::InvalidArgumentError(StrCat("bits: expected 2, 3, 4 or 8 with blocks, found ", options.bits));
  }
  if (!options.per_channel) return absl::InvalidArgumentError("block_size and one scale a tensor exclude each other");
  return absl::OkStatus();
}

absl::Status CheckMixed(const WeightQuantizerOptions& options) {
  const auto inside = [](double x) { return x > 0 && x < 1; };
  if (!inside(options.mixed_error)) {
    return absl::InvalidArgumentError(StrCat("mixed_error: expected within (0, 1), found ", options.mixed_error));
  }
  if (!inside(options.cosine_target)) {
    return absl::InvalidArgumentError(StrCat("cosine_target: expected within (0, 1), found ", options.cosine_target));
  }
  if (options.max_iterations < 1) {
    return absl::InvalidArgumentError(StrCat("max_iterations: expected at least 1, found ", options.max_iterations));
  }
  if (options.rounding == WeightRounding::kGptq) {
    return absl::InvalidArgumentError("GPTQ needs a fixed number of bits, found 0 (mixed bits)");
  }
  if (options.block_size > 0) return absl::InvalidArgumentError("mixed bits have one step a tensor, not block_size");
  return absl::OkStatus();
}

absl::Status CheckWidthSearch(const WeightQuantizerOptions& options, const DataSet* data) {
  if (options.width_error == 0) return absl::OkStatus();
  if (!(options.width_error > 0 && options.width_error <= 1)) {
    return absl::InvalidArgumentError(StrCat("width_error: expected within [0, 1], found ", options.width_error));
  }
  if (data == nullptr || data->size() == 0) {
    return absl::InvalidArgumentError("width_error needs samples of the model's inputs, found none; give a data set");
  }
  if (options.bits != 0 && options.block_size == 0 && options.rounding != WeightRounding::kGptq) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("width_error goes with neither mixed bits, blocks nor GPTQ");
}

absl::Status CheckOptions(const WeightQuantizerOptions& options, const DataSet* data) {
  if (options.bits < 0 || options.bits > kMostBits) {
    return absl::InvalidArgumentError(
        StrCat("bits: expected 1 to ", kMostBits, ", or 0 for mixed bits, found ", options.bits));
  }
  if (absl::Status status = CheckWidthSearch(options, data); !status.ok()) return status;
  if (options.bits == 0) return CheckMixed(options);
  if (options.scheme == QuantScheme::kSymmetric && options.bits == 1) {
    return absl::InvalidArgumentError("bits: a symmetric scheme needs 2 or more; with 1 only 0 would be left");
  }
  if (options.rounding == WeightRounding::kGptq && (data == nullptr || data->size() == 0)) {
    return absl::InvalidArgumentError("GPTQ needs samples of the model's inputs, found none; give a data set");
  }
  if (!(options.gptq_damping > 0 && options.gptq_damping <= 1)) {
    return absl::InvalidArgumentError(
        StrCat("gptq_damping: expected above 0 and at most 1, found ", options.gptq_damping));
  }
  return CheckBlocks(options);
}

// A weight that will be quantized, or stays float for a reason.
struct PlannedWeight {
  WeightCandidate weight;
  WeightChoice choice;
  RoundingForm form;
  std::string reason;
  std::optional<ReductionView> view;  // where samples of its inputs are made use of
  bool gptq = false;                  // of those
};

class WeightQuantization {
 public:
  // `choices` may be null: the options hold for every weight.
  WeightQuantization(const Context& context, const WeightQuantizerOptions& options, const DataSet* data,
                     const WeightChoices* choices)
      : context_(context), options_(options), data_(data), choices_(choices) {}

  absl::StatusOr<QuantizationResult> Run(Graph original) {
    QLITE_RETURN_IF_ERROR(RequireFloatGraph(original));
    QLITE_RETURN_IF_ERROR(CheckNodeNames(original, options_.skip_nodes));
    const Graph names = WithoutConstants(original);
    QLITE_RETURN_IF_ERROR(SimplifyStage(context_, std::move(original), options_.input_shapes, &result_));
    ChooseSamples();
    Plan(FindSkippedNodes(names, result_.graph, options_.skip_nodes));
    QLITE_RETURN_IF_ERROR(Timed("quantize weights", [&] { return QuantizeAll(); }));
    Summarize();
    return std::move(result_);
  }

 private:
  template <class Work>
  absl::Status Timed(const char* stage, Work work) {
    return RunStage(context_, stage, &result_, std::move(work));
  }

  const Value& ValueOf(const WeightCandidate& weight) const { return result_.graph.value(weight.value); }

  void Plan(const std::set<NodeId>& skipped) {
    for (WeightCandidate& weight : FindWeightCandidates(result_.graph)) {
      PlannedWeight planned;
      planned.weight = std::move(weight);
      const std::optional<WeightChoice> choice = ChoiceOf(planned.weight);
      planned.choice = choice.value_or(WeightChoice{options_.bits, options_.mixed_error});
      planned.form = FormOf(planned);
      planned.reason = choice ? ReasonToKeep(planned.weight, planned.form, skipped) : "it was not chosen";
      if (planned.reason.empty() && planned.choice.bits > 0 && samples_ != nullptr) PlanUseOfSamples(planned);
      plan_.push_back(std::move(planned));
      result_.weights.push_back(AccountOf(plan_.back()));
    }
  }

  // Samples of the inputs: those that were given, or made-up ones.
  void ChooseSamples() {
    samples_ = data_;
    if (data_ != nullptr || options_.rounding != WeightRounding::kAutomatic) return;
    made_up_ = MadeUpPictures::For(result_.graph, kMadeUpPictures);
    if (made_up_) samples_ = &*made_up_;
  }

  void PlanUseOfSamples(PlannedWeight& planned) const {
    const std::optional<ReductionView> view = ViewOf(planned.weight);
    if (!view) return;
    const bool worth_it = planned.form.bits <= kEnoughBits && view->length <= kMostInputs;
    const bool wanted =
        options_.rounding == WeightRounding::kGptq || (options_.rounding == WeightRounding::kAutomatic && worth_it);
    planned.gptq = wanted && !SumIsRestored(planned);
    if (planned.gptq || (planned.form.search && !made_up_)) planned.view = view;
  }

  // Neighbouring pixels are nearly equal: of a kernel over one channel the sum is what counts, which the correction
  // restores exactly and GPTQ only nearly.
  bool SumIsRestored(const PlannedWeight& planned) const {
    return planned.weight.convolution && planned.form.correct && planned.form.axis >= 0 &&
           ValueOf(planned.weight).constant->dims()[1] == 1;
  }

  // Nothing where others alone were chosen.
  std::optional<WeightChoice> ChoiceOf(const WeightCandidate& weight) const {
    if (choices_ == nullptr) return WeightChoice{options_.bits, options_.mixed_error};
    const auto found = choices_->find(ValueOf(weight).name);
    return found != choices_->end() ? std::optional(found->second) : std::nullopt;
  }

  RoundingForm FormOf(const PlannedWeight& planned) const {
    const WeightCandidate& weight = planned.weight;
    RoundingForm form;
    form.bits = planned.choice.bits > 0 ? planned.choice.bits : kEnoughBits;
    form.scheme = options_.scheme;
    form.search = options_.range_search.value_or(form.bits < kEnoughBits);
    form.correct = options_.bias_correction;
    if (!options_.per_channel) return form;
    const std::vector<int64_t>& dims = ValueOf(weight).constant->dims();
    const int64_t along = weight.reduction_axis;
    if (options_.block_size > 0 && along >= 0 && dims[static_cast<size_t>(along)] >= options_.block_size) {
      form.axis = along;
      form.block_size = options_.block_size;
      form.correct = false;  // it would cost more than finer blocks
    } else {
      form.axis = weight.channel_axis;
    }
    return form;
  }

  // The view that all readers share; nothing where one of them is no product that GPTQ knows.
  std::optional<ReductionView> ViewOf(const WeightCandidate& weight) const {
    std::optional<ReductionView> view;
    for (const NodeId id : weight.readers) {
      const Node& node = result_.graph.node(id);
      const std::optional<ReductionView> own = FindReduction(result_.graph, node);
      if (!own || node.inputs[1] != weight.value || !IsFloat(result_.graph, node.inputs[0])) return std::nullopt;
      if (view && *view != *own) return std::nullopt;
      view = own;
    }
    return view;
  }

  // Why the weight stays float; empty where it is quantized.
  std::string ReasonToKeep(const WeightCandidate& weight, const RoundingForm& form,
                           const std::set<NodeId>& skipped) const {
    const Tensor& tensor = *ValueOf(weight).constant;
    if (result_.graph.IsOutput(weight.value)) return "it is an output of the graph";
    for (const NodeId reader : weight.readers) {
      if (skipped.contains(reader)) {
        return StrCat("node '", result_.graph.node(reader).name, "', which reads it, is among the nodes to skip");
      }
    }
    if (tensor.element_count() <= options_.min_weight_elements) {
      return StrCat("its ", tensor.element_count(), " elements are not more than min_weight_elements, ",
                    options_.min_weight_elements);
    }
    const int64_t channels = weight.channel_axis < 0 ? 0 : tensor.dims()[static_cast<size_t>(weight.channel_axis)];
    if (weight.convolution && channels <= options_.min_weight_channels) {
      return StrCat("its ", channels, " output channels are not more than min_weight_channels, ",
                    options_.min_weight_channels);
    }
    return ReasonOfSize(tensor, form);
  }

  // Integers and parameters have to save a quarter of the bytes at least, or the loss of precision buys nothing.
  static std::string ReasonOfSize(const Tensor& tensor, const RoundingForm& form) {
    const int64_t pairs = QuantRuns(tensor.dims(), form.axis, form.block_size).params();
    const int64_t zero_point_bytes = form.scheme == QuantScheme::kSymmetric ? 0 : (form.bits <= 8 ? 1 : 4);
    const int64_t pair_bytes = 4 + zero_point_bytes + (form.correct ? 8 : 0);
    const int64_t float_bytes = 4 * tensor.element_count();
    const int64_t bytes = (tensor.element_count() * form.bits + 7) / 8 + pairs * pair_bytes;
    if (bytes <= float_bytes / 4 * 3) return "";
    return StrCat("with ", pairs, " scales it would take ", bytes, " bytes instead of ", float_bytes,
                  ", which saves less than a quarter");
  }

  WeightOutcome AccountOf(const PlannedWeight& planned) const {
    const Value& value = ValueOf(planned.weight);
    const Node& reader = result_.graph.node(planned.weight.reader);
    WeightOutcome outcome;
    outcome.name = value.name, outcome.node = reader.name, outcome.op = OpName(reader.op);
    outcome.elements = value.constant->element_count();
    outcome.reason = planned.reason;
    return outcome;
  }

  absl::Status QuantizeAll() {
    const Graph original = samples_ != nullptr ? result_.graph : Graph();  // the copy keeps the float weights
    for (size_t begin = 0; begin < plan_.size();) {
      const size_t end = EndOfBatch(begin);
      absl::StatusOr<std::map<ValueId, InputMoments>> moments = MomentsOf(original, begin, end);
      if (!moments.ok()) return moments.status();
      for (; begin < end; ++begin) {
        QLITE_RETURN_IF_ERROR(
            context_.Report({"quantize weights", static_cast<int64_t>(begin), static_cast<int64_t>(plan_.size())}));
        if (plan_[begin].reason.empty()) QLITE_RETURN_IF_ERROR(QuantizeOne(begin, *moments));
      }
    }
    DetachSmallConstants();
    result_.graph.Compact();
    QLITE_RETURN_IF_ERROR(result_.graph.Validate());
    return result_.graph.InferShapes();
  }

  // Copies what is small, so that it does not keep a whole file of float weights in memory.
  void DetachSmallConstants() {
    Graph& graph = result_.graph;
    for (size_t i = 0; i < graph.value_slots(); ++i) {
      const ValueId id{static_cast<int32_t>(i)};
      if (!graph.alive(id) || !graph.value(id).constant) continue;
      const Tensor& tensor = *graph.value(id).constant;
      if (tensor.buffer().size > kSmallConstantBytes) continue;
      absl::StatusOr<Tensor> copy =
          Tensor::Create(tensor.type(), tensor.dims(), Buffer::Copy(tensor.buffer().data, tensor.buffer().size));
      if (copy.ok()) graph.mutable_value(id).constant = *std::move(copy);
    }
  }

  // The weights from `begin` on whose moments are held together; at least one.
  size_t EndOfBatch(size_t begin) const {
    int64_t bytes = 0;
    size_t end = begin;
    for (; end < plan_.size(); ++end) {
      if (!plan_[end].view) continue;
      bytes += MomentBytes(*plan_[end].view);
      if (bytes > kMostMomentBytes && end > begin) break;
    }
    return end;
  }

  absl::StatusOr<std::map<ValueId, InputMoments>> MomentsOf(const Graph& original, size_t begin, size_t end) const {
    std::vector<NodeId> products;
    for (size_t i = begin; i < end; ++i) {
      const std::vector<NodeId>& readers = plan_[i].weight.readers;
      if (plan_[i].view) products.insert(products.end(), readers.begin(), readers.end());
    }
    if (products.empty()) return std::map<ValueId, InputMoments>();
    absl::StatusOr<std::map<ValueId, InputMoments>> moments =
        CollectInputMoments(context_, original, products, *samples_, made_up_ ? kMadeUpPositions : kPositions);
    // Nobody asked for made-up pictures: a network that does not run on them is rounded without.
    if (moments.ok() || !made_up_ || moments.status().code() == absl::StatusCode::kCancelled) return moments;
    return std::map<ValueId, InputMoments>();
  }

  absl::Status QuantizeOne(size_t index, const std::map<ValueId, InputMoments>& moments) {
    const PlannedWeight& planned = plan_[index];
    const Value& value = ValueOf(planned.weight);
    const auto seen = moments.find(planned.weight.value);
    const Tensor& weights = *value.constant;
    absl::StatusOr<RoundedWeight> rounded = absl::InternalError("not rounded");
    if (planned.choice.bits == 0) {
      rounded = RoundMixed(weights, planned);
    } else if (planned.view && seen != moments.end()) {
      rounded = RoundBySamples(weights, planned, seen->second);
      if (rounded.status().code() == absl::StatusCode::kFailedPrecondition && made_up_) {
        rounded = RoundWeight(context_.executor(), weights, planned.form);
      }
    } else {
      rounded = RoundWeight(context_.executor(), weights, planned.form);
    }
    if (!rounded.ok()) {
      return AtValue(Prefixed(rounded.status(), StrCat("constant '", value.name, "'")), value.name);
    }
    ReleasePages(weights);
    WeightOutcome& outcome = result_.weights[index];
    outcome.bits = rounded->params.bits;
    outcome.parameters = static_cast<int64_t>(rounded->params.scales.size());
    outcome.error = rounded->error;
    return Replace(planned.weight.value, *std::move(rounded));
  }

  // With as many bits as the error asks for, or 8 where no step gives it.
  absl::StatusOr<RoundedWeight> RoundMixed(const Tensor& weights, const PlannedWeight& planned) {
    const ErrorTarget target{planned.choice.error, options_.per_channel, options_.bias_correction};
    absl::StatusOr<RoundedWeight> rounded =
        RoundToError(context_.executor(), weights, planned.weight.channel_axis, target);
    if (rounded.status().code() != absl::StatusCode::kOutOfRange) return rounded;
    ++fell_back_;
    return RoundWeight(context_.executor(), weights, planned.form);
  }

  absl::StatusOr<RoundedWeight> RoundBySamples(const Tensor& weights, const PlannedWeight& planned,
                                               const InputMoments& moments) const {
    Executor& executor = context_.executor();
    // Made-up pictures are too rough for a choice of what to clip.
    std::vector<float> importance;
    if (!made_up_) importance = ImportanceOf(weights, *planned.view, moments);
    absl::StatusOr<QuantParams> params = ChooseGrids(executor, weights, planned.form, importance);
    if (!params.ok()) return params.status();
    RoundedWeight result;
    result.params = *std::move(params);
    if (planned.gptq) {
      const GptqDamping damping = made_up_ ? GptqDamping{std::max(options_.gptq_damping, kMadeUpDamping), kMadeUpCommon}
                                           : GptqDamping{options_.gptq_damping};
      absl::StatusOr<Tensor> integers = RoundByGptq(executor, weights, *planned.view, result.params, moments, damping);
      if (!integers.ok()) return integers.status();
      result.integers = *std::move(integers);
    } else {
      result.integers = RoundToGrids(executor, weights, result.params);
      if (planned.form.correct) CorrectDistribution(executor, weights, result.integers, result.params);
    }
    result.error = RoundingError(executor, weights, result.integers, result.params);
    return result;
  }

  // The constant holds the integers; all that read it read what a Dequantize node makes of them.
  absl::Status Replace(ValueId id, RoundedWeight rounded) {
    Graph& graph = result_.graph;
    const std::string name = graph.value(id).name;
    const ValueId real = graph.AddValue(StrCat(name, "/float"));
    graph.ReplaceUses(id, real);
    Value& value = graph.mutable_value(id);
    value.type = rounded.integers.type();
    value.constant = std::move(rounded.integers);
    value.quant = std::move(rounded.params);
    return graph.AddNode(StrCat(name, "/decode"), OpType::kDequantize, QuantizeAttrs{}, {id}, {real}).status();
  }

  void Summarize() {
    int64_t quantized = 0, elements = 0, all = 0;
    for (const WeightOutcome& weight : result_.weights) {
      all += weight.elements;
      if (weight.reason.empty()) ++quantized, elements += weight.elements;
    }
    std::string how = StrCat(options_.bits, " bits");
    if (options_.bits == 0) how = StrCat("a relative error of ", options_.mixed_error);
    if (choices_ != nullptr) how = "what was found for each";
    const auto by_gptq = std::count_if(plan_.begin(), plan_.end(), [](const PlannedWeight& w) { return w.gptq; });
    if (by_gptq > 0) StrAppend(&how, ", ", by_gptq, " by GPTQ", made_up_ ? " over made-up pictures" : "");
    result_.steps.push_back(StrCat("quantized ", quantized, " of ", result_.weights.size(), " weights (", elements,
                                   " of ", all, " elements) to ", how));
    if (fell_back_ > 0) result_.steps.push_back(StrCat(fell_back_, " weights got 8 bits: no step gave that error"));
  }

  const Context& context_;
  const WeightQuantizerOptions& options_;
  const DataSet* data_;
  const WeightChoices* choices_;
  std::optional<MadeUpPictures> made_up_;
  const DataSet* samples_ = nullptr;
  std::vector<PlannedWeight> plan_;
  int fell_back_ = 0;
  QuantizationResult result_;
};

}  // namespace

absl::StatusOr<QuantizationResult> WeightQuantize(const Context& context, Graph graph,
                                                  const WeightQuantizerOptions& options, const DataSet* data) {
  QLITE_RETURN_IF_ERROR(CheckOptions(options, data));
  if (options.bits == 0 && options.auto_tune) return TuneMixedBits(context, graph, options, data);
  if (options.width_error > 0) return SearchWidths(context, graph, options, *data);
  return WeightQuantization(context, options, data, nullptr).Run(std::move(graph));
}

absl::StatusOr<QuantizationResult> QuantizeChosenWeights(const Context& context, const Graph& graph,
                                                         const WeightQuantizerOptions& options,
                                                         const WeightChoices& choices, const DataSet* data) {
  return WeightQuantization(context, options, data, &choices).Run(graph);
}

}  // namespace qlite
