// Tensors in memory, as C sees them.
#ifndef QLITE_CAPI_SAMPLE_BUFFER_H_
#define QLITE_CAPI_SAMPLE_BUFFER_H_

#include <span>
#include <string>
#include <vector>

#include "capi/qlite.h"
#include "qlite/data_set.h"
#include "qlite/tensor.h"

namespace qlite::capi {

inline qlite_sample_buffer AsHostBuffer(const char* name, const MutableTensorView& view) {
  return {.name = name,
          .data = view.data,
          .size = view.bytes,
          .dims = view.dims.data(),
          .rank = view.dims.size(),
          .type = static_cast<qlite_element_type>(view.type),
          .reserved = 0};
}

// Without names, which the library does not know there.
inline std::vector<qlite_sample_buffer> AsHostBuffers(std::span<const MutableTensorView> views) {
  std::vector<qlite_sample_buffer> buffers;
  for (const MutableTensorView& view : views) buffers.push_back(AsHostBuffer("", view));
  return buffers;
}

}  // namespace qlite::capi

#endif  // QLITE_CAPI_SAMPLE_BUFFER_H_
