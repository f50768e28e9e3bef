// The large tensors of an ONNX file, left where the file lies instead of being copied into the parsed model.
#ifndef QLITE_FORMATS_ONNX_DETACHED_DATA_H_
#define QLITE_FORMATS_ONNX_DETACHED_DATA_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace qlite::onnx {

// The raw data of initializers, by the initializer's number in its graph.
using DetachedData = std::map<int, std::span<const std::byte>>;

// The wire form of a ModelProto without the raw data of its graph's large initializers, which `data` tells. `model` has
// passed ScanModel.
std::string DetachLargeData(std::span<const std::byte> model, DetachedData& data);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_DETACHED_DATA_H_
