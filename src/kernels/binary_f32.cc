#include "kernels/binary_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(BinaryF32)

}  // namespace qlite::kernels
