#include "qlite/quantizer.h"

#include "capi/bodies.h"

namespace qlite::capi {
namespace {

qlite_quantizer_options Defaults() {
  const QuantizerOptions options;
  return {.struct_size = sizeof(qlite_quantizer_options),
          .activation_method = "MAX_MIN",
          .per_channel = options.per_channel,
          .bias_correction = options.bias_correction,
          .equalization = options.equalization,
          .check_inputs = options.check_inputs,
          .min_weight_elements = options.min_weight_elements};
}

struct QuantizerBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kQuantizer;
  using Handle = qlite_quantizer;

  QuantizerBody(std::shared_ptr<ContextBody> maker, const qlite_quantizer_options& host)
      : MadeWithContext(std::move(maker)), registry(context->Observers()) {
    options.activation_method = Needed(host.activation_method, "activation_method");
    options.registry = &registry;
    options.per_channel = host.per_channel != 0;
    options.bias_correction = host.bias_correction != 0;
    options.equalization = host.equalization != 0;
    options.check_inputs = host.check_inputs != 0;
    options.min_weight_elements = host.min_weight_elements;
    options.checkpoint_path = Text(host.checkpoint_path);
    options.input_shapes = ReadShapes(host.shapes, host.shape_count);
    if (host.skip_node_count > 0) Needed(host.skip_nodes, "skip_nodes");
    for (size_t i = 0; i < host.skip_node_count; ++i) {
      options.skip_nodes.emplace_back(Needed(host.skip_nodes[i], "the name of a node"));
    }
    Take(registry.Make(options.activation_method));
  }

  const ObserverRegistry registry;
  QuantizerOptions options;
};

struct ResultBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kQuantizationResult;
  using Handle = qlite_quantization_result;

  ResultBody(std::shared_ptr<ContextBody> maker, QuantizationResult made) : MadeWithContext(std::move(maker)) {
    graph = std::make_shared<GraphBody>(context, std::move(made.graph));
    table = std::make_shared<TableBody>(context, std::move(made.table));
    nodes = std::move(made.nodes);
    steps = std::move(made.steps);
    warnings = std::move(made.warnings);
    stages.assign(made.seconds.begin(), made.seconds.end());
  }

  std::shared_ptr<GraphBody> graph;
  std::shared_ptr<TableBody> table;
  std::vector<NodeOutcome> nodes;
  std::vector<std::string> steps;
  std::vector<InputWarning> warnings;
  std::vector<std::pair<std::string, double>> stages;
};

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_quantizer_options_init(qlite_quantizer_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, Defaults());
}

qlite_status qlite_quantizer_create(const qlite_context* context, const qlite_quantizer_options* options,
                                    qlite_quantizer** quantizer) {
  return Make<ContextBody>(context, quantizer, [&](ContextBody&) {
    return std::make_shared<QuantizerBody>(Needed<ContextBody>(context, "context"),
                                           ReadOptions(options, Defaults(), "the quantizer options"));
  });
}

qlite_status qlite_quantizer_release(qlite_quantizer* quantizer) { return Release<QuantizerBody>(quantizer); }

qlite_status qlite_quantizer_run(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                 const qlite_data_set* data_set, const qlite_calibration_table* resume,
                                 qlite_quantization_result** result) {
  return Make<QuantizerBody>(quantizer, result, [&](QuantizerBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const auto begun = Optional<TableBody>(resume, "resume");
    qlite::Quantizer runner(body.context->context, body.options);
    return std::make_shared<ResultBody>(
        body.context, Take(runner.FullQuantize(original->graph, *data->data, begun ? &begun->table : nullptr)));
  });
}

qlite_status qlite_quantization_result_release(qlite_quantization_result* result) {
  return Release<ResultBody>(result);
}

qlite_status qlite_quantization_result_graph(const qlite_quantization_result* result, qlite_graph** graph) {
  return Make<ResultBody>(result, graph, [](ResultBody& body) { return body.graph; });
}

qlite_status qlite_quantization_result_table(const qlite_quantization_result* result, qlite_calibration_table** table) {
  return Make<ResultBody>(result, table, [](ResultBody& body) { return body.table; });
}

qlite_status qlite_quantization_result_get_info(const qlite_quantization_result* result,
                                                qlite_quantization_info* info) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    WriteStruct(info, {.node_count = body.nodes.size(),
                       .step_count = body.steps.size(),
                       .warning_count = body.warnings.size(),
                       .stage_count = body.stages.size()});
  });
}

qlite_status qlite_quantization_result_get_node(const qlite_quantization_result* result, size_t index,
                                                qlite_node_outcome* outcome) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const qlite::NodeOutcome& node = body.nodes[Checked(index, body.nodes.size(), "node")];
    WriteStruct(
        outcome,
        {.name = node.name.c_str(), .op = node.op.c_str(), .reason = node.reason.c_str(), .integer = node.integer});
  });
}

qlite_status qlite_quantization_result_get_step(const qlite_quantization_result* result, size_t index,
                                                const char** step) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    *Needed(step, "step") = body.steps[Checked(index, body.steps.size(), "step")].c_str();
  });
}

qlite_status qlite_quantization_result_get_warning(const qlite_quantization_result* result, size_t index,
                                                   const char** likely_mistake, const char** evidence) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const qlite::InputWarning& warning = body.warnings[Checked(index, body.warnings.size(), "warning")];
    *Needed(likely_mistake, "likely_mistake") = warning.likely_mistake.c_str();
    *Needed(evidence, "evidence") = warning.evidence.c_str();
  });
}

qlite_status qlite_quantization_result_get_stage(const qlite_quantization_result* result, size_t index,
                                                 const char** stage, double* seconds) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const auto& [name, taken] = body.stages[Checked(index, body.stages.size(), "stage")];
    *Needed(stage, "stage") = name.c_str();
    *Needed(seconds, "seconds") = taken;
  });
}
