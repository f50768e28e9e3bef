#include "qlite/calibrator.h"

#include "capi/bodies.h"

namespace qlite::capi {
namespace {

qlite_calibrator_options DefaultCalibrator() {
  return {.struct_size = sizeof(qlite_calibrator_options), .method = "MAX_MIN", .check_inputs = 1};
}

struct CalibratorBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kCalibrator;
  using Handle = qlite_calibrator;

  CalibratorBody(std::shared_ptr<ContextBody> maker, std::shared_ptr<GraphBody> of,
                 const qlite_calibrator_options& host)
      : MadeWithContext(std::move(maker)), graph(std::move(of)), registry(context->Observers()) {
    options.method = Needed(host.method, "method");
    options.registry = &registry;
    options.check_inputs = host.check_inputs != 0;
    options.checkpoint_path = Text(host.checkpoint_path);
    options.checkpoint_every = host.checkpoint_every;
    Take(registry.Make(options.method));
  }

  Calibrator Make() const { return Calibrator(context->context, graph->graph, options); }

  const std::shared_ptr<GraphBody> graph;
  const ObserverRegistry registry;
  CalibratorOptions options;
};

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_calibrator_options_init(qlite_calibrator_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultCalibrator());
}

qlite_status qlite_calibrator_create(const qlite_context* context, const qlite_graph* graph,
                                     const qlite_calibrator_options* options, qlite_calibrator** calibrator) {
  return Make<ContextBody>(context, calibrator, [&](ContextBody&) {
    return std::make_shared<CalibratorBody>(Needed<ContextBody>(context, "context"), Needed<GraphBody>(graph, "graph"),
                                            ReadOptions(options, DefaultCalibrator(), "the calibrator options"));
  });
}

qlite_status qlite_calibrator_release(qlite_calibrator* calibrator) { return Release<CalibratorBody>(calibrator); }

qlite_status qlite_calibrator_run(const qlite_calibrator* calibrator, const qlite_data_set* data_set,
                                  const qlite_calibration_table* resume, qlite_calibration_table** table) {
  return Make<CalibratorBody>(calibrator, table, [&](CalibratorBody& body) {
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const auto begun = Optional<TableBody>(resume, "resume");
    return std::make_shared<TableBody>(body.context,
                                       Take(body.Make().Run(*data->data, begun ? &begun->table : nullptr)));
  });
}

qlite_status qlite_calibrator_check_inputs(const qlite_calibrator* calibrator, const qlite_data_set* data_set,
                                           const qlite_graph* original, qlite_bytes** warnings) {
  return Make<CalibratorBody>(calibrator, warnings, [&](CalibratorBody& body) {
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const auto before = Needed<GraphBody>(original, "original");
    std::vector<std::string> lines;
    for (const qlite::InputWarning& warning : Take(body.Make().CheckInputStatistics(*data->data, before->graph))) {
      lines.push_back(warning.likely_mistake + ": " + warning.evidence);
    }
    return MakeBytes(Lines(lines));
  });
}
