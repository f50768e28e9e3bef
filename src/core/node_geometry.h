// How the windows of convolutions and pools lie on their input: attributes with their defaults filled in, automatic
// padding resolved, and the extents of the output. Rules of ONNX (operators Conv, ConvTranspose, MaxPool, AveragePool).
#ifndef QLITE_CORE_NODE_GEOMETRY_H_
#define QLITE_CORE_NODE_GEOMETRY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/ops.h"
#include "qlite/types.h"

namespace qlite {

// One spatial dimension. Where the input's or the kernel's extent is unknown, `output` may be unknown too.
struct WindowAxis {
  Dim input;
  Dim kernel;  // taps; known for a pool
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_begin = 0;
  int64_t pad_end = 0;
  int64_t output_padding = 0;  // ConvTranspose only: rows added at the end of the output
  Dim output;
  // False where automatic padding depends on an unknown extent; the pads then mean nothing.
  bool pads_known = true;
};

struct WindowGeometry {
  std::vector<WindowAxis> axes;

  bool pads_known() const;
  // As the attributes hold them: every begin, then every end.
  std::vector<int64_t> Pads() const;
  std::vector<Dim> OutputDims() const;
};

// `input` and `kernel` hold the spatial dimensions only. kInvalidArgument where attributes have a wrong length or sign,
// where the window is larger than the padded input, or where an attribute is beyond 2^31 - 1.
absl::StatusOr<WindowGeometry> ConvGeometry(const ConvAttrs& attrs, std::span<const Dim> input,
                                            std::span<const Dim> kernel);

// An output extent is stride * (input - 1) + output_padding + (kernel - 1) * dilation + 1 - pads. Where output_shape or
// automatic padding asks for more than that gives without pads, output_padding makes up the difference.
absl::StatusOr<WindowGeometry> ConvTransposeGeometry(const ConvTransposeAttrs& attrs, std::span<const Dim> input,
                                                     std::span<const Dim> kernel);

// With ceil_mode a last window that would start beyond the input and its leading pad is left out. Pads must be smaller
// than the kernel; a dilated window can still lie on padding alone when the input is smaller than the window.
absl::StatusOr<WindowGeometry> PoolGeometry(const PoolAttrs& attrs, std::span<const Dim> input);

// Whether a convolution's groups have one input channel and one output channel each.
inline bool IsDepthwise(int64_t groups, int64_t in_channels, int64_t out_channels) {
  return groups > 1 && groups == in_channels && groups == out_channels;
}

}  // namespace qlite

#endif  // QLITE_CORE_NODE_GEOMETRY_H_
