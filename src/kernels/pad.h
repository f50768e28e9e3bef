// Padding (and, with negative amounts, cropping) of dense row-major tensors. Elements of 1, 2, 4 or 8 bytes.
#ifndef QLITE_KERNELS_PAD_H_
#define QLITE_KERNELS_PAD_H_

#include <cstdint>
#include <span>

#include "kernels/strided_plan.h"

namespace qlite::kernels {

enum class PadMode : int {
  kConstant,
  kReflect,  // without repeating the edge; continues back and forth where the padding is longer than the tensor
  kEdge,
  kWrap,  // periodic
};

struct PadPlan {
  PadMode mode = PadMode::kConstant;
  int rank = 0;
  int64_t in_shape[kMaxPlanRank] = {};
  int64_t out_shape[kMaxPlanRank] = {};
  int64_t before[kMaxPlanRank] = {};
  int64_t work_units = 0;  // rows of the output
};

// before and after have in_shape.size() elements. False when an output dimension would be negative or overflow, a rank
// is above kMaxPlanRank, or an empty dimension would have to be repeated (every mode but kConstant).
bool PlanPad(PadMode mode, std::span<const int64_t> in_shape, std::span<const int64_t> before,
             std::span<const int64_t> after, PadPlan* plan);

// Work units [begin, end) of plan.work_units. `value` points to one element; read by kConstant alone. False, having
// written nothing, for an element size other than 1, 2, 4 and 8.
bool RunPad(const PadPlan& plan, int element_size, const void* in, const void* value, void* out, int64_t begin,
            int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_PAD_H_
