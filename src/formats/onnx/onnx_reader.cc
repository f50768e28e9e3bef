#include "formats/onnx/onnx_reader.h"

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/error_site.h"
#include "core/str_cat.h"
#include "formats/onnx/detached_data.h"
#include "formats/onnx/flattening_softmax.h"
#include "formats/onnx/fold_qdq.h"
#include "formats/onnx/graph_importer.h"
#include "formats/onnx/import_state.h"
#include "formats/onnx/onnx.pb.h"
#include "formats/onnx/utf8.h"
#include "formats/onnx/wire_scan.h"
#include "google/protobuf/arena.h"

namespace qlite {
namespace onnx {
namespace {

using onnx_schema::GraphProto;
using onnx_schema::ModelProto;

constexpr int64_t kFirstOpset = 7;
constexpr int64_t kLastOpset = 21;

// The model lives in the arena: a message of its own would lose what it has begun to parse where memory runs out. Its
// large initializers stay in the file.
absl::StatusOr<ModelProto*> Parse(const Buffer& file, const Limits& limits, google::protobuf::Arena& arena,
                                  DetachedData& detached) {
  if (file.size == 0) return absl::InvalidArgumentError("the file is empty");
  if (file.size > limits.max_file_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("its ", file.size, " bytes are more than the limit of ", limits.max_file_bytes));
  }
  if (file.size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("an ONNX file cannot pass 2 GiB; keep the weights in external data");
  }
  if (absl::Status status = ScanModel({file.data, file.size}, limits); !status.ok()) return status;
  auto* const model = google::protobuf::Arena::CreateMessage<ModelProto>(&arena);
  if (!model->ParseFromString(DetachLargeData({file.data, file.size}, detached))) {
    return absl::InvalidArgumentError("not an ONNX file: its fields are not those of a ModelProto");
  }
  return model;
}

absl::StatusOr<int64_t> FindOpset(const ModelProto& model) {
  for (const auto& entry : model.opset_import()) {
    if (!entry.domain().empty() && entry.domain() != "ai.onnx") continue;
    if (entry.version() < kFirstOpset || entry.version() > kLastOpset) {
      return absl::UnimplementedError(StrCat("the model uses opset ", entry.version(), "; opsets ", kFirstOpset, " to ",
                                             kLastOpset, " are read: convert it with ONNX's version converter"));
    }
    return entry.version();
  }
  return absl::InvalidArgumentError("the model states no opset of the standard operators: is it an ONNX file?");
}

absl::Status CheckModel(const ModelProto& model) {
  if (!model.has_graph()) return absl::InvalidArgumentError("the model has no graph: is it an ONNX file?");
  if (model.training_info_size() > 0)
    return absl::UnimplementedError("training information (training_info) is not supported");
  if (model.functions_size() > 0) {
    return absl::UnimplementedError(StrCat("functions local to the model ('", model.functions(0).name(),
                                           "') are not supported: inline them with onnx.inliner"));
  }
  if (model.graph().sparse_initializer_size() > 0) {
    return AtValue(
        absl::UnimplementedError(StrCat("the sparse initializer '", model.graph().sparse_initializer(0).values().name(),
                                        "' is not supported: store it dense")),
        model.graph().sparse_initializer(0).values().name());
  }
  return absl::OkStatus();
}

void TakeMetadata(const ModelProto& model, Graph& graph) {
  for (const auto& entry : model.metadata_props()) {
    if (IsCleanUtf8(entry.key()) && IsCleanUtf8(entry.value())) graph.metadata[entry.key()] = entry.value();
  }
  const std::string producer =
      StrCat(model.producer_name(), model.producer_version().empty() ? "" : " ", model.producer_version());
  // Our own files say who wrote them again; it is not news about the graph.
  if (model.producer_name() == "qlite" || producer.empty() || !IsCleanUtf8(producer)) return;
  graph.metadata.emplace("producer", producer);
}

absl::Status Complete(ImportState& state) {
  Graph& graph = state.graph;
  graph.RemoveUnusedValues();
  if (absl::Status status = graph.InferShapes(); !status.ok()) return status;
  if (!state.flattening_softmaxes.empty()) {
    if (absl::Status status = RewriteFlatteningSoftmaxes(graph, state.flattening_softmaxes); !status.ok())
      return status;
    if (absl::Status status = graph.InferShapes(); !status.ok()) return status;
  }
  if (state.options.fold_quantization) {
    if (absl::Status status = FoldQuantization(graph); !status.ok()) return status;
  }
  graph.Compact();
  return graph.Validate();
}

absl::StatusOr<Graph> Read(const Buffer& file, const std::string& model_path, const OnnxReadOptions& options) {
  google::protobuf::Arena arena;
  DetachedData detached;
  const absl::StatusOr<ModelProto*> model = Parse(file, options.limits, arena, detached);
  if (!model.ok()) return model.status();
  if (absl::Status status = CheckModel(**model); !status.ok()) return status;
  const absl::StatusOr<int64_t> opset = FindOpset(**model);
  if (!opset.ok()) return opset.status();

  ImportState state(model_path, options);
  state.opset = *opset;
  state.producer = (*model)->producer_name();
  for (const auto& [number, data] : detached) {
    state.data_in_file[&(*model)->graph().initializer(number)] = {data.data(), data.size(), file.owner};
  }
  if (absl::Status status = ImportModelGraph(*(*model)->mutable_graph(), state); !status.ok()) return status;
  TakeMetadata(**model, state.graph);
  if (absl::Status status = Complete(state); !status.ok()) return status;
  return std::move(state.graph);
}

}  // namespace
}  // namespace onnx

absl::StatusOr<Graph> ReadOnnx(const Buffer& file, const std::string& model_path, const OnnxReadOptions& options) {
  absl::StatusOr<Graph> graph = onnx::Read(file, model_path, options);
  if (graph.ok()) return graph;
  return Prefixed(graph.status(), model_path.empty() ? "ONNX model" : model_path);
}

}  // namespace qlite
