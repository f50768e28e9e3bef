#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/report.h"
#include "qlite/session.h"
#include "report/real_values.h"
#include "report/statistics.h"

namespace qlite {
namespace {

using report::RealValues;

// One tensor of the float network, and what became of it.
struct Measured {
  TensorStatistics original;
  std::optional<TensorComparison> comparison;
};

class ReportMaker {
 public:
  ReportMaker(const Context& context, const Graph& original, const Graph& quantized)
      : context_(context), original_(original), quantized_(quantized) {}

  absl::Status Prepare() {
    for (const auto& [graph, session] : {std::pair(&original_, &float_), std::pair(&quantized_, &integer_)}) {
      absl::StatusOr<std::unique_ptr<Session>> created = Session::Create(context_, *graph);
      if (!created.ok()) return created.status();
      *session = *std::move(created);
    }
    const bool same_border =
        float_->input_count() == integer_->input_count() && float_->output_count() == integer_->output_count();
    if (!same_border) {
      return absl::InvalidArgumentError("the two graphs of a report have different numbers of inputs or outputs");
    }
    FindPartners();  // the sessions have validated both graphs
    MeasureWeights();
    return absl::OkStatus();
  }

  absl::StatusOr<ReportRound> Run(const DataSet& data, int64_t sample) {
    QLITE_RETURN_IF_ERROR(Feed(data, sample));
    QLITE_RETURN_IF_ERROR(MeasureActivations());
    ReportRound round;
    for (const NodeId id : original_.TopologicalOrder()) {
      const Node& node = original_.node(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) AddRow(node, node.inputs[i], false, round);
      for (const ValueId output : node.outputs) AddRow(node, output, true, round);
    }
    for (size_t i = 0; i < float_->output_count(); ++i) {
      const TensorView a = float_->output(i), b = integer_->output(i);
      if (a.type != ElementType::kFloat32 || b.type != a.type || a.bytes != b.bytes) continue;
      round.outputs.push_back({float_->output_name(i), report::Cosine(a.as<float>(), b.as<float>())});
    }
    return round;
  }

  // One row for each pair; a constant goes with its first reader.
  std::vector<ParameterReport> Parameters() const {
    std::vector<ParameterReport> rows;
    std::vector<char> listed(quantized_.value_slots(), 0);
    const auto add = [&](const Node& node, ValueId id) {
      if (!id.valid() || std::exchange(listed[static_cast<size_t>(id.index)], 1) != 0) return;
      const Value& value = quantized_.value(id);
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
    for (const NodeId id : quantized_.TopologicalOrder()) {
      const Node& node = quantized_.node(id);
      for (const ValueId input : node.inputs) {
        if (input.valid() && quantized_.value(input).is_constant()) add(node, input);
      }
      for (const ValueId output : node.outputs) add(node, output);
    }
    return rows;
  }

 private:
  // Values of the quantized graph that stand for those of the float one.
  void FindPartners() {
    for (const ValueId input : original_.inputs()) {
      if (const auto found = quantized_.FindValue(original_.value(input).name)) partners_[*found] = input;
    }
    for (const NodeId id : original_.TopologicalOrder()) {
      const Node& node = original_.node(id);
      const std::optional<NodeId> found = quantized_.FindNode(node.name);
      if (!found || quantized_.node(*found).op != node.op) continue;
      const std::vector<ValueId>& outputs = quantized_.node(*found).outputs;
      for (size_t i = 0; i < std::min(outputs.size(), node.outputs.size()); ++i) {
        if (outputs[i].valid() && node.outputs[i].valid()) partners_[outputs[i]] = node.outputs[i];
      }
    }
  }

  // Weights are the same in every round.
  void MeasureWeights() {
    for (const NodeId id : original_.TopologicalOrder()) {
      const Node& node = original_.node(id);
      const std::optional<NodeId> found = quantized_.FindNode(node.name);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId input = node.inputs[i];
        if (!input.valid() || !original_.value(input).is_constant() || weights_.count({id, i}) > 0) continue;
        if (original_.value(input).constant->type() != ElementType::kFloat32) continue;
        const std::vector<float> values = *RealValues(original_, input);
        Measured& measured = weights_[{id, i}];
        measured.original = report::Describe(values);
        const bool paired = found && quantized_.node(*found).op == node.op && quantized_.node(*found).has_input(i);
        if (!paired) continue;
        const auto decoded = RealValues(quantized_, quantized_.node(*found).inputs[i]);
        if (decoded && decoded->size() == values.size()) measured.comparison = report::Compare(values, *decoded);
      }
    }
  }

