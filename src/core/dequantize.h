// Integer constants back to the real numbers that they stand for.
#ifndef QLITE_CORE_DEQUANTIZE_H_
#define QLITE_CORE_DEQUANTIZE_H_

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite {

// float(q - zero_point) * factor + shift for every element, each operation rounded once; without a mean shift nothing
// is added. `params` has as many pairs as the tensor's extents ask for (Graph::Validate). kInvalidArgument for a tensor
// that holds no integers of 8, 16 or 32 bits. executor: threads to work on; null: the calling one.
absl::StatusOr<Tensor> Dequantize(const Tensor& tensor, const QuantParams& params, Executor* executor = nullptr);

}  // namespace qlite

#endif  // QLITE_CORE_DEQUANTIZE_H_
