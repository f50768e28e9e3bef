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

// What one sample gives.
struct SampleResult {
  std::unordered_map<ValueId, Measured> activations;  // look-up only
  std::map<ValueId, report::TensorTally> tallies;
  std::vector<OutputReport> outputs;
};

using Counts = std::map<ValueId, TensorHistogram>;

// Samples are spread over the threads of the context, as many at a time as there are threads, and their results are
// joined in the order of the samples.
class ReportMaker {
 public:
  static absl::StatusOr<std::unique_ptr<ReportMaker>> Create(const Context& context, const Graph& original,
                                                             const Graph& quantized, const DataSet& data) {
    const Context one_thread = context.WithExecutor(MakeThreadPool(1));
    std::vector<std::unique_ptr<PairedRun>> runs;
    for (int i = 0; i < std::max(1, context.executor().concurrency()); ++i) {
      absl::StatusOr<std::unique_ptr<PairedRun>> run =
          i == 0 ? PairedRun::Create(one_thread, original, quantized) : runs[0]->Fork(one_thread);
      if (!run.ok()) return run.status();
      runs.push_back(*std::move(run));
    }
    return std::unique_ptr<ReportMaker>(new ReportMaker(context, std::move(runs), data));
  }

  // The rows of the first `rounds` samples; what is gathered of all samples grows by it.
  absl::Status Measure(int64_t rounds, std::vector<ReportRound>& rows) {
    return ForSamples<SampleResult>(
        "report", rounds,
        [&](PairedRun& run, int64_t sample, SampleResult& result) { return MeasureOne(run, sample, result); },
        [&](const SampleResult& result) { rows.push_back(Join(result)); });
  }

  // Counts values for the histograms, within the ranges that all samples have, which are known by then.
  absl::Status Count(int64_t samples) {
    for (auto& [id, tensor] : gathered_.activations) {
      const report::ChannelTally total = tensor.tally.Total();
      tensor.histogram.min = std::min(total.min, total.quantized_min);
      tensor.histogram.max = std::max(total.max, total.quantized_max);
    }
    return ForSamples<Counts>(
        "count values", samples,
        [&](PairedRun& run, int64_t sample, Counts& counts) { return CountOne(run, sample, counts); },
        [&](const Counts& counts) {
          for (const auto& [id, histogram] : counts) {
            Add(histogram.original, gathered_.activations[id].histogram.original);
            Add(histogram.quantized, gathered_.activations[id].histogram.quantized);
          }
        });
  }

  const PairedRun& run() const { return *runs_[0]; }
  const report::Gathered& gathered() const { return gathered_; }

 private:
  ReportMaker(const Context& context, std::vector<std::unique_ptr<PairedRun>> runs, const DataSet& data)
      : context_(context), runs_(std::move(runs)), data_(data), gathered_(report::GatherConstants(run())) {
    const Graph& graph = run().original();
    for (size_t i = 0; i < graph.value_slots(); ++i) {
      const ValueId id{static_cast<int32_t>(i)};
      if (graph.alive(id) && !graph.value(id).is_constant()) described_[id] = report::DescribeActivation(run(), id);
    }
    MeasureWeights();
  }

  // Calls work(run, sample, result) for the first `samples` samples, and join(result) in their order.
  template <class Result, class Work, class Joining>
  absl::Status ForSamples(const char* stage, int64_t samples, Work work, Joining join) {
    const auto workers = static_cast<int64_t>(runs_.size());
    for (int64_t begin = 0; begin < samples; begin += workers) {
      QLITE_RETURN_IF_ERROR(context_.Report({stage, begin, samples}));
      const int64_t count = std::min(workers, samples - begin);
      std::vector<Result> results(static_cast<size_t>(count));
      std::vector<absl::Status> statuses(static_cast<size_t>(count));
      context_.executor().ParallelFor(count, [&](int64_t first, int64_t last, int worker) {
        for (int64_t i = first; i < last; ++i) {
          const auto slot = static_cast<size_t>(i);
          statuses[slot] = work(*runs_[static_cast<size_t>(worker)], begin + i, results[slot]);
        }
      });
      for (const absl::Status& status : statuses) QLITE_RETURN_IF_ERROR(status);
      for (const Result& result : results) join(result);
    }
    return absl::OkStatus();
  }

