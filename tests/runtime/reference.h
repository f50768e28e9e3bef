// A plain interpreter of float graphs in double precision, one loop an operator over logical indices: what the
// runtime's results are compared with.
#ifndef QLITE_TESTS_RUNTIME_REFERENCE_H_
#define QLITE_TESTS_RUNTIME_REFERENCE_H_

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/node_geometry.h"
#include "core/shape_util.h"
#include "qlite/graph.h"

namespace qlite::testing {

using Indices = std::vector<int64_t>;

struct Array {
  std::vector<int64_t> dims;
  std::vector<double> data;

  Array() = default;
  explicit Array(std::vector<int64_t> extents) : dims(std::move(extents)) {
    int64_t count = 1;
    for (int64_t extent : dims) count *= extent;
    data.resize(static_cast<size_t>(count));
  }
  size_t Flat(const Indices& index) const {
    int64_t flat = 0;
    for (size_t d = 0; d < dims.size(); ++d) flat = flat * dims[d] + index[d];
    return static_cast<size_t>(flat);
  }
  double& at(const Indices& index) { return data[Flat(index)]; }
  double at(const Indices& index) const { return data[Flat(index)]; }
  // With numpy's broadcasting: the last dimensions are aligned.
  double Broadcast(const Indices& index) const {
    Indices own(dims.size());
    for (size_t d = 0; d < dims.size(); ++d) own[d] = dims[d] == 1 ? 0 : index[index.size() - dims.size() + d];
    return at(own);
  }
};

// Calls `visit` with every index of `dims` in row-major order.
inline void ForEach(const std::vector<int64_t>& dims, const std::function<void(const Indices&)>& visit) {
  Indices index(dims.size());
  for (int64_t extent : dims) {
    if (extent == 0) return;
  }
  while (true) {
    visit(index);
    size_t d = dims.size();
    while (d > 0 && ++index[d - 1] == dims[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

// A result made by a function of its index.
inline Array Make(const std::vector<int64_t>& dims, const std::function<double(const Indices&)>& element) {
  Array out(dims);
  ForEach(dims, [&](const Indices& i) { out.at(i) = element(i); });
  return out;
}

inline double Clamped(double x, const FusedClamp& clamp) {
  return std::min<double>(clamp.max, std::max<double>(clamp.min, x));
}

// Windows over images of one or two spatial dimensions: calls `tap(input index, kernel index)` for every position of
// the window of output `o` ([n, c, spatial...]) that exists; the channel of the input index is left at 0.
inline void ForWindow(const WindowGeometry& geometry, const std::vector<int64_t>& in, const Indices& o,
                      const std::function<void(const Indices&, const Indices&)>& tap) {
  std::vector<int64_t> kernel;
  for (const WindowAxis& axis : geometry.axes) kernel.push_back(axis.kernel.value);
  ForEach(kernel, [&](const Indices& k) {
    Indices i(in.size());
    i[0] = o[0];
    for (size_t d = 0; d < k.size(); ++d) {
      const WindowAxis& axis = geometry.axes[d];
      i[d + 2] = o[d + 2] * axis.stride - axis.pad_begin + k[d] * axis.dilation;
      if (i[d + 2] < 0 || i[d + 2] >= in[d + 2]) return;
    }
    tap(i, k);
  });
}

inline std::vector<Dim> SpatialDims(const std::vector<int64_t>& dims) { return {dims.begin() + 2, dims.end()}; }

inline Array ReferenceConv(const ConvAttrs& attrs, const std::vector<Array>& in, const std::vector<int64_t>& out) {
  const Array &x = in[0], &w = in[1];
  const WindowGeometry geometry = *ConvGeometry(attrs, SpatialDims(x.dims), SpatialDims(w.dims));
  const int64_t in_each = w.dims[1], out_each = w.dims[0] / attrs.group;
  return Make(out, [&](const Indices& o) {
    double sum = in.size() > 2 ? in[2].data[static_cast<size_t>(o[1])] : 0;
    ForWindow(geometry, x.dims, o, [&](Indices i, const Indices& k) {
      for (int64_t c = 0; c < in_each; ++c) {
        i[1] = o[1] / out_each * in_each + c;
        Indices at = {o[1], c};
        at.insert(at.end(), k.begin(), k.end());
        sum += x.at(i) * w.at(at);
      }
    });
    return Clamped(sum, attrs.clamp);
  });
}

inline Array ReferenceConvTranspose(const ConvTransposeAttrs& attrs, const std::vector<Array>& in,
                                    const std::vector<int64_t>& dims) {
  const Array &x = in[0], &w = in[1];
  const WindowGeometry geometry = *ConvTransposeGeometry(attrs, SpatialDims(x.dims), SpatialDims(w.dims));
  const int64_t in_each = w.dims[0] / attrs.group, out_each = w.dims[1];
  Array out(dims);
  ForEach(dims, [&](const Indices& o) { out.at(o) = in.size() > 2 ? in[2].data[static_cast<size_t>(o[1])] : 0; });
  ForEach(x.dims, [&](const Indices& i) {
    ForEach(w.dims, [&](const Indices& k) {
      if (k[0] != i[1]) return;
      Indices o = {i[0], i[1] / in_each * out_each + k[1]};
      for (size_t d = 0; d < geometry.axes.size(); ++d) {
        const WindowAxis& axis = geometry.axes[d];
        o.push_back(i[d + 2] * axis.stride - axis.pad_begin + k[d + 2] * axis.dilation);
        if (o.back() < 0 || o.back() >= dims[d + 2]) return;
      }
      out.at(o) += x.at(i) * w.at(k);
    });
  });
  return out;
}

inline Array ReferencePool(const Node& node, const Array& x, const std::vector<int64_t>& out) {
  const auto& attrs = node.attr<PoolAttrs>();
  const WindowGeometry geometry = *PoolGeometry(attrs, SpatialDims(x.dims));
  return Make(out, [&](const Indices& o) {
    double sum = 0, largest = -std::numeric_limits<double>::infinity();
    int64_t count = 0;
    ForWindow(geometry, x.dims, o, [&](Indices i, const Indices&) {
      i[1] = o[1];
      sum += x.at(i);
      largest = std::max(largest, x.at(i));
      ++count;
    });
    if (node.op == OpType::kMaxPool) return largest;
    if (attrs.count_include_pad) {
      count = 1;
      for (size_t d = 0; d < geometry.axes.size(); ++d) {
        const WindowAxis& axis = geometry.axes[d];
        int64_t inside = 0;
        for (int64_t k = 0; k < axis.kernel.value; ++k) {
          const int64_t at = o[d + 2] * axis.stride - axis.pad_begin + k * axis.dilation;
          inside += at < x.dims[d + 2] + axis.pad_end ? 1 : 0;
        }
        count *= inside;
      }
    }
    return sum / static_cast<double>(count);
  });
}

// Sum, mean, maximum or minimum over axes.
inline Array ReferenceReduce(OpType op, const Array& x, const std::vector<int64_t>& axes,
                             const std::vector<int64_t>& out_dims) {
  std::vector<int64_t> kept = x.dims;
  for (int64_t axis : axes) kept[static_cast<size_t>(axis)] = 1;
  const double start = op == OpType::kReduceMax   ? -std::numeric_limits<double>::infinity()
                       : op == OpType::kReduceMin ? std::numeric_limits<double>::infinity()
                                                  : 0;
  Array out = Make(kept, [&](const Indices&) { return start; });
  ForEach(x.dims, [&](const Indices& i) {
    Indices o = i;
    for (int64_t axis : axes) o[static_cast<size_t>(axis)] = 0;
    double& result = out.at(o);
    result = op == OpType::kReduceMax   ? std::max(result, x.at(i))
             : op == OpType::kReduceMin ? std::min(result, x.at(i))
                                        : result + x.at(i);
  });
  if (op == OpType::kReduceMean) {
    for (double& value : out.data) value /= static_cast<double>(x.data.size()) / static_cast<double>(out.data.size());
  }
  out.dims = out_dims;
  return out;
}

inline Array ReferenceMatMul(const Array& a, const Array& b, const std::vector<int64_t>& out) {
  const int64_t inner = a.dims.back();
  return Make(out, [&](const Indices& o) {
    double sum = 0;
    for (int64_t k = 0; k < inner; ++k) {
      Indices i = o, j = o;
      i.back() = k;
      j[j.size() - 2] = k;
      sum += a.Broadcast(i) * b.Broadcast(j);
    }
    return sum;
  });
}

inline Array ReferenceGemm(const GemmAttrs& attrs, const std::vector<Array>& in, const std::vector<int64_t>& out) {
  const int64_t inner = in[0].dims[attrs.trans_a ? 0 : 1];
  return Make(out, [&](const Indices& o) {
    double sum = 0;
    for (int64_t k = 0; k < inner; ++k) {
      sum += in[0].at(attrs.trans_a ? Indices{k, o[0]} : Indices{o[0], k}) *
             in[1].at(attrs.trans_b ? Indices{o[1], k} : Indices{k, o[1]});
    }
    sum *= attrs.alpha;
    if (in.size() > 2) sum += attrs.beta * in[2].Broadcast(o);
    return Clamped(sum, attrs.clamp);
  });
}

inline double ReferenceUnary(const Node& node, double x) {
  switch (node.op) {
    case OpType::kRelu:
      return std::max(0.0, x);
    case OpType::kLeakyRelu:
      return x >= 0 ? x : node.attr<AlphaAttrs>().alpha * x;
    case OpType::kElu:
      return x >= 0 ? x : node.attr<AlphaAttrs>().alpha * std::expm1(x);
    case OpType::kClip:
      return Clamped(x, node.attr<ClipAttrs>().range);
    case OpType::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case OpType::kTanh:
      return std::tanh(x);
    case OpType::kHardSigmoid:
      return std::max(0.0, std::min(1.0, node.attr<HardSigmoidAttrs>().alpha * x + node.attr<HardSigmoidAttrs>().beta));
    case OpType::kHardSwish:
      return x * std::max(0.0, std::min(1.0, x / 6 + 0.5));
    case OpType::kSqrt:
      return std::sqrt(x);
    case OpType::kExp:
      return std::exp(x);
    case OpType::kLog:
      return std::log(x);
    case OpType::kErf:
      return std::erf(x);
    case OpType::kNeg:
      return -x;
    case OpType::kAbs:
      return std::abs(x);
    case OpType::kReciprocal:
      return 1 / x;
    case OpType::kFloor:
      return std::floor(x);
    case OpType::kCeil:
      return std::ceil(x);
    case OpType::kRound:
      return std::nearbyint(x);
    default:
      FAIL("no reference for " << OpName(node.op));
      return 0;
  }
}

inline double ReferenceBinary(OpType op, double a, double b) {
  switch (op) {
    case OpType::kAdd:
      return a + b;
    case OpType::kSub:
      return a - b;
    case OpType::kMul:
      return a * b;
    case OpType::kDiv:
      return a / b;
    case OpType::kPow:
      return std::pow(a, b);
    case OpType::kMin:
      return std::min(a, b);
    case OpType::kMax:
      return std::max(a, b);
    default:
      return a >= 0 ? a : b * a;
  }
}

inline std::vector<int64_t> Integers(const Array& array) { return {array.data.begin(), array.data.end()}; }

inline int64_t PositiveAxis(int64_t axis, const Array& x) {
  return axis < 0 ? axis + static_cast<int64_t>(x.dims.size()) : axis;
}

inline Array ReferenceConcat(const std::vector<Array>& in, size_t axis, const std::vector<int64_t>& out) {
  return Make(out, [&](const Indices& o) {
    Indices i = o;
    for (const Array& part : in) {
      if (i[axis] < part.dims[axis]) return part.at(i);
      i[axis] -= part.dims[axis];
    }
    return 0.0;
  });
}

inline Array ReferenceSlice(const std::vector<Array>& in, const std::vector<int64_t>& out) {
  std::vector<int64_t> start(out.size(), 0), step(out.size(), 1);
  const auto starts = Integers(in[1]), ends = Integers(in[2]);
  for (size_t k = 0; k < starts.size(); ++k) {
    const auto axis = in.size() > 3 ? static_cast<size_t>(PositiveAxis(Integers(in[3])[k], in[0])) : k;
    const SliceRange range = ResolveSlice(starts[k], ends[k], in.size() > 4 ? Integers(in[4])[k] : 1, in[0].dims[axis]);
    start[axis] = range.start;
    step[axis] = range.step;
  }
  return Make(out, [&](const Indices& o) {
    Indices i = o;
    for (size_t d = 0; d < i.size(); ++d) i[d] = start[d] + o[d] * step[d];
    return in[0].at(i);
  });
}

inline Array ReferencePad(PadMode mode, const std::vector<Array>& in, const std::vector<int64_t>& out) {
  const auto pads = Integers(in[1]);
  const double value = in.size() > 2 ? in[2].data[0] : 0;
  return Make(out, [&](const Indices& o) {
    Indices i = o;
    for (size_t d = 0; d < i.size(); ++d) {
      const int64_t extent = in[0].dims[d];
      i[d] -= pads[d];
      if (i[d] >= 0 && i[d] < extent) continue;
      if (mode == PadMode::kConstant) return value;
      if (mode == PadMode::kEdge) i[d] = std::clamp<int64_t>(i[d], 0, extent - 1);
      if (mode == PadMode::kWrap) i[d] = ((i[d] % extent) + extent) % extent;
      if (mode == PadMode::kReflect) i[d] = i[d] < 0 ? -i[d] : 2 * (extent - 1) - i[d];
    }
    return in[0].at(i);
  });
}

inline Array ReferenceSoftmax(bool logarithm, const Array& x, size_t axis) {
  return Make(x.dims, [&](const Indices& o) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    Indices i = o;
    for (i[axis] = 0; i[axis] < x.dims[axis]; ++i[axis]) largest = std::max(largest, x.at(i));
    for (i[axis] = 0; i[axis] < x.dims[axis]; ++i[axis]) sum += std::exp(x.at(i) - largest);
    return logarithm ? x.at(o) - largest - std::log(sum) : std::exp(x.at(o) - largest) / sum;
  });
}

inline Array ReferenceInstanceNorm(float epsilon, const std::vector<Array>& in) {
  const Array& x = in[0];
  const size_t pixels = x.data.size() / static_cast<size_t>(x.dims[0] * x.dims[1]);
  Array out(x.dims);
  for (size_t line = 0; line < static_cast<size_t>(x.dims[0] * x.dims[1]); ++line) {
    double mean = 0, variance = 0;
    for (size_t p = 0; p < pixels; ++p) mean += x.data[line * pixels + p] / static_cast<double>(pixels);
    for (size_t p = 0; p < pixels; ++p)
      variance += std::pow(x.data[line * pixels + p] - mean, 2) / static_cast<double>(pixels);
    const size_t channel = line % static_cast<size_t>(x.dims[1]);
    for (size_t p = 0; p < pixels; ++p) {
      out.data[line * pixels + p] =
          (x.data[line * pixels + p] - mean) / std::sqrt(variance + epsilon) * in[1].data[channel] +
          in[2].data[channel];
    }
  }
  return out;
}

inline Array ReferenceLrn(const LrnAttrs& attrs, const Array& x) {
  return Make(x.dims, [&](const Indices& o) {
    double squares = 0;
    Indices i = o;
    for (int64_t c = o[1] - (attrs.size - 1) / 2; c <= o[1] + attrs.size / 2; ++c) {
      if (c < 0 || c >= x.dims[1]) continue;
      i[1] = c;
      squares += x.at(i) * x.at(i);
    }
    return x.at(o) / std::pow(attrs.bias + attrs.alpha / static_cast<double>(attrs.size) * squares, attrs.beta);
  });
}

// The results of a node.
inline std::vector<Array> ReferenceNode(const Node& node, const std::vector<Array>& in,
                                        const std::vector<std::vector<int64_t>>& out) {
  const auto& dims = out[0];
  switch (node.op) {
    case OpType::kConv:
      return {ReferenceConv(node.attr<ConvAttrs>(), in, dims)};
    case OpType::kConvTranspose:
      return {ReferenceConvTranspose(node.attr<ConvTransposeAttrs>(), in, dims)};
    case OpType::kGemm:
      return {ReferenceGemm(node.attr<GemmAttrs>(), in, dims)};
    case OpType::kMatMul:
      return {ReferenceMatMul(in[0], in[1], dims)};
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return {ReferencePool(node, in[0], dims)};
    case OpType::kGlobalAveragePool:
    case OpType::kGlobalMaxPool: {
      std::vector<int64_t> axes;
      for (size_t d = 2; d < dims.size(); ++d) axes.push_back(static_cast<int64_t>(d));
      return {ReferenceReduce(node.op == OpType::kGlobalMaxPool ? OpType::kReduceMax : OpType::kReduceMean, in[0], axes,
                              dims)};
    }
    case OpType::kReduceMean:
    case OpType::kReduceSum:
    case OpType::kReduceMax:
    case OpType::kReduceMin: {
      std::vector<int64_t> axes = node.attr<ReduceAttrs>().axes;
      if (axes.empty()) {
        for (size_t d = 0; d < in[0].dims.size(); ++d) axes.push_back(static_cast<int64_t>(d));
      }
      for (int64_t& axis : axes) axis = PositiveAxis(axis, in[0]);
      return {ReferenceReduce(node.op, in[0], axes, dims)};
    }
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kMul:
    case OpType::kDiv:
    case OpType::kPow:
    case OpType::kMin:
    case OpType::kMax:
    case OpType::kPRelu: {
      const FusedClamp* clamp = FindClamp(node.attrs);
      return {Make(dims, [&](const Indices& o) {
        double result = in[0].Broadcast(o);
        for (size_t k = 1; k < in.size(); ++k) result = ReferenceBinary(node.op, result, in[k].Broadcast(o));
        return clamp != nullptr ? Clamped(result, *clamp) : result;
      })};
    }
    case OpType::kConcat:
      return {ReferenceConcat(in, static_cast<size_t>(PositiveAxis(node.attr<AxisAttrs>().axis, in[0])), dims)};
    case OpType::kSplit: {
      const auto axis = static_cast<size_t>(PositiveAxis(node.attr<SplitAttrs>().axis, in[0]));
      std::vector<Array> parts;
      int64_t first = 0;
      for (const auto& part : out) {
        parts.push_back(Make(part, [&](Indices i) {
          i[axis] += first;
          return in[0].at(i);
        }));
        first += part[axis];
      }
      return parts;
    }
    case OpType::kSlice:
      return {ReferenceSlice(in, dims)};
    case OpType::kPad:
      return {ReferencePad(node.attr<PadAttrs>().mode, in, dims)};
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kSqueeze:
    case OpType::kUnsqueeze:
    case OpType::kIdentity: {
      Array same = in[0];
      same.dims = dims;
      return {same};
    }
    case OpType::kTranspose: {
      const auto& perm = node.attr<TransposeAttrs>().perm;
      return {Make(dims, [&](const Indices& o) {
        Indices i(o.size());
        for (size_t d = 0; d < o.size(); ++d) i[perm.empty() ? o.size() - 1 - d : static_cast<size_t>(perm[d])] = o[d];
        return in[0].at(i);
      })};
    }
    case OpType::kExpand:
      return {Make(dims, [&](const Indices& o) { return in[0].Broadcast(o); })};
    case OpType::kGather: {
      const auto axis = static_cast<size_t>(PositiveAxis(node.attr<AxisAttrs>().axis, in[0]));
      return {Make(dims, [&](const Indices& o) {
        const size_t rank = in[1].dims.size();
        const Indices at(o.begin() + static_cast<int64_t>(axis), o.begin() + static_cast<int64_t>(axis + rank));
        Indices i(o.begin(), o.begin() + static_cast<int64_t>(axis));
        const auto index = static_cast<int64_t>(in[1].at(at));
        i.push_back(index < 0 ? index + in[0].dims[axis] : index);
        i.insert(i.end(), o.begin() + static_cast<int64_t>(axis + rank), o.end());
        return in[0].at(i);
      })};
    }
    case OpType::kSoftmax:
    case OpType::kLogSoftmax:
      return {ReferenceSoftmax(node.op == OpType::kLogSoftmax, in[0],
                               static_cast<size_t>(PositiveAxis(node.attr<AxisAttrs>().axis, in[0])))};
    case OpType::kBatchNormalization:
      return {Make(dims, [&](const Indices& o) {
        const auto c = static_cast<size_t>(o[1]);
        return (in[0].at(o) - in[3].data[c]) / std::sqrt(in[4].data[c] + node.attr<BatchNormAttrs>().epsilon) *
                   in[1].data[c] +
               in[2].data[c];
      })};
    case OpType::kInstanceNormalization:
      return {ReferenceInstanceNorm(node.attr<InstanceNormAttrs>().epsilon, in)};
    case OpType::kLRN:
      return {ReferenceLrn(node.attr<LrnAttrs>(), in[0])};
    case OpType::kDepthToSpace: {
      const auto& attrs = node.attr<DepthToSpaceAttrs>();
      const int64_t b = attrs.block_size, depth = dims[1];
      return {Make(dims, [&](const Indices& o) {
        const int64_t position = o[2] % b * b + o[3] % b;
        const int64_t c = attrs.mode == DepthToSpaceMode::kDcr ? position * depth + o[1] : o[1] * b * b + position;
        return in[0].at({o[0], c, o[2] / b, o[3] / b});
      })};
    }
    case OpType::kSpaceToDepth: {
      const int64_t b = node.attr<SpaceToDepthAttrs>().block_size, depth = in[0].dims[1];
      return {Make(dims, [&](const Indices& o) {
        const int64_t position = o[1] / depth;
        return in[0].at({o[0], o[1] % depth, o[2] * b + position / b, o[3] * b + position % b});
      })};
    }
    case OpType::kResize:  // nearest, asymmetric, floor
      return {Make(dims, [&](const Indices& o) {
        Indices i = o;
        for (size_t d = 0; d < i.size(); ++d) i[d] = o[d] * in[0].dims[d] / dims[d];
        return in[0].at(i);
      })};
    default:
      return {Make(dims, [&](const Indices& o) { return ReferenceUnary(node, in[0].at(o)); })};
  }
}

inline Array FromTensor(const Tensor& tensor) {
  Array array(tensor.dims());
  for (size_t i = 0; i < array.data.size(); ++i) {
    array.data[i] = tensor.type() == ElementType::kInt64   ? static_cast<double>(tensor.data<int64_t>()[i])
                    : tensor.type() == ElementType::kInt8  ? tensor.data<int8_t>()[i]
                    : tensor.type() == ElementType::kInt32 ? static_cast<double>(tensor.data<int32_t>()[i])
                                                           : static_cast<double>(tensor.data<float>()[i]);
  }
  return array;
}

// Every value of the graph, by index, for the given inputs. Shapes have been inferred.
inline std::vector<Array> ReferenceRun(const Graph& graph, const std::vector<Array>& inputs) {
  std::vector<Array> values(graph.value_slots());
  for (size_t i = 0; i < inputs.size(); ++i) values[static_cast<size_t>(graph.inputs()[i].index)] = inputs[i];
  for (int32_t v = 0; v < static_cast<int32_t>(graph.value_slots()); ++v) {
    if (graph.alive(ValueId{v}) && graph.value(ValueId{v}).constant)
      values[static_cast<size_t>(v)] = FromTensor(*graph.value(ValueId{v}).constant);
  }
  for (NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    std::vector<Array> in;
    std::vector<std::vector<int64_t>> out;
    for (ValueId input : node.inputs) in.push_back(values[static_cast<size_t>(input.index)]);
    for (ValueId output : node.outputs) out.push_back(graph.value(output).shape.Extents());
    std::vector<Array> results = ReferenceNode(node, in, out);
    for (size_t k = 0; k < results.size(); ++k) values[static_cast<size_t>(node.outputs[k].index)] = results[k];
  }
  return values;
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_RUNTIME_REFERENCE_H_
