// ConvTranspose as a convolution of the input spread out with zeros, by the mirrored kernel (Dumoulin and Visin, "A
// guide to convolution arithmetic for deep learning", 2016), float and int8.
#include <algorithm>
#include <cstring>

#include "core/error_site.h"
#include "core/node_geometry.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/strided_copy.h"
#include "runtime/lowering.h"
#include "runtime/steps/conv_steps.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/weights.h"

namespace qlite {
namespace {

// The convolution over the spread input; `spread` is the stride of the transposed one.
struct TransposedShape {
  ConvShape conv;
  int64_t spread[2] = {1, 1};
  int64_t in[2] = {1, 1};  // before spreading
};

// The spread input can be far larger than what the node reads and makes, where padding cuts most of it off.
absl::Status CheckSpreadInput(const Lowering& lowering, const Node& node, const TransposedShape& shape,
                              ElementType type) {
  const int64_t extents[] = {shape.conv.batch, shape.conv.in[0], shape.conv.in[1], shape.conv.in_channels};
  const auto elements = ElementCount(extents, ElementSize(type));
  const uint64_t limit = lowering.limits().max_tensor_bytes;
  if (elements.ok() && static_cast<uint64_t>(*elements) * ElementSize(type) <= limit) return absl::OkStatus();
  return AtNode(absl::ResourceExhaustedError(StrCat(
                    "node '", node.name, "' (ConvTranspose): the input spread by the strides has ", shape.conv.in[0],
                    " x ", shape.conv.in[1], " pixels, which passes the limit of ", limit, " bytes")),
                node.name);
}

absl::StatusOr<TransposedShape> TransposedShapeOf(const Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<ConvTransposeAttrs>();
  const Extents& in = lowering.Dims(node.inputs[0]);
  const Extents& weights = lowering.Dims(node.inputs[1]);
  const Extents& out = lowering.Dims(lowering.Result());
  QLITE_RETURN_IF_ERROR(CheckImageRank(lowering, node, in.size()));
  const std::vector<Dim> input_dims(in.begin() + 2, in.end()), kernel_dims(weights.begin() + 2, weights.end());
  auto geometry = ConvTransposeGeometry(attrs, input_dims, kernel_dims);
  if (!geometry.ok()) return lowering.Invalid(node, Message(geometry.status()));
  TransposedShape shape;
  shape.conv.batch = in[0], shape.conv.in_channels = in[1], shape.conv.out_channels = out[1];
  shape.conv.groups = attrs.group;
  for (size_t i = 0; i < geometry->axes.size(); ++i) {
    const WindowAxis& axis = geometry->axes[i];
    const size_t d = i + 2 - geometry->axes.size();
    shape.in[d] = in[i + 2];
    shape.spread[d] = axis.stride;
    // The input starts where the mirrored window of the first output ends; what lies before it is zeros.
    const int64_t before = (weights[i + 2] - 1) * axis.dilation - axis.pad_begin;
    shape.conv.in[d] = std::max<int64_t>(0, (in[i + 2] - 1) * axis.stride + 1 + std::min<int64_t>(before, 0));
    shape.conv.pad[d] = before;
    shape.conv.kernel[d] = weights[i + 2], shape.conv.dilation[d] = axis.dilation;
    shape.conv.out[d] = out[i + 2];
  }
  return shape;
}

// [in channels, out channels / groups, kernel...] to [out channels, in channels / groups, mirrored kernel...].
template <class T>
std::vector<T> Mirrored(const ConvShape& shape, std::span<const T> weights) {
  const int64_t groups = shape.groups, in = shape.in_channels / groups, out = shape.out_channels / groups;
  const int64_t taps = shape.kernel[0] * shape.kernel[1];
  std::vector<T> mirrored(weights.size());
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t t = 0; t < taps; ++t) {
          mirrored[static_cast<size_t>((((g * out + o) * in) + i) * taps + taps - 1 - t)] =
              weights[static_cast<size_t>((((g * in + i) * out) + o) * taps + t)];
        }
      }
    }
  }
  return mirrored;
}

