// Weights that an ONNX model keeps in files beside it.
#ifndef QLITE_FORMATS_ONNX_EXTERNAL_DATA_H_
#define QLITE_FORMATS_ONNX_EXTERNAL_DATA_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "formats/onnx/onnx.pb.h"
#include "qlite/tensor.h"

namespace qlite::onnx {

// The folder of one model, and the mappings of the files in it that tensors have asked for so far.
class ExternalData {
 public:
  // `model_path` is the path of the model file; empty where the model came from memory, and external data are then
  // refused. Files of more than `max_bytes` are refused as well.
  ExternalData(const std::string& model_path, uint64_t max_bytes);

  // The bytes that `tensor` refers to, memory-mapped read-only; exactly `bytes` of them. The location must name a
  // regular file inside the folder: absolute paths, "..", and symbolic links that lead out of it are kPermissionDenied.
  // Offset and length must lie within the file.
  absl::StatusOr<Buffer> Map(const onnx_schema::TensorProto& tensor, size_t bytes);

 private:
  absl::StatusOr<Buffer> MapFile(const std::string& location);

  bool from_memory_;
  uint64_t max_bytes_;
  std::filesystem::path folder_;
  std::map<std::string, Buffer> mapped_;  // by location
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_EXTERNAL_DATA_H_
