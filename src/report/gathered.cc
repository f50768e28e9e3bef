#include "report/gathered.h"

#include <algorithm>

#include "report/histogram.h"
#include "report/real_values.h"

namespace qlite::report {
namespace {

bool HasSecondAxisChannels(OpType op) {
  switch (op) {
    case OpType::kConv:
    case OpType::kConvTranspose:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
    case OpType::kGlobalAveragePool:
    case OpType::kGlobalMaxPool:
    case OpType::kBatchNormalization:
    case OpType::kInstanceNormalization:
    case OpType::kPRelu:
    case OpType::kResize:
      return true;
    default:
      return false;
  }
}

}  // namespace

int64_t ActivationChannelAxis(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (!value.shape.has_rank() || value.shape.rank() < 2) return -1;
  if (value.shape.rank() == 4) return 1;
  bool second = value.producer.valid() && HasSecondAxisChannels(graph.node(value.producer).op);
  for (const NodeId reader : graph.Consumers(id)) second = second || HasSecondAxisChannels(graph.node(reader).op);
  return second ? 1 : value.shape.rank() - 1;
}

int64_t ConstantChannelAxis(const Graph& graph, const Node& node, size_t index) {
  const auto rank = static_cast<int64_t>(graph.value(node.inputs[index]).constant->dims().size());
  if (rank == 0) return -1;
  if (index != 1 || rank < 2) return rank == 1 ? 0 : -1;
  switch (node.op) {
    case OpType::kConv:
      return 0;
    case OpType::kConvTranspose:
      return 1;
    case OpType::kGemm:
      return node.attr<GemmAttrs>().trans_b ? 0 : 1;
    case OpType::kMatMul:
      return rank - 1;
    default:
      return -1;
  }
}

Gathered GatherConstants(const PairedRun& run) {
  Gathered gathered;
  const Graph& graph = run.original();
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.has_input(i) || !graph.value(node.inputs[i]).is_constant()) continue;
      const Tensor& constant = *graph.value(node.inputs[i]).constant;
      if (constant.type() != ElementType::kFloat32) continue;
      GatheredTensor& tensor = gathered.constants[{id, i}];
      tensor.channel_axis = ConstantChannelAxis(graph, node, i);
      const ValueId counterpart = run.CounterpartOfConstant(id, i);
      std::vector<float> decoded;
      if (counterpart.valid()) {
        const Value& value = run.quantized().value(counterpart);
        if (value.quant) tensor.grid = Grid::Of(*value.quant, value.type);
        decoded = RealValues(run.quantized(), counterpart).value_or(std::vector<float>());
      }
      const std::span<const float> floats = constant.data<float>();
      if (decoded.size() != floats.size()) decoded.clear();
      tensor.tally.Add(constant.dims(), tensor.channel_axis, floats, decoded, tensor.grid);
      const ChannelTally total = tensor.tally.Total();
      tensor.histogram.min = std::min(total.min, total.quantized_min);
      tensor.histogram.max = std::max(total.max, total.quantized_max);
      CountInto(floats, tensor.histogram.min, tensor.histogram.max, tensor.histogram.original);
      if (!decoded.empty()) CountInto(decoded, tensor.histogram.min, tensor.histogram.max, tensor.histogram.quantized);
    }
  }
  return gathered;
}

GatheredTensor DescribeActivation(const PairedRun& run, ValueId value) {
  GatheredTensor tensor;
  tensor.channel_axis = ActivationChannelAxis(run.original(), value);
  const ValueId counterpart = run.CounterpartOf(value);
  if (!counterpart.valid()) return tensor;
  const Value& quantized = run.quantized().value(counterpart);
  if (quantized.quant) tensor.grid = Grid::Of(*quantized.quant, quantized.type);
  return tensor;
}

}  // namespace qlite::report
