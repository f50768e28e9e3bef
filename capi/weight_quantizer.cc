#include "qlite/weight_quantizer.h"

#include <optional>

#include "capi/bodies.h"
#include "capi/loss_target.h"
#include "capi/quantization_result.h"
#include "capi/sensitivity.h"

namespace qlite::capi {
namespace {

constexpr int32_t kSearchWhereItHelps = -1;  // range_search

static_assert(static_cast<int>(WeightRounding::kNearest) == QLITE_ROUND_NEAREST &&
              static_cast<int>(WeightRounding::kGptq) == QLITE_ROUND_GPTQ &&
              static_cast<int>(WeightRounding::kAutomatic) == QLITE_ROUND_AUTOMATIC);

qlite_weight_quantizer_options DefaultWeights() {
  const WeightQuantizerOptions options;
  return {.struct_size = sizeof(qlite_weight_quantizer_options),
          .block_size = options.block_size,
          .min_weight_elements = options.min_weight_elements,
          .min_weight_channels = options.min_weight_channels,
          .mixed_error = options.mixed_error,
          .cosine_target = options.cosine_target,
          .gptq_damping = options.gptq_damping,
          .bits = options.bits,
          .symmetric = options.scheme == QuantScheme::kSymmetric,
          .per_channel = options.per_channel,
          .auto_tune = options.auto_tune,
          .max_iterations = options.max_iterations,
          .range_search = kSearchWhereItHelps,
          .rounding = static_cast<qlite_weight_rounding>(options.rounding),
          .bias_correction = options.bias_correction,
          .width_error = options.width_error};
}

WeightQuantizerOptions ReadWeightOptions(const qlite_weight_quantizer_options* host) {
  const qlite_weight_quantizer_options read = ReadOptions(host, DefaultWeights(), "the weight quantizer options");
  if (read.range_search < kSearchWhereItHelps || read.range_search > 1) Refuse("range_search is not -1, 0 or 1");
  if (read.rounding < QLITE_ROUND_NEAREST || read.rounding > QLITE_ROUND_AUTOMATIC)
    Refuse("rounding " + std::to_string(read.rounding) + " is unknown");
  WeightQuantizerOptions options;
  options.bits = read.bits;
  options.scheme = read.symmetric != 0 ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
  options.per_channel = read.per_channel != 0;
  options.mixed_error = read.mixed_error;
  options.auto_tune = read.auto_tune != 0;
  options.cosine_target = read.cosine_target;
  options.max_iterations = read.max_iterations;
  options.width_error = read.width_error;
  options.block_size = read.block_size;
  if (read.range_search != kSearchWhereItHelps) options.range_search = read.range_search != 0;
  options.rounding = static_cast<WeightRounding>(read.rounding);
  options.gptq_damping = read.gptq_damping;
  options.bias_correction = read.bias_correction != 0;
  options.min_weight_elements = read.min_weight_elements;
  options.min_weight_channels = read.min_weight_channels;
  options.skip_nodes = ReadNames(read.skip_nodes, read.skip_node_count, "skip_nodes");
  options.input_shapes = ReadShapes(read.shapes, read.shape_count);
  return options;
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_weight_quantizer_options_init(qlite_weight_quantizer_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultWeights());
}

qlite_status qlite_weight_quantize(const qlite_context* context, const qlite_graph* graph,
                                   const qlite_weight_quantizer_options* options, const qlite_data_set* data_set,
                                   qlite_quantization_result** result) {
  return Make<ContextBody>(context, result, [&](ContextBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Optional<DataSetBody>(data_set, "data_set");
    return std::make_shared<ResultBody>(
        Needed<ContextBody>(context, "context"),
        Take(qlite::WeightQuantize(body.context, original->graph, ReadWeightOptions(options),
                                   data == nullptr ? nullptr : data->data.get())));
  });
}

qlite_status qlite_graph_store_floats_as_half(const qlite_graph* graph, qlite_quantization_result** result) {
  return qlite_graph_store_floats_as(graph, QLITE_FLOAT16, result);
}

qlite_status qlite_graph_store_floats_as(const qlite_graph* graph, qlite_element_type type,
                                         qlite_quantization_result** result) {
  return Make<GraphBody>(graph, result, [&](GraphBody& body) {
    qlite::QuantizationResult stored;
    stored.graph = body.graph;
    stored.weights = Take(qlite::StoreFloatsAsHalf(stored.graph, ReadElementType(type)));
    return std::make_shared<ResultBody>(body.context, std::move(stored));
  });
}

qlite_status qlite_measure_weight_sensitivity(const qlite_context* context, const qlite_graph* graph,
                                              const qlite_weight_quantizer_options* options,
                                              const qlite_data_set* data_set, int64_t samples,
                                              qlite_sensitivity** sensitivity) {
  return Make<ContextBody>(context, sensitivity, [&](ContextBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    return std::make_shared<SensitivityBody>(
        Needed<ContextBody>(context, "context"),
        Take(qlite::MeasureSensitivity(body.context, original->graph, ReadWeightOptions(options), *data->data,
                                       {.samples = samples})));
  });
}

qlite_status qlite_weight_quantize_to_target(const qlite_context* context, const qlite_graph* graph,
                                             const qlite_weight_quantizer_options* options,
                                             const qlite_data_set* data_set, const qlite_loss_target* target,
                                             qlite_quantization_result** result) {
  return Make<ContextBody>(context, result, [&](ContextBody& body) {
    const auto original = Needed<GraphBody>(graph, "graph");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const Goal goal = ReadTarget(target);
    return std::make_shared<ResultBody>(
        Needed<ContextBody>(context, "context"),
        Take(qlite::QuantizeToTarget(body.context, original->graph, ReadWeightOptions(options), *data->data,
                                     goal.target, goal.options)));
  });
}
