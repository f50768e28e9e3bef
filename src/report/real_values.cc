#include "report/real_values.h"

#include <span>

#include "core/shape_util.h"

namespace qlite::report {
namespace {

// Which pair of scale and zero point an element has. Pairs are in row-major order: one, one for each index of an axis,
// or with blocks those of the tensor's extents, that of the axis counting blocks.
class PairIndex {
 public:
  PairIndex(const std::vector<int64_t>& dims, const QuantParams& params) : params_(params) {
    if (!params.per_axis()) return;
    const auto axis = static_cast<size_t>(params.axis);
    extent_ = dims[axis];
    stride_ = RowMajorStrides(dims)[axis];
    blocks_ = params.block_size > 0 ? (extent_ + params.block_size - 1) / params.block_size : 1;
  }

  size_t operator()(int64_t element) const {
    if (!params_.per_axis()) return 0;
    const int64_t along = element / stride_ % extent_;
    if (params_.block_size == 0) return static_cast<size_t>(along);
    const int64_t outer = element / stride_ / extent_, inner = element % stride_;
    return static_cast<size_t>((outer * blocks_ + along / params_.block_size) * stride_ + inner);
  }

 private:
  const QuantParams& params_;
  int64_t extent_ = 1, stride_ = 1, blocks_ = 1;
};

template <class T>
std::optional<std::vector<float>> Decode(const Tensor& tensor, const QuantParams& params) {
  const PairIndex pair(tensor.dims(), params);
  const std::span<const T> stored = tensor.data<T>();
  std::vector<float> values(stored.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    const size_t at = pair(static_cast<int64_t>(i));
    if (at >= params.scales.size() || at >= params.zero_points.size()) return std::nullopt;
    const int64_t steps = static_cast<int64_t>(stored[i]) - params.zero_points[at];
    values[i] = static_cast<float>(steps) * params.scales[at];
  }
  return values;
}

std::optional<std::vector<float>> OfConstant(const Value& value) {
  const Tensor& tensor = *value.constant;
  if (tensor.type() == ElementType::kFloat32) {
    const std::span<const float> data = tensor.data<float>();
    return std::vector<float>(data.begin(), data.end());
  }
  if (!value.quant.has_value()) return std::nullopt;
  if (value.quant->axis >= static_cast<int64_t>(tensor.dims().size())) return std::nullopt;
  if (tensor.type() == ElementType::kInt8) return Decode<int8_t>(tensor, *value.quant);
  if (tensor.type() == ElementType::kInt16) return Decode<int16_t>(tensor, *value.quant);
  if (tensor.type() == ElementType::kInt32) return Decode<int32_t>(tensor, *value.quant);
  return std::nullopt;
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
