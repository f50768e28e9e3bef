#include "qlite/quantizer.h"

#include "capi/bodies.h"
#include "capi/loss_target.h"
#include "capi/quantization_result.h"
#include "capi/sensitivity.h"

namespace qlite::capi {
namespace {

qlite_quantizer_options DefaultQuantizer() {
  const QuantizerOptions options;
  return {.struct_size = sizeof(qlite_quantizer_options),
          .activation_method = "MAX_MIN",
          .per_channel = options.per_channel,
          .bias_correction = options.bias_correction,
          .equalization = options.equalization,
          .check_inputs = options.check_inputs,
          .min_weight_elements = options.min_weight_elements,
          .keep_float_graph = options.keep_float_graph};
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
    options.keep_float_graph = host.keep_float_graph != 0;
    options.checkpoint_path = Text(host.checkpoint_path);
    options.input_shapes = ReadShapes(host.shapes, host.shape_count);
    options.skip_nodes = ReadNames(host.skip_nodes, host.skip_node_count, "skip_nodes");
    Take(registry.Make(options.activation_method));
  }

  const ObserverRegistry registry;
  QuantizerOptions options;
};

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_quantizer_options_init(qlite_quantizer_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultQuantizer());
}

qlite_status qlite_quantizer_create(const qlite_context* context, const qlite_quantizer_options* options,
                                    qlite_quantizer** quantizer) {
  return Make<ContextBody>(context, quantizer, [&](ContextBody&) {
    return std::make_shared<QuantizerBody>(Needed<ContextBody>(context, "context"),
                                           ReadOptions(options, DefaultQuantizer(), "the quantizer options"));
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

qlite_status qlite_quantizer_measure_sensitivity(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                                 const qlite_data_set* data_set, int64_t samples,
                                                 qlite_sensitivity** sensitivity) {
  return Make<QuantizerBody>(quantizer, sensitivity, [&](QuantizerBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    return std::make_shared<SensitivityBody>(
        body.context, Take(qlite::MeasureSensitivity(body.context->context, original->graph, body.options, *data->data,
                                                     {.samples = samples})));
  });
}

qlite_status qlite_quantizer_run_to_target(const qlite_quantizer* quantizer, const qlite_graph* graph,
                                           const qlite_data_set* data_set, const qlite_loss_target* target,
                                           qlite_quantization_result** result) {
  return Make<QuantizerBody>(quantizer, result, [&](QuantizerBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const Goal goal = ReadTarget(target);
    return std::make_shared<ResultBody>(
        body.context, Take(qlite::QuantizeToTarget(body.context->context, original->graph, body.options, *data->data,
                                                   goal.target, goal.options)));
  });
}