  absl::Status MeasureOne(PairedRun& run, int64_t sample, SampleResult& result) const {
    QLITE_RETURN_IF_ERROR(run.Run(data_, sample, [&](const PairedRun::Activation& activation) {
      Measured& measured = result.activations[activation.id];
      measured.original = report::Describe(activation.original);
      if (!activation.quantized.empty() || activation.original.empty()) {
        measured.comparison = report::Compare(activation.original, activation.quantized);
      }
      const report::GatheredTensor& tensor = described_.at(activation.id);
      result.tallies[activation.id].Add(activation.dims, tensor.channel_axis, activation.original, activation.quantized,
                                        tensor.grid);
    }));
    const Session &original = run.original_session(), &quantized = run.quantized_session();
    for (size_t i = 0; i < original.output_count(); ++i) {
      const TensorView a = original.output(i), b = quantized.output(i);
      if (a.type != ElementType::kFloat32 || b.type != a.type || a.bytes != b.bytes) continue;
      result.outputs.push_back({original.output_name(i), report::Cosine(a.as<float>(), b.as<float>())});
    }
    return absl::OkStatus();
  }

  ReportRound Join(const SampleResult& result) {
    for (const auto& [id, tally] : result.tallies) {
      const auto [entry, added] = gathered_.activations.try_emplace(id);
      if (added) entry->second = described_.at(id);
      entry->second.tally.Append(tally);
    }
    ReportRound round;
    const Graph& graph = run().original();
    for (const NodeId id : graph.TopologicalOrder()) {
      const Node& node = graph.node(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) AddRow(id, node.inputs[i], i, false, result, round);
      for (const ValueId output : node.outputs) AddRow(id, output, 0, true, result, round);
    }
    round.outputs = result.outputs;
    return round;
  }

  absl::Status CountOne(PairedRun& run, int64_t sample, Counts& counts) const {
    return run.Run(data_, sample, [&](const PairedRun::Activation& activation) {
      const TensorHistogram& range = gathered_.activations.at(activation.id).histogram;
      TensorHistogram& own = counts[activation.id];
      report::CountInto(activation.original, range.min, range.max, own.original);
      if (!activation.quantized.empty()) {
        report::CountInto(activation.quantized, range.min, range.max, own.quantized);
      }
    });
  }

  static void Add(const std::vector<uint64_t>& counts, std::vector<uint64_t>& sums) {
    sums.resize(std::max(sums.size(), counts.size()));
    for (size_t i = 0; i < counts.size(); ++i) sums[i] += counts[i];
  }

  // Weights are the same in every round.
  void MeasureWeights() {
    const Graph &original = run().original(), &quantized = run().quantized();
    for (const auto& [place, tensor] : gathered_.constants) {
      const auto& [id, index] = place;
      const std::vector<float> values = *report::RealValues(original, original.node(id).inputs[index]);
      Measured& measured = weights_[place];
      measured.original = report::Describe(values);
      if (!tensor.tally.compared() && !values.empty()) continue;
      const auto decoded = report::RealValues(quantized, run().CounterpartOfConstant(id, index));
      if (decoded && decoded->size() == values.size()) measured.comparison = report::Compare(values, *decoded);
    }
  }

  void AddRow(NodeId id, ValueId value, size_t index, bool is_output, const SampleResult& result,
              ReportRound& round) const {
    if (!value.valid()) return;
    const Graph& graph = run().original();
    const bool is_weight = graph.value(value).is_constant();
    const Measured* measured = nullptr;
    if (is_weight) {
      const auto found = weights_.find({id, index});
      if (found != weights_.end()) measured = &found->second;
    } else if (const auto found = result.activations.find(value); found != result.activations.end()) {
      measured = &found->second;
    }
    if (measured == nullptr) return;
    round.tensors.push_back({graph.node(id).name, std::string(OpName(graph.node(id).op)), graph.value(value).name,
                             is_output, is_weight, measured->original, measured->comparison});
  }

  const Context& context_;
  std::vector<std::unique_ptr<PairedRun>> runs_;  // one for each thread
  const DataSet& data_;
  std::map<ValueId, report::GatheredTensor> described_;  // every activation that may be seen, without samples
  report::Gathered gathered_;
  std::map<std::pair<NodeId, size_t>, Measured> weights_;  // by node of the float graph and index of its input
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
  absl::StatusOr<std::unique_ptr<ReportMaker>> maker = ReportMaker::Create(context, original, quantized, data);
  if (!maker.ok()) return maker.status();
  Report report;
  report.model = original.name;
  report.parameters = ParametersOf(quantized);
  QLITE_RETURN_IF_ERROR((*maker)->Measure(rounds, report.rounds));
  QLITE_RETURN_IF_ERROR((*maker)->Count(std::min(rounds, kHistogramSamples)));
  const PairedRun& run = (*maker)->run();
  report.layers = report::MakeLayers(run, (*maker)->gathered());
  for (LayerReport& layer : report.layers) {
    if (const auto found = options.reasons.find(layer.node); found != options.reasons.end()) {
      layer.reason = found->second;
    }
  }
  report.findings = report::Diagnose(run, (*maker)->gathered());
  if (options.times && rounds > 0) QLITE_RETURN_IF_ERROR(AddTimes(context, run, data, report));
  return report;
}

}  // namespace qlite
