// The addition behind an int8 product (ResidualU8): a part of the output at a time, once its bytes are there, while
// they lie in a near cache, and by the thread that made them. Included by *.isa.cc alone.
#ifndef QLITE_KERNELS_RESIDUAL_U8S8_H_
#define QLITE_KERNELS_RESIDUAL_U8S8_H_

#include <cstdint>

#include "kernels/elementwise_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// Rows and columns of an output.
struct OutputPart {
  int64_t first_row, rows;
  int64_t first_column, columns;
};

// Does nothing where there is no residual.
void AddResidual(const ResidualU8& residual, const OutputPart& part, uint8_t* output, int64_t output_stride);

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_RESIDUAL_U8S8_H_
