// Shape inference of every operator: static, symbolic and unknown shapes, and what is refused.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "core/op_rules.h"
#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite {
namespace {

using ::Catch::Contains;
using Dims = std::vector<Dim>;

const Dim kN = Dim::Symbolic("N");
const Dim kH = Dim::Symbolic("H");
const Dim kAny;

// One node over inputs of given shapes.
class OneNode {
 public:
  explicit OneNode(OpType op) : op_(op), attrs_(DefaultAttrs(op)) { tested().insert(op); }
  template <class A>
  explicit OneNode(OpType op, A attrs) : op_(op), attrs_(std::move(attrs)) {
    tested().insert(op);
  }

  OneNode& Input(Dims dims, ElementType type = ElementType::kFloat32) {
    return InputShape(Shape(std::move(dims)), type);
  }
  OneNode& Unknown(ElementType type = ElementType::kFloat32) { return InputShape(Shape(), type); }
  OneNode& InputShape(Shape shape, ElementType type = ElementType::kFloat32) {
    inputs_.push_back(graph_.AddInput("in", type, std::move(shape)));
    return *this;
  }
  OneNode& Integers(std::vector<int64_t> values) {
    const auto count = static_cast<int64_t>(values.size());
    inputs_.push_back(graph_.AddConstant("integers", Tensor::Of<int64_t>({count}, std::move(values))));
    return *this;
  }
  OneNode& Scalar(int64_t value) {
    inputs_.push_back(graph_.AddConstant("scalar", Tensor::Of<int64_t>({}, {value})));
    return *this;
  }
  OneNode& Floats(std::vector<float> values) {
    const auto count = static_cast<int64_t>(values.size());
    inputs_.push_back(graph_.AddConstant("floats", Tensor::Of<float>({count}, std::move(values))));
    return *this;
  }
  OneNode& Absent() {
    inputs_.emplace_back();
    return *this;
  }
  OneNode& Quantized(float scale = 1, int32_t zero_point = 0) {
    graph_.mutable_value(inputs_.back()).quant = QuantParams::PerTensor(scale, zero_point);
    return *this;
  }
  OneNode& Outputs(size_t count) {
    output_count_ = count;
    return *this;
  }
  OneNode& Declared(ElementType type, bool quantized) {
    declared_ = type;
    declared_quantized_ = quantized;
    return *this;
  }

  absl::Status Run() {
    for (size_t i = 0; i < output_count_; ++i) outputs_.push_back(graph_.AddValue("out"));
    graph_.mutable_value(outputs_[0]).type = declared_;
    if (declared_quantized_) graph_.mutable_value(outputs_[0]).quant = QuantParams::PerTensor(1, 0);
    const absl::StatusOr<NodeId> node = graph_.AddNode("the_node", op_, attrs_, inputs_, outputs_);
    if (!node.ok()) return node.status();
    node_ = *node;
    graph_.SetOutputs(outputs_);
    return graph_.InferShapes();
  }
  std::string Result(size_t i = 0) {
    if (outputs_.empty()) {
      if (const absl::Status status = Run(); !status.ok()) return std::string(status.message());
    }
    return StrCat(ElementTypeName(graph_.value(outputs_[i]).type), graph_.value(outputs_[i]).shape.ToString());
  }
  // The error, which must name the node.
  std::string Error() {
    const absl::Status status = Run();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(status.message()), Contains("'the_node' (" + std::string(OpName(op_)) + ")"));
    return std::string(status.message());
  }
  template <class A>
  const A& Attrs() const {
    return graph_.node(node_).attr<A>();
  }

  static std::set<OpType>& tested() {
    static std::set<OpType> ops;
    return ops;
  }

 private:
  Graph graph_;
  OpType op_;
  OpAttrs attrs_;
  std::vector<ValueId> inputs_, outputs_;
  size_t output_count_ = 1;
  ElementType declared_ = ElementType::kUndefined;
  bool declared_quantized_ = false;
  NodeId node_;
};

constexpr ElementType kInt8 = ElementType::kInt8;
constexpr ElementType kInt32 = ElementType::kInt32;
constexpr ElementType kInt64 = ElementType::kInt64;
constexpr ElementType kBool = ElementType::kBool;

void CheckConv() {
  ConvAttrs attrs;
  attrs.pads = {1, 1, 1, 1};
  attrs.strides = {2, 2};
  OneNode node(OpType::kConv, attrs);
  node.Input({kN, 3, 224, 224}).Input({32, 3, 3, 3}).Input({32});
  CHECK(node.Result() == "float32[N,32,112,112]");
  CHECK(node.Attrs<ConvAttrs>().kernel_shape == std::vector<int64_t>{3, 3});
  CHECK(OneNode(OpType::kConv, attrs).Unknown().Input({32, 3, 3, 3}).Result() == "float32[?,32,?,?]");
  CHECK(OneNode(OpType::kConv, attrs).Input({1, 3, 8, 8}).Unknown().Result() == "float32[*]");
  CHECK(OneNode(OpType::kConv).Input({1, 3, kH, 8}).Input({4, 3, 1, 1}).Result() == "float32[1,4,H,8]");
  CHECK(OneNode(OpType::kConv).Input({1, 3, 9}).Input({4, 3, 2}).Result() == "float32[1,4,8]");
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 4, 8, 8}).Input({4, 3, 1, 1}).Error(),
             Contains("expect 3 input channels, found 4"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}).Input({4, 3, 1}).Error(), Contains("4 dimensions"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3}).Input({4, 3}).Error(), Contains("at least 3"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}).Input({4, 3, 1, 1}).Input({5}).Error(), Contains("bias"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}).Input({4, 3, 9, 9}).Error(), Contains("window"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}, kInt64).Input({4, 3, 1, 1}).Error(), Contains("int64"));
  ConvAttrs grouped;
  grouped.group = 2;
  CHECK(OneNode(OpType::kConv, grouped).Input({1, 6, 8, 8}).Input({4, 3, 1, 1}).Result() == "float32[1,4,8,8]");
  CHECK_THAT(OneNode(OpType::kConv, grouped).Input({1, 6, 8, 8}).Input({5, 3, 1, 1}).Error(),
             Contains("output channels"));
  grouped.group = 0;
  CHECK_THAT(OneNode(OpType::kConv, grouped).Input({1, 6, 8, 8}).Input({4, 3, 1, 1}).Error(), Contains("group"));
  ConvAttrs same;
  same.auto_pad = AutoPad::kSameUpper;
  same.strides = {2, 2};
  OneNode resolved(OpType::kConv, same);
  CHECK(resolved.Input({1, 3, 7, 8}).Input({4, 3, 3, 3}).Result() == "float32[1,4,4,4]");
  CHECK(resolved.Attrs<ConvAttrs>().auto_pad == AutoPad::kNotSet);
  CHECK(resolved.Attrs<ConvAttrs>().pads == std::vector<int64_t>{1, 0, 1, 1});
  OneNode open(OpType::kConv, same);
  CHECK(open.Input({1, 3, kH, 8}).Input({4, 3, 3, 3}).Result() == "float32[1,4,?,4]");
  CHECK(open.Attrs<ConvAttrs>().auto_pad == AutoPad::kSameUpper);
}

