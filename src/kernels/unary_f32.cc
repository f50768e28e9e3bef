#include "kernels/unary_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(UnaryF32)

}  // namespace qlite::kernels
