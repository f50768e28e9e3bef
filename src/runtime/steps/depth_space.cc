// DepthToSpace and SpaceToDepth, in whichever layout the input lies.
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/lowering.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/movement.h"

namespace qlite {
namespace {

// A block of pixels [N, depth, block row, block column, H, W], as strides over the deep value (channels depth *
// block^2) and over the wide one (extents H * block, W * block).
struct BlockStrides {
  Extents shape;
  std::vector<int64_t> deep, wide;
};

BlockStrides StridesOf(const Placement& deep, const Placement& wide, int64_t block, bool depth_first) {
  const std::vector<int64_t> d = deep.Strides(), w = wide.Strides();
  const int64_t depth = wide.dims[1];
  BlockStrides strides;
  strides.shape = {deep.dims[0], depth, block, block, deep.dims[2], deep.dims[3]};
  // Channel of the deep value: (row * block + column) * depth + c, or c * block^2 + row * block + column.
  const int64_t position = depth_first ? depth : 1, channel = depth_first ? 1 : block * block;
  strides.deep = {d[0], d[1] * channel, d[1] * position * block, d[1] * position, d[2], d[3]};
  strides.wide = {w[0], w[1], w[2], w[3], w[2] * block, w[3] * block};
  return strides;
}

// The order that walks the output as it lies: by image, block row of pixels, pixel, channel.
void EmitBlocks(Lowering& lowering, const BlockStrides& strides, const Placement& in, const Placement& out,
                bool to_wide) {
  const bool last = out.layout == Layout::kChannelsLast;
  const std::vector<size_t> wide_order =
      last ? std::vector<size_t>{0, 4, 2, 5, 3, 1} : std::vector<size_t>{0, 1, 4, 2, 5, 3};
  const std::vector<size_t> deep_order =
      last ? std::vector<size_t>{0, 4, 5, 2, 3, 1} : std::vector<size_t>{0, 2, 3, 1, 4, 5};
  Extents shape;
  std::vector<int64_t> from, to;
  for (size_t d : to_wide ? wide_order : deep_order) {
    shape.push_back(strides.shape[d]);
    from.push_back(to_wide ? strides.deep[d] : strides.wide[d]);
    to.push_back(to_wide ? strides.wide[d] : strides.deep[d]);
  }
  EmitStridedCopy(lowering, shape, in.at, from, out.at, to, ElementSize(out.type));
}

absl::Status LowerBlocks(Lowering& lowering, const Node& node, int64_t block, bool to_wide, bool depth_first) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  if (lowering.Dims(input).size() != 4) return lowering.Invalid(node, "needs an input of 4 dimensions");
  const Placement in = lowering.ReadAsIs(input);
  const Placement out = lowering.Write(result, in.layout);
  if (out.elements() == 0) return absl::OkStatus();
  EmitBlocks(lowering, StridesOf(to_wide ? in : out, to_wide ? out : in, block, depth_first), in, out, to_wide);
  FinishMovement(lowering, input, result, out);
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status DepthToSpace(Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<DepthToSpaceAttrs>();
  return LowerBlocks(lowering, node, attrs.block_size, true, attrs.mode == DepthToSpaceMode::kDcr);
}

absl::Status SpaceToDepth(Lowering& lowering, const Node& node) {
  return LowerBlocks(lowering, node, node.attr<SpaceToDepthAttrs>().block_size, false, true);
}

}  // namespace steps
}  // namespace qlite
