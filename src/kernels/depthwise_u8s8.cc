#include "kernels/depthwise_u8s8.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_DOT_KERNELS(DepthwiseU8S8)

}  // namespace qlite::kernels
