#include "kernels/gemm_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(GemmF32)

}  // namespace qlite::kernels
