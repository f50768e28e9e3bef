#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/report.h"
#include "qlite/session.h"
#include "report/gathered.h"
#include "report/histogram.h"
#include "report/paired_run.h"
#include "report/real_values.h"
#include "report/statistics.h"

namespace qlite {
namespace {

using report::PairedRun;

// Samples whose values are counted for histograms, and runs that times are the least of.
constexpr int64_t kHistogramSamples = 8;
constexpr int kTimedRuns = 5;

// One tensor of the float network, and what became of it.
struct Measured {
  TensorStatistics original;
  std::optional<TensorComparison> comparison;
};

class ReportMaker {
 public:
  ReportMaker(PairedRun& run, const DataSet& data) : run_(run), data_(data), gathered_(report::GatherConstants(run)) {
    MeasureWeights();
  }

  // The rows of one sample; what is gathered of all samples grows by it.
  absl::StatusOr<ReportRound> Run(int64_t sample) {
    activations_.clear();
    QLITE_RETURN_IF_ERROR(run_.Run(data_, sample, [&](const PairedRun::Activation& activation) {
      Measured& measured = activations_[activation.id];
      measured.original = report::Describe(activation.original);
      if (!activation.quantized.empty() || activation.original.empty()) {
        measured.comparison = report::Compare(activation.original, activation.quantized);
      }
      Gather(activation);
    }));
    ReportRound round;
    for (const NodeId id : run_.original().TopologicalOrder()) {
      const Node& node = run_.original().node(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) AddRow(id, node.inputs[i], i, false, round);
      for (const ValueId output : node.outputs) AddRow(id, output, 0, true, round);
    }
    const Session &original = run_.original_session(), &quantized = run_.quantized_session();
    for (size_t i = 0; i < original.output_count(); ++i) {
      const TensorView a = original.output(i), b = quantized.output(i);
      if (a.type != ElementType::kFloat32 || b.type != a.type || a.bytes != b.bytes) continue;
      round.outputs.push_back({original.output_name(i), report::Cosine(a.as<float>(), b.as<float>())});
    }
    return round;
  }

  // Within the ranges that all samples have, which only now are known.
  absl::Status CountValues(int64_t sample) {
    return run_.Run(data_, sample, [&](const PairedRun::Activation& activation) {
      report::GatheredTensor& tensor = gathered_.activations[activation.id];
      const report::ChannelTally total = tensor.tally.Total();
      TensorHistogram& histogram = tensor.histogram;
      histogram.min = std::min(total.min, total.quantized_min);
      histogram.max = std::max(total.max, total.quantized_max);
      report::CountInto(activation.original, histogram.min, histogram.max, histogram.original);
      if (activation.quantized.empty()) return;
      report::CountInto(activation.quantized, histogram.min, histogram.max, histogram.quantized);
    });
  }

  const report::Gathered& gathered() const { return gathered_; }

 private:
  void Gather(const PairedRun::Activation& activation) {
    const auto [entry, added] = gathered_.activations.try_emplace(activation.id);
    report::GatheredTensor& tensor = entry->second;
    if (added) tensor = report::DescribeActivation(run_, activation.id);
    tensor.tally.Add(activation.dims, tensor.channel_axis, activation.original, activation.quantized, tensor.grid);
  }

  // Weights are the same in every round.
  void MeasureWeights() {
    for (const auto& [place, tensor] : gathered_.constants) {
      const auto& [id, index] = place;
      const std::vector<float> values = *report::RealValues(run_.original(), run_.original().node(id).inputs[index]);
      Measured& measured = weights_[place];
      measured.original = report::Describe(values);
      if (!tensor.tally.compared() && !values.empty()) continue;
      const auto decoded = report::RealValues(run_.quantized(), run_.CounterpartOfConstant(id, index));
      if (decoded && decoded->size() == values.size()) measured.comparison = report::Compare(values, *decoded);
    }
  }

  void AddRow(NodeId id, ValueId value, size_t index, bool is_output, ReportRound& round) const {
    if (!value.valid()) return;
    const Node& node = run_.original().node(id);
    const bool is_weight = run_.original().value(value).is_constant();
    const Measured* measured = nullptr;
    if (is_weight) {
      const auto found = weights_.find({id, index});
      if (found != weights_.end()) measured = &found->second;
    } else if (const auto found = activations_.find(value); found != activations_.end()) {
      measured = &found->second;
    }
    if (measured == nullptr) return;
    round.tensors.push_back({node.name, std::string(OpName(node.op)), run_.original().value(value).name, is_output,
                             is_weight, measured->original, measured->comparison});
  }

