#include "report/real_values.h"

#include <span>

#include "core/dequantize.h"

namespace qlite::report {
namespace {

std::vector<float> Elements(const Tensor& tensor) {
  const std::span<const float> data = tensor.data<float>();
  return {data.begin(), data.end()};
}

std::optional<std::vector<float>> OfConstant(const Value& value) {
  if (value.constant->type() == ElementType::kFloat32) return Elements(*value.constant);
  if (!value.quant.has_value()) return std::nullopt;
  const absl::StatusOr<Tensor> real = Dequantize(*value.constant, *value.quant);
  if (!real.ok()) return std::nullopt;
  return Elements(*real);
}

}  // namespace

ValueId ConstantBehind(const Graph& graph, ValueId id) {
  if (!id.valid() || graph.value(id).is_constant()) return id;
  const Value& value = graph.value(id);
  if (!value.producer.valid() || graph.node(value.producer).op != OpType::kDequantize) return {};
  const ValueId source = graph.node(value.producer).inputs[0];
  return graph.value(source).is_constant() ? source : ValueId();
}

std::optional<std::vector<float>> RealValues(const Graph& graph, ValueId id) {
  const ValueId constant = ConstantBehind(graph, id);
  return constant.valid() ? OfConstant(graph.value(constant)) : std::nullopt;
}

}  // namespace qlite::report
