#include "capi/bodies.h"
#include "capi/model_format.h"
#include "qlite/model_io.h"

namespace qlite::capi {
namespace {

qlite_export_options DefaultExport() {
  const ExportOptions options;
  return {.struct_size = sizeof(qlite_export_options),
          .format = QLITE_FORMAT_AUTO,
          .onnx_uint8_activations = options.onnx_uint8_activations,
          .check_samples = options.check_samples,
          .encode_weights = options.encode_weights};
}

struct Request {
  ExportOptions options;
  std::shared_ptr<DataSetBody> check_data;  // what options.check_data points to
};

ModelFormat ChooseFormat(qlite_model_format format, const char* path) {
  if (format != QLITE_FORMAT_AUTO) return ReadModelFormat(format);
  if (path == nullptr) Refuse("the format must be named where no path's extension tells it");
  const std::optional<ModelFormat> found = ModelFormatOfPath(path);
  if (!found) {
    throw Failure(AtFile(
        absl::InvalidArgumentError(std::string(path) + ": the extension names no format; expected .qlite or .onnx"),
        path));
  }
  return *found;
}

// `path` may be null.
Request ReadRequest(const qlite_export_options* host, const char* path) {
  const qlite_export_options read = ReadOptions(host, DefaultExport(), "the export options");
  Request request;
  request.options.format = ChooseFormat(read.format, path);
  request.options.onnx_uint8_activations = read.onnx_uint8_activations != 0;
  request.options.encode_weights = read.encode_weights != 0;
  if (read.manifest_count > 0) Needed(read.manifest, "manifest");
  for (size_t i = 0; i < read.manifest_count; ++i) {
    request.options.manifest[Needed(read.manifest[i].key, "a manifest's key")] =
        Needed(read.manifest[i].value, "a manifest's value");
  }
  request.check_data = Optional<DataSetBody>(read.check_data, "check_data");
  if (request.check_data != nullptr) request.options.check_data = request.check_data->data.get();
  constexpr int32_t kMostSamples = 1 << 20;
  if (read.check_samples < 0 || read.check_samples > kMostSamples) Refuse("check_samples is not within 0 and 2^20");
  request.options.check_samples = read.check_samples;
  return request;
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_export_options_init(qlite_export_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultExport());
}

qlite_status qlite_graph_save(const qlite_context* context, const qlite_graph* graph, const char* path,
                              const qlite_export_options* options) {
  const auto save = [&](ContextBody& body) {
    const auto written = Needed<GraphBody>(graph, "graph");
    const Request request = ReadRequest(options, Needed(path, "path"));
    Check(qlite::ExportModel(body.context, written->graph, std::string(path), request.options));
  };
  return Call<ContextBody>(context, save);
}

qlite_status qlite_graph_save_to(const qlite_context* context, const qlite_graph* graph, qlite_write_function write,
                                 void* user, const qlite_export_options* options) {
  return Call<ContextBody>(context, [&](ContextBody& body) {
    const auto written = Needed<GraphBody>(graph, "graph");
    Needed(write, "write");
    const Request request = ReadRequest(options, nullptr);
    const auto pass_on = [&](std::string_view bytes) {
      return CallbackStatus(write(user, bytes.data(), bytes.size()), "writer");
    };
    Check(qlite::ExportModel(body.context, written->graph, pass_on, request.options));
  });
}

qlite_status qlite_graph_serialize(const qlite_graph* graph, const qlite_export_options* options, qlite_bytes** bytes) {
  return Make<GraphBody>(graph, bytes, [&](GraphBody& body) {
    return MakeBytes(Take(qlite::SerializeModel(body.graph, ReadRequest(options, nullptr).options)));
  });
}
