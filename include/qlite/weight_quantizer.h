// Weight-only quantization: constants become integers of 1 to 16 bits, activations stay float32. Needs no data, and
// makes use of them where there are some.
#ifndef QLITE_WEIGHT_QUANTIZER_H_
#define QLITE_WEIGHT_QUANTIZER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/quant_params.h"
#include "qlite/quantizer.h"

namespace qlite {

enum class WeightRounding : uint8_t {
  kNearest,  // each weight by itself
  // Of Conv, Gemm and MatMul: each weight takes on the error that those before it cause at the output, judged from the
  // inputs that a data set gives (see docs/quantization.md). Other weights, and with bias_correction those of
  // convolutions over a single channel (depthwise ones), to the nearest.
  kGptq,
  // kGptq up to 8 bits for products that sum over up to 2560 inputs, kNearest for others. Without a data set the inputs
  // come of 32 made-up pictures (discs over each other, docs/quantization.md), where the network's one input is float32
  // of rank 4 with 1, 3 or 4 channels; other networks are rounded to the nearest.
  kAutomatic,
};

struct WeightQuantizerOptions {
  int bits = 8;                                   // 1..16, or 0: mixed bits, see below
  QuantScheme scheme = QuantScheme::kAsymmetric;  // symmetric needs 2 bits or more
  bool per_channel = true;                        // a scale for each output channel, or one for the tensor
  // Mixed bits: symmetric integers, each weight with as many bits as it takes for the mean over its output channels of
  // the norm of the rounding error over the norm of the weights to be this. The step is the same share of every
  // channel's root mean square, or with per_channel off one for the tensor. Larger makes the file smaller. A weight for
  // which no step does gets 8 bits. Within (0, 1).
  double mixed_error = 0.02;
  // Searches an error for each weight, so that the file is as small as it gets while the outputs' mean cosine to the
  // float model's is at least cosine_target, by a margin of two standard errors; from the sensitivity of the outputs to
  // each weight alone, over at most 64 samples of the data set, or over random inputs without one. At most
  // max_iterations rounds follow on the measurement of the sensitivities.
  bool auto_tune = false;
  double cosine_target = 0.995;  // within (0, 1)
  int max_iterations = 40;       // at least 1
  // Above 0: each weight, from the last to the first, gets the narrowest width of 2 to 8 bits with which the outputs'
  // mean relative error over the data set is at most this, and 8 where none does; `bits`, which must not be 0, counts
  // for nothing. A search of the older kind: auto_tune makes smaller files. At most 1; needs data.
  double width_error = 0;
  // Above 0: a scale for each run of so many weights along the reduction axis, 16..256 and a power of two, for 2, 3, 4
  // and 8 bits. A weight whose reduction axis is shorter gets a scale for each channel.
  int64_t block_size = 0;
  // Takes the range with the least squared error, rather than that of the weights. Not set: below 8 bits, where it
  // helps.
  std::optional<bool> range_search = std::nullopt;
  WeightRounding rounding = WeightRounding::kAutomatic;
  // Share of the mean of the inputs' second moments, above 0 and at most 1; at least 0.1 is used with made-up pictures.
  double gptq_damping = 0.01;
  // Restores mean and spread of each channel's weights on decoding (QuantParams::variance_ratios, mean_shifts). Not in
  // blocks, and not of weights rounded by GPTQ, which keeps the results' error small by itself.
  bool bias_correction = true;
  int64_t min_weight_elements = 0;           // a weight is quantized only if it has more elements than this
  int64_t min_weight_channels = 0;           // and, of a convolution, more output channels than this
  std::vector<std::string> skip_nodes = {};  // exact names; what they read stays float; an unknown name is an error
  std::map<std::string, std::vector<int64_t>> input_shapes = {};
};

// Simplifies the graph and quantizes the constant inputs of Conv, ConvTranspose, Gemm, MatMul and Gather of two
// dimensions or more. A quantized weight is an integer constant (int8 up to 8 bits, else int16) with QuantParams and a
// Dequantize node that serves all its readers; Sessions decode it when they are made. `weights` of the result accounts
// for every candidate. The same bytes for any number of threads. Memory: the integers, and working memory for one
// weight at a time, where the graph is moved here and nothing else holds its weights; with data also the float weights
// and up to 256 MB of moments (or those of one product), for which the data set is run as often as it takes.
//
// `data` may be null but for GPTQ and width_error. kOutOfRange where auto_tune finds no errors with the cosine that is
// asked for.
// kInvalidArgument for options out of range, kNotFound for an unknown node name, kFailedPrecondition for weights or
// inputs that are not finite and for a graph that is quantized already.
absl::StatusOr<QuantizationResult> WeightQuantize(const Context& context, Graph graph,
                                                  const WeightQuantizerOptions& options, const DataSet* data = nullptr);

// Stores float32 constants of 128 elements or more as float16 or bfloat16 (`type`), each rounded to the nearest, with a
// Cast that serves all its readers; Sessions widen them when they are made, so all is computed in float32. Constants
// that hold numbers beyond the range of the type stay as they are. An outcome for every float32 constant: 16 bits, or
// 32 and why. For a float graph, and for what a weight quantization left float. kInvalidArgument for another type.
absl::StatusOr<std::vector<WeightOutcome>> StoreFloatsAsHalf(Graph& graph, ElementType type = ElementType::kFloat16);

}  // namespace qlite

#endif  // QLITE_WEIGHT_QUANTIZER_H_
