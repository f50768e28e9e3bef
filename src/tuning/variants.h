// One network with each of its layers in one of several forms, from what is asked for up to float.
#ifndef QLITE_TUNING_VARIANTS_H_
#define QLITE_TUNING_VARIANTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/quantizer.h"
#include "qlite/weight_quantizer.h"

namespace qlite::tuning {

// Why a layer is float that could be quantized.
inline constexpr char kCostsTooMuch[] = "quantizing it costs too much at the outputs";

struct VariantLayer {
  std::string node, op;
};

// Rung 0 of a layer is as the options say, each next one has more bits, the last one is float.
class Variants {
 public:
  virtual ~Variants() = default;
  // The layers that the options quantize, in topological order.
  virtual const std::vector<VariantLayer>& layers() const = 0;
  virtual int rungs() const = 0;
  // Bits of the layer's weights at a rung; 32: float.
  virtual absl::StatusOr<int> Bits(size_t layer, int rung) = 0;
  // The float network that the others are changed forms of.
  virtual const Graph& original() const = 0;
  // With layer i at rungs[i]; as the quantization with the options gives it, and with its account.
  virtual absl::StatusOr<QuantizationResult> Make(const std::vector<int>& rungs) = 0;
};

// Full quantization: a layer is a product, in integers or float. Calibrates once, from `resume`
// on where it is not null. `data` must outlive the result.
absl::StatusOr<std::unique_ptr<Variants>> MakeVariants(const Context& context, const Graph& graph,
                                                       const QuantizerOptions& options, const DataSet& data,
                                                       const CalibrationTable* resume = nullptr);
// Weight quantization: a layer is a weight tensor; between the bits asked for and float stand 4, 8 and 16 bits, as far
// as they are more and the options allow them. `resume` is null.
absl::StatusOr<std::unique_ptr<Variants>> MakeVariants(const Context& context, const Graph& graph,
                                                       const WeightQuantizerOptions& options, const DataSet& data,
                                                       const CalibrationTable* resume = nullptr);

}  // namespace qlite::tuning

#endif  // QLITE_TUNING_VARIANTS_H_
