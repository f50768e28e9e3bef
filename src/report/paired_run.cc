#include "report/paired_run.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "report/real_values.h"

namespace qlite::report {

absl::StatusOr<std::unique_ptr<PairedRun>> PairedRun::Create(const Context& context, const Graph& original,
                                                             const Graph& quantized) {
  std::unique_ptr<PairedRun> run(new PairedRun(original, quantized));
  for (const auto& [graph, session] : {std::pair(&original, &run->float_), std::pair(&quantized, &run->integer_)}) {
    absl::StatusOr<std::unique_ptr<Session>> created = Session::Create(context, *graph);
    if (!created.ok()) return created.status();
    *session = *std::move(created);
  }
  if (run->float_->input_count() != run->integer_->input_count() ||
      run->float_->output_count() != run->integer_->output_count()) {
    return absl::InvalidArgumentError("the two graphs of a report have different numbers of inputs or outputs");
  }
  run->FindPartners();  // the sessions have validated both graphs
  return run;
}

absl::StatusOr<std::unique_ptr<PairedRun>> PairedRun::Fork(const Context& context) const {
  std::unique_ptr<PairedRun> run(new PairedRun(original_, quantized_));
  for (const auto& [from, to] : {std::pair(&float_, &run->float_), std::pair(&integer_, &run->integer_)}) {
    absl::StatusOr<std::unique_ptr<Session>> forked = (*from)->Fork(context);
    if (!forked.ok()) return forked.status();
    *to = *std::move(forked);
  }
  run->original_of_ = original_of_;
  run->quantized_of_ = quantized_of_;
  return run;
}

void PairedRun::FindPartners() {
  for (const ValueId input : original_.inputs()) {
    if (const auto found = quantized_.FindValue(original_.value(input).name)) Pair(input, *found);
  }
  for (const NodeId id : original_.TopologicalOrder()) {
    const std::optional<NodeId> found = CounterpartOf(id);
    if (!found) continue;
    const std::vector<ValueId>& outputs = quantized_.node(*found).outputs;
    const std::vector<ValueId>& own = original_.node(id).outputs;
    for (size_t i = 0; i < std::min(outputs.size(), own.size()); ++i) {
      if (outputs[i].valid() && own[i].valid()) Pair(own[i], outputs[i]);
    }
  }
}

void PairedRun::Pair(ValueId original, ValueId quantized) {
  for (const NodeId reader : quantized_.Consumers(quantized)) {
    if (quantized_.node(reader).op == OpType::kQuantize) {
      quantized = quantized_.node(reader).outputs[0];
      break;
    }
  }
  quantized_of_[original] = quantized;
  original_of_[quantized] = original;
}

absl::Status PairedRun::Feed(const DataSet& data, int64_t sample) {
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

absl::Status PairedRun::Run(const DataSet& data, int64_t sample, See see) {
  QLITE_RETURN_IF_ERROR(Feed(data, sample));
  struct Held {
    std::vector<int64_t> dims;
    std::vector<float> elements;
  };
  std::map<ValueId, Held> floats;
  QLITE_RETURN_IF_ERROR(float_->RunTapped([&](ValueId id, const TappedValue& value) {
    if (value.type != ElementType::kFloat32) return;
    Held& held = floats[id];
    held.dims = value.dims;
    held.elements.resize(static_cast<size_t>(value.elements));
    CopyTappedValue(value, nullptr, held.elements.data());
  }));
  std::vector<float> real;
  QLITE_RETURN_IF_ERROR(integer_->RunTapped([&](ValueId id, const TappedValue& value) {
    const auto partner = original_of_.find(id);
    const auto held = partner == original_of_.end() ? floats.end() : floats.find(partner->second);
    if (held == floats.end() || static_cast<size_t>(value.elements) != held->second.elements.size()) return;
    const std::optional<QuantParams>& params = quantized_.value(id).quant;
    if (value.type != ElementType::kFloat32 && !params.has_value()) return;
    real.resize(held->second.elements.size());
    CopyTappedValue(value, params ? &*params : nullptr, real.data());
    see({held->first, held->second.dims, held->second.elements, real});
    floats.erase(held);
  }));
  for (const auto& [id, held] : floats) see({id, held.dims, held.elements, {}});
  return absl::OkStatus();
}

std::optional<NodeId> PairedRun::CounterpartOf(NodeId original) const {
  const Node& node = original_.node(original);
  const std::optional<NodeId> found = quantized_.FindNode(node.name);
  return found && quantized_.node(*found).op == node.op ? found : std::nullopt;
}

ValueId PairedRun::CounterpartOf(ValueId original) const {
  const auto found = quantized_of_.find(original);
  return found == quantized_of_.end() ? ValueId() : found->second;
}

ValueId PairedRun::CounterpartOfConstant(NodeId original, size_t index) const {
  const std::optional<NodeId> found = CounterpartOf(original);
  if (!found || !quantized_.node(*found).has_input(index)) return {};
  return ConstantBehind(quantized_, quantized_.node(*found).inputs[index]);
}

}  // namespace qlite::report
