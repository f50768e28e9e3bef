#include "kernels/conv_coded.h"

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_KERNELS(ConvCoded)

int64_t PackingUnit(const CodedForm& form) { return form.block_size > 0 ? form.block_size : 8 / form.bits; }

}  // namespace qlite::kernels
