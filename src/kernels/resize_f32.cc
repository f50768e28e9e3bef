#include "kernels/resize_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ResizeF32)

}  // namespace qlite::kernels