  PairedRun& run_;
  const DataSet& data_;
  report::Gathered gathered_;
  std::map<std::pair<NodeId, size_t>, Measured> weights_;  // by node of the float graph and index of its input
  std::unordered_map<ValueId, Measured> activations_;      // look-up only; of the current sample
};

// One row for each pair of scale and zero point; a constant goes with its first reader.
std::vector<ParameterReport> ParametersOf(const Graph& graph) {
  std::vector<ParameterReport> rows;
  std::vector<char> listed(graph.value_slots(), 0);
  const auto add = [&](const Node& node, ValueId id) {
    if (!id.valid() || std::exchange(listed[static_cast<size_t>(id.index)], 1) != 0) return;
    const Value& value = graph.value(id);
    if (!value.quant.has_value()) return;
    ParameterReport row;
    row.node = node.name;
    row.op = OpName(node.op);
    row.tensor = value.name;
    row.elements = 1;
    for (const Dim& dim : value.shape.dims()) {
      row.dims.push_back(dim.known() ? dim.value : -1);
      row.elements *= dim.known() ? dim.value : 1;
    }
    row.bits = value.quant->bits;
    for (size_t i = 0; i < value.quant->scales.size(); ++i) {
      row.scale = value.quant->scales[i];
      row.zero_point = value.quant->zero_points[i];
      if (!value.quant->variance_ratios.empty()) row.correction_variance = value.quant->variance_ratios[i];
      row.correction_mean = value.quant->shift(i);
      rows.push_back(row);
    }
  };
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    for (const ValueId input : node.inputs) {
      if (input.valid() && graph.value(input).is_constant()) add(node, input);
    }
    for (const ValueId output : node.outputs) add(node, output);
  }
  return rows;
}

// Milliseconds of every node in the fastest of some runs of the first sample.
absl::StatusOr<std::map<std::string, double>> TimesOf(const Context& context, const Graph& graph, const DataSet& data) {
  SessionOptions options;
  options.profile = true;
  absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(context, graph, options);
  if (!session.ok()) return session.status();
  std::vector<MutableTensorView> inputs;
  for (size_t i = 0; i < (*session)->input_count(); ++i) inputs.push_back((*session)->input(i));
  QLITE_RETURN_IF_ERROR(data.Read(0, inputs));
  std::map<std::string, double> times, before;
  for (int run = 0; run < kTimedRuns; ++run) {
    QLITE_RETURN_IF_ERROR((*session)->Run());
    for (const NodeProfile& node : (*session)->profile()) {
      const double ms = node.total_ms - std::exchange(before[node.name], node.total_ms);
      const auto [entry, first] = times.try_emplace(node.name, ms);
      if (!first) entry->second = std::min(entry->second, ms);
    }
  }
  return times;
}

absl::Status AddTimes(const Context& context, const PairedRun& run, const DataSet& data, Report& report) {
  const auto original = TimesOf(context, run.original(), data);
  if (!original.ok()) return original.status();
  const auto quantized = TimesOf(context, run.quantized(), data);
  if (!quantized.ok()) return quantized.status();
  for (LayerReport& layer : report.layers) {
    if (const auto found = original->find(layer.node); found != original->end()) layer.original_ms = found->second;
    if (const auto found = quantized->find(layer.node); found != quantized->end()) layer.quantized_ms = found->second;
  }
  return absl::OkStatus();
}

}  // namespace

std::map<std::string, std::string> ReasonsToStayFloat(const QuantizationResult& result) {
  std::map<std::string, std::string> reasons;
  for (const NodeOutcome& node : result.nodes) {
    if (!node.reason.empty()) reasons[node.name] = node.reason;
  }
  for (const WeightOutcome& weight : result.weights) {
    if (!weight.reason.empty()) reasons[weight.node] = StrCat("weight '", weight.name, "': ", weight.reason);
  }
  return reasons;
}

absl::StatusOr<Report> MakeReport(const Context& context, const Graph& original, const Graph& quantized,
                                  const DataSet& data, const ReportOptions& options) {
  if (options.rounds < 0 || options.rounds > data.size()) {
    return absl::InvalidArgumentError(
        StrCat("a report over ", options.rounds, " samples cannot be made of a data set of ", data.size()));
  }
  const int64_t rounds = options.rounds > 0 ? options.rounds : data.size();
  const int64_t counted = std::min(rounds, kHistogramSamples);
  absl::StatusOr<std::unique_ptr<PairedRun>> run = PairedRun::Create(context, original, quantized);
  if (!run.ok()) return run.status();
  ReportMaker maker(**run, data);
  Report report;
  report.model = original.name;
  report.parameters = ParametersOf(quantized);
  for (int64_t step = 0; step < rounds + counted; ++step) {
    QLITE_RETURN_IF_ERROR(context.Report({.stage = "report", .done = step, .total = rounds + counted}));
    if (step >= rounds) {
      QLITE_RETURN_IF_ERROR(maker.CountValues(step - rounds));
      continue;
    }
    absl::StatusOr<ReportRound> round = maker.Run(step);
    if (!round.ok()) return round.status();
    report.rounds.push_back(*std::move(round));
  }
  report.layers = report::MakeLayers(**run, maker.gathered());
  for (LayerReport& layer : report.layers) {
    if (const auto found = options.reasons.find(layer.node); found != options.reasons.end()) {
      layer.reason = found->second;
    }
  }
  report.findings = report::Diagnose(**run, maker.gathered());
  if (options.times && rounds > 0) QLITE_RETURN_IF_ERROR(AddTimes(context, **run, data, report));
  return report;
}

}  // namespace qlite