  absl::Status Feed(const DataSet& data, int64_t sample) {
    std::vector<MutableTensorView> inputs;
    for (size_t i = 0; i < float_->input_count(); ++i) inputs.push_back(float_->input(i));
    QLITE_RETURN_IF_ERROR(data.Read(sample, inputs));
    for (size_t i = 0; i < inputs.size(); ++i) {
      const MutableTensorView target = integer_->input(i);
      if (target.bytes != inputs[i].bytes) {
        return absl::InvalidArgumentError(
            StrCat("input '", float_->input_name(i), "' has another size in the quantized graph"));
      }
      std::memcpy(target.data, inputs[i].data, target.bytes);
    }
    return absl::OkStatus();
  }

  absl::Status MeasureActivations() {
    activations_.clear();
    std::unordered_map<ValueId, std::vector<float>> floats;
    QLITE_RETURN_IF_ERROR(float_->RunTapped([&](ValueId id, const TappedValue& value) {
      if (value.type != ElementType::kFloat32) return;
      std::vector<float>& copy = floats[id];
      copy.resize(static_cast<size_t>(value.elements));
      CopyTappedValue(value, nullptr, copy.data());
      activations_[id].original = report::Describe(copy);
    }));
    std::vector<float> copy;
    return integer_->RunTapped([&](ValueId id, const TappedValue& value) {
      const auto partner = partners_.find(id);
      const auto original = partner == partners_.end() ? floats.end() : floats.find(partner->second);
      if (original == floats.end() || static_cast<size_t>(value.elements) != original->second.size()) return;
      const std::optional<QuantParams>& params = quantized_.value(id).quant;
      if (value.type != ElementType::kFloat32 && !params.has_value()) return;
      copy.resize(original->second.size());
      CopyTappedValue(value, params ? &*params : nullptr, copy.data());
      activations_[partner->second].comparison = report::Compare(original->second, copy);
    });
  }

  void AddRow(const Node& node, ValueId value, bool is_output, ReportRound& round) const {
    if (!value.valid()) return;
    const bool is_weight = original_.value(value).is_constant();
    const Measured* measured = nullptr;
    if (is_weight) {
      const NodeId id = *original_.FindNode(node.name);
      const auto at = std::find(node.inputs.begin(), node.inputs.end(), value) - node.inputs.begin();
      const auto found = weights_.find({id, static_cast<size_t>(at)});
      if (found != weights_.end()) measured = &found->second;
    } else if (const auto found = activations_.find(value); found != activations_.end()) {
      measured = &found->second;
    }
    if (measured == nullptr) return;
    round.tensors.push_back({node.name, std::string(OpName(node.op)), original_.value(value).name, is_output, is_weight,
                             measured->original, measured->comparison});
  }

  const Context& context_;
  const Graph& original_;
  const Graph& quantized_;
  std::unique_ptr<Session> float_, integer_;
  std::unordered_map<ValueId, ValueId> partners_;          // look-up only; by value of the quantized graph
  std::map<std::pair<NodeId, size_t>, Measured> weights_;  // by node of the float graph and index of its input
  std::unordered_map<ValueId, Measured> activations_;      // look-up only; of the current sample
};

}  // namespace

absl::StatusOr<Report> MakeReport(const Context& context, const Graph& original, const Graph& quantized,
                                  const DataSet& data, const ReportOptions& options) {
  if (options.rounds < 0 || options.rounds > data.size()) {
    return absl::InvalidArgumentError(
        StrCat("a report over ", options.rounds, " samples cannot be made of a data set of ", data.size()));
  }
  const int64_t rounds = options.rounds > 0 ? options.rounds : data.size();
  ReportMaker maker(context, original, quantized);
  QLITE_RETURN_IF_ERROR(maker.Prepare());
  Report report;
  report.parameters = maker.Parameters();
  for (int64_t sample = 0; sample < rounds; ++sample) {
    QLITE_RETURN_IF_ERROR(context.Report({.stage = "report", .done = sample, .total = rounds}));
    absl::StatusOr<ReportRound> round = maker.Run(data, sample);
    if (!round.ok()) return round.status();
    report.rounds.push_back(*std::move(round));
  }
  return report;
}

}  // namespace qlite
