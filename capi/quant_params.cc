#include "capi/quant_params.h"

#include "capi/call.h"

namespace qlite::capi {

qlite_quant_params AsHostParams(const QuantParams& params) {
  return {.struct_size = sizeof(qlite_quant_params),
          .scales = params.scales.data(),
          .zero_points = params.zero_points.data(),
          .count = params.scales.size(),
          .axis = params.axis,
          .block_size = params.block_size,
          .bits = params.bits,
          .symmetric = params.scheme == QuantScheme::kSymmetric,
          .narrow_range = params.narrow_range,
          .variance_ratios = params.variance_ratios.empty() ? nullptr : params.variance_ratios.data(),
          .mean_shifts = params.mean_shifts.empty() ? nullptr : params.mean_shifts.data()};
}

QuantParams ReadQuantParams(const qlite_quant_params* host) {
  const qlite_quant_params read = ReadStruct(host, qlite_quant_params{}, "the quantization parameters");
  if (read.count > 0) Needed(read.scales, "scales"), Needed(read.zero_points, "zero_points");
  QuantParams params;
  params.bits = read.bits;
  params.scheme = read.symmetric != 0 ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
  params.narrow_range = read.narrow_range != 0;
  params.axis = read.axis;
  params.block_size = read.block_size;
  params.scales.assign(read.scales, read.scales + read.count);
  params.zero_points.assign(read.zero_points, read.zero_points + read.count);
  if (read.variance_ratios != nullptr)
    params.variance_ratios.assign(read.variance_ratios, read.variance_ratios + read.count);
  if (read.mean_shifts != nullptr) params.mean_shifts.assign(read.mean_shifts, read.mean_shifts + read.count);
  Check(params.Validate());
  return params;
}

}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_asymmetric_params(float min, float max, int32_t bits, float* scale, int32_t* zero_point) {
  return Guard(nullptr, [&] {
    if (bits < 1 || bits > 32) Refuse("bits must be within 1 and 32");
    const qlite::QuantParams params = qlite::AsymmetricParams(min, max, bits);
    *Needed(scale, "scale") = params.scales.front();
    *Needed(zero_point, "zero_point") = params.zero_points.front();
  });
}

qlite_status qlite_symmetric_params(float max_abs, int32_t bits, float* scale) {
  return Guard(nullptr, [&] {
    if (bits < 2 || bits > 32) Refuse("bits must be within 2 and 32");
    *Needed(scale, "scale") = qlite::SymmetricParams(max_abs, bits).scales.front();
  });
}
