#include "kernels/log_f64.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(LogF64)

}  // namespace qlite::kernels
