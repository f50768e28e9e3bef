#include "runtime/constant_bytes.h"

#include <algorithm>
#include <map>

#include "core/mapped_file.h"

namespace qlite {

uint64_t ConstantBytes(const Graph& graph) {
  std::map<const std::byte*, size_t> sizes;  // some share their data
  for (int32_t i = 0; i < static_cast<int32_t>(graph.value_slots()); ++i) {
    if (!graph.alive(ValueId{i}) || !graph.value(ValueId{i}).is_constant()) continue;
    const Tensor& constant = *graph.value(ValueId{i}).constant;
    const Buffer& buffer = constant.packed() != nullptr ? constant.packed()->fields : constant.buffer();
    if (!IsMapped(buffer)) sizes[buffer.data] = std::max(sizes[buffer.data], buffer.size);
  }
  uint64_t bytes = 0;
  for (const auto& [data, size] : sizes) bytes += size;
  return bytes;
}

}  // namespace qlite