// Dense channels-last memory of the spread input: `zero` everywhere but at the input's pixels. Leading pixels that a
// padding larger than the window cuts off are left out.
Operand SpreadInput(Lowering& lowering, TransposedShape& shape, const Placement& in, int zero) {
  const auto size = static_cast<int64_t>(ElementSize(in.type));
  const int64_t channels = in.dims[1];
  int64_t first[2], origin[2], count[2];
  for (size_t d = 0; d < 2; ++d) {
    const int64_t cut = std::max<int64_t>(0, -shape.conv.pad[d]);
    first[d] = (cut + shape.spread[d] - 1) / shape.spread[d];  // first pixel kept
    origin[d] = first[d] * shape.spread[d] - cut;
    count[d] = std::max<int64_t>(0, shape.in[d] - first[d]);
    shape.conv.pad[d] = std::max<int64_t>(0, shape.conv.pad[d]);
  }
  shape.conv.in_pixel_stride = channels;
  const int64_t row = shape.conv.in[1] * channels, image = shape.conv.in[0] * row;
  const Operand spread = lowering.NewBuffer(shape.conv.batch * image * size);
  const auto bytes = static_cast<size_t>(shape.conv.batch * image * size);
  lowering.Emit({spread}, [=](const Frame& frame) {
    std::memset(frame.Out<std::byte>(spread), zero, bytes);
    return absl::OkStatus();
  });
  const Extents pixels = {shape.conv.batch, count[0], count[1], channels};
  if (ElementsOf(pixels) == 0) return spread;
  const int64_t in_row = shape.in[1] * in.pixel_stride;
  const std::vector<int64_t> from = {shape.in[0] * in_row, in_row, in.pixel_stride, 1};
  const std::vector<int64_t> to = {image, row * shape.spread[0], channels * shape.spread[1], 1};
  EmitStridedCopy(lowering, pixels, in.at.Plus((first[0] * in_row + first[1] * in.pixel_stride) * size), from,
                  spread.Plus((origin[0] * row + origin[1] * channels) * size), to, static_cast<size_t>(size));
  return spread;
}

// Weights that are computed at run time are mirrored by a step.
Placement MirroredWeights(Lowering& lowering, const Placement& weights, const ConvShape& shape) {
  Placement mirrored = weights;
  if (weights.at.constant != nullptr) {
    mirrored.at = lowering.NewConstant(1, weights.bytes(), [&](std::byte* memory) {
      const auto* data = reinterpret_cast<const float*>(weights.at.constant);
      const auto made = Mirrored<float>(shape, {data, static_cast<size_t>(weights.elements())});
      std::copy(made.begin(), made.end(), reinterpret_cast<float*>(memory));
    });
    return mirrored;
  }
  mirrored.at = lowering.NewBuffer(weights.bytes());
  const int64_t groups = shape.groups, in = shape.in_channels / groups, out = shape.out_channels / groups;
  const int64_t kh = shape.kernel[0], kw = shape.kernel[1], taps = kh * kw;
  const Extents extents = {groups, out, in, kh, kw};
  const std::vector<int64_t> from = {in * out * taps, taps, out * taps, -kw, -1};
  EmitStridedCopy(lowering, extents, weights.at.Plus((taps - 1) * static_cast<int64_t>(sizeof(float))), from,
                  mirrored.at, DenseStrides(extents, Layout::kRowMajor), sizeof(float));
  return mirrored;
}

absl::Status FloatConvTranspose(Lowering& lowering, const Node& node, TransposedShape& shape) {
  for (ValueId input : node.inputs) {
    if (input.valid()) QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  }
  const Placement in = lowering.ReadPixels(node.inputs[0]);
  const Placement weights = MirroredWeights(lowering, lowering.Read(node.inputs[1], Layout::kRowMajor), shape.conv);
  ConvOperands operands;
  operands.input = SpreadInput(lowering, shape, in, 0);
  if (node.has_input(2)) operands.bias = lowering.Read(node.inputs[2], Layout::kRowMajor).at;
  const Placement out = lowering.Write(lowering.Result(), Layout::kChannelsLast);
  operands.output = out.at;
  EmitFloatConv(lowering, shape.conv, weights, operands, Placement{}, out);
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status ConvTranspose(Lowering& lowering, const Node& node) {
  auto shape = TransposedShapeOf(lowering, node);
  if (!shape.ok()) return shape.status();
  QLITE_RETURN_IF_ERROR(CheckSpreadInput(lowering, node, *shape, lowering.Type(node.inputs[0])));
  if (lowering.Type(node.inputs[0]) != ElementType::kInt8) return FloatConvTranspose(lowering, node, *shape);

  const int64_t out_channels = shape->conv.out_channels;
  auto weights = ReadIntegerWeights(lowering, node, 1, out_channels);
  if (!weights.ok()) return weights.status();
  const std::vector<int8_t> mirrored = Mirrored(shape->conv, weights->data);
  const Placement in = lowering.ReadPixels(node.inputs[0]);
  ConvOperands operands;
  operands.float_output = weights->float_output;
  operands.input = SpreadInput(lowering, *shape, in, weights->input_zero_point);
  const Placement out = lowering.Write(lowering.Result(), Layout::kChannelsLast);
  operands.output = out.at;
  EmitIntegerConv(lowering, node, shape->conv, *weights, mirrored, operands, Placement(), out);
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
