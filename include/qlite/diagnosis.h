// Why a layer lost accuracy to quantization, with the evidence, and what helps.
#ifndef QLITE_DIAGNOSIS_H_
#define QLITE_DIAGNOSIS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qlite {

enum class LossCause : uint8_t {
  kOutlierChannel,     // few channels are so much larger than the others that these share a step far too coarse
  kDeadChannel,        // a channel that is alive in float is the same number everywhere once quantized
  kRangeClipped,       // cutting values off costs more than rounding them
  kOneSidedSymmetric,  // values of one sign on a grid that spends half its integers on the other
  kDepthwiseSpread,    // the channels of a depthwise convolution's weights share one scale and differ much in range
  kMismatchedInputs,   // the inputs of an Add or Concat differ so much in range that the smaller one gets few steps
  kBiasOverflow,       // weights so small beside their bias that their scale had to grow for the bias to fit
  kSaturation,         // results run into an end of their integers where the float ones lie inside
  kUnlikeSamples,      // few samples have far larger values than the others, and set the range for all
};

enum class Remedy : uint8_t {
  kPerChannel,      // QuantizerOptions::per_channel, WeightQuantizerOptions::per_channel
  kEqualize,        // QuantizerOptions::equalization
  kRemoveOutliers,  // QuantizerOptions::activation_method = "KL" or "REMOVAL_OUTLIER"
  kFullRange,       // QuantizerOptions::activation_method = "MAX_MIN"
  kAsymmetric,      // WeightQuantizerOptions::scheme
  kKeepFloat,       // skip_nodes of either options
  kCheckSamples,    // look at the sample that is named: no option helps
};

// "outlier channel", "range clipped", ...
std::string_view LossCauseName(LossCause cause);
// "give each output channel a scale of its own", ...
std::string_view RemedyText(Remedy remedy);

struct Finding {
  std::string node, op,
      tensor;  // names in the float graph; the node makes the tensor, or reads it where it is a constant
  LossCause cause = LossCause::kOutlierChannel;
  std::string evidence;                                 // one sentence with the numbers
  std::vector<std::pair<std::string, double>> numbers;  // the same for programs: "ratio", "channel", "sample", ...
  Remedy remedy = Remedy::kKeepFloat;
  // By how many dB the remedy should raise the signal-to-noise ratio of what suffers: of the tensor, or of the channels
  // or input that the evidence names. Computed from the float values and the grid, not from a second quantization.
  double gain_db = 0;
};

// A change of settings that was tried for such causes and kept (TargetOptions::fix).
struct AppliedRemedy {
  std::string change;      // "per_channel=true"
  double expected_db = 0;  // the largest gain_db of the findings that asked for it, at their tensors; 0: none did
  // Signal-to-noise ratio at the outputs over the samples, measured before and with the change.
  double before_db = 0, after_db = 0;
};

}  // namespace qlite

#endif  // QLITE_DIAGNOSIS_H_
