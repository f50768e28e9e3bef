#include <algorithm>
#include <charconv>
#include <set>

#include "report/findings.h"

namespace qlite {

std::string_view LossCauseName(LossCause cause) {
  switch (cause) {
    case LossCause::kOutlierChannel:
      return "outlier channel";
    case LossCause::kDeadChannel:
      return "dead channel";
    case LossCause::kRangeClipped:
      return "range clipped";
    case LossCause::kOneSidedSymmetric:
      return "one-sided values under a symmetric range";
    case LossCause::kDepthwiseSpread:
      return "depthwise weight spread";
    case LossCause::kMismatchedInputs:
      return "mismatched inputs";
    case LossCause::kBiasOverflow:
      return "bias overflow";
    case LossCause::kSaturation:
      return "saturation";
    case LossCause::kUnlikeSamples:
      return "samples unlike each other";
  }
  return "";
}

std::string_view RemedyText(Remedy remedy) {
  switch (remedy) {
    case Remedy::kPerChannel:
      return "give each output channel a scale of its own (per_channel)";
    case Remedy::kEqualize:
      return "rescale channels between layers (equalization), or keep the layers that read it float";
    case Remedy::kRemoveOutliers:
      return "choose ranges that leave outliers out (KL or REMOVAL_OUTLIER)";
    case Remedy::kFullRange:
      return "choose ranges that hold all values (MAX_MIN), and calibrate with more samples";
    case Remedy::kAsymmetric:
      return "use an asymmetric range";
    case Remedy::kKeepFloat:
      return "keep the layer float (skip_quant_node)";
    case Remedy::kCheckSamples:
      return "check the sample, leave it out where it is a mistake, or choose ranges that leave outliers out "
             "(KL or REMOVAL_OUTLIER)";
  }
  return "";
}

namespace report {

std::string Digits(double number) {
  char text[32];
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), number, std::chars_format::general, 4);
  return std::string(text, result.ptr);
}

Finding Subject::Found(LossCause cause, Remedy remedy, double gain_db) const {
  Finding finding;
  finding.node = node_name();
  finding.op = op_name();
  finding.tensor = tensor;
  finding.cause = cause;
  finding.remedy = remedy;
  finding.gain_db = gain_db;
  return finding;
}

namespace {

bool IsWeight(OpType op, size_t index) {
  switch (op) {
    case OpType::kConv:
    case OpType::kConvTranspose:
    case OpType::kGemm:
    case OpType::kMatMul:
      return index == 1;
    case OpType::kGather:
      return index == 0;
    default:
      return false;
  }
}

class Diagnosis {
 public:
  Diagnosis(const PairedRun& run, const Gathered& gathered) : run_(run), gathered_(gathered) {}

  std::vector<Finding> Make() {
    for (const ValueId input : run_.original().inputs()) Activation({}, input);
    for (const NodeId id : run_.original().TopologicalOrder()) {
      const Node& node = run_.original().node(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) Constant(id, i);
      for (const ValueId output : node.outputs) {
        if (output.valid()) Activation(id, output);
      }
      FindMismatchedInputs(run_, gathered_, id, findings_);
      FindBiasOverflow(run_, gathered_, id, findings_);
    }
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.gain_db > b.gain_db; });
    return std::move(findings_);
  }

 private:
  void Constant(NodeId id, size_t index) {
    const auto found = gathered_.constants.find({id, index});
    if (found == gathered_.constants.end() || found->second.grid.pairs == 0 || !found->second.tally.compared()) return;
    const Node& node = run_.original().node(id);
    if (!IsWeight(node.op, index)) return;  // a bias has a cause of its own
    const Subject subject{run_, id, index, true, run_.original().value(node.inputs[index]).name, found->second};
    FindWeightSpread(subject, findings_);
    FindDeadChannels(subject, gathered_, findings_);
    FindOneSided(subject, findings_);
  }

  void Activation(NodeId id, ValueId value) {
    const auto found = gathered_.activations.find(value);
    if (found == gathered_.activations.end() || found->second.grid.pairs != 1) return;
    const Subject subject{run_, id, 0, false, run_.original().value(value).name, found->second};
    FindOutlierChannels(subject, findings_);
    FindDeadChannels(subject, gathered_, findings_);
    FindClippedRange(subject, findings_);
    FindOneSided(subject, findings_);
    FindSaturation(subject, findings_);
    UnlikeSamples(subject, id, value);
  }

  // Named where it begins, not again in all that is made of it.
  void UnlikeSamples(const Subject& subject, NodeId id, ValueId value) {
    bool inherited = false;
    if (id.valid()) {
      for (const ValueId input : run_.original().node(id).inputs) inherited = inherited || unlike_.count(input) > 0;
    }
    std::vector<Finding> found;
    if (FindUnlikeSamples(subject, found) || inherited) unlike_.insert(value);
    if (!inherited) findings_.insert(findings_.end(), found.begin(), found.end());
  }

  const PairedRun& run_;
  const Gathered& gathered_;
  std::vector<Finding> findings_;
  std::set<ValueId> unlike_;
};

}  // namespace

std::vector<Finding> Diagnose(const PairedRun& run, const Gathered& gathered) {
  return Diagnosis(run, gathered).Make();
}

}  // namespace report
}  // namespace qlite