TEST_CASE("convolutions") {
  CheckConv();
  ConvTransposeAttrs attrs;
  attrs.strides = {2, 2};
  attrs.pads = {1, 1, 1, 1};
  attrs.group = 2;
  CHECK(OneNode(OpType::kConvTranspose, attrs).Input({kN, 4, 5, 5}).Input({4, 3, 4, 4}).Input({6}).Result() ==
        "float32[N,6,10,10]");
  CHECK_THAT(OneNode(OpType::kConvTranspose, attrs).Input({1, 6, 5, 5}).Input({4, 3, 4, 4}).Error(),
             Contains("4 input channels, found 6"));
  attrs.output_shape = {11, 11};
  OneNode sized(OpType::kConvTranspose, attrs);
  CHECK(sized.Input({1, 4, 5, 5}).Input({4, 3, 4, 4}).Result() == "float32[1,6,11,11]");
  CHECK(sized.Attrs<ConvTransposeAttrs>().output_shape.empty());
  CHECK(sized.Attrs<ConvTransposeAttrs>().pads == std::vector<int64_t>{1, 1, 0, 0});
  CHECK(OneNode(OpType::kConvTranspose).Unknown().Input({4, 3, 4, 4}).Result() == "float32[?,3,?,?]");
}

TEST_CASE("quantized products keep the declared type of their result") {
  const auto conv = [] {
    return OneNode(OpType::kConv).Input({1, 3, 8, 8}, kInt8).Quantized().Input({4, 3, 1, 1}, kInt8).Input({4}, kInt32);
  };
  CHECK(conv().Declared(kInt8, true).Result() == "int8[1,4,8,8]");
  CHECK(conv().Declared(ElementType::kFloat32, false).Result() == "float32[1,4,8,8]");
  CHECK(conv().Declared(ElementType::kUndefined, true).Result() == "int8[1,4,8,8]");
  CHECK(conv().Declared(ElementType::kUndefined, false).Result() == "float32[1,4,8,8]");
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}, kInt8).Input({4, 3, 1, 1}, kInt8).Error(),
             Contains("quantized"));
  CHECK_THAT(OneNode(OpType::kConv).Input({1, 3, 8, 8}, kInt8).Quantized().Input({4, 3, 1, 1}).Error(),
             Contains("expected type int8, found float32"));
  CHECK_THAT(
      OneNode(OpType::kConv).Input({1, 3, 8, 8}, kInt8).Quantized().Input({4, 3, 1, 1}, kInt8).Input({4}).Error(),
      Contains("expected type int32"));
  CHECK(OneNode(OpType::kMatMul).Input({2, 3}, kInt8).Quantized().Input({3, 4}, kInt8).Result() == "float32[2,4]");
  CHECK(OneNode(OpType::kAdd)
            .Input({2}, kInt8)
            .Quantized()
            .Input({2}, kInt8)
            .Quantized()
            .Declared(kInt8, true)
            .Result() == "int8[2]");
  CHECK(OneNode(OpType::kReshape)
            .Input({2, 3}, kInt8)
            .Quantized()
            .Integers({6})
            .Declared(ElementType::kFloat32, false)
            .Result() == "int8[6]");
}

TEST_CASE("matrix products") {
  CHECK(OneNode(OpType::kGemm).Input({kN, 8}).Input({8, 10}).Input({10}).Result() == "float32[N,10]");
  GemmAttrs attrs;
  attrs.trans_a = attrs.trans_b = true;
  CHECK(OneNode(OpType::kGemm, attrs).Input({8, 2}).Input({10, 8}).Result() == "float32[2,10]");
  CHECK(OneNode(OpType::kGemm).Unknown().Input({8, 10}).Result() == "float32[?,10]");
  CHECK_THAT(OneNode(OpType::kGemm).Input({2, 8}).Input({9, 10}).Error(), Contains("8") && Contains("9"));
  CHECK_THAT(OneNode(OpType::kGemm).Input({2, 8}).Input({8, 10}).Input({3, 10}).Error(), Contains("broadcasts"));
  CHECK_THAT(OneNode(OpType::kGemm).Input({2, 8, 1}).Input({8, 10}).Error(), Contains("2 dimensions"));
  CHECK(OneNode(OpType::kMatMul).Input({kN, 1, 4, 5}).Input({7, 5, 6}).Result() == "float32[N,7,4,6]");
  CHECK(OneNode(OpType::kMatMul).Input({5}).Input({5, 6}).Result() == "float32[6]");
  CHECK(OneNode(OpType::kMatMul).Input({4, 5}).Input({5}).Result() == "float32[4]");
  CHECK(OneNode(OpType::kMatMul).Input({5}).Input({5}).Result() == "float32[]");
  CHECK(OneNode(OpType::kMatMul).Input({2, 5}).Input({5, 6}).Input({6}).Result() == "float32[2,6]");
  CHECK(OneNode(OpType::kMatMul).Input({2, 5}).Unknown().Result() == "float32[*]");
  CHECK_THAT(OneNode(OpType::kMatMul).Input({2, 5}).Input({4, 6}).Error(), Contains("inner"));
  CHECK_THAT(OneNode(OpType::kMatMul).Input({2, 5}).Input({5, 6}).Input({5}).Error(), Contains("bias"));
  CHECK_THAT(OneNode(OpType::kMatMul).Input({2, 4, 5}).Input({3, 5, 6}).Error(), Contains("broadcast"));
}

