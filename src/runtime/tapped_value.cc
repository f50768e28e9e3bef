#include <algorithm>
#include <vector>

#include "kernels/cast.h"
#include "kernels/strided_copy.h"
#include "qlite/session.h"
#include "runtime/cast_type.h"
#include "runtime/layout.h"
#include "runtime/requantization.h"

namespace qlite {
namespace {

// Floats in the logical order.
void CopyInOrder(const TappedValue& value, const float* from, float* out) {
  const Layout layout = value.channels_last ? Layout::kChannelsLast : Layout::kRowMajor;
  kernels::CopyPlan plan;
  kernels::PlanCopy(value.dims, DenseStrides(value.dims, layout), DenseStrides(value.dims, Layout::kRowMajor), &plan);
  kernels::RunCopy(plan, sizeof(float), from, out, 0, plan.work_units);
}

// Bytes in the order of memory as real numbers; an axis of the parameters is one of the logical dimensions.
void Dequantize(const TappedValue& value, const QuantParams* params, float* out) {
  const auto* bytes = static_cast<const uint8_t*>(value.data);
  const Layout layout = value.channels_last ? Layout::kChannelsLast : Layout::kRowMajor;
  const bool per_axis = params != nullptr && params->per_axis();
  const std::vector<int64_t> strides = DenseStrides(value.dims, layout);
  const auto axis = per_axis ? static_cast<size_t>(params->axis) : 0;
  for (int64_t i = 0; i < value.elements; ++i) {
    const auto stored = value.offset_by_128 ? static_cast<int32_t>(bytes[i]) - kByteOffset
                                            : static_cast<int32_t>(static_cast<int8_t>(bytes[i]));
    const auto channel = per_axis ? static_cast<size_t>(i / strides[axis] % value.dims[axis]) : 0;
    out[i] = params == nullptr ? static_cast<float>(stored)
                               : static_cast<float>(stored - params->zero_points[channel]) * params->scales[channel];
  }
}

}  // namespace

void CopyTappedValue(const TappedValue& value, const QuantParams* params, float* out) {
  if (value.elements == 0) return;
  if (value.type == ElementType::kFloat32) return CopyInOrder(value, static_cast<const float*>(value.data), out);
  std::vector<float> converted;
  float* in_memory_order = out;
  if (value.channels_last) {
    converted.resize(static_cast<size_t>(value.elements));
    in_memory_order = converted.data();
  }
  if (value.type == ElementType::kInt8) {
    Dequantize(value, params, in_memory_order);
  } else {
    kernels::Cast(*CastTypeOf(value.type), kernels::CastType::kFloat32)(value.data, in_memory_order, value.elements);
  }
  if (value.channels_last) CopyInOrder(value, in_memory_order, out);
}

}  // namespace qlite
