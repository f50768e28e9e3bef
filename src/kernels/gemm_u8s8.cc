#include "kernels/gemm_u8s8.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_PRODUCT_KERNELS(GemmU8S8)

}  // namespace qlite::kernels
