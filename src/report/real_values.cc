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

std::optional<std::vector<float>> RealValues(const Graph& graph, ValueId id) {
  if (!id.valid()) return std::nullopt;
  const Value& value = graph.value(id);
  if (value.is_constant()) return OfConstant(value);
  if (!value.producer.valid() || graph.node(value.producer).op != OpType::kDequantize) return std::nullopt;
  const Value& source = graph.value(graph.node(value.producer).inputs[0]);
  return source.is_constant() ? OfConstant(source) : std::nullopt;
}

}  // namespace qlite::report