TEST_CASE("normalisation") {
  const auto norm = [](Dims x) {
    return OneNode(OpType::kBatchNormalization).Input(std::move(x)).Input({8}).Input({8}).Input({8}).Input({8});
  };
  CHECK(norm({kN, 8, kAny, 4}).Result() == "float32[N,8,?,4]");
  CHECK_THAT(norm({1, 9, 4, 4}).Error(), Contains("scale") && Contains("[9]"));
  CHECK(OneNode(OpType::kInstanceNormalization).Input({kN, 8, 4, 4}).Input({8}).Input({8}).Result() ==
        "float32[N,8,4,4]");
  CHECK_THAT(OneNode(OpType::kInstanceNormalization).Input({1, 8, 4}).Input({8}).Input({7}).Error(), Contains("bias"));
  CHECK(OneNode(OpType::kLRN, LrnAttrs{.size = 5}).Input({1, 8, 4, 4}).Result() == "float32[1,8,4,4]");
  CHECK_THAT(OneNode(OpType::kLRN, LrnAttrs{.size = 0}).Input({1, 8, 4, 4}).Error(), Contains("size"));
  for (const OpType op : {OpType::kSoftmax, OpType::kLogSoftmax}) {
    CHECK(OneNode(op).Input({kN, 10}).Result() == "float32[N,10]");
    CHECK(OneNode(op).Unknown().Result() == "float32[*]");
    CHECK_THAT(OneNode(op, AxisAttrs{.axis = 2}).Input({kN, 10}).Error(), Contains("axis"));
  }
}

TEST_CASE("operators that keep type and shape") {
  for (const OpType op :
       {OpType::kRelu, OpType::kLeakyRelu, OpType::kElu, OpType::kClip, OpType::kSigmoid, OpType::kTanh,
        OpType::kHardSigmoid, OpType::kHardSwish, OpType::kSqrt, OpType::kExp, OpType::kLog, OpType::kErf, OpType::kNeg,
        OpType::kAbs, OpType::kReciprocal, OpType::kFloor, OpType::kCeil, OpType::kRound, OpType::kIdentity}) {
    INFO(OpName(op));
    CHECK(OneNode(op).Input({kN, 3, 4}).Result() == "float32[N,3,4]");
    CHECK(OneNode(op).Unknown().Result() == "float32[*]");
    CHECK(OneNode(op).Input({}).Result() == "float32[]");
    CHECK(OneNode(op).Input({2}, kInt8).Quantized().Result() == "int8[2]");
  }
  CHECK_THAT(OneNode(OpType::kSigmoid).Input({3}, kInt64).Error(), Contains("int64"));
  CHECK(OneNode(OpType::kNeg).Input({3}, kInt64).Result() == "int64[3]");
  CHECK_THAT(OneNode(OpType::kClip, ClipAttrs{.range = {.min = NAN}}).Input({3}).Error(), Contains("NaN"));
  CHECK(OneNode(OpType::kPRelu).Input({kN, 8, 4, 4}).Input({8, 1, 1}).Result() == "float32[N,8,4,4]");
  CHECK_THAT(OneNode(OpType::kPRelu).Input({1, 8, 4, 4}).Input({7, 1, 1}).Error(), Contains("slope"));
  CHECK(OneNode(OpType::kCast, CastAttrs{.to = kInt64}).Input({kN, 3}).Result() == "int64[N,3]");
  CHECK_THAT(OneNode(OpType::kCast, CastAttrs{.to = ElementType::kUndefined}).Input({3}).Error(),
             Contains("undefined"));
}

TEST_CASE("operators that broadcast") {
  for (const OpType op :
       {OpType::kAdd, OpType::kSub, OpType::kMul, OpType::kDiv, OpType::kPow, OpType::kMin, OpType::kMax}) {
    INFO(OpName(op));
    CHECK(OneNode(op).Input({kN, 1, 4}).Input({3, 1}).Result() == "float32[N,3,4]");
    CHECK(OneNode(op).Unknown().Input({3, 1}).Result() == "float32[*]");
    CHECK_THAT(OneNode(op).Input({2}).Input({3}).Error(), Contains("[2]") && Contains("[3]"));
  }
  for (const OpType op : {OpType::kEqual, OpType::kLess, OpType::kGreater}) {
    CHECK(OneNode(op).Input({2, 1}).Input({3}).Result() == "bool[2,3]");
    CHECK_THAT(OneNode(op).Input({2}).Input({2}, kInt64).Error(), Contains("expected type float32"));
  }
  CHECK(OneNode(OpType::kMax).Input({2, 1}).Result() == "float32[2,1]");
  CHECK(OneNode(OpType::kMax).Input({2, 1}).Input({3}).Input({4, 1, 1}).Result() == "float32[4,2,3]");
  CHECK_THAT(OneNode(OpType::kMax).Input({2}).Absent().Input({2}).Error(), Contains("absent"));
  CHECK_THAT(OneNode(OpType::kAdd).Input({2}).Input({2}, kInt64).Error(),
             Contains("expected type float32, found int64"));
  CHECK(OneNode(OpType::kPow).Input({2}).Input({2}, kInt64).Result() == "float32[2]");
  CHECK(OneNode(OpType::kWhere).Input({2, 1}, kBool).Input({3}).Input({}).Result() == "float32[2,3]");
  CHECK_THAT(OneNode(OpType::kWhere).Input({2}).Input({2}).Input({2}).Error(), Contains("bool"));
  CHECK_THAT(OneNode(OpType::kWhere).Input({2}, kBool).Input({2}).Input({2}, kInt64).Error(), Contains("float32"));
}

TEST_CASE("Mod, Range and ScatterND") {
  CHECK(OneNode(OpType::kMod).Input({2, 1}, kInt64).Input({3}, kInt64).Result() == "int64[2,3]");
  const auto range = [](std::vector<int64_t> bounds) {
    OneNode node(OpType::kRange);
    for (const int64_t bound : bounds) node.Scalar(bound);
    return node;
  };
  CHECK(range({0, 5, 1}).Result() == "int64[5]");
  CHECK(range({1, 8, 3}).Result() == "int64[3]");
  CHECK(range({5, 0, -2}).Result() == "int64[3]");
  CHECK(range({5, 0, 1}).Result() == "int64[0]");
  CHECK_THAT(range({5, 0, 0}).Error(), Contains("must not be 0"));
  CHECK(OneNode(OpType::kRange).Scalar(0).Input({}, kInt64).Scalar(1).Result() == "int64[?]");
  CHECK_THAT(OneNode(OpType::kRange).Input({2}, kInt64).Scalar(3).Scalar(1).Error(), Contains("0 dimensions"));
  const auto scatter = [](Dims data, Dims indices, Dims updates) {
    return OneNode(OpType::kScatterND).Input(data).Input(indices, kInt64).Input(updates);
  };
  CHECK(scatter({kN, 3, 4}, {7, 2}, {7, 4}).Result() == "float32[N,3,4]");
  CHECK_THAT(scatter({2, 3, 4}, {7, 2}, {7, 3}).Error(), Contains("[7,4]"));
  CHECK_THAT(scatter({2, 3}, {7, 3}, {7}).Error(), Contains("2 dimensions"));
}

