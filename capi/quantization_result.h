// A quantized graph with the account of how it came about, as the functions for results know it.
#ifndef QLITE_CAPI_QUANTIZATION_RESULT_H_
#define QLITE_CAPI_QUANTIZATION_RESULT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capi/bodies.h"
#include "qlite/quantizer.h"

namespace qlite::capi {

struct ResultBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kQuantizationResult;
  using Handle = qlite_quantization_result;

  ResultBody(std::shared_ptr<ContextBody> maker, QuantizationResult made);

  std::shared_ptr<GraphBody> graph, float_graph;
  std::shared_ptr<TableBody> table;
  std::vector<NodeOutcome> nodes;
  std::vector<WeightOutcome> weights;
  std::vector<std::string> steps;
  std::vector<InputWarning> warnings;
  std::vector<std::pair<std::string, double>> stages;
};

}  // namespace qlite::capi

#endif  // QLITE_CAPI_QUANTIZATION_RESULT_H_
