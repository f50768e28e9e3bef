#include "kernels/reduce_f32.h"

#include "kernels/line_tree.h"

namespace qlite::kernels::QLITE_ISA {
namespace {

struct Sum {
  using Tree = SumTree;
  static constexpr float kIdentity = 0.0f;
  static VecF32 Step(VecF32 acc, VecF32 x) { return acc + x; }
  static VecF32 Finish(VecF32 acc, int64_t) { return acc; }
};
struct Mean : Sum {
  static VecF32 Finish(VecF32 acc, int64_t length) { return acc / static_cast<float>(length); }
};
struct MaxOp : Sum {
  using Tree = MaxTree;
  static constexpr float kIdentity = -__builtin_inff();
  static VecF32 Step(VecF32 acc, VecF32 x) { return MaxNan(acc, x); }
};
struct MinOp : Sum {
  using Tree = MinTree;
  static constexpr float kIdentity = __builtin_inff();
  static VecF32 Step(VecF32 acc, VecF32 x) { return MinNan(acc, x); }
};
struct SumSquare : Sum {
  static VecF32 Step(VecF32 acc, VecF32 x) { return MulAdd(x, x, acc); }
};
struct L1 : Sum {
  static VecF32 Step(VecF32 acc, VecF32 x) { return acc + Abs(x); }
};
struct L2 : SumSquare {
  static VecF32 Finish(VecF32 acc, int64_t) { return Sqrt(acc); }
};
struct Prod : Sum {
  using Tree = ProductTree;
  static constexpr float kIdentity = 1.0f;
  static VecF32 Step(VecF32 acc, VecF32 x) { return acc * x; }
};

template <typename Op>
void Run(const float* in, float* out, int64_t length, int64_t inner, int64_t begin, int64_t end) {
  using Tree = typename Op::Tree;
  if (inner == 1) {
    for (int64_t line = begin; line < end; ++line) {
      const float* p = in + line * length;
      const VecF32 acc = TreeAlong<Tree>(
          length, Op::kIdentity, [&](VecF32 a, int64_t at, auto lanes) { return Op::Step(a, lanes.Load(p + at)); });
      Op::Finish(acc, length).StorePartial(out + line, 1);
    }
    return;
  }
  ForEachLineGroup(length, inner, begin, end, [&](int64_t line, int64_t offset, auto lanes) {
    const float* p = in + offset;
    const VecF32 acc = TreeAcross<Tree>(length, inner, Op::kIdentity,
                                        [&](VecF32 a, int64_t at) { return Op::Step(a, lanes.Load(p + at)); });
    lanes.Store(Op::Finish(acc, length), out + line);
  });
}

}  // namespace

extern const ReduceF32Kernels kReduceF32Kernels;
// In the order of ReduceOp.
const ReduceF32Kernels kReduceF32Kernels = {
    {Run<Sum>, Run<Mean>, Run<MaxOp>, Run<MinOp>, Run<SumSquare>, Run<L1>, Run<L2>, Run<Prod>}};

}  // namespace qlite::kernels::QLITE_ISA