TEST_CASE("LSTM and GRU") {
  const RecurrentAttrs both{4, RecurrentDirection::kBidirectional, false};
  CHECK(OneNode(OpType::kLSTM, both).Input({6, kN, 3}).Input({2, 16, 3}).Input({2, 16, 4}).Result() ==
        "float32[6,2,N,4]");
  CHECK(OneNode(OpType::kGRU, RecurrentAttrs{4}).Input({6, kN, 3}).Input({1, 12, 3}).Input({1, 12, 4}).Result() ==
        "float32[6,1,N,4]");
  CHECK_THAT(OneNode(OpType::kGRU, RecurrentAttrs{4}).Input({6, 1, 3}).Input({1, 12, 5}).Input({1, 12, 4}).Error(),
             Contains("W: expected shape [1,12,3]"));
  CHECK_THAT(OneNode(OpType::kLSTM).Input({6, 1, 3}).Input({1, 16, 3}).Input({1, 16, 4}).Error(),
             Contains("hidden size"));
}

TEST_CASE("Concat and Split") {
  CHECK(OneNode(OpType::kConcat, AxisAttrs{.axis = 1}).Input({kN, 3, 4}).Input({kN, 5, 4}).Result() ==
        "float32[N,8,4]");
  CHECK(OneNode(OpType::kConcat, AxisAttrs{.axis = -1}).Input({2, kAny}).Input({kAny, 3}).Result() == "float32[2,?]");
  CHECK(OneNode(OpType::kConcat, AxisAttrs{.axis = 0}).Unknown().Input({2, 3}).Result() == "float32[?,3]");
  CHECK(OneNode(OpType::kConcat).Unknown().Unknown().Result() == "float32[*]");
  CHECK_THAT(OneNode(OpType::kConcat).Input({1, 3}).Input({1, 4}).Error(), Contains("dimension 1"));
  CHECK_THAT(OneNode(OpType::kConcat).Input({1, 3}).Input({1}).Error(), Contains("2 dimensions"));
  CHECK_THAT(OneNode(OpType::kConcat, AxisAttrs{.axis = 2}).Input({1, 3}).Input({1, 3}).Error(), Contains("axis"));
  CHECK_THAT(OneNode(OpType::kConcat).Input({1}).Input({1}, kInt64).Error(), Contains("int64"));
  OneNode equal(OpType::kSplit, SplitAttrs{.axis = 1, .sizes = {}});
  equal.Input({kN, 7}).Outputs(3);
  CHECK(equal.Result(0) == "float32[N,3]");
  CHECK(equal.Result(2) == "float32[N,1]");
  OneNode sized(OpType::kSplit, SplitAttrs{.axis = 0, .sizes = {1, 4}});
  sized.Input({kAny, 2}).Outputs(2);
  CHECK(sized.Result(1) == "float32[4,2]");
  CHECK(OneNode(OpType::kSplit).Unknown().Outputs(2).Result(1) == "float32[*]");
  CHECK_THAT(OneNode(OpType::kSplit, SplitAttrs{.axis = 0, .sizes = {1, 4}}).Input({6}).Outputs(2).Error(),
             Contains("6"));
}

TEST_CASE("Slice") {
  CHECK(OneNode(OpType::kSlice).Input({10, kN}).Integers({2}).Integers({-1}).Integers({0}).Result() == "float32[7,N]");
  CHECK(OneNode(OpType::kSlice)
            .Input({10, 4})
            .Integers({-1, 0})
            .Integers({-100, 9})
            .Integers({0, 1})
            .Integers({-2, 3})
            .Result() == "float32[5,2]");
  CHECK(OneNode(OpType::kSlice).Input({kN, 4}).Integers({0}).Integers({INT64_MAX}).Integers({0}).Result() ==
        "float32[N,4]");
  CHECK(OneNode(OpType::kSlice).Input({kN, 4}).Integers({1}).Integers({3}).Result() == "float32[?,4]");
  CHECK(OneNode(OpType::kSlice).Input({5, 4}).Input({2}, kInt64).Input({2}, kInt64).Result() == "float32[?,?]");
  CHECK(OneNode(OpType::kSlice).Input({5, 4}).Input({1}, kInt64).Input({1}, kInt64).Integers({1}).Result() ==
        "float32[5,?]");
  CHECK(OneNode(OpType::kSlice).Unknown().Integers({0}).Integers({1}).Result() == "float32[*]");
  CHECK_THAT(OneNode(OpType::kSlice).Input({5}).Integers({0}).Integers({1}).Integers({0}).Integers({0}).Error(),
             Contains("steps"));
  CHECK_THAT(OneNode(OpType::kSlice).Input({5}).Integers({0}).Integers({1}).Integers({3}).Error(), Contains("axis"));
  CHECK_THAT(OneNode(OpType::kSlice).Input({5, 5}).Integers({0}).Integers({1, 1}).Error(), Contains("as many"));
  CHECK_THAT(OneNode(OpType::kSlice).Input({5, 5}).Integers({0, 0}).Integers({1, 1}).Integers({0, -2}).Error(),
             Contains("twice"));
}

TEST_CASE("Pad") {
  CHECK(OneNode(OpType::kPad).Input({kN, 4, 5}).Integers({0, 1, 2, 0, 3, -1}).Result() == "float32[N,8,6]");
  CHECK(OneNode(OpType::kPad).Input({kN, 4}).Integers({1, 2}).Absent().Integers({-1}).Result() == "float32[N,7]");
  CHECK(OneNode(OpType::kPad).Input({kN, 4}).Input({4}, kInt64).Result() == "float32[?,?]");
  CHECK(OneNode(OpType::kPad).Unknown().Integers({1, 2}).Result() == "float32[*]");
  CHECK_THAT(OneNode(OpType::kPad).Input({4}).Integers({1}).Error(), Contains("expected 2 pads, found 1"));
  CHECK_THAT(OneNode(OpType::kPad).Input({4}).Integers({-3, -3}).Error(), Contains("more than"));
  CHECK_THAT(OneNode(OpType::kPad, PadAttrs{.mode = PadMode::kReflect}).Input({4}).Integers({4, 0}).Error(),
             Contains("reflect"));
  CHECK(OneNode(OpType::kPad, PadAttrs{.mode = PadMode::kReflect}).Input({4}).Integers({3, 0}).Result() ==
        "float32[7]");
  CHECK_THAT(OneNode(OpType::kPad, PadAttrs{.mode = PadMode::kEdge}).Input({0}).Integers({3, 0}).Error(),
             Contains("none to pad"));
  CHECK_THAT(OneNode(OpType::kPad).Input({4}).Integers({INT64_MAX, INT64_MAX}).Error(), Contains("pads"));
}

