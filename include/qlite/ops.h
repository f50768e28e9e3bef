// The operators of a Graph and their attributes.
//
// Meaning, inputs and outputs are those of the ONNX operator of the same name at opset 21, except where a comment says
// otherwise. Attributes that ONNX moved between attribute and input over its versions have one home here:
//  - inputs:     Reshape shape; Slice starts, ends, axes, steps; Pad pads, value, axes; Expand shape;
//                Resize scales or sizes
//  - attributes: Clip min and max, Squeeze/Unsqueeze/Reduce axes, Split sizes, ArgMax axis
//
// Each attribute struct lists its fields once, in VisitFields; serialisation, dumps and comparison follow from it.
// A field is bool, int64_t, float, ElementType, an enum of this header, std::vector<int64_t> or std::vector<float>.
#ifndef QLITE_OPS_H_
#define QLITE_OPS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "qlite/types.h"

namespace qlite {

// X(operator, attribute struct). The names are ONNX's. This list is the registry: the enumeration, the names, and the
// table of rules (src/core/op_rules.h) are made from it.
#define QLITE_FOR_EACH_OP(X)                  \
  X(Conv, ConvAttrs)                          \
  X(ConvTranspose, ConvTransposeAttrs)        \
  X(Gemm, GemmAttrs)                          \
  X(MatMul, MatMulAttrs)                      \
  X(BatchNormalization, BatchNormAttrs)       \
  X(InstanceNormalization, InstanceNormAttrs) \
  X(LRN, LrnAttrs)                            \
  X(LSTM, RecurrentAttrs)                     \
  X(GRU, RecurrentAttrs)                      \
  X(Relu, NoAttrs)                            \
  X(LeakyRelu, AlphaAttrs)                    \
  X(PRelu, NoAttrs)                           \
  X(Elu, AlphaAttrs)                          \
  X(Clip, ClipAttrs)                          \
  X(Sigmoid, NoAttrs)                         \
  X(Tanh, NoAttrs)                            \
  X(HardSigmoid, HardSigmoidAttrs)            \
  X(HardSwish, NoAttrs)                       \
  X(Softmax, AxisAttrs)                       \
  X(LogSoftmax, AxisAttrs)                    \
  X(Add, ElementwiseAttrs)                    \
  X(Sub, ElementwiseAttrs)                    \
  X(Mul, ElementwiseAttrs)                    \
  X(Div, ElementwiseAttrs)                    \
  X(Mod, NoAttrs)                             \
  X(Pow, NoAttrs)                             \
  X(Sqrt, NoAttrs)                            \
  X(Exp, NoAttrs)                             \
  X(Log, NoAttrs)                             \
  X(Erf, NoAttrs)                             \
  X(Neg, NoAttrs)                             \
  X(Abs, NoAttrs)                             \
  X(Reciprocal, NoAttrs)                      \
  X(Floor, NoAttrs)                           \
  X(Ceil, NoAttrs)                            \
  X(Round, NoAttrs)                           \
  X(Min, NoAttrs)                             \
  X(Max, NoAttrs)                             \
  X(Equal, NoAttrs)                           \
  X(Less, NoAttrs)                            \
  X(Greater, NoAttrs)                         \
  X(Where, NoAttrs)                           \
  X(Concat, AxisAttrs)                        \
  X(Split, SplitAttrs)                        \
  X(Slice, NoAttrs)                           \
  X(Pad, PadAttrs)                            \
  X(Reshape, ReshapeAttrs)                    \
  X(Flatten, AxisAttrs)                       \
  X(Transpose, TransposeAttrs)                \
  X(Squeeze, AxesAttrs)                       \
  X(Unsqueeze, AxesAttrs)                     \
  X(Expand, NoAttrs)                          \
  X(Gather, AxisAttrs)                        \
  X(ScatterND, NoAttrs)                       \
  X(Range, NoAttrs)                           \
  X(Shape, ShapeAttrs)                        \
  X(ConstantOfShape, FillAttrs)               \
  X(Cast, CastAttrs)                          \
  X(Identity, NoAttrs)                        \
  X(MaxPool, PoolAttrs)                       \
  X(AveragePool, PoolAttrs)                   \
  X(GlobalAveragePool, NoAttrs)               \
  X(GlobalMaxPool, NoAttrs)                   \
  X(ReduceMean, ReduceAttrs)                  \
  X(ReduceSum, ReduceAttrs)                   \
  X(ReduceMax, ReduceAttrs)                   \
  X(ReduceMin, ReduceAttrs)                   \
  X(ArgMax, ArgMaxAttrs)                      \
  X(Resize, ResizeAttrs)                      \
  X(DepthToSpace, DepthToSpaceAttrs)          \
  X(SpaceToDepth, SpaceToDepthAttrs)          \
  X(Quantize, QuantizeAttrs)                  \
  X(Dequantize, QuantizeAttrs)

enum class OpType : uint16_t {
#define QLITE_OP_ENUM(name, attrs) k##name,
  QLITE_FOR_EACH_OP(QLITE_OP_ENUM)
#undef QLITE_OP_ENUM
};

// "Conv", "MaxPool", ...
std::string_view OpName(OpType op);
// Inverse of OpName.
std::optional<OpType> FindOp(std::string_view name);

enum class AutoPad : uint8_t { kNotSet = 0, kSameUpper = 1, kSameLower = 2, kValid = 3 };
enum class PadMode : uint8_t { kConstant = 0, kReflect = 1, kEdge = 2, kWrap = 3 };
enum class ResizeMode : uint8_t { kNearest = 0, kLinear = 1, kCubic = 2 };
enum class CoordinateMode : uint8_t {
  kHalfPixel = 0,
  kHalfPixelSymmetric = 1,
  kPytorchHalfPixel = 2,
  kAlignCorners = 3,
  kAsymmetric = 4,
  kTfHalfPixelForNn = 5,
  kTfCropAndResize = 6,
};
enum class NearestMode : uint8_t { kRoundPreferFloor = 0, kRoundPreferCeil = 1, kFloor = 2, kCeil = 3 };
enum class DepthToSpaceMode : uint8_t { kDcr = 0, kCrd = 1 };
enum class RecurrentDirection : uint8_t { kForward = 0, kReverse = 1, kBidirectional = 2 };

// The number of values of an attribute's enumeration: they run from 0 without gaps.
constexpr int64_t EnumCount(AutoPad) { return 4; }
constexpr int64_t EnumCount(PadMode) { return 4; }
constexpr int64_t EnumCount(ResizeMode) { return 3; }
constexpr int64_t EnumCount(CoordinateMode) { return 7; }
constexpr int64_t EnumCount(NearestMode) { return 4; }
constexpr int64_t EnumCount(DepthToSpaceMode) { return 2; }
constexpr int64_t EnumCount(RecurrentDirection) { return 3; }
constexpr int64_t EnumCount(ElementType) { return 14; }

// A clamp applied to the result of an operator before it is stored: [-inf, inf] is none, [0, inf] is Relu,
// [0, 6] is Relu6.
struct FusedClamp {
  float min = -std::numeric_limits<float>::infinity();
  float max = std::numeric_limits<float>::infinity();
  bool active() const {
    return min != -std::numeric_limits<float>::infinity() || max != std::numeric_limits<float>::infinity();
  }
  friend bool operator==(const FusedClamp&, const FusedClamp&) = default;
};

struct NoAttrs {
  template <class V>
  void VisitFields(V&&) {}
  friend bool operator==(const NoAttrs&, const NoAttrs&) = default;
};

// Spatial geometry in the order of the spatial dimensions; empty vectors mean 1 (strides, dilations) or 0 (pads).
// pads: begin of every dimension, then end of every dimension. auto_pad is kNotSet once shapes are inferred statically.
struct ConvAttrs {
  std::vector<int64_t> kernel_shape, strides, dilations, pads;
  int64_t group = 1;
  AutoPad auto_pad = AutoPad::kNotSet;
  FusedClamp clamp;
  template <class V>
  void VisitFields(V&& v) {
    v("kernel_shape", kernel_shape), v("strides", strides), v("dilations", dilations), v("pads", pads);
    v("group", group), v("auto_pad", auto_pad), v("clamp_min", clamp.min), v("clamp_max", clamp.max);
  }
  friend bool operator==(const ConvAttrs&, const ConvAttrs&) = default;
};

struct ConvTransposeAttrs {
  std::vector<int64_t> kernel_shape, strides, dilations, pads, output_padding, output_shape;
  int64_t group = 1;
  AutoPad auto_pad = AutoPad::kNotSet;
  FusedClamp clamp;
  template <class V>
  void VisitFields(V&& v) {
    v("kernel_shape", kernel_shape), v("strides", strides), v("dilations", dilations), v("pads", pads);
    v("output_padding", output_padding), v("output_shape", output_shape), v("group", group);
    v("auto_pad", auto_pad), v("clamp_min", clamp.min), v("clamp_max", clamp.max);
  }
  friend bool operator==(const ConvTransposeAttrs&, const ConvTransposeAttrs&) = default;
};

struct GemmAttrs {
  float alpha = 1, beta = 1;
  bool trans_a = false, trans_b = false;
  FusedClamp clamp;
  template <class V>
  void VisitFields(V&& v) {
    v("alpha", alpha), v("beta", beta), v("trans_a", trans_a), v("trans_b", trans_b);
    v("clamp_min", clamp.min), v("clamp_max", clamp.max);
  }
  friend bool operator==(const GemmAttrs&, const GemmAttrs&) = default;
};

// Inputs A, B and, beyond ONNX, an optional bias over the last dimension.
struct MatMulAttrs {
  FusedClamp clamp;
  template <class V>
  void VisitFields(V&& v) {
    v("clamp_min", clamp.min), v("clamp_max", clamp.max);
  }
  friend bool operator==(const MatMulAttrs&, const MatMulAttrs&) = default;
};

struct ElementwiseAttrs {
  FusedClamp clamp;
  template <class V>
  void VisitFields(V&& v) {
    v("clamp_min", clamp.min), v("clamp_max", clamp.max);
  }
  friend bool operator==(const ElementwiseAttrs&, const ElementwiseAttrs&) = default;
};

struct BatchNormAttrs {
  float epsilon = 1e-5f;
  template <class V>
  void VisitFields(V&& v) {
    v("epsilon", epsilon);
  }
  friend bool operator==(const BatchNormAttrs&, const BatchNormAttrs&) = default;
};

struct InstanceNormAttrs {
  float epsilon = 1e-5f;
  template <class V>
  void VisitFields(V&& v) {
    v("epsilon", epsilon);
  }
  friend bool operator==(const InstanceNormAttrs&, const InstanceNormAttrs&) = default;
};

struct LrnAttrs {
  int64_t size = 1;
  float alpha = 1e-4f, beta = 0.75f, bias = 1;
  template <class V>
  void VisitFields(V&& v) {
    v("size", size), v("alpha", alpha), v("beta", beta), v("bias", bias);
  }
  friend bool operator==(const LrnAttrs&, const LrnAttrs&) = default;
};

struct AlphaAttrs {
  float alpha = 0;
  template <class V>
  void VisitFields(V&& v) {
    v("alpha", alpha);
  }
  friend bool operator==(const AlphaAttrs&, const AlphaAttrs&) = default;
};

struct ClipAttrs {
  FusedClamp range;
  template <class V>
  void VisitFields(V&& v) {
    v("min", range.min), v("max", range.max);
  }
  friend bool operator==(const ClipAttrs&, const ClipAttrs&) = default;
};

struct HardSigmoidAttrs {
  float alpha = 0.2f, beta = 0.5f;
  template <class V>
  void VisitFields(V&& v) {
    v("alpha", alpha), v("beta", beta);
  }
  friend bool operator==(const HardSigmoidAttrs&, const HardSigmoidAttrs&) = default;
};

// axis may be negative (from the end) as written in the model. Softmax and LogSoftmax mean opset 13's single axis; a
// reader rewrites the older, flattening form.
struct AxisAttrs {
  int64_t axis = 0;
  template <class V>
  void VisitFields(V&& v) {
    v("axis", axis);
  }
  friend bool operator==(const AxisAttrs&, const AxisAttrs&) = default;
};

struct AxesAttrs {
  std::vector<int64_t> axes;  // Squeeze: empty means every dimension of extent 1
  template <class V>
  void VisitFields(V&& v) {
    v("axes", axes);
  }
  friend bool operator==(const AxesAttrs&, const AxesAttrs&) = default;
};

struct SplitAttrs {
  int64_t axis = 0;
  std::vector<int64_t> sizes;  // empty: equal parts, the last one smaller, as many as outputs
  template <class V>
  void VisitFields(V&& v) {
    v("axis", axis), v("sizes", sizes);
  }
  friend bool operator==(const SplitAttrs&, const SplitAttrs&) = default;
};

struct PadAttrs {
  PadMode mode = PadMode::kConstant;
  template <class V>
  void VisitFields(V&& v) {
    v("mode", mode);
  }
  friend bool operator==(const PadAttrs&, const PadAttrs&) = default;
};

struct ReshapeAttrs {
  bool allow_zero = false;
  template <class V>
  void VisitFields(V&& v) {
    v("allow_zero", allow_zero);
  }
  friend bool operator==(const ReshapeAttrs&, const ReshapeAttrs&) = default;
};

struct TransposeAttrs {
  std::vector<int64_t> perm;  // empty: reversed
  template <class V>
  void VisitFields(V&& v) {
    v("perm", perm);
  }
  friend bool operator==(const TransposeAttrs&, const TransposeAttrs&) = default;
};

struct ShapeAttrs {
  int64_t start = 0, end = std::numeric_limits<int64_t>::max();
  template <class V>
  void VisitFields(V&& v) {
    v("start", start), v("end", end);
  }
  friend bool operator==(const ShapeAttrs&, const ShapeAttrs&) = default;
};

struct FillAttrs {
  ElementType type = ElementType::kFloat32;
  float float_value = 0;  // used by floating-point types
  int64_t int_value = 0;  // used by integer and bool types
  template <class V>
  void VisitFields(V&& v) {
    v("type", type), v("float_value", float_value), v("int_value", int_value);
  }
  friend bool operator==(const FillAttrs&, const FillAttrs&) = default;
};

struct CastAttrs {
  ElementType to = ElementType::kFloat32;
  template <class V>
  void VisitFields(V&& v) {
    v("to", to);
  }
  friend bool operator==(const CastAttrs&, const CastAttrs&) = default;
};

struct PoolAttrs {
  std::vector<int64_t> kernel_shape, strides, dilations, pads;
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;
  bool count_include_pad = false;  // AveragePool only
  template <class V>
  void VisitFields(V&& v) {
    v("kernel_shape", kernel_shape), v("strides", strides), v("dilations", dilations), v("pads", pads);
    v("auto_pad", auto_pad), v("ceil_mode", ceil_mode), v("count_include_pad", count_include_pad);
  }
  friend bool operator==(const PoolAttrs&, const PoolAttrs&) = default;
};

struct ReduceAttrs {
  std::vector<int64_t> axes;  // empty: every axis, unless no_op_with_empty_axes
  bool keep_dims = true;
  bool no_op_with_empty_axes = false;
  template <class V>
  void VisitFields(V&& v) {
    v("axes", axes), v("keep_dims", keep_dims), v("no_op_with_empty_axes", no_op_with_empty_axes);
  }
  friend bool operator==(const ReduceAttrs&, const ReduceAttrs&) = default;
};

struct ArgMaxAttrs {
  int64_t axis = 0;
  bool keep_dims = true, select_last_index = false;
  template <class V>
  void VisitFields(V&& v) {
    v("axis", axis), v("keep_dims", keep_dims), v("select_last_index", select_last_index);
  }
  friend bool operator==(const ArgMaxAttrs&, const ArgMaxAttrs&) = default;
};

// Inputs: X, scales (float32, or absent), sizes (int64, or absent); exactly one of the two, over every dimension.
struct ResizeAttrs {
  ResizeMode mode = ResizeMode::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_coeff_a = -0.75f, extrapolation_value = 0;
  bool exclude_outside = false;
  template <class V>
  void VisitFields(V&& v) {
    v("mode", mode), v("coordinates", coordinates), v("nearest", nearest), v("cubic_coeff_a", cubic_coeff_a);
    v("extrapolation_value", extrapolation_value), v("exclude_outside", exclude_outside);
  }
  friend bool operator==(const ResizeAttrs&, const ResizeAttrs&) = default;
};

struct DepthToSpaceAttrs {
  int64_t block_size = 1;
  DepthToSpaceMode mode = DepthToSpaceMode::kDcr;
  template <class V>
  void VisitFields(V&& v) {
    v("block_size", block_size), v("mode", mode);
  }
  friend bool operator==(const DepthToSpaceAttrs&, const DepthToSpaceAttrs&) = default;
};

// Inputs and outputs are those of ONNX, time first: X, W, R, B or absent, an absent fifth, the initial h or absent, and
// for LSTM the initial c or absent; every step of time, the last h, and for LSTM the last c. The activations are the
// standard's defaults.
struct RecurrentAttrs {
  int64_t hidden_size = 0;
  RecurrentDirection direction = RecurrentDirection::kForward;
  bool linear_before_reset = false;  // of GRU
  template <class V>
  void VisitFields(V&& v) {
    v("hidden_size", hidden_size), v("direction", direction), v("linear_before_reset", linear_before_reset);
  }
  friend bool operator==(const RecurrentAttrs&, const RecurrentAttrs&) = default;
};

struct SpaceToDepthAttrs {
  int64_t block_size = 1;
  template <class V>
  void VisitFields(V&& v) {
    v("block_size", block_size);
  }
  friend bool operator==(const SpaceToDepthAttrs&, const SpaceToDepthAttrs&) = default;
};

// One input, one output. Scales and zero points are those of the integer value's QuantParams: of the output of
// Quantize, of the input of Dequantize.
struct QuantizeAttrs {
  template <class V>
  void VisitFields(V&&) {}
  friend bool operator==(const QuantizeAttrs&, const QuantizeAttrs&) = default;
};

using OpAttrs =
    std::variant<NoAttrs, ConvAttrs, ConvTransposeAttrs, GemmAttrs, MatMulAttrs, ElementwiseAttrs, BatchNormAttrs,
                 InstanceNormAttrs, LrnAttrs, AlphaAttrs, ClipAttrs, HardSigmoidAttrs, AxisAttrs, AxesAttrs, SplitAttrs,
                 PadAttrs, ReshapeAttrs, TransposeAttrs, ShapeAttrs, FillAttrs, CastAttrs, PoolAttrs, ReduceAttrs,
                 ArgMaxAttrs, ResizeAttrs, DepthToSpaceAttrs, SpaceToDepthAttrs, RecurrentAttrs, QuantizeAttrs>;

// The default attributes of an operator, of the struct that QLITE_FOR_EACH_OP names.
OpAttrs DefaultAttrs(OpType op);

// The clamp that `attrs` carries, or null for an operator that cannot carry one.
const FusedClamp* FindClamp(const OpAttrs& attrs);
FusedClamp* FindClamp(OpAttrs& attrs);

}  // namespace qlite

#endif  // QLITE_OPS_H_
