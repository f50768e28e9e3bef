#include "convert/account.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "common/text.h"

namespace qlite::cli {
namespace {

// What the nodes became: counts, and every node that stayed float with its reason.
void PrintOutcomes(const QuantizationResult& result) {
  size_t integer = 0;
  for (const NodeOutcome& node : result.nodes) integer += node.integer ? 1 : 0;
  std::printf("%zu of %zu nodes run in integers\n", integer, result.nodes.size());
  for (const NodeOutcome& node : result.nodes) {
    if (!node.integer) Say(Join({"  float: ", node.op, " '", node.name, "': ", node.reason}));
  }
}

// The options that leave small weights float, and the keys that set them.
struct Filter {
  std::string_view option, key;
};
constexpr Filter kFilters[] = {{"min_weight_elements", "min_quant_weight_size"},
                               {"min_weight_channels", "min_quant_weight_channel"}};

// Every weight that stayed float with its reason, and the keys that would change it.
void PrintWeights(const QuantizationResult& result) {
  for (const WeightOutcome& weight : result.weights) {
    if (!weight.reason.empty())
      Say(Join({"  float: '", weight.name, "' of ", weight.op, " '", weight.node, "': ", weight.reason}));
  }
  for (const Filter& filter : kFilters) {
    const auto kept = std::count_if(result.weights.begin(), result.weights.end(), [&](const WeightOutcome& weight) {
      return weight.reason.find(filter.option) != std::string::npos;
    });
    if (kept > 0) {
      Say(Join({"  ", std::to_string(kept), kept == 1 ? " weight stays" : " weights stay", " float by ", filter.key,
                " in [common_quant_param]; 0 quantizes all"}));
    }
  }
}

std::string Describe(const OutputLoss& loss) {
  char text[96];
  std::snprintf(text, sizeof(text), "cosine %.6f, SNR %.2f dB, same top-1 %.2f %%", loss.cosine, loss.snr_db,
                100 * loss.top1);
  return text;
}

}  // namespace

void Say(const std::string& line) { std::printf("%s\n", line.c_str()); }
void Warn(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

void PrintAccount(const QuantizationResult& result) {
  for (const std::string& step : result.steps) Say(step);
  for (const InputWarning& warning : result.warnings) {
    Warn(Join({"WARNING: ", warning.likely_mistake, ": ", warning.evidence}));
  }
  if (!result.nodes.empty()) PrintOutcomes(result);
  PrintWeights(result);
  std::string times;
  for (const auto& [stage, seconds] : result.seconds) {
    char text[64];
    std::snprintf(text, sizeof(text), "%s%s %.2f s", times.empty() ? "" : ", ", stage.c_str(), seconds);
    times += text;
  }
  Say(times);
}

void PrintTarget(const TargetedQuantization& tuned) {
  Say(Join({"outputs with the settings as given: ", Describe(tuned.first_loss)}));
  for (const AppliedRemedy& remedy : tuned.applied) {
    char gain[96];
    std::snprintf(gain, sizeof(gain), ": %+.1f dB at the outputs", remedy.after_db - remedy.before_db);
    std::string expected;
    if (remedy.expected_db > 0) {
      char text[96];
      std::snprintf(text, sizeof(text), " (expected %+.1f dB at the tensor that suffers)", remedy.expected_db);
      expected = text;
    }
    Say(Join({"changed, since it helps: ", remedy.change, gain, expected}));
  }
  for (const RaisedLayer& layer : tuned.raised) {
    const std::string bits = layer.bits == 32 ? "float" : std::to_string(layer.bits) + " bits";
    Say(Join({"kept at ", bits, ": ", layer.op, " '", layer.node, "'"}));
  }
  Say(Join({"outputs now: ", Describe(tuned.loss), tuned.met ? "; within --maxLoss" : "; NOT within --maxLoss"}));
}

void PrintSensitivity(const std::vector<LayerSensitivity>& layers) {
  Say("sensitivity, each layer quantized alone, the worst first:");
  for (const LayerSensitivity& layer : layers) {
    Say(Join({"  ", layer.op, " '", layer.node, "' (", std::to_string(layer.bits), " bits): ", Describe(layer.loss)}));
  }
}

}  // namespace qlite::cli