TEST_CASE("Reshape and Flatten") {
  CHECK(OneNode(OpType::kReshape).Input({2, 3, 4}).Integers({0, -1}).Result() == "float32[2,12]");
  CHECK(OneNode(OpType::kReshape).Input({kN, 3, 4}).Integers({0, -1}).Result() == "float32[N,12]");
  CHECK(OneNode(OpType::kReshape).Input({kN, 3, 4}).Integers({-1, 12}).Result() == "float32[N,12]");
  CHECK(OneNode(OpType::kReshape).Input({kN, 3, 4}).Integers({-1, 6}).Result() == "float32[?,6]");
  CHECK(OneNode(OpType::kReshape).Input({kN, kH}).Integers({-1}).Result() == "float32[?]");
  CHECK(OneNode(OpType::kReshape).Unknown().Integers({-1, 6}).Result() == "float32[?,6]");
  CHECK(OneNode(OpType::kReshape).Input({4}).Input({3}, kInt64).Result() == "float32[?,?,?]");
  CHECK(OneNode(OpType::kReshape).Input({4}).Input({kAny}, kInt64).Result() == "float32[*]");
  CHECK(OneNode(OpType::kReshape, ReshapeAttrs{.allow_zero = true}).Input({0, 4}).Integers({4, 0}).Result() ==
        "float32[4,0]");
  CHECK_THAT(OneNode(OpType::kReshape).Input({2, 3}).Integers({4}).Error(), Contains("differ"));
  CHECK_THAT(OneNode(OpType::kReshape).Input({2, 3}).Integers({-1, 4}).Error(), Contains("divide"));
  CHECK_THAT(OneNode(OpType::kReshape).Input({2, 3}).Integers({-1, -1}).Error(), Contains("at most one"));
  CHECK_THAT(OneNode(OpType::kReshape).Input({2, 3}).Integers({-2}).Error(), Contains("-2"));
  CHECK_THAT(OneNode(OpType::kReshape).Input({2}).Integers({2, 0}).Error(), Contains("copied"));
  CHECK_THAT(OneNode(OpType::kReshape).Input({0, 3}).Integers({0, 0, -1}).Error(), Contains("divide"));
  CHECK(OneNode(OpType::kFlatten).Input({kN, 3, 4}).Result() == "float32[N,12]");
  CHECK(OneNode(OpType::kFlatten, AxisAttrs{.axis = 0}).Input({2, 3}).Result() == "float32[1,6]");
  CHECK(OneNode(OpType::kFlatten, AxisAttrs{.axis = -1}).Input({2, 3, 4}).Result() == "float32[6,4]");
  CHECK(OneNode(OpType::kFlatten, AxisAttrs{.axis = 2}).Input({2, 3}).Result() == "float32[6,1]");
  CHECK(OneNode(OpType::kFlatten).Unknown().Result() == "float32[?,?]");
  CHECK_THAT(OneNode(OpType::kFlatten, AxisAttrs{.axis = 3}).Input({2, 3}).Error(), Contains("axis"));
}

TEST_CASE("Transpose, Squeeze, Unsqueeze") {
  CHECK(OneNode(OpType::kTranspose, TransposeAttrs{.perm = {0, 2, 3, 1}}).Input({kN, 3, 4, 5}).Result() ==
        "float32[N,4,5,3]");
  CHECK(OneNode(OpType::kTranspose).Input({2, 3, 4}).Result() == "float32[4,3,2]");
  CHECK(OneNode(OpType::kTranspose, TransposeAttrs{.perm = {1, 0}}).Unknown().Result() == "float32[?,?]");
  CHECK_THAT(OneNode(OpType::kTranspose, TransposeAttrs{.perm = {0, 0}}).Input({2, 3}).Error(),
             Contains("permutation"));
  CHECK_THAT(OneNode(OpType::kTranspose, TransposeAttrs{.perm = {0}}).Input({2, 3}).Error(), Contains("permutation"));
  CHECK(OneNode(OpType::kSqueeze, AxesAttrs{.axes = {-1, 0}}).Input({1, kN, 1}).Result() == "float32[N]");
  CHECK(OneNode(OpType::kSqueeze).Input({1, 3, 1}).Result() == "float32[3]");
  CHECK(OneNode(OpType::kSqueeze).Input({1, kN, 1}).Result() == "float32[*]");
  CHECK(OneNode(OpType::kSqueeze, AxesAttrs{.axes = {1}}).Input({2, kN}).Result() == "float32[2]");
  CHECK_THAT(OneNode(OpType::kSqueeze, AxesAttrs{.axes = {0}}).Input({2, 3}).Error(), Contains("extent 1"));
  CHECK(OneNode(OpType::kUnsqueeze, AxesAttrs{.axes = {0, -1}}).Input({kN, 3}).Result() == "float32[1,N,3,1]");
  CHECK(OneNode(OpType::kUnsqueeze, AxesAttrs{.axes = {0}}).Unknown().Result() == "float32[*]");
  CHECK_THAT(OneNode(OpType::kUnsqueeze, AxesAttrs{.axes = {0, 0}}).Input({3}).Error(), Contains("twice"));
  CHECK_THAT(OneNode(OpType::kUnsqueeze, AxesAttrs{.axes = {5}}).Input({3}).Error(), Contains("axis"));
  std::vector<int64_t> many(70);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int64_t>(i);
  CHECK_THAT(OneNode(OpType::kUnsqueeze, AxesAttrs{.axes = many}).Input({3}).Error(), Contains("at most 64"));
}

