#include "kernels/depthwise_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(DepthwiseF32)

bool IsDepthwise(const ConvF32Geometry& geometry) {
  return geometry.groups > 1 && geometry.groups == geometry.in_channels && geometry.groups == geometry.out_channels;
}

}  // namespace qlite::kernels
