// Reading model files into Graphs, and writing Graphs for the runtime that will execute them.
#ifndef QLITE_MODEL_IO_H_
#define QLITE_MODEL_IO_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

enum class ModelFormat : uint8_t { kQlite, kOnnx };

// "qlite", "onnx".
std::string_view ModelFormatName(ModelFormat format);
// Inverse, in any letter case; kInvalidArgument lists the formats and the nearest.
absl::StatusOr<ModelFormat> ParseModelFormat(std::string_view name);
// By the extension of a path (.qlite, .onnx); nothing for another.
std::optional<ModelFormat> ModelFormatOfPath(std::string_view path);

struct LoadOptions {
  // Nothing: by the file's first bytes, then its extension. A file that is plainly of another format is refused.
  std::optional<ModelFormat> format;
  // Fixes the shapes of inputs by name, and the symbols in them, as Graph::InferShapes does. An ONNX model whose loops
  // or branches depend on the extents of its inputs can be read with them alone.
  std::map<std::string, std::vector<int64_t>> input_shapes = {};
};

// Reads a model of any known format; large constants stay mapped to the file, which must not change meanwhile.
absl::StatusOr<Graph> LoadModel(const Context& context, const std::string& path, const LoadOptions& options = {});
// From memory, kept alive by the graph. `name` stands for the path in messages; external data are refused.
absl::StatusOr<Graph> LoadModelFromMemory(const Context& context, Buffer bytes, const std::string& name,
                                          const LoadOptions& options = {});

struct ExportOptions {
  ModelFormat format = ModelFormat::kQlite;
  // ONNX: activations as uint8 (onnxruntime's fast kernels) or int8.
  bool onnx_uint8_activations = true;
  // .qlite: stores integer weights in the smallest of several forms, entropy-coded among them, to be decoded when the
  // file is read; otherwise those of 1 to 7 and 9 to 15 bits are packed.
  bool encode_weights = false;
  // Written into the file beside the library's version: options, hashes, accuracy. No time, no path.
  std::map<std::string, std::string> manifest;
  // Samples to run the file on before it takes its name; null: seeded random inputs.
  const DataSet* check_data = nullptr;
  int check_samples = 2;
};

// Serialises without writing.
absl::StatusOr<std::string> SerializeModel(const Graph& graph, const ExportOptions& options);

// Writes `path` whole or not at all: serialise, write a temporary file beside it, read that back, run graph and file on
// the samples and compare (.qlite: every output bit; ONNX: the same, after reading Q/DQ pairs back into integer
// operators; a .qlite file whose weights take more than 256 MB in float32: graph and file part by part, down to the
// bytes), then rename. The same graph and options give the same bytes on every machine.
absl::Status ExportModel(const Context& context, const Graph& graph, const std::string& path,
                         const ExportOptions& options);

// The same to wherever the host wants the bytes: `write` is called once, after the check, and its status is returned.
using ModelWriter = absl::FunctionRef<absl::Status(std::string_view bytes)>;
absl::Status ExportModel(const Context& context, const Graph& graph, ModelWriter write, const ExportOptions& options);

}  // namespace qlite

#endif  // QLITE_MODEL_IO_H_