TEST_CASE("Expand, Gather, Shape, ConstantOfShape") {
  CHECK(OneNode(OpType::kExpand).Input({kN, 1}).Integers({2, 1, 4}).Result() == "float32[2,N,4]");
  CHECK(OneNode(OpType::kExpand).Input({3, 1}).Input({3}, kInt64).Result() == "float32[?,?,?]");
  CHECK_THAT(OneNode(OpType::kExpand).Input({3}).Integers({2}).Error(), Contains("broadcast"));
  CHECK_THAT(OneNode(OpType::kExpand).Input({3}).Integers({-1}).Error(), Contains("-1"));
  CHECK(OneNode(OpType::kGather, AxisAttrs{.axis = 1}).Input({kN, 5, 6}).Input({2, 3}, kInt64).Result() ==
        "float32[N,2,3,6]");
  CHECK(OneNode(OpType::kGather).Input({5}).Input({}, kInt32).Result() == "float32[]");
  CHECK_THAT(OneNode(OpType::kGather).Input({5}).Integers({5}).Error(), Contains("[-5, 4]"));
  CHECK_THAT(OneNode(OpType::kGather).Input({5}).Input({1}).Error(), Contains("int64"));
  CHECK_THAT(OneNode(OpType::kGather, AxisAttrs{.axis = 1}).Input({5}).Integers({0}).Error(), Contains("axis"));
  CHECK(OneNode(OpType::kShape).Input({kN, 5, 6}).Result() == "int64[3]");
  CHECK(OneNode(OpType::kShape, ShapeAttrs{.start = -2, .end = 100}).Input({kN, 5, 6}).Result() == "int64[2]");
  CHECK(OneNode(OpType::kShape, ShapeAttrs{.start = 2, .end = 1}).Input({kN, 5, 6}).Result() == "int64[0]");
  CHECK(OneNode(OpType::kShape).Unknown().Result() == "int64[?]");
  CHECK(OneNode(OpType::kConstantOfShape, FillAttrs{.type = kInt64}).Integers({2, 3}).Result() == "int64[2,3]");
  CHECK(OneNode(OpType::kConstantOfShape).Integers({}).Result() == "float32[]");
  CHECK(OneNode(OpType::kConstantOfShape).Input({2}, kInt64).Result() == "float32[?,?]");
  CHECK_THAT(OneNode(OpType::kConstantOfShape).Integers({-2}).Error(), Contains("-2"));
  CHECK_THAT(OneNode(OpType::kConstantOfShape).Integers({int64_t{1} << 40, int64_t{1} << 40}).Error(),
             Contains("addressed"));
}

TEST_CASE("pools") {
  PoolAttrs attrs;
  attrs.kernel_shape = {3, 3};
  attrs.strides = {2, 2};
  attrs.pads = {1, 1, 1, 1};
  for (const OpType op : {OpType::kMaxPool, OpType::kAveragePool}) {
    CHECK(OneNode(op, attrs).Input({kN, 8, 7, 8}).Result() == "float32[N,8,4,4]");
    CHECK(OneNode(op, attrs).Unknown().Result() == "float32[?,?,?,?]");
    CHECK(OneNode(op, attrs).Input({1, 8, 7, 8}, kInt8).Quantized().Declared(kInt8, true).Result() == "int8[1,8,4,4]");
    CHECK_THAT(OneNode(op).Input({1, 8, 7, 8}).Error(), Contains("kernel_shape"));
    CHECK_THAT(OneNode(op, attrs).Input({1, 8, 7}).Error(), Contains("kernel_shape"));
    CHECK_THAT(OneNode(op, attrs).Input({1, 8}).Error(), Contains("at least 3"));
  }
  PoolAttrs same;
  same.kernel_shape = {2, 2};
  same.auto_pad = AutoPad::kSameLower;
  OneNode resolved(OpType::kMaxPool, same);
  CHECK(resolved.Input({1, 8, 7, 8}).Result() == "float32[1,8,7,8]");
  CHECK(resolved.Attrs<PoolAttrs>().pads == std::vector<int64_t>{1, 1, 0, 0});
  for (const OpType op : {OpType::kGlobalAveragePool, OpType::kGlobalMaxPool}) {
    CHECK(OneNode(op).Input({kN, 8, kAny, 4}).Result() == "float32[N,8,1,1]");
    CHECK(OneNode(op).Unknown().Result() == "float32[*]");
    CHECK_THAT(OneNode(op).Input({1, 8}).Error(), Contains("at least 3"));
  }
}

TEST_CASE("reductions") {
  for (const OpType op : {OpType::kReduceMean, OpType::kReduceSum, OpType::kReduceMax, OpType::kReduceMin}) {
    CHECK(OneNode(op, ReduceAttrs{.axes = {-1, 1}}).Input({kN, 3, 4, 5}).Result() == "float32[N,1,4,1]");
    CHECK(OneNode(op, ReduceAttrs{.axes = {2, 3}, .keep_dims = false}).Input({kN, 3, 4, 5}).Result() == "float32[N,3]");
    CHECK(OneNode(op, ReduceAttrs{.axes = {}, .keep_dims = false}).Input({kN, 3}).Result() == "float32[]");
    CHECK(OneNode(op, ReduceAttrs{.axes = {}, .no_op_with_empty_axes = true}).Input({kN, 3}).Result() ==
          "float32[N,3]");
    CHECK(OneNode(op).Unknown().Result() == "float32[*]");
    CHECK_THAT(OneNode(op, ReduceAttrs{.axes = {4}}).Input({1, 2}).Error(), Contains("axis"));
  }
  CHECK(OneNode(OpType::kArgMax, ArgMaxAttrs{.axis = 1}).Input({kN, 10}).Result() == "int64[N,1]");
  CHECK(OneNode(OpType::kArgMax, ArgMaxAttrs{.axis = -1, .keep_dims = false}).Input({kN, 10}).Result() == "int64[N]");
  CHECK_THAT(OneNode(OpType::kArgMax, ArgMaxAttrs{.axis = 0}).Input({0}).Error(), Contains("no elements"));
}

TEST_CASE("Resize and rearranging blocks") {
  CHECK(OneNode(OpType::kResize).Input({kN, 3, 7, 8}).Floats({1, 1, 2, 0.5f}).Result() == "float32[N,3,14,4]");
  CHECK(OneNode(OpType::kResize).Input({1, 3, 7, 8}).Absent().Integers({1, 3, 9, 10}).Result() == "float32[1,3,9,10]");
  CHECK(OneNode(OpType::kResize).Input({1, 3, kAny, 8}).Floats({1, 1, 2, 2}).Result() == "float32[1,3,?,16]");
  CHECK(OneNode(OpType::kResize).Input({1, 3, 7, 8}).Input({4}).Result() == "float32[?,?,?,?]");
  CHECK(OneNode(OpType::kResize).Unknown().Absent().Integers({1, 3, 9, 10}).Result() == "float32[1,3,9,10]");
  CHECK_THAT(OneNode(OpType::kResize).Input({1, 3, 7, 8}).Error(), Contains("either"));
  CHECK_THAT(OneNode(OpType::kResize).Input({1}).Floats({1}).Integers({1}).Error(), Contains("either"));
  CHECK_THAT(OneNode(OpType::kResize).Input({1, 3}).Floats({1}).Error(), Contains("expected 2 scales, found 1"));
  CHECK_THAT(OneNode(OpType::kResize).Input({1, 3}).Floats({1, -2}).Error(), Contains("positive"));
  CHECK_THAT(OneNode(OpType::kResize).Input({1, 3}).Absent().Integers({1, 0}).Error(), Contains("at least 1"));
  CHECK(OneNode(OpType::kDepthToSpace, DepthToSpaceAttrs{.block_size = 2}).Input({kN, 8, 3, kAny}).Result() ==
        "float32[N,2,6,?]");
  CHECK_THAT(OneNode(OpType::kDepthToSpace, DepthToSpaceAttrs{.block_size = 3}).Input({1, 8, 3, 3}).Error(),
             Contains("divisible by 9"));
  CHECK_THAT(OneNode(OpType::kDepthToSpace, DepthToSpaceAttrs{.block_size = 0}).Input({1, 8, 3, 3}).Error(),
             Contains("block_size"));
  CHECK(OneNode(OpType::kSpaceToDepth, SpaceToDepthAttrs{.block_size = 2}).Input({kN, 2, 6, 8}).Result() ==
        "float32[N,8,3,4]");
  CHECK_THAT(OneNode(OpType::kSpaceToDepth, SpaceToDepthAttrs{.block_size = 2}).Input({1, 2, 5, 8}).Error(),
             Contains("height"));
}

