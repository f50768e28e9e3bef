#include "kernels/rans_decode.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(RansDecode)

}  // namespace qlite::kernels
