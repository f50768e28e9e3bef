#include "runtime/steps/conv_parts.h"

#include <algorithm>

namespace qlite {

ConvPart PartOf(const kernels::ConvF32Geometry& g, int64_t image, int64_t first, int64_t end) {
  const int64_t top = first * g.stride_h - g.pad_top;
  const int64_t bottom = (end - 1) * g.stride_h - g.pad_top + (g.kernel_h - 1) * g.dilation_h + 1;
  const int64_t first_in = std::clamp<int64_t>(top, 0, g.in_h), end_in = std::clamp(bottom, first_in, g.in_h);
  const int64_t first_pixel = (image * g.out_h + first) * g.out_w;
  ConvPart part;
  part.geometry = g;
  part.geometry.batch = 1;
  part.geometry.in_h = end_in - first_in;
  part.geometry.out_h = end - first;
  part.geometry.pad_top = first_in - top;
  part.offset_in = (image * g.in_h + first_in) * g.in_w * g.in_pixel_stride;
  part.offset_out = first_pixel * g.out_pixel_stride;
  part.offset_residual = first_pixel * g.residual_pixel_stride;
  part.elements_made = (image * g.out_h + end) * g.out_w * g.out_channels;
  return part;
}

int64_t RowsOfPart(const kernels::ConvF32Geometry& g, int64_t multiple) {
  constexpr int64_t kPartFloats = 48 << 10, kLarge = 4 * kPartFloats;
  const int64_t row = g.out_w * g.out_channels;
  if (g.out_pixel_stride != g.out_channels || g.batch * g.out_h * row < kLarge) return 0;
  return std::max<int64_t>(kPartFloats / (row * multiple), 1) * multiple;
}

void ForEachPart(const kernels::ConvF32Geometry& whole, int64_t rows, absl::FunctionRef<void(const ConvPart&)> visit) {
  if (rows == 0) return;
  for (int64_t image = 0; image < whole.batch; ++image) {
    for (int64_t row = 0; row < whole.out_h; row += rows) {
      visit(PartOf(whole, image, row, std::min(whole.out_h, row + rows)));
    }
  }
}

RowForm RowFormOf(const kernels::ConvF32Geometry& g, const ConvOperands& operands) {
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  RowForm form;
  form.inputs = {{operands.input, g.batch, g.in_h, g.in_w * g.in_pixel_stride * kFloat}};
  form.output = {operands.output, g.batch, g.out_h, g.out_w * g.out_pixel_stride * kFloat};
  form.window = {.stride = g.stride_h, .pad = g.pad_top, .extent = (g.kernel_h - 1) * g.dilation_h + 1};
  return form;
}

kernels::ConvF32Args ArgsOfPart(const kernels::ConvF32Args& whole, const ConvPart& part) {
  kernels::ConvF32Args args = whole;
  args.geometry = part.geometry;
  args.input += part.offset_in;
  args.output += part.offset_out;
  if (args.residual != nullptr) args.residual += part.offset_residual;
  return args;
}

}  // namespace qlite
