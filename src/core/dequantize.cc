#include "core/dequantize.h"

#include <utility>
#include <vector>

#include "core/quant_runs.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

template <class T>
Tensor DequantizeAs(const Tensor& tensor, const QuantParams& params, Executor* executor) {
  const auto q = tensor.data<T>();
  std::vector<float> real(q.size());
  const bool shifted = !params.mean_shifts.empty();
  const QuantRuns runs(tensor.dims(), params.axis, params.block_size);
  const auto decode = [&](const QuantRun& run) {
    const T* from = q.data() + run.begin;
    float* to = real.data() + run.begin;
    const int64_t step = run.shared ? 0 : 1;
    for (int64_t i = 0; i < run.count; ++i) {
      const auto p = static_cast<size_t>(run.param + i * step);
      // In 64 bits: an int32 may lie farther from its zero point than 31 bits tell.
      const auto distance = static_cast<float>(static_cast<int64_t>(from[i]) - params.zero_points[p]);
      to[i] = shifted ? distance * params.factor(p) + params.mean_shifts[p] : distance * params.factor(p);
    }
  };
  if (executor == nullptr) {
    runs.ForEach(0, runs.params(), decode);
  } else {
    executor->ParallelFor(runs.params(), [&](int64_t begin, int64_t end, int) { runs.ForEach(begin, end, decode); });
  }
  return Tensor::Of<float>(tensor.dims(), std::move(real));
}

}  // namespace

absl::StatusOr<Tensor> Dequantize(const Tensor& tensor, const QuantParams& params, Executor* executor) {
  switch (tensor.type()) {
    case ElementType::kInt8:
      return DequantizeAs<int8_t>(tensor, params, executor);
    case ElementType::kInt16:
      return DequantizeAs<int16_t>(tensor, params, executor);
    case ElementType::kInt32:
      return DequantizeAs<int32_t>(tensor, params, executor);
    case ElementType::kUInt8:
      return DequantizeAs<uint8_t>(tensor, params, executor);
    default:
      return absl::InvalidArgumentError(
          StrCat("expected integers of 8, 16 or 32 bits to dequantize, found ", ElementTypeName(tensor.type())));
  }
}

}  // namespace qlite
