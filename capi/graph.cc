#include "qlite/graph.h"

#include "capi/bodies.h"
#include "capi/model_format.h"
#include "capi/quant_params.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"

namespace qlite::capi {
namespace {

std::shared_ptr<GraphBody> NewGraph(const MadeWithContext& maker, Graph graph) {
  return std::make_shared<GraphBody>(maker.context, std::move(graph));
}

qlite_load_options DefaultLoadOptions() {
  return {.struct_size = sizeof(qlite_load_options), .format = QLITE_FORMAT_AUTO};
}

qlite_load_options OfFormat(qlite_model_format format) {
  qlite_load_options options = DefaultLoadOptions();
  options.format = format;
  return options;
}

LoadOptions ReadLoadOptions(const qlite_load_options* host) {
  const qlite_load_options read = ReadOptions(host, DefaultLoadOptions(), "the load options");
  LoadOptions options;
  if (read.format != QLITE_FORMAT_AUTO) options.format = ReadModelFormat(read.format);
  options.input_shapes = ReadShapes(read.shapes, read.shape_count);
  return options;
}

// The host's bytes, copied where they are not lent.
Buffer ReadBytes(const void* data, size_t size, std::shared_ptr<void> loan) {
  if (size > 0) Needed(data, "data");
  if (loan == nullptr) return Buffer::Copy(data, size);
  return {static_cast<const std::byte*>(data), size, std::move(loan)};
}

const GraphView::NodeView& NodeAt(const GraphBody& body, int32_t node) {
  return body.view().nodes[Checked(node, body.view().nodes.size(), "node")];
}

const Value& ValueAt(const GraphBody& body, int32_t value) {
  return body.graph.value(body.view().values[Checked(value, body.view().values.size(), "value")].id);
}

// The type as C numbers it is the type as C++ does.
static_assert(QLITE_BFLOAT16 == static_cast<int>(ElementType::kBFloat16) &&
              QLITE_INT8 == static_cast<int>(ElementType::kInt8));

}  // namespace

ModelFormat ReadModelFormat(qlite_model_format format) {
  if (format != QLITE_FORMAT_QLITE && format != QLITE_FORMAT_ONNX) {
    Refuse("model format " + std::to_string(format) + " is unknown");
  }
  return static_cast<ModelFormat>(format);
}

}  // namespace qlite::capi

using namespace qlite::capi;

const char* qlite_model_format_name(qlite_model_format format) {
  if (format == QLITE_FORMAT_QLITE) return "qlite";
  return format == QLITE_FORMAT_ONNX ? "onnx" : "unknown";
}

qlite_status qlite_model_format_parse(const char* name, qlite_model_format* format) {
  return Guard(nullptr, [&] {
    Needed(format, "format");
    *format = static_cast<qlite_model_format>(Take(qlite::ParseModelFormat(Needed(name, "name"))));
  });
}

qlite_status qlite_model_format_of_path(const char* path, qlite_model_format* format) {
  return Guard(nullptr, [&] {
    Needed(format, "format");
    const std::optional<qlite::ModelFormat> found = qlite::ModelFormatOfPath(Needed(path, "path"));
    if (!found) throw Failure(absl::NotFoundError("the extension names no format"));
    *format = static_cast<qlite_model_format>(*found);
  });
}

qlite_status qlite_load_options_init(qlite_load_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultLoadOptions());
}

qlite_status qlite_graph_load(const qlite_context* context, const char* path, qlite_model_format format,
                              qlite_graph** graph) {
  const qlite_load_options options = OfFormat(format);
  return qlite_graph_load_with(context, path, &options, graph);
}

qlite_status qlite_graph_load_with(const qlite_context* context, const char* path, const qlite_load_options* options,
                                   qlite_graph** graph) {
  const auto load = [&](ContextBody& body) {
    qlite::Graph loaded = Take(qlite::LoadModel(body.context, Needed(path, "path"), ReadLoadOptions(options)));
    return std::make_shared<GraphBody>(Needed<ContextBody>(context, "context"), std::move(loaded));
  };
  return Make<ContextBody>(context, graph, load);
}

