#include "kernels/residual_u8s8.h"

#include "kernels/combine_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

void AddResidual(const ResidualU8& residual, const OutputPart& part, uint8_t* output, int64_t output_stride) {
  if (residual.data == nullptr) return;
  uint8_t* const made = output + part.first_row * output_stride + part.first_column;
  const uint8_t* const other = residual.data + part.first_row * residual.stride + part.first_column;
  BinaryU8Args sum;
  sum.rows = part.rows;
  sum.cols = part.columns;
  sum.a = residual.comes_first ? other : made;
  sum.a_stride = residual.comes_first ? residual.stride : output_stride;
  sum.b = residual.comes_first ? made : other;
  sum.b_stride = residual.comes_first ? output_stride : residual.stride;
  sum.output = made;
  sum.output_stride = output_stride;
  sum.quantization = residual.quantization;
  Add(sum, residual.coefficients, 0, part.rows);
}

}  // namespace qlite::kernels::QLITE_ISA::u8
