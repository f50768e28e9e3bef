#include "capi/quantization_result.h"

namespace qlite::capi {

ResultBody::ResultBody(std::shared_ptr<ContextBody> maker, QuantizationResult made)
    : MadeWithContext(std::move(maker)) {
  graph = std::make_shared<GraphBody>(context, std::move(made.graph));
  float_graph = std::make_shared<GraphBody>(context, std::move(made.float_graph));
  table = std::make_shared<TableBody>(context, std::move(made.table));
  nodes = std::move(made.nodes);
  weights = std::move(made.weights);
  steps = std::move(made.steps);
  warnings = std::move(made.warnings);
  stages.assign(made.seconds.begin(), made.seconds.end());
}

ResultBody::ResultBody(std::shared_ptr<ContextBody> maker, TargetedQuantization made)
    : ResultBody(std::move(maker), std::exchange(made.quantization, {})) {
  sensitivity = std::make_shared<SensitivityBody>(context, std::exchange(made.sensitivity, {}));
  target = std::move(made);
}

const TargetedQuantization& ResultBody::Target() const {
  if (!target) throw Failure(absl::NotFoundError("the result was not made for a target"));
  return *target;
}

}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_quantization_result_release(qlite_quantization_result* result) {
  return Release<ResultBody>(result);
}

qlite_status qlite_quantization_result_graph(const qlite_quantization_result* result, qlite_graph** graph) {
  return Make<ResultBody>(result, graph, [](ResultBody& body) { return body.graph; });
}

qlite_status qlite_quantization_result_float_graph(const qlite_quantization_result* result, qlite_graph** graph) {
  return Make<ResultBody>(result, graph, [](ResultBody& body) {
    if (body.float_graph->graph.outputs().empty()) {
      throw Failure(absl::FailedPreconditionError("the float graph was not kept; set keep_float_graph"));
    }
    return body.float_graph;
  });
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
                       .stage_count = body.stages.size(),
                       .weight_count = body.weights.size()});
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

qlite_status qlite_quantization_result_get_weight(const qlite_quantization_result* result, size_t index,
                                                  qlite_weight_outcome* outcome) {
  return Call<ResultBody>(result, [&](ResultBody& body) {
    const qlite::WeightOutcome& weight = body.weights[Checked(index, body.weights.size(), "weight")];
    WriteStruct(outcome, {.name = weight.name.c_str(),
                          .node = weight.node.c_str(),
                          .op = weight.op.c_str(),
                          .reason = weight.reason.c_str(),
                          .elements = weight.elements,
                          .parameters = weight.parameters,
                          .error = weight.error,
                          .bits = weight.bits});
  });
}
