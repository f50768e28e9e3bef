#include <algorithm>
#include <set>

#include "qlite/report.h"
#include "report/gathered.h"

namespace qlite::report {
namespace {

// Bytes of a constant as dense integers of their bits with what belongs to them.
int64_t BytesOf(const Value& value) {
  const Tensor& tensor = *value.constant;
  if (!value.quant) return static_cast<int64_t>(tensor.buffer().size);
  const QuantParams& params = *value.quant;
  const auto pairs = static_cast<int64_t>(params.scales.size());
  const int64_t zero_point_bytes = params.scheme == QuantScheme::kSymmetric ? 0 : (params.bits <= 8 ? 1 : 4);
  const auto corrections = static_cast<int64_t>(params.variance_ratios.size() + params.mean_shifts.size());
  return (tensor.element_count() * params.bits + 7) / 8 + pairs * (4 + zero_point_bytes) + 4 * corrections;
}

TensorSummary Summarize(const std::string& name, const GatheredTensor& gathered) {
  const ChannelTally total = gathered.tally.Total();
  TensorSummary summary;
  summary.tensor = name;
  const auto samples = static_cast<int64_t>(gathered.tally.sample_magnitudes().size());
  summary.elements = samples > 0 ? gathered.tally.elements() / samples : 0;
  summary.bits = gathered.grid.bits;
  summary.scales = gathered.grid.pairs;
  summary.grid_min = gathered.grid.min;
  summary.grid_max = gathered.grid.max;
  if (total.count > 0) summary.min = total.min, summary.max = total.max;
  if (gathered.tally.compared()) {
    summary.snr_db = gathered.tally.SnrDb();
    summary.cosine = gathered.tally.Cosine();
  }
  summary.clip = gathered.tally.Clip();
  summary.histogram = gathered.histogram;
  return summary;
}

class LayerMaker {
 public:
  LayerMaker(const PairedRun& run, const Gathered& gathered) : run_(run), gathered_(gathered) {}

  std::vector<LayerReport> Make() {
    std::vector<LayerReport> layers;
    const Graph& graph = run_.original();
    for (const ValueId input : graph.inputs()) {
      LayerReport layer;
      layer.op = "Input";
      AddActivation(input, layer);
      if (!layer.activations.empty()) layers.push_back(std::move(layer));
    }
    for (const NodeId id : graph.TopologicalOrder()) layers.push_back(Layer(id));
    return layers;
  }

 private:
  LayerReport Layer(NodeId id) {
    const Node& node = run_.original().node(id);
    LayerReport layer;
    layer.node = node.name;
    layer.op = OpName(node.op);
    const std::optional<NodeId> counterpart = run_.CounterpartOf(id);
    layer.integer = counterpart && ReadsIntegers(run_.quantized().node(*counterpart));
    for (size_t i = 0; i < node.inputs.size(); ++i) AddConstant(id, i, layer);
    for (const ValueId output : node.outputs) {
      if (output.valid()) AddActivation(output, layer);
    }
    return layer;
  }

  bool ReadsIntegers(const Node& node) const {
    if (node.inputs.empty() || !node.inputs[0].valid()) return false;
    const Value& value = run_.quantized().value(node.inputs[0]);
    return !value.is_constant() && value.quant.has_value() && value.type == ElementType::kInt8;
  }

  void AddConstant(NodeId id, size_t index, LayerReport& layer) {
    const Node& node = run_.original().node(id);
    if (!node.has_input(index)) return;
    const ValueId value = node.inputs[index];
    if (!run_.original().value(value).is_constant()) return;
    const bool first = counted_.insert(value).second;
    if (first) layer.original_bytes += BytesOf(run_.original().value(value));
    const ValueId counterpart = run_.CounterpartOfConstant(id, index);
    if (!counterpart.valid()) {
      if (first) layer.quantized_bytes += BytesOf(run_.original().value(value));
    } else if (quantized_counted_.insert(counterpart).second) {
      layer.quantized_bytes += BytesOf(run_.quantized().value(counterpart));
    }
    const auto found = gathered_.constants.find({id, index});
    if (found == gathered_.constants.end()) return;
    layer.weights.push_back(Summarize(run_.original().value(value).name, found->second));
  }

  void AddActivation(ValueId id, LayerReport& layer) const {
    const auto found = gathered_.activations.find(id);
    if (found == gathered_.activations.end()) return;
    layer.activations.push_back(Summarize(run_.original().value(id).name, found->second));
  }

  const PairedRun& run_;
  const Gathered& gathered_;
  std::set<ValueId> counted_, quantized_counted_;
};

}  // namespace

std::vector<LayerReport> MakeLayers(const PairedRun& run, const Gathered& gathered) {
  return LayerMaker(run, gathered).Make();
}

}  // namespace qlite::report
