#include "kernels/softmax_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(SoftmaxF32)

}  // namespace qlite::kernels
