#include "kernels/binary_f32.h"

#include "kernels/plan_rows.h"
#include "kernels/simd_math.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

struct Add {
  static VecF32 Apply(VecF32 a, VecF32 b) { return a + b; }
};
struct Sub {
  static VecF32 Apply(VecF32 a, VecF32 b) { return a - b; }
};
struct Mul {
  static VecF32 Apply(VecF32 a, VecF32 b) { return a * b; }
};
struct Div {
  static VecF32 Apply(VecF32 a, VecF32 b) { return a / b; }
};
struct PowOp {
  static VecF32 Apply(VecF32 a, VecF32 b) { return Pow(a, b); }
};
struct MinOp {
  static VecF32 Apply(VecF32 a, VecF32 b) { return MinNan(a, b); }
};
struct MaxOp {
  static VecF32 Apply(VecF32 a, VecF32 b) { return MaxNan(a, b); }
};
struct PRelu {
  static VecF32 Apply(VecF32 a, VecF32 b) { return Select(Less(a, 0.0f), a * b, a); }
};

// n <= kLanes elements `stride` apart; the others are zero.
inline VecF32 LoadStrided(const float* p, int64_t stride, int n) {
  float lanes[VecF32::kLanes] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i * stride];
  return VecF32::Load(lanes);
}

inline void StoreStrided(VecF32 v, float* p, int64_t stride, int n) {
  float lanes[VecF32::kLanes];
  v.Store(lanes);
  for (int i = 0; i < n; ++i) p[i * stride] = lanes[i];
}

// Strides known at compile time: 1, or 0 for a scalar.
template <typename Op, bool kScalarA, bool kScalarB>
void RunRow(const float* a, const float* b, float* out, int64_t count) {
  constexpr int kLanes = VecF32::kLanes;
  const VecF32 scalar_a = *a, scalar_b = *b;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Op::Apply(kScalarA ? scalar_a : VecF32::Load(a + i), kScalarB ? scalar_b : VecF32::Load(b + i)).Store(out + i);
  }
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    Op::Apply(kScalarA ? scalar_a : VecF32::LoadPartial(a + i, rest),
              kScalarB ? scalar_b : VecF32::LoadPartial(b + i, rest))
        .StorePartial(out + i, rest);
  }
}

template <typename Op>
void RunStridedRow(const float* a, int64_t stride_a, const float* b, int64_t stride_b, float* out, int64_t stride_out,
                   int64_t count) {
  for (int64_t i = 0; i < count; i += VecF32::kLanes) {
    const int n = count - i < VecF32::kLanes ? static_cast<int>(count - i) : VecF32::kLanes;
    const VecF32 y = Op::Apply(LoadStrided(a + i * stride_a, stride_a, n), LoadStrided(b + i * stride_b, stride_b, n));
    StoreStrided(y, out + i * stride_out, stride_out, n);
  }
}

template <typename Op>
void Run(const StridedPlan& plan, const float* a, const float* b, float* out, int64_t begin, int64_t end) {
  const int last = plan.rank - 1;
  const int64_t stride_out = plan.stride[0][last], stride_a = plan.stride[1][last], stride_b = plan.stride[2][last];
  ForEachPlanRow(plan, begin, end, [&](const int64_t* offset, int64_t count) {
    const float* row_a = a + offset[1];
    const float* row_b = b + offset[2];
    float* row_out = out + offset[0];
    if (stride_out == 1 && stride_a == 1 && stride_b == 1) {
      RunRow<Op, false, false>(row_a, row_b, row_out, count);
    } else if (stride_out == 1 && stride_a == 1 && stride_b == 0) {
      RunRow<Op, false, true>(row_a, row_b, row_out, count);
    } else if (stride_out == 1 && stride_a == 0 && stride_b == 1) {
      RunRow<Op, true, false>(row_a, row_b, row_out, count);
    } else {
      RunStridedRow<Op>(row_a, stride_a, row_b, stride_b, row_out, stride_out, count);
    }
  });
}

}  // namespace

extern const BinaryF32Kernels kBinaryF32Kernels;
// In the order of BinaryOp.
const BinaryF32Kernels kBinaryF32Kernels = {
    {Run<Add>, Run<Sub>, Run<Mul>, Run<Div>, Run<PowOp>, Run<MinOp>, Run<MaxOp>, Run<PRelu>}};

}  // namespace qlite::kernels::QLITE_ISA
