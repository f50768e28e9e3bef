// Feeds arbitrary bytes to the ONNX reader; what it accepts must be valid, and survive being written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "formats/onnx/onnx_reader.h"
#include "formats/onnx/onnx_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qlite::OnnxReadOptions options;
  options.limits.max_tensor_bytes = uint64_t{1} << 24;
  options.limits.max_nodes = 1 << 12;
  const absl::StatusOr<qlite::Graph> graph = qlite::ReadOnnx(qlite::Buffer::Copy(data, size), "", options);
  if (!graph.ok()) return 0;
  if (!graph->Validate().ok()) std::abort();
  const absl::StatusOr<std::string> bytes = qlite::WriteOnnx(*graph);
  if (!bytes.ok()) return 0;
  const auto written = qlite::Buffer::Copy(bytes->data(), bytes->size());
  if (!qlite::ReadOnnx(written, "", options).ok()) std::abort();
  return 0;
}
