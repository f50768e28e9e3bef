// Random float graphs of the operators of image networks, for properties that hold for every graph.
#ifndef QLITE_TESTS_RUNTIME_RANDOM_GRAPH_H_
#define QLITE_TESTS_RUNTIME_RANDOM_GRAPH_H_

#include <limits>
#include <vector>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {

// A graph with one input [batch, C, H, W] and a few outputs. Graphs of equal seed differ in their batch alone.
class RandomGraph {
 public:
  RandomGraph(uint32_t seed, int64_t batch, int nodes) : rng_(seed) {
    input_dims_ = {batch, Pick(rng_, 1, 9), Pick(rng_, 4, 12), Pick(rng_, 4, 12)};
    values_.push_back(builder_.Input(input_dims_));
    for (int i = 0; i < nodes; ++i) AddNode();
    // The last value, and one from the middle.
    std::vector<ValueId> outputs = {values_.back()};
    if (values_.size() > 3 && Pick(rng_, 0, 1) == 0) outputs.push_back(values_[values_.size() / 2]);
    builder_.Finish(outputs);
  }

  const Graph& graph() const { return builder_.graph; }
  const std::vector<int64_t>& input_dims() const { return input_dims_; }

 private:
  using Dims = std::vector<int64_t>;

  ValueId PickValue() {
    const auto last = static_cast<int64_t>(values_.size()) - 1;
    return values_[static_cast<size_t>(Pick(rng_, std::max<int64_t>(0, last - 3), last))];
  }

  // Another value of the same extents, or the value itself.
  ValueId Companion(const Dims& dims) {
    std::vector<ValueId> found;
    for (ValueId id : values_) {
      if (builder_.Dims(id) == dims) found.push_back(id);
    }
    return found[static_cast<size_t>(Pick(rng_, 0, static_cast<int64_t>(found.size()) - 1))];
  }

  void Keep(ValueId id) { values_.push_back(id); }

  void AddNode() {
    const ValueId x = PickValue();
    const Dims dims = builder_.Dims(x);
    if (dims.size() == 4 && dims[2] * dims[3] > 0) {
      AddImageNode(x, dims);
    } else {
      AddAnyNode(x, dims);
    }
  }

  void AddImageNode(ValueId x, const Dims& dims) {
    switch (Pick(rng_, 0, 13)) {
      case 0:
      case 1:
      case 2:
        return Convolve(x, dims);
      case 3:
        return Pool(x, dims);
      case 4:
        return ConcatChannels(x, dims);
      case 5:
        return SplitChannels(x, dims);
      case 6:
        return PadImage(x);
      case 7:
        return SliceImage(x, dims);
      case 8:
        return Excite(x);
      case 9:
        return TransposeImage(x);
      case 10:
        return PerChannel(x, dims);
      case 11:
        return Resample(x);
      case 12:
        return Keep(builder_.Add(OpType::kReshape, {x, builder_.Constant(Int64s({dims[0], dims[1], -1}))}));
      default:
        return AddAnyNode(x, dims);
    }
  }

  void AddAnyNode(ValueId x, const Dims& dims) {
    switch (Pick(rng_, 0, 6)) {
      case 0:
        return Keep(builder_.Add(OpType::kRelu, {x}));
      case 1:
        return Keep(builder_.Add(OpType::kSigmoid, {x}));
      case 2:
        return Keep(builder_.Add(OpType::kAdd, {x, Companion(dims)}));
      case 3:
        return Keep(builder_.Add(OpType::kMul, {x, builder_.Constant(RandomTensor(rng_, {1}))}));
      case 4:
        return Keep(
            builder_.Add(OpType::kSoftmax, {x}, AxisAttrs{Pick(rng_, 1, static_cast<int64_t>(dims.size()) - 1)}));
      case 5: {
        ReduceAttrs attrs;
        attrs.axes = {Pick(rng_, 1, static_cast<int64_t>(dims.size()) - 1)};
        return Keep(builder_.Add(OpType::kReduceMean, {x}, attrs));
      }
      default:
        return Keep(builder_.Add(OpType::kClip, {x}, ClipAttrs{{-0.5f, 0.75f}}));
    }
  }

  void Convolve(ValueId x, const Dims& dims) {
    const int64_t channels = dims[1], kind = Pick(rng_, 0, 3);
    const int64_t groups = kind == 0 ? channels : kind == 1 && channels % 2 == 0 ? 2 : 1;
    const int64_t out = kind == 0 ? channels : groups * Pick(rng_, 1, 9);
    ConvAttrs attrs;
    attrs.group = groups;
    const int64_t kernel = Pick(rng_, 0, 1) * 2 + 1;
    attrs.kernel_shape = {kernel, kernel};
    attrs.strides = {Pick(rng_, 1, 2), Pick(rng_, 1, 2)};
    attrs.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    ValueId y =
        builder_.Add(OpType::kConv,
                     {x, builder_.Constant(RandomTensor(rng_, {out, channels / groups, kernel, kernel}, -0.5f, 0.5f)),
                      builder_.Constant(RandomTensor(rng_, {out}))},
                     attrs);
    const int64_t end = Pick(rng_, 0, 3);
    if (end == 0) y = builder_.Add(OpType::kRelu, {y});
    if (end == 1) y = builder_.Add(OpType::kClip, {y}, ClipAttrs{{0, 6}});
    const Dims made = builder_.Dims(y);
    if (end == 2 && made == dims) {
      y = builder_.Add(OpType::kAdd, Pick(rng_, 0, 1) ? std::vector{y, x} : std::vector{x, y});
      if (Pick(rng_, 0, 1)) y = builder_.Add(OpType::kRelu, {y});
    }
    Keep(y);
  }

