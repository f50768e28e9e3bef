#include "kernels/observe_f32.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ObserveF32)

}  // namespace qlite::kernels