TEST_CASE("Quantize and Dequantize") {
  CHECK(OneNode(OpType::kQuantize).Input({kN, 3}).Declared(ElementType::kUndefined, true).Result() == "int8[N,3]");
  CHECK(OneNode(OpType::kQuantize).Input({3}).Declared(ElementType::kUInt8, true).Result() == "uint8[3]");
  CHECK_THAT(OneNode(OpType::kQuantize).Input({3}).Error(), Contains("no quantization parameters"));
  CHECK_THAT(OneNode(OpType::kQuantize).Input({3}, kInt8).Quantized().Declared(kInt8, true).Error(),
             Contains("already"));
  CHECK(OneNode(OpType::kDequantize).Input({kN, 3}, kInt8).Quantized().Result() == "float32[N,3]");
  CHECK_THAT(OneNode(OpType::kDequantize).Input({3}, kInt8).Error(), Contains("no quantization parameters"));
}

// Catch2 runs tests in the order of the file; ctest, one process a test, has nothing to say here.
TEST_CASE("every operator's inference has a test") {
  if (OneNode::tested().empty()) return;
#define QLITE_OP_TESTED(name, attrs) CHECK(OneNode::tested().contains(OpType::k##name));
  QLITE_FOR_EACH_OP(QLITE_OP_TESTED)
#undef QLITE_OP_TESTED
}

// --- whole graphs

TEST_CASE("shapes computed by the network are followed with symbols") {
  // What exporters write for x.view(x.size(0), -1): Shape -> Gather -> Unsqueeze -> Concat -> Reshape.
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape(Dims{kN, 8, 4, 4}));
  const ValueId zero = graph.AddConstant("zero", Tensor::Of<int64_t>({}, {0}));
  const ValueId rest = graph.AddConstant("rest", Tensor::Of<int64_t>({1}, {-1}));
  const ValueId shape = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {x}, "shape");
  const ValueId batch = *graph.AddNode("", OpType::kGather, AxisAttrs{}, {shape, zero}, "batch");
  const ValueId row = *graph.AddNode("", OpType::kUnsqueeze, AxesAttrs{.axes = {0}}, {batch}, "row");
  const ValueId target = *graph.AddNode("", OpType::kConcat, AxisAttrs{}, {row, rest}, "target");
  const ValueId y = *graph.AddNode("", OpType::kReshape, ReshapeAttrs{}, {x, target}, "y");
  graph.SetOutputs({y});
  REQUIRE(graph.InferShapes().ok());
  CHECK(graph.value(y).shape.ToString() == "[N,128]");
  REQUIRE(graph.InferShapes({{"x", {3, 8, 4, 4}}}).ok());
  CHECK(graph.value(y).shape.ToString() == "[3,128]");
  REQUIRE(graph.InferShapes({{"x", {5, 8, 2, 2}}}).ok());
  CHECK(graph.value(y).shape.ToString() == "[5,32]");
}

TEST_CASE("sizes of an upsampling computed in floats are followed") {
  // floor(shape * 2.0) as PyTorch writes it: Shape -> Slice -> Cast -> Mul -> Floor -> Cast -> Concat -> Resize.
  Graph graph;
  const auto integers = [&](std::vector<int64_t> values) {
    const auto count = static_cast<int64_t>(values.size());
    return graph.AddConstant("c", Tensor::Of<int64_t>({count}, std::move(values)));
  };
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape(Dims{1, 8, 5, 7}));
  const ValueId shape = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {x}, "shape");
  const ValueId head = *graph.AddNode("", OpType::kSlice, NoAttrs{}, {shape, integers({0}), integers({2})}, "head");
  const ValueId tail = *graph.AddNode("", OpType::kSlice, NoAttrs{},
                                      {shape, integers({2}), integers({INT64_MAX}), integers({0})}, "tail");
  const ValueId real = *graph.AddNode("", OpType::kCast, CastAttrs{ElementType::kFloat32}, {tail}, "real");
  const ValueId two = graph.AddConstant("two", Tensor::Of<float>({}, {2.5f}));
  const ValueId scaled = *graph.AddNode("", OpType::kMul, ElementwiseAttrs{}, {real, two}, "scaled");
  const ValueId floor = *graph.AddNode("", OpType::kFloor, NoAttrs{}, {scaled}, "floor");
  const ValueId whole = *graph.AddNode("", OpType::kCast, CastAttrs{kInt64}, {floor}, "whole");
  const ValueId sizes = *graph.AddNode("", OpType::kConcat, AxisAttrs{}, {head, whole}, "sizes");
  const ValueId y = *graph.AddNode("", OpType::kResize, ResizeAttrs{}, {x, ValueId(), sizes}, "y");
  graph.SetOutputs({y});
  REQUIRE(graph.InferShapes().ok());
  CHECK(graph.value(y).shape.ToString() == "[1,8,12,17]");
}

