#include "kernels/conv_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ConvF32)

}  // namespace qlite::kernels
