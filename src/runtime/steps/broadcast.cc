#include "runtime/steps/broadcast.h"

#include <span>

namespace qlite {

Placement ReadOperand(Lowering& lowering, ValueId id, const Extents& out, Layout layout) {
  if (lowering.Dims(id) != out) return lowering.ReadAsIs(id);
  if (layout == Layout::kChannelsLast && out.size() >= 3) return lowering.ReadPixels(id);
  return lowering.Read(id, layout);
}

std::vector<int64_t> BroadcastStrides(const Placement& operand, const Placement& out) {
  const std::vector<int64_t> own = operand.Strides();
  const size_t missing = out.dims.size() - operand.dims.size();
  std::vector<int64_t> strides;
  for (int axis : PhysicalOrder(out.dims.size(), out.layout)) {
    const auto dim = static_cast<size_t>(axis);
    const bool repeated = dim < missing || (operand.dims[dim - missing] == 1 && out.dims[dim] != 1);
    strides.push_back(repeated ? 0 : own[dim - missing]);
  }
  return strides;
}

kernels::StridedPlan PlanOperands(const Placement& out, const std::vector<Placement>& operands) {
  std::vector<std::vector<int64_t>> strides = {BroadcastStrides(out, out)};
  for (const Placement& operand : operands) strides.push_back(BroadcastStrides(operand, out));
  const std::vector<std::span<const int64_t>> views(strides.begin(), strides.end());
  kernels::StridedPlan plan;
  kernels::PlanStrided(PhysicalExtents(out.dims, out.layout), views, &plan);
  return plan;
}

}  // namespace qlite
