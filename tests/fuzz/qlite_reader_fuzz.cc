// Feeds arbitrary bytes to the reader of .qlite files, behind the checksum; what it accepts must be valid, survive
// shape inference and being written, and be read again as the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "formats/qlite/qlite_reader.h"
#include "formats/qlite/qlite_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qlite::QliteReadOptions options;
  options.verify_checksum = false;
  options.limits.max_tensor_bytes = uint64_t{1} << 24;
  options.limits.max_nodes = 1 << 12;
  absl::StatusOr<qlite::Graph> graph = qlite::ReadQlite(qlite::Buffer::Copy(data, size), "fuzz.qlite", options);
  if (!graph.ok()) return 0;
  if (!graph->Validate().ok()) std::abort();
  const absl::StatusOr<std::string> bytes = qlite::WriteQlite(*graph);
  if (!bytes.ok()) std::abort();
  const auto written = qlite::Buffer::Copy(bytes->data(), bytes->size());
  const absl::StatusOr<qlite::Graph> again = qlite::ReadQlite(written, "fuzz.qlite");
  if (!again.ok() || *qlite::WriteQlite(*again) != *bytes) std::abort();
  graph->InferShapes().IgnoreError();  // an error is right for most such graphs
  return 0;
}
