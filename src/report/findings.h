// What the detectors of causes share.
#ifndef QLITE_REPORT_FINDINGS_H_
#define QLITE_REPORT_FINDINGS_H_

#include <string>
#include <utility>
#include <vector>

#include "qlite/diagnosis.h"
#include "report/gathered.h"

namespace qlite::report {

// What is this accurate by itself is no cause of loss, and what gains less is not worth a remedy.
inline constexpr double kAccurateDb = 40, kLeastGainDb = 1;

// A tensor as the detectors look at it.
struct Subject {
  const PairedRun& run;
  NodeId id;         // that makes it, or reads it where it is a constant; invalid for an input of the network
  size_t index = 0;  // which input of the node, for a constant
  bool is_constant = false;
  std::string tensor;
  const GatheredTensor& gathered;

  std::string node_name() const { return id.valid() ? run.original().node(id).name : std::string(); }
  std::string op_name() const {
    return id.valid() ? std::string(OpName(run.original().node(id).op)) : std::string("Input");
  }
  // The error that the grid makes by itself: of a constant all there is.
  double own_noise(const ChannelTally& channel) const {
    return is_constant ? channel.noise : channel.rounding + channel.clipping;
  }
  Finding Found(LossCause cause, Remedy remedy, double gain_db) const;
};

// Whether the weights of an output channel move its results by a hundredth of what these reach, as far as the samples
// tell: where all else is the bias, no error of the weights is one of the results.
bool WeightsMatter(const PairedRun& run, const Gathered& gathered, NodeId id, size_t channel);

// Each adds what it finds. Constants and activations:
void FindOutlierChannels(const Subject& subject, std::vector<Finding>& findings);
void FindWeightSpread(const Subject& subject, std::vector<Finding>& findings);
void FindDeadChannels(const Subject& subject, const Gathered& gathered, std::vector<Finding>& findings);
void FindClippedRange(const Subject& subject, std::vector<Finding>& findings);
void FindOneSided(const Subject& subject, std::vector<Finding>& findings);
void FindSaturation(const Subject& subject, std::vector<Finding>& findings);
// True where it found something.
bool FindUnlikeSamples(const Subject& subject, std::vector<Finding>& findings);
// Nodes:
void FindMismatchedInputs(const PairedRun& run, const Gathered& gathered, NodeId id, std::vector<Finding>& findings);
void FindBiasOverflow(const PairedRun& run, const Gathered& gathered, NodeId id, std::vector<Finding>& findings);

// A number for a sentence: four digits.
std::string Digits(double number);

}  // namespace qlite::report

#endif  // QLITE_REPORT_FINDINGS_H_
