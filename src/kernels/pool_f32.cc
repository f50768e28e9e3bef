#include "kernels/pool_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(PoolF32)

}  // namespace qlite::kernels
