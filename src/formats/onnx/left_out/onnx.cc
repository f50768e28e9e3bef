// Takes the place of this room's files in a build without ONNX (QLITE_ONNX=OFF).
#include "formats/onnx/onnx_reader.h"
#include "formats/onnx/onnx_writer.h"

namespace qlite {
namespace {

absl::Status LeftOut() {
  return absl::UnimplementedError("this library was built without the ONNX format (QLITE_ONNX=OFF)");
}

}  // namespace

absl::StatusOr<Graph> ReadOnnx(const Buffer&, const std::string&, const OnnxReadOptions&) { return LeftOut(); }

absl::StatusOr<std::string> WriteOnnx(const Graph&, const OnnxWriteOptions&) { return LeftOut(); }

}  // namespace qlite
