// Causes that lie between the tensors of a node.
#include <algorithm>
#include <cmath>

#include "core/str_cat.h"
#include "report/findings.h"

namespace qlite::report {
namespace {

constexpr double kMismatchRatio = 8;
// A scale that has grown by less is rounding.
constexpr double kLeastGrowth = 1.05;
// From here on the scales of a product make room for the bias (see docs/numerics.md).
constexpr double kBiasRoom = 1073741824.0;

const GatheredTensor* ActivationOf(const Gathered& gathered, ValueId id) {
  const auto found = gathered.activations.find(id);
  return found == gathered.activations.end() ? nullptr : &found->second;
}

// What weights move at least, of what a channel reaches, for their errors to be those of its results.
constexpr double kLeastInfluence = 0.01;

bool Combines(OpType op) { return op == OpType::kAdd || op == OpType::kSub || op == OpType::kConcat; }

}  // namespace

bool WeightsMatter(const PairedRun& run, const Gathered& gathered, NodeId id, size_t channel) {
  const Node& node = run.original().node(id);
  const auto weights = gathered.constants.find({id, 1});
  if (weights == gathered.constants.end() || node.outputs.empty()) return true;
  const GatheredTensor *input = ActivationOf(gathered, node.inputs[0]),
                       *output = ActivationOf(gathered, node.outputs[0]);
  if (input == nullptr || output == nullptr) return true;
  const std::vector<ChannelTally>&results = output->tally.channels(), &rows = weights->second.tally.channels();
  if (results.size() != rows.size()) return true;
  const double reach = rows[channel].absolute * static_cast<double>(input->tally.Total().magnitude());
  const double largest = static_cast<double>(results[channel].magnitude());
  return largest > 0 && reach > kLeastInfluence * largest;
}

void FindMismatchedInputs(const PairedRun& run, const Gathered& gathered, NodeId id, std::vector<Finding>& findings) {
  const Node& node = run.original().node(id);
  if (!Combines(node.op) || node.outputs.size() != 1) return;
  const GatheredTensor* result = ActivationOf(gathered, node.outputs[0]);
  if (result == nullptr || result->grid.pairs != 1) return;
  const GatheredTensor *least = nullptr, *largest = nullptr;
  size_t which = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const GatheredTensor* input = node.inputs[i].valid() ? ActivationOf(gathered, node.inputs[i]) : nullptr;
    if (input == nullptr || input->tally.Total().magnitude() == 0) continue;
    if (largest == nullptr || input->tally.Total().magnitude() > largest->tally.Total().magnitude()) largest = input;
    if (least == nullptr || input->tally.Total().magnitude() < least->tally.Total().magnitude())
      least = input, which = i;
  }
  if (least == nullptr || least == largest) return;
  const ChannelTally small = least->tally.Total(), large = largest->tally.Total();
  const double ratio = static_cast<double>(large.magnitude()) / static_cast<double>(small.magnitude());
  const double step = static_cast<double>(result->grid.scale);
  const double left = Decibels(small.signal, static_cast<double>(small.count) * step * step / 12);
  if (ratio < kMismatchRatio || left >= kAccurateDb) return;
  const Subject subject{run, id, which, false, run.original().value(node.inputs[which]).name, *least};
  Finding finding = subject.Found(LossCause::kMismatchedInputs, Remedy::kKeepFloat, 20 * std::log10(ratio));
  finding.evidence =
      StrCat("this input reaches ", Digits(static_cast<double>(small.magnitude())), " and another ",
             Digits(static_cast<double>(large.magnitude())), ", ", Digits(ratio),
             " times as much; a step of the result is ", Digits(step), ", which leaves it ", Digits(left), " dB");
  finding.numbers = {{"input", static_cast<double>(which)}, {"ratio", ratio}, {"step", step}};
  findings.push_back(std::move(finding));
}

void FindBiasOverflow(const PairedRun& run, const Gathered& gathered, NodeId id, std::vector<Finding>& findings) {
  const auto weights = gathered.constants.find({id, 1}), biases = gathered.constants.find({id, 2});
  if (weights == gathered.constants.end() || biases == gathered.constants.end()) return;
  const ValueId weight = run.CounterpartOfConstant(id, 1), bias = run.CounterpartOfConstant(id, 2);
  if (!weight.valid() || !bias.valid()) return;
  const auto& weight_params = run.quantized().value(weight).quant;
  const auto& bias_params = run.quantized().value(bias).quant;
  if (!weight_params || !bias_params || run.quantized().value(bias).type != ElementType::kInt32) return;
  const std::vector<ChannelTally>& channels = weights->second.tally.channels();
  const std::vector<ChannelTally>& bias_channels = biases->second.tally.channels();
  const size_t pairs = weight_params->scales.size();
  if (bias_params->scales.size() != pairs || (pairs > 1 && pairs != channels.size())) return;
  double worst = 1;
  size_t which = 0;
  for (size_t c = 0; c < channels.size() && c < bias_channels.size(); ++c) {
    const float magnitude = pairs > 1 ? channels[c].magnitude() : weights->second.tally.Total().magnitude();
    if (magnitude == 0) continue;
    const size_t pair = pairs > 1 ? c : 0;
    const double scale = static_cast<double>(weight_params->scales[pair]);
    const double wanted = static_cast<double>(magnitude) / static_cast<double>(weight_params->qmax());
    const double growth = scale / wanted;
    const double bias_steps =
        static_cast<double>(bias_channels[c].magnitude()) / (static_cast<double>(bias_params->scales[pair]) / growth);
    if (growth > worst && bias_steps > kBiasRoom && WeightsMatter(run, gathered, id, c)) worst = growth, which = c;
  }
  if (worst < kLeastGrowth) return;
  const Node& node = run.original().node(id);
  const Subject subject{run, id, 2, true, run.original().value(node.inputs[2]).name, biases->second};
  Finding finding = subject.Found(LossCause::kBiasOverflow, Remedy::kKeepFloat, 20 * std::log10(worst));
  finding.evidence =
      StrCat("the bias of channel ", which, ", ", Digits(static_cast<double>(bias_channels[which].magnitude())),
             ", fits its integers only with weights in steps ", Digits(worst), " times as large as they need");
  finding.numbers = {{"channel", static_cast<double>(which)}, {"growth", worst}};
  findings.push_back(std::move(finding));
}

}  // namespace qlite::report
