// Steps of convolutions, which ConvTranspose uses too.
#ifndef QLITE_RUNTIME_STEPS_CONV_STEPS_H_
#define QLITE_RUNTIME_STEPS_CONV_STEPS_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "runtime/lowering.h"
#include "runtime/steps/weights.h"

namespace qlite {

// A convolution of channels-last images; [0] is the height (1 in the 1-D case), [1] the width.
struct ConvShape {
  int64_t batch = 1, in_channels = 0, out_channels = 0, groups = 1;
  int64_t in_pixel_stride = 0;
  int64_t in[2] = {1, 1}, out[2] = {1, 1}, kernel[2] = {1, 1};
  int64_t stride[2] = {1, 1}, dilation[2] = {1, 1}, pad[2] = {0, 0};
};

struct ConvOperands {
  Operand input, bias, residual, output;
  bool float_output = true;  // of an integer convolution
};

// `weights`: [out channels, in channels / groups, kernel...] in row-major order, constant or computed. Applies the
// clamp of the current node. `residual`: of the output's extents, or absent. `coded`: takes the place of `weights`
// where it is not null.
void EmitFloatConv(Lowering& lowering, const ConvShape& shape, const Placement& weights, const ConvOperands& operands,
                   const Placement& residual, const Placement& out, CodedWeight* coded = nullptr);

// `data`: the weights as above. Applies the addition of `residual`, as above, and the clamp of the current node; a
// float output is dense.
void EmitIntegerConv(Lowering& lowering, const Node& node, const ConvShape& shape, const IntegerWeights& weights,
                     std::span<const int8_t> data, const ConvOperands& operands, const Placement& residual,
                     const Placement& out);

// Rank 3 or 4, kUnimplemented otherwise.
absl::Status CheckImageRank(const Lowering& lowering, const Node& node, size_t rank);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_CONV_STEPS_H_
