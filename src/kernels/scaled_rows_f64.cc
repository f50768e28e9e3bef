#include "kernels/scaled_rows_f64.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ScaledRowsF64)

}  // namespace qlite::kernels