TEST_CASE("Where over a compared shape, as Expand's target") {
  // ConstantOfShape * -1 == target ? ones : target.
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape(Dims{1, 3}));
  const ValueId other = graph.AddInput("other", ElementType::kFloat32, Shape(Dims{kN, 3}));
  const ValueId target = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {other}, "target");
  const ValueId two = graph.AddConstant("two", Tensor::Of<int64_t>({1}, {2}));
  const ValueId ones =
      *graph.AddNode("", OpType::kConstantOfShape, FillAttrs{.type = kInt64, .int_value = 1}, {two}, "ones");
  const ValueId minus = graph.AddConstant("minus", Tensor::Of<int64_t>({}, {-1}));
  const ValueId negative = *graph.AddNode("", OpType::kMul, ElementwiseAttrs{}, {ones, minus}, "negative");
  const ValueId same = *graph.AddNode("", OpType::kEqual, NoAttrs{}, {target, negative}, "same");
  const ValueId chosen = *graph.AddNode("", OpType::kWhere, NoAttrs{}, {same, ones, target}, "chosen");
  const ValueId y = *graph.AddNode("", OpType::kExpand, NoAttrs{}, {x, chosen}, "y");
  graph.SetOutputs({y});
  REQUIRE(graph.InferShapes().ok());
  CHECK(graph.value(y).shape.ToString() == "[N,3]");
}

TEST_CASE("integer arithmetic on shapes") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape(Dims{6, 4}));
  const ValueId shape = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {x}, "shape");
  const auto constant = [&](int64_t value) { return graph.AddConstant("c", Tensor::Of<int64_t>({1}, {value})); };
  const auto binary = [&](OpType op, OpAttrs attrs, ValueId a, ValueId b) {
    return *graph.AddNode("", op, std::move(attrs), {a, b}, "");
  };
  const ValueId rows = *graph.AddNode("", OpType::kSlice, NoAttrs{}, {shape, constant(0), constant(1)}, "rows");
  const ValueId columns = *graph.AddNode("", OpType::kSlice, NoAttrs{}, {shape, constant(1), constant(2)}, "columns");
  const ValueId half = binary(OpType::kDiv, ElementwiseAttrs{}, rows, constant(2));
  const ValueId twice = binary(OpType::kMul, ElementwiseAttrs{}, columns, constant(2));
  const ValueId target = *graph.AddNode("", OpType::kConcat, AxisAttrs{}, {half, twice}, "target");
  const ValueId y = *graph.AddNode("", OpType::kReshape, ReshapeAttrs{}, {x, target}, "y");
  const ValueId zero = binary(OpType::kDiv, ElementwiseAttrs{}, rows, constant(0));
  const ValueId z = *graph.AddNode("", OpType::kExpand, NoAttrs{}, {x, zero}, "z");
  const ValueId total = *graph.AddNode("", OpType::kReduceSum, ReduceAttrs{}, {shape}, "total");
  const ValueId w = *graph.AddNode("", OpType::kConstantOfShape, FillAttrs{}, {total}, "w");
  graph.SetOutputs({y, z, w});
  REQUIRE(graph.InferShapes().ok());
  CHECK(graph.value(y).shape.ToString() == "[3,8]");
  CHECK(graph.value(z).shape.ToString() == "[6,4]");  // a division by 0 is unknown, and broadcasts to 4 or not at all
  CHECK(graph.value(w).shape.ToString() == "[10]");
}

TEST_CASE("input shapes fix symbols everywhere") {
  Graph graph;
  const ValueId a = graph.AddInput("a", ElementType::kFloat32, Shape(Dims{kN, 3}));
  const ValueId b = graph.AddInput("b", ElementType::kFloat32, Shape(Dims{kN, 1}));
  const ValueId sum = *graph.AddNode("sum", OpType::kAdd, ElementwiseAttrs{}, {a, b}, "y");
  graph.SetOutputs({sum});
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };
  CHECK_THAT(message(graph.InferShapes({{"c", {1, 2}}})), Contains("'c'") && Contains("a, b"));
  CHECK_THAT(message(graph.InferShapes({{"a", {1, 2, 3}}})), Contains("expected 2 extents"));
  CHECK_THAT(message(graph.InferShapes({{"a", {-1, 3}}})), Contains("negative"));
  CHECK_THAT(message(graph.InferShapes({{"a", {2, 3}}, {"b", {4, 1}}})), Contains("'N'"));
}

TEST_CASE("input shapes are substituted") {
  Graph graph;
  const ValueId a = graph.AddInput("a", ElementType::kFloat32, Shape(Dims{kN, 3}));
  const ValueId b = graph.AddInput("b", ElementType::kFloat32, Shape(Dims{kN, 1}));
  const ValueId free = graph.AddInput("free", ElementType::kFloat32, Shape());
  const ValueId sum = *graph.AddNode("sum", OpType::kAdd, ElementwiseAttrs{}, {a, b}, "y");
  const ValueId act = *graph.AddNode("act", OpType::kRelu, NoAttrs{}, {free}, "z");
  graph.SetOutputs({sum, act});
  REQUIRE(graph.InferShapes({{"a", {4, 3}}, {"free", {7}}}).ok());
  CHECK(graph.value(b).shape.ToString() == "[4,1]");
  CHECK(graph.value(sum).shape.ToString() == "[4,3]");
  CHECK(graph.value(act).shape.ToString() == "[7]");
}

TEST_CASE("empty tensors with huge other extents cost nothing") {
  Graph graph;
  const int64_t huge = int64_t{1} << 60;
  const ValueId x = graph.AddConstant("x", Tensor::Of<int64_t>({1 << 20, 0, 1 << 20}, {}));
  const ValueId first = graph.AddConstant("first", Tensor::Of<int64_t>({1}, {0}));
  const ValueId last = graph.AddConstant("last", Tensor::Of<int64_t>({1}, {huge}));
  const ValueId sliced = *graph.AddNode("", OpType::kSlice, NoAttrs{}, {x, first, last}, "sliced");
  const ValueId taken = *graph.AddNode("", OpType::kSlice, NoAttrs{}, {x, first, last, first, first}, "taken");
  graph.SetOutputs({sliced});
  CHECK_FALSE(graph.InferShapes().ok());  // a step of 0
  graph.RemoveNode(graph.value(taken).producer);
  const auto split = graph.AddNode("", OpType::kSplit, SplitAttrs{.axis = 0, .sizes = {}}, {x},
                                   std::vector<ValueId>{graph.AddValue("a"), graph.AddValue("b")});
  REQUIRE(split.ok());
  const ValueId sum = *graph.AddNode("", OpType::kAdd, ElementwiseAttrs{}, {x, x}, "sum");
  const ValueId picked = *graph.AddNode("", OpType::kGather, AxisAttrs{.axis = 0}, {x, first}, "picked");
  graph.SetOutputs({sliced, sum, picked});
  CHECK(graph.InferShapes().ok());
  CHECK(graph.value(picked).shape.ToString() == "[1,0,1048576]");
}

}  // namespace
}  // namespace qlite
