// Convolutions made a few rows at a time: for those who look at large outputs at once (Frame::parts), and for steps
// that pass rows on (row_form.h).
#ifndef QLITE_RUNTIME_STEPS_CONV_PARTS_H_
#define QLITE_RUNTIME_STEPS_CONV_PARTS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "kernels/conv_f32.h"
#include "runtime/row_form.h"
#include "runtime/steps/conv_steps.h"

namespace qlite {

// Output rows of a part, a multiple of `multiple`; 0 where the output is small, or not dense.
int64_t RowsOfPart(const kernels::ConvF32Geometry& geometry, int64_t multiple);

struct ConvPart {
  kernels::ConvF32Geometry geometry;
  // Floats from the pointers of the whole to those of the part.
  int64_t offset_in, offset_out, offset_residual;
  int64_t elements_made;  // of the dense output, once the part is made
};

// Makes the rows [first, end) of an image's output.
ConvPart PartOf(const kernels::ConvF32Geometry& whole, int64_t image, int64_t first, int64_t end);

// Calls `visit` for the convolutions that make `rows` rows of an output image each, in the output's order; for none
// where `rows` is 0.
void ForEachPart(const kernels::ConvF32Geometry& whole, int64_t rows, absl::FunctionRef<void(const ConvPart&)> visit);

// The rows that a convolution reads and makes; everything else of the form is left open.
RowForm RowFormOf(const kernels::ConvF32Geometry& geometry, const ConvOperands& operands);

// The arguments of a part.
kernels::ConvF32Args ArgsOfPart(const kernels::ConvF32Args& whole, const ConvPart& part);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_CONV_PARTS_H_
