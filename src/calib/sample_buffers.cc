#include "calib/sample_buffers.h"

namespace qlite::calib {

absl::StatusOr<size_t> InputBytes(const InputSpec& input) {
  const absl::StatusOr<int64_t> elements = ElementCount(input.dims, ElementSize(input.type));
  if (!elements.ok()) return elements.status();
  return static_cast<size_t>(*elements) * ElementSize(input.type);
}

absl::StatusOr<SampleBuffers> SampleBuffers::Create(const std::vector<InputSpec>& inputs) {
  SampleBuffers buffers;
  for (const InputSpec& input : inputs) {
    const absl::StatusOr<size_t> bytes = InputBytes(input);
    if (!bytes.ok()) return bytes.status();
    std::vector<std::byte>& memory = buffers.memory_.emplace_back(*bytes);
    buffers.views_.push_back({input.type, input.dims, memory.data(), memory.size()});
  }
  return buffers;
}

}  // namespace qlite::calib