qlite_status qlite_graph_load_memory(const qlite_context* context, const void* data, size_t size, const char* name,
                                     qlite_model_format format, qlite_release_function release, void* user,
                                     qlite_graph** graph) {
  const qlite_load_options options = OfFormat(format);
  return qlite_graph_load_memory_with(context, data, size, name, &options, release, user, graph);
}

qlite_status qlite_graph_load_memory_with(const qlite_context* context, const void* data, size_t size, const char* name,
                                          const qlite_load_options* options, qlite_release_function release, void* user,
                                          qlite_graph** graph) {
  return WithLoan(user, release, [&](std::shared_ptr<void> loan) {
    const auto load = [&](ContextBody& body) {
      Needed(name, "name");
      const qlite::Buffer bytes = ReadBytes(data, size, std::move(loan));
      absl::StatusOr<qlite::Graph> loaded =
          qlite::LoadModelFromMemory(body.context, bytes, name, ReadLoadOptions(options));
      if (!loaded.ok()) throw Failure(qlite::AtFile(loaded.status(), name));  // as which the host knows the bytes
      return std::make_shared<GraphBody>(Needed<ContextBody>(context, "context"), *std::move(loaded));
    };
    return Make<ContextBody>(context, graph, load);
  });
}

qlite_status qlite_graph_release(qlite_graph* graph) { return Release<GraphBody>(graph); }

qlite_status qlite_graph_get_info(const qlite_graph* graph, qlite_graph_info* info) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const GraphView& view = body.view();
    WriteStruct(info, {.name = body.graph.name.c_str(),
                       .input_count = static_cast<int32_t>(view.inputs.size()),
                       .output_count = static_cast<int32_t>(view.outputs.size()),
                       .node_count = static_cast<int32_t>(view.nodes.size()),
                       .value_count = static_cast<int32_t>(view.values.size()),
                       .inputs = view.inputs.data(),
                       .outputs = view.outputs.data(),
                       .metadata_count = static_cast<int32_t>(view.metadata_keys.size())});
  });
}

qlite_status qlite_graph_fingerprint(const qlite_graph* graph, uint64_t* fingerprint) {
  return Call<GraphBody>(
      graph, [&](GraphBody& body) { *Needed(fingerprint, "fingerprint") = qlite::GraphFingerprint(body.graph); });
}

qlite_status qlite_graph_get_value(const qlite_graph* graph, int32_t value, qlite_value_info* info) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const qlite::Value& found = ValueAt(body, value);
    const GraphView& view = body.view();
    qlite_value_info filled = {.name = found.name.c_str(),
                               .dims = view.values[static_cast<size_t>(value)].dims.data(),
                               .rank = found.shape.has_rank() ? static_cast<int32_t>(found.shape.rank()) : -1,
                               .type = static_cast<qlite_element_type>(found.type),
                               .producer = view.Number(found.producer),
                               .is_constant = found.is_constant()};
    if (found.constant) {
      filled.data = found.constant->buffer().data;
      filled.data_bytes = found.constant->buffer().size;
    }
    WriteStruct(info, filled);
  });
}

qlite_status qlite_graph_get_quant_params(const qlite_graph* graph, int32_t value, qlite_quant_params* params) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const qlite::Value& found = ValueAt(body, value);
    if (!found.quant)
      throw Failure(qlite::AtValue(absl::NotFoundError("value '" + found.name + "' is not quantized"), found.name));
    WriteStruct(params, AsHostParams(*found.quant));
  });
}

qlite_status qlite_graph_get_symbol(const qlite_graph* graph, int32_t value, int32_t dimension, const char** symbol) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const std::vector<qlite::Dim>& dims = ValueAt(body, value).shape.dims();
    *Needed(symbol, "symbol") = dims[Checked(dimension, dims.size(), "dimension")].symbol.c_str();
  });
}

