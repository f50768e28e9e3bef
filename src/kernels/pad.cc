#include "kernels/pad.h"

#include <algorithm>
#include <cstring>

namespace qlite::kernels {
namespace {

int64_t Modulo(int64_t a, int64_t n) {
  const int64_t remainder = a % n;
  return remainder < 0 ? remainder + n : remainder;
}

// The input position that output position `index - before` of a dimension repeats, or -1 for the constant.
int64_t SourceIndex(PadMode mode, int64_t index, int64_t length) {
  if (index >= 0 && index < length) return index;
  switch (mode) {
    case PadMode::kConstant:
      return -1;
    case PadMode::kEdge:
      return index < 0 ? 0 : length - 1;
    case PadMode::kWrap:
      return Modulo(index, length);
    case PadMode::kReflect: {
      if (length == 1) return 0;
      const int64_t period = 2 * (length - 1);
      const int64_t folded = Modulo(index, period);
      return folded < length ? folded : period - folded;
    }
  }
  return -1;
}

// Where row `row` of the output reads the input, without the last dimension; false when all of it is the constant.
bool SourceRow(const PadPlan& plan, int64_t row, int64_t* offset) {
  int64_t stride = plan.in_shape[plan.rank - 1];
  *offset = 0;
  for (int d = plan.rank - 2; d >= 0; --d) {
    const int64_t index = row % plan.out_shape[d] - plan.before[d];
    row /= plan.out_shape[d];
    const int64_t source = SourceIndex(plan.mode, index, plan.in_shape[d]);
    if (source < 0) return false;
    *offset += source * stride;
    stride *= plan.in_shape[d];
  }
  return true;
}

template <typename T>
void Run(const PadPlan& plan, const void* in, const void* value, void* out, int64_t begin, int64_t end) {
  const int last = plan.rank - 1;
  const int64_t in_length = plan.in_shape[last], out_length = plan.out_shape[last], before = plan.before[last];
  // The positions [first, stop) of an output row that copy the input row as it lies.
  const int64_t first = std::clamp<int64_t>(before, 0, out_length);
  const int64_t stop = std::clamp<int64_t>(before + in_length, first, out_length);
  const T constant = plan.mode == PadMode::kConstant ? *static_cast<const T*>(value) : T{0};
  for (int64_t row = begin; row < end; ++row) {
    T* target = static_cast<T*>(out) + row * out_length;
    int64_t offset;
    if (!SourceRow(plan, row, &offset)) {
      std::fill_n(target, out_length, constant);
      continue;
    }
    const T* source = static_cast<const T*>(in) + offset;
    const auto outside = [&](int64_t i) {
      const int64_t from = SourceIndex(plan.mode, i - before, in_length);
      target[i] = from < 0 ? constant : source[from];
    };
    for (int64_t i = 0; i < first; ++i) outside(i);
    if (stop > first)
      std::memcpy(target + first, source + (first - before), static_cast<size_t>(stop - first) * sizeof(T));
    for (int64_t i = stop; i < out_length; ++i) outside(i);
  }
}

}  // namespace

bool PlanPad(PadMode mode, std::span<const int64_t> in_shape, std::span<const int64_t> before,
             std::span<const int64_t> after, PadPlan* plan) {
  const size_t rank = in_shape.size();
  if (rank > kMaxPlanRank || before.size() != rank || after.size() != rank) return false;
  PadPlan made;
  made.mode = mode;
  made.rank = static_cast<int>(rank);
  int64_t elements = 1;
  bool empty = false;
  for (size_t d = 0; d < rank; ++d) {
    int64_t length;
    if (in_shape[d] < 0 || __builtin_add_overflow(in_shape[d], before[d], &length) ||
        __builtin_add_overflow(length, after[d], &length) || length < 0) {
      return false;
    }
    if (mode != PadMode::kConstant && in_shape[d] == 0 && length > 0) return false;
    made.in_shape[d] = in_shape[d];
    made.out_shape[d] = length;
    made.before[d] = before[d];
    empty |= length == 0;
    if (length > 0 && __builtin_mul_overflow(elements, length, &elements)) return false;
  }
  if (made.rank == 0) {  // a scalar is a row of one
    made.rank = 1;
    made.in_shape[0] = made.out_shape[0] = 1;
  }
  made.work_units = empty ? 0 : elements / made.out_shape[made.rank - 1];
  *plan = made;
  return true;
}

bool RunPad(const PadPlan& plan, int element_size, const void* in, const void* value, void* out, int64_t begin,
            int64_t end) {
  switch (element_size) {
    case 1:
      Run<uint8_t>(plan, in, value, out, begin, end);
      return true;
    case 2:
      Run<uint16_t>(plan, in, value, out, begin, end);
      return true;
    case 4:
      Run<uint32_t>(plan, in, value, out, begin, end);
      return true;
    case 8:
      Run<uint64_t>(plan, in, value, out, begin, end);
      return true;
    default:
      return false;
  }
}

}  // namespace qlite::kernels
