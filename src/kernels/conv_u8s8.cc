#include "kernels/conv_u8s8.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_PRODUCT_KERNELS(ConvU8S8)

}  // namespace qlite::kernels