  void Pool(ValueId x, const Dims& dims) {
    if (Pick(rng_, 0, 3) == 0) return Keep(builder_.Add(OpType::kGlobalAveragePool, {x}));
    PoolAttrs attrs;
    attrs.kernel_shape = {std::min<int64_t>(dims[2], Pick(rng_, 1, 3)), std::min<int64_t>(dims[3], Pick(rng_, 1, 3))};
    attrs.strides = {Pick(rng_, 1, 2), Pick(rng_, 1, 2)};
    attrs.ceil_mode = Pick(rng_, 0, 1) == 1;
    Keep(builder_.Add(Pick(rng_, 0, 1) ? OpType::kMaxPool : OpType::kAveragePool, {x}, attrs));
  }

  // Branches of convolutions that are joined, as in an inception block, or values that exist.
  void ConcatChannels(ValueId x, const Dims& dims) {
    std::vector<ValueId> parts;
    for (int64_t i = Pick(rng_, 1, 3); i > 0; --i) {
      const int64_t out = Pick(rng_, 1, 6);
      ValueId part =
          builder_.Add(OpType::kConv, {x, builder_.Constant(RandomTensor(rng_, {out, dims[1], 1, 1}, -0.5f, 0.5f))});
      if (Pick(rng_, 0, 1)) part = builder_.Add(OpType::kRelu, {part});
      parts.push_back(part);
    }
    if (Pick(rng_, 0, 1)) parts.insert(parts.begin(), Companion(dims));
    Keep(builder_.Add(OpType::kConcat, parts, AxisAttrs{Pick(rng_, 0, 1) ? 1 : -3}));
  }

  void SplitChannels(ValueId x, const Dims& dims) {
    const int64_t axis = Pick(rng_, 1, 3), extent = dims[static_cast<size_t>(axis)];
    if (extent < 2) return Keep(builder_.Add(OpType::kIdentity, {x}));
    const int64_t first = Pick(rng_, 1, extent - 1);
    for (ValueId part : builder_.AddMany(OpType::kSplit, {x}, SplitAttrs{axis, {first, extent - first}}, 2)) Keep(part);
  }

  void PadImage(ValueId x) {
    PadAttrs attrs;
    attrs.mode = Pick(rng_, 0, 1) ? PadMode::kConstant : PadMode::kEdge;
    Keep(builder_.Add(OpType::kPad,
                      {x, builder_.Constant(Int64s({0, Pick(rng_, 0, 2), Pick(rng_, 0, 2), Pick(rng_, 0, 1), 0,
                                                    Pick(rng_, 0, 2), Pick(rng_, 0, 2), Pick(rng_, 0, 1)}))},
                      attrs));
  }

  void SliceImage(ValueId x, const Dims& dims) {
    const int64_t axis = Pick(rng_, 1, 3), extent = dims[static_cast<size_t>(axis)], start = Pick(rng_, 0, extent - 1);
    Keep(builder_.Add(OpType::kSlice,
                      {x, builder_.Constant(Int64s({start})), builder_.Constant(Int64s({extent})),
                       builder_.Constant(Int64s({axis})), builder_.Constant(Int64s({Pick(rng_, 1, 2)}))}));
  }

  // Squeeze and excitation: scaled by a function of its mean.
  void Excite(ValueId x) {
    const ValueId gate = builder_.Add(OpType::kSigmoid, {builder_.Add(OpType::kGlobalAveragePool, {x})});
    Keep(builder_.Add(OpType::kMul, Pick(rng_, 0, 1) ? std::vector{x, gate} : std::vector{gate, x}));
  }

  void TransposeImage(ValueId x) {
    TransposeAttrs attrs;
    const int64_t kind = Pick(rng_, 0, 2);
    attrs.perm = kind == 0 ? Dims{0, 2, 3, 1} : kind == 1 ? Dims{0, 3, 1, 2} : Dims{0, 1, 3, 2};
    Keep(builder_.Add(OpType::kTranspose, {x}, attrs));
  }

  void PerChannel(ValueId x, const Dims& dims) {
    const Dims shape = Pick(rng_, 0, 1) ? Dims{dims[1], 1, 1} : Dims{1, dims[1], 1, 1};
    const OpType op = Pick(rng_, 0, 2) == 0 ? OpType::kPRelu : Pick(rng_, 0, 1) ? OpType::kMul : OpType::kAdd;
    Keep(builder_.Add(op, {x, builder_.Constant(RandomTensor(rng_, shape))}));
  }

  void Resample(ValueId x) {
    const Dims dims = builder_.Dims(x);
    if (dims[2] * dims[3] > 200) return Keep(builder_.Add(OpType::kAbs, {x}));
    ResizeAttrs attrs;
    attrs.coordinates = CoordinateMode::kAsymmetric;
    attrs.nearest = NearestMode::kFloor;
    Keep(builder_.Add(OpType::kResize, {x, builder_.Constant(Tensor::Of<float>({4}, {1, 1, 2, 2}))}, attrs));
  }

  Rng rng_;
  GraphBuilder builder_;
  std::vector<ValueId> values_;
  Dims input_dims_;
};

}  // namespace qlite::testing

#endif  // QLITE_TESTS_RUNTIME_RANDOM_GRAPH_H_
