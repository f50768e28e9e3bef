#include "capi/sensitivity.h"

using namespace qlite::capi;

qlite_status qlite_compare_outputs(const qlite_context* context, const qlite_graph* original,
                                   const qlite_graph* changed, const qlite_data_set* data_set, int64_t samples,
                                   qlite_output_loss* loss) {
  return Call<ContextBody>(context, [&](ContextBody& body) {
    const auto before = Needed<GraphBody>(original, "original");
    const auto after = Needed<GraphBody>(changed, "changed");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    *Needed(loss, "loss") =
        AsHostLoss(Take(qlite::CompareOutputs(body.context, before->graph, after->graph, *data->data, samples)));
  });
}

qlite_status qlite_sensitivity_release(qlite_sensitivity* sensitivity) { return Release<SensitivityBody>(sensitivity); }

qlite_status qlite_sensitivity_count(const qlite_sensitivity* sensitivity, size_t* count) {
  return Call<SensitivityBody>(sensitivity,
                               [&](SensitivityBody& body) { *Needed(count, "count") = body.layers.size(); });
}

qlite_status qlite_sensitivity_get(const qlite_sensitivity* sensitivity, size_t index, qlite_layer_sensitivity* layer) {
  return Call<SensitivityBody>(sensitivity, [&](SensitivityBody& body) {
    const qlite::LayerSensitivity& found = body.layers[Checked(index, body.layers.size(), "layer")];
    WriteStruct(
        layer,
        {.node = found.node.c_str(), .op = found.op.c_str(), .loss = AsHostLoss(found.loss), .bits = found.bits});
  });
}
