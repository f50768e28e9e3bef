#include "runtime/steps/registry.h"

#include "runtime/integer_support.h"
#include "runtime/steps/integer_rules.h"

namespace qlite {

// X(operator, function in namespace steps, rule in namespace integer_rules)
#define QLITE_FOR_EACH_STEP(X)                           \
  X(Conv, Conv, ConstantWeights)                         \
  X(ConvTranspose, ConvTranspose, ConstantWeights)       \
  X(Gemm, Gemm, PlainGemm)                               \
  X(MatMul, MatMul, ConstantMatrix)                      \
  X(BatchNormalization, BatchNormalization, Never)       \
  X(InstanceNormalization, InstanceNormalization, Never) \
  X(LRN, Lrn, Never)                                     \
  X(LSTM, Lstm, Never)                                   \
  X(GRU, Gru, Never)                                     \
  X(Relu, Unary, Always)                                 \
  X(LeakyRelu, Unary, Always)                            \
  X(PRelu, Binary, Never)                                \
  X(Elu, Unary, Always)                                  \
  X(Clip, Unary, Always)                                 \
  X(Sigmoid, Unary, Always)                              \
  X(Tanh, Unary, Always)                                 \
  X(HardSigmoid, Unary, Always)                          \
  X(HardSwish, Unary, Always)                            \
  X(Softmax, Softmax, Never)                             \
  X(LogSoftmax, Softmax, Never)                          \
  X(Add, Binary, Always)                                 \
  X(Sub, Binary, Always)                                 \
  X(Mul, Binary, Always)                                 \
  X(Div, Binary, Never)                                  \
  X(Mod, Binary, Never)                                  \
  X(Pow, Binary, Never)                                  \
  X(Sqrt, Unary, Always)                                 \
  X(Exp, Unary, Always)                                  \
  X(Log, Unary, Always)                                  \
  X(Erf, Unary, Always)                                  \
  X(Neg, Unary, Always)                                  \
  X(Abs, Unary, Always)                                  \
  X(Reciprocal, Unary, Always)                           \
  X(Floor, Unary, Always)                                \
  X(Ceil, Unary, Always)                                 \
  X(Round, Unary, Always)                                \
  X(Min, Binary, Never)                                  \
  X(Max, Binary, Never)                                  \
  X(Equal, Compare, Never)                               \
  X(Less, Compare, Never)                                \
  X(Greater, Compare, Never)                             \
  X(Where, Where, Never)                                 \
  X(Concat, Concat, Always)                              \
  X(Split, Split, Always)                                \
  X(Slice, Slice, Always)                                \
  X(Pad, Pad, Always)                                    \
  X(Reshape, Reinterpret, Always)                        \
  X(Flatten, Reinterpret, Always)                        \
  X(Transpose, Transpose, Always)                        \
  X(Squeeze, Reinterpret, Always)                        \
  X(Unsqueeze, Reinterpret, Always)                      \
  X(Expand, Expand, Always)                              \
  X(Gather, Gather, Always)                              \
  X(ScatterND, ScatterND, Never)                         \
  X(Range, Range, Never)                                 \
  X(Shape, Shape, Never)                                 \
  X(ConstantOfShape, ConstantOfShape, Never)             \
  X(Cast, Cast, Never)                                   \
  X(Identity, Reinterpret, Always)                       \
  X(MaxPool, Pool, SingleOutput)                         \
  X(AveragePool, Pool, Always)                           \
  X(GlobalAveragePool, GlobalPool, Always)               \
  X(GlobalMaxPool, GlobalPool, Always)                   \
  X(ReduceMean, Reduce, SpatialMean)                     \
  X(ReduceSum, Reduce, Never)                            \
  X(ReduceMax, Reduce, Never)                            \
  X(ReduceMin, Reduce, Never)                            \
  X(ArgMax, ArgMax, Always)                              \
  X(Resize, Resize, NearestResize)                       \
  X(DepthToSpace, DepthToSpace, Always)                  \
  X(SpaceToDepth, SpaceToDepth, Always)                  \
  X(Quantize, Quantize, Always)                          \
  X(Dequantize, Dequantize, Always)

namespace steps {
// An operator's function is declared once for every operator that it serves.
#define QLITE_DECLARE_STEP(op, function, rule) absl::Status function(Lowering& lowering, const Node& node);
QLITE_FOR_EACH_STEP(QLITE_DECLARE_STEP)
#undef QLITE_DECLARE_STEP
}  // namespace steps

const StepEntry& FindStep(OpType op) {
  static const StepEntry kTable[] = {
#define QLITE_STEP_ENTRY(op_name, function, rule) {&steps::function, &integer_rules::rule},
      QLITE_FOR_EACH_STEP(QLITE_STEP_ENTRY)
#undef QLITE_STEP_ENTRY
  };
  static constexpr OpType kOps[] = {
#define QLITE_STEP_OP(op_name, function, rule) OpType::k##op_name,
      QLITE_FOR_EACH_STEP(QLITE_STEP_OP)
#undef QLITE_STEP_OP
  };
  // The table follows the enumeration.
  static_assert([] {
    for (size_t i = 0; i < std::size(kOps); ++i) {
      if (static_cast<size_t>(kOps[i]) != i) return false;
    }
    return true;
  }());
#define QLITE_COUNT_OP(op_name, attrs) +1
  static_assert(std::size(kOps) == QLITE_FOR_EACH_OP(QLITE_COUNT_OP));
#undef QLITE_COUNT_OP
  return kTable[static_cast<size_t>(op)];
}

bool HasIntegerStep(const Graph& graph, const Node& node) { return FindStep(node.op).integer(graph, node); }

}  // namespace qlite
