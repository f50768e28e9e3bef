// A quantized graph with the account of how it came about, as the functions for results know it.
#ifndef QLITE_CAPI_QUANTIZATION_RESULT_H_
#define QLITE_CAPI_QUANTIZATION_RESULT_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capi/bodies.h"
#include "capi/sensitivity.h"
#include "qlite/loss_target.h"
#include "qlite/quantizer.h"

namespace qlite::capi {

struct ResultBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kQuantizationResult;
  using Handle = qlite_quantization_result;

  ResultBody(std::shared_ptr<ContextBody> maker, QuantizationResult made);
  ResultBody(std::shared_ptr<ContextBody> maker, TargetedQuantization made);

  // What became of the target that the result was made for; refuses where there was none.
  const TargetedQuantization& Target() const;

  std::shared_ptr<GraphBody> graph, float_graph;
  std::shared_ptr<TableBody> table;
  std::vector<NodeOutcome> nodes;
  std::vector<WeightOutcome> weights;
  std::vector<std::string> steps;
  std::vector<InputWarning> warnings;
  std::vector<std::pair<std::string, double>> stages;
  std::optional<TargetedQuantization> target;    // without its quantization and its sensitivity
  std::shared_ptr<SensitivityBody> sensitivity;  // null where there is no target
};

}  // namespace qlite::capi

#endif  // QLITE_CAPI_QUANTIZATION_RESULT_H_
