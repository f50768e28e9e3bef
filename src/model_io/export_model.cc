#include <string>
#include <utility>

#include "core/atomic_file.h"
#include "core/error_site.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/onnx/onnx_reader.h"
#include "formats/onnx/onnx_writer.h"
#include "formats/qlite/qlite_reader.h"
#include "formats/qlite/qlite_writer.h"
#include "model_io/check_export.h"
#include "qlite/model_io.h"
#include "qlite/version.h"

namespace qlite {
namespace {

// The graph with the manifest among its metadata, every key under "qlite.".
Graph WithManifest(const Graph& graph, const ExportOptions& options) {
  Graph marked = graph;
  marked.metadata["qlite.version"] = LibraryVersion();
  for (const auto& [key, value] : options.manifest) marked.metadata[StrCat("qlite.", key)] = value;
  return marked;
}

// Above this, the weights of two sessions, for graph and file, would take more memory than all else.
constexpr uint64_t kMostWeightBytes = uint64_t{256} << 20;

// What float products hold of the constants.
uint64_t WeightBytes(const Graph& graph) {
  uint64_t bytes = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    for (const ValueId input : graph.node(id).inputs) {
      if (!input.valid() || !graph.value(input).is_constant()) continue;
      const Tensor& constant = *graph.value(input).constant;
      const bool decoded = graph.node(id).op == OpType::kDequantize || constant.type() == ElementType::kFloat32;
      if (decoded) bytes += static_cast<uint64_t>(constant.element_count()) * sizeof(float);
    }
  }
  return bytes;
}

absl::Status CheckReadBack(const Context& context, const Graph& graph, const absl::StatusOr<Graph>& read_back,
                           const ExportOptions& options) {
  if (!read_back.ok()) return read_back.status();
  if (options.format == ModelFormat::kQlite && WeightBytes(graph) > kMostWeightBytes) {
    return CheckSameGraph(graph, *read_back);
  }
  return CheckSameResults(context, graph, *read_back, options.check_data, options.check_samples,
                          /*exact=*/options.format == ModelFormat::kQlite);
}

absl::StatusOr<QliteFile> MakeQlite(const Graph& graph, const ExportOptions& options, Executor* executor) {
  return QliteFile::Make(WithManifest(graph, options),
                         {.smallest_weights = options.encode_weights, .executor = executor});
}

absl::StatusOr<std::string> Serialize(const Graph& graph, const ExportOptions& options, Executor* executor) {
  switch (options.format) {
    case ModelFormat::kQlite: {
      const absl::StatusOr<QliteFile> file = MakeQlite(graph, options, executor);
      if (!file.ok()) return file.status();
      StringSink sink;
      QLITE_RETURN_IF_ERROR(file->WriteTo(sink));
      return std::move(sink.bytes());
    }
    case ModelFormat::kOnnx:
      return WriteOnnx(WithManifest(graph, options), {.uint8_activations = options.onnx_uint8_activations});
  }
  return absl::InternalError("unknown model format");
}

// A .qlite file is not made in memory: its constants go from where they lie into the file.
absl::Status WriteFile(const Context& context, const Graph& graph, const std::string& path,
                       const ExportOptions& options, const FileCheck& check) {
  const auto at_path = [&](const absl::Status& status) {
    return status.ok() ? status : AtFileInstead(Prefixed(status, path), path);
  };
  if (options.format == ModelFormat::kQlite) {
    const absl::StatusOr<QliteFile> file = MakeQlite(graph, options, &context.executor());
    if (!file.ok()) return file.status();
    return at_path(WriteFileAtomically(
        path, [&](ByteSink& sink) { return file->WriteTo(sink); }, check));
  }
  const absl::StatusOr<std::string> bytes = Serialize(graph, options, &context.executor());
  return bytes.ok() ? at_path(WriteFileAtomically(path, *bytes, check)) : bytes.status();
}

}  // namespace

absl::StatusOr<std::string> SerializeModel(const Graph& graph, const ExportOptions& options) {
  return Serialize(graph, options, /*executor=*/nullptr);
}

absl::Status ExportModel(const Context& context, const Graph& graph, const std::string& path,
                         const ExportOptions& options) {
  const auto check = [&](const std::string& temporary) {
    return CheckReadBack(context, graph, LoadModel(context, temporary, {.format = options.format}), options);
  };
  return WriteFile(context, graph, path, options, check);
}

absl::Status ExportModel(const Context& context, const Graph& graph, ModelWriter write, const ExportOptions& options) {
  absl::StatusOr<std::string> bytes = Serialize(graph, options, &context.executor());
  if (!bytes.ok()) return bytes.status();
  const Buffer borrowed{reinterpret_cast<const std::byte*>(bytes->data()), bytes->size(), nullptr};
  const absl::StatusOr<Graph> read_back =
      LoadModelFromMemory(context, borrowed, "the serialised model", {.format = options.format});
  if (absl::Status status = CheckReadBack(context, graph, read_back, options); !status.ok()) return status;
  return write(*bytes);
}

}  // namespace qlite