qlite_status qlite_graph_find_value(const qlite_graph* graph, const char* name, int32_t* value) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    Needed(value, "value");
    const std::optional<qlite::ValueId> found = body.graph.FindValue(Needed(name, "name"));
    if (!found)
      throw Failure(qlite::AtValue(absl::NotFoundError(std::string("no value is named '") + name + "'"), name));
    *value = body.view().Number(*found);
  });
}

qlite_status qlite_graph_get_node(const qlite_graph* graph, int32_t node, qlite_node_info* info) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const GraphView::NodeView& view = NodeAt(body, node);
    WriteStruct(info, {.name = body.graph.node(view.id).name.c_str(),
                       .op = view.op.c_str(),
                       .inputs = view.inputs.data(),
                       .outputs = view.outputs.data(),
                       .input_count = static_cast<int32_t>(view.inputs.size()),
                       .output_count = static_cast<int32_t>(view.outputs.size()),
                       .attribute_count = static_cast<int32_t>(view.attributes.size())});
  });
}

qlite_status qlite_graph_find_node(const qlite_graph* graph, const char* name, int32_t* node) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    Needed(node, "node");
    const std::optional<qlite::NodeId> found = body.graph.FindNode(Needed(name, "name"));
    if (!found) throw Failure(qlite::AtNode(absl::NotFoundError(std::string("no node is named '") + name + "'"), name));
    *node = body.view().Number(*found);
  });
}

qlite_status qlite_graph_get_attribute(const qlite_graph* graph, int32_t node, int32_t index,
                                       qlite_attribute* attribute) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const std::vector<Attribute>& attributes = NodeAt(body, node).attributes;
    const Attribute& found = attributes[Checked(index, attributes.size(), "attribute")];
    *Needed(attribute, "attribute") = {.name = found.name.c_str(),
                                       .kind = found.kind,
                                       .real = found.real,
                                       .integer = found.integer,
                                       .integers = found.integers.data(),
                                       .reals = found.reals.data(),
                                       .count = found.integers.size() + found.reals.size()};
  });
}

qlite_status qlite_graph_get_metadata(const qlite_graph* graph, int32_t index, const char** key, const char** value) {
  return Call<GraphBody>(graph, [&](GraphBody& body) {
    const size_t i = Checked(index, body.view().metadata_keys.size(), "metadata entry");
    *Needed(key, "key") = body.view().metadata_keys[i]->c_str();
    *Needed(value, "value") = body.view().metadata_values[i]->c_str();
  });
}

qlite_status qlite_graph_dump(const qlite_graph* graph, int32_t dot, qlite_bytes** text) {
  return Make<GraphBody>(
      graph, text, [&](GraphBody& body) { return MakeBytes(dot != 0 ? body.graph.DumpDot() : body.graph.Dump()); });
}

qlite_status qlite_graph_infer_shapes(const qlite_graph* graph, const qlite_input_shape* shapes, size_t count,
                                      qlite_graph** result) {
  return Make<GraphBody>(graph, result, [&](GraphBody& body) {
    qlite::Graph copy = body.graph;
    Check(copy.InferShapes(ReadShapes(shapes, count)));
    return NewGraph(body, std::move(copy));
  });
}

qlite_status qlite_graph_simplify(const qlite_graph* graph, qlite_graph** result, qlite_bytes** steps) {
  qlite_bytes* lines = nullptr;
  const qlite_status status = Make<GraphBody>(graph, result, [&](GraphBody& body) {
    qlite::Graph copy = body.graph;
    const std::vector<std::string> done = Take(qlite::SimplifyGraph(body.context->context, copy));
    if (steps != nullptr) lines = Publish(MakeBytes(Lines(done)));
    return NewGraph(body, std::move(copy));
  });
  if (status != QLITE_OK && lines != nullptr) qlite_bytes_release(std::exchange(lines, nullptr));
  if (steps != nullptr) *steps = lines;
  return status;
}
