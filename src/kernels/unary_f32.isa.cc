#include "kernels/unary_f32.h"

#include "kernels/simd_math.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

struct Relu {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Max(0.0f, x); }
};
struct LeakyRelu {
  static VecF32 Apply(VecF32 x, UnaryParams p) { return Select(Less(x, 0.0f), x * p.alpha, x); }
};
struct Elu {
  static VecF32 Apply(VecF32 x, UnaryParams p) { return Select(Less(x, 0.0f), ExpMinus1(Min(0.0f, x)) * p.alpha, x); }
};
struct Clip {
  static VecF32 Apply(VecF32 x, UnaryParams p) { return Min(p.beta, Max(p.alpha, x)); }
};
struct SigmoidOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Sigmoid(x); }
};
struct TanhOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Tanh(x); }
};
struct HardSigmoid {
  static VecF32 Apply(VecF32 x, UnaryParams p) { return Max(0.0f, Min(1.0f, MulAdd(x, p.alpha, p.beta))); }
};
struct HardSwish {
  static VecF32 Apply(VecF32 x, UnaryParams) { return x * Max(0.0f, Min(1.0f, MulAdd(x, 1.0f / 6.0f, 0.5f))); }
};
struct ExpOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Exp(x); }
};
struct LogOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Log(x); }
};
struct ErfOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Erf(x); }
};
struct SqrtOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Sqrt(x); }
};
struct NegOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Negate(x); }
};
struct AbsOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Abs(x); }
};
struct Reciprocal {
  static VecF32 Apply(VecF32 x, UnaryParams) { return VecF32(1.0f) / x; }
};
struct FloorOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Floor(x); }
};
struct CeilOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Ceil(x); }
};
struct RoundOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return RoundEven(x); }
};
struct SoftplusOp {
  static VecF32 Apply(VecF32 x, UnaryParams) { return Softplus(x); }
};
struct Swish {
  static VecF32 Apply(VecF32 x, UnaryParams p) { return x * Sigmoid(x * p.alpha); }
};
struct Gelu {
  static VecF32 Apply(VecF32 x, UnaryParams) { return x * 0.5f * (Erf(x * 0x1.6a09e6p-1f) + 1.0f); }
};

template <typename Op>
void Run(const float* in, float* out, int64_t count, UnaryParams params) {
  int64_t i = 0;
  for (; i + VecF32::kLanes <= count; i += VecF32::kLanes) Op::Apply(VecF32::Load(in + i), params).Store(out + i);
  if (i < count) {
    const int rest = static_cast<int>(count - i);
    Op::Apply(VecF32::LoadPartial(in + i, rest), params).StorePartial(out + i, rest);
  }
}

}  // namespace

extern const UnaryF32Kernels kUnaryF32Kernels;
// In the order of UnaryOp.
const UnaryF32Kernels kUnaryF32Kernels = {{
    Run<Relu>,       Run<LeakyRelu>, Run<Elu>,    Run<Clip>,    Run<SigmoidOp>,  Run<TanhOp>, Run<HardSigmoid>,
    Run<HardSwish>,  Run<ExpOp>,     Run<LogOp>,  Run<ErfOp>,   Run<SqrtOp>,     Run<NegOp>,  Run<AbsOp>,
    Run<Reciprocal>, Run<FloorOp>,   Run<CeilOp>, Run<RoundOp>, Run<SoftplusOp>, Run<Swish>,  Run<Gelu>,
}};

}  // namespace qlite::kernels::QLITE_ISA
