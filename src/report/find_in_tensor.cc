// Causes that one tensor shows.
#include <algorithm>
#include <cmath>

#include "core/str_cat.h"
#include "report/findings.h"

namespace qlite::report {
namespace {

// A channel this many times the median one is an outlier, where no more than a tenth are such.
constexpr double kOutlierRatio = 4, kOutlierShare = 0.1;
// The largest channel beside the largest of the rest, from where on it is worth naming.
constexpr double kLeastExcess = 2;
constexpr size_t kFewestChannels = 4;
constexpr double kSpreadRatio = 4;
// Share of a grid on the side where no values are.
constexpr double kIdleShare = 0.4;
constexpr double kSaturatedShare = 0.01;
constexpr size_t kFewestSamples = 4;
constexpr double kUnlikeRatio = 3;

double Decibel20(double ratio) { return 20 * std::log10(ratio); }

struct AliveChannel {
  size_t number;
  float magnitude;
};

// Those that are not all zero, smallest first.
std::vector<AliveChannel> AliveChannels(const TensorTally& tally) {
  std::vector<AliveChannel> alive;
  for (size_t c = 0; c < tally.channels().size(); ++c) {
    const float magnitude = tally.channels()[c].magnitude();
    if (magnitude > 0 && std::isfinite(magnitude)) alive.push_back({c, magnitude});
  }
  std::stable_sort(alive.begin(), alive.end(),
                   [](const AliveChannel& a, const AliveChannel& b) { return a.magnitude < b.magnitude; });
  return alive;
}

bool IsDepthwise(const Subject& subject) {
  if (!subject.id.valid()) return false;
  const Node& node = subject.run.original().node(subject.id);
  if (node.op != OpType::kConv || node.attr<ConvAttrs>().group < 2) return false;
  return subject.run.original().value(node.inputs[1]).constant->dims()[1] == 1;
}

}  // namespace

void FindOutlierChannels(const Subject& subject, std::vector<Finding>& findings) {
  const std::vector<AliveChannel> alive = AliveChannels(subject.gathered.tally);
  if (alive.size() < kFewestChannels) return;
  const double median = static_cast<double>(alive[alive.size() / 2].magnitude);
  size_t rest = alive.size();
  while (rest > 0 && static_cast<double>(alive[rest - 1].magnitude) > kOutlierRatio * median) --rest;
  const size_t outliers = alive.size() - rest;
  const auto most = std::max<size_t>(1, static_cast<size_t>(kOutlierShare * static_cast<double>(alive.size())));
  if (outliers == 0 || outliers > most) return;
  // What the grid could be cut down to without them.
  const double largest = static_cast<double>(alive.back().magnitude),
               rest_largest = static_cast<double>(alive[rest - 1].magnitude);
  const double ratio = largest / rest_largest;
  double signal = 0, noise = 0;
  for (size_t i = 0; i < rest; ++i) {
    const ChannelTally& channel = subject.gathered.tally.channels()[alive[i].number];
    signal += channel.signal;
    noise += subject.own_noise(channel);
  }
  if (ratio < kLeastExcess || Decibels(signal, noise) >= kAccurateDb) return;
  Finding finding = subject.Found(LossCause::kOutlierChannel, Remedy::kEqualize, Decibel20(ratio));
  finding.evidence = StrCat("channel ", alive.back().number, " reaches ", Digits(largest), ", ", Digits(ratio),
                            " times what the other ", rest, " reach, whose own rounding leaves them ",
                            Digits(Decibels(signal, noise)), " dB");
  finding.numbers = {{"channel", static_cast<double>(alive.back().number)}, {"ratio", ratio}, {"largest", largest}};
  findings.push_back(std::move(finding));
}

void FindWeightSpread(const Subject& subject, std::vector<Finding>& findings) {
  const GatheredTensor& gathered = subject.gathered;
  const std::vector<AliveChannel> alive = AliveChannels(gathered.tally);
  if (gathered.grid.pairs != 1 || gathered.channel_axis < 0 || alive.size() < 2) return;
  const double least = static_cast<double>(alive.front().magnitude),
               largest = static_cast<double>(alive.back().magnitude);
  const ChannelTally total = gathered.tally.Total();
  if (largest / least < kSpreadRatio || total.noise == 0) return;
  // Each channel with a symmetric grid of its own: a uniform error of one step.
  const double steps = std::exp2(gathered.grid.bits - 1) - 1;
  double rounding = 0, signal_to_noise = 0, own_signal_to_noise = 0;
  for (const AliveChannel& channel : alive) {
    const ChannelTally& tally = gathered.tally.channels()[channel.number];
    const double step = static_cast<double>(channel.magnitude) / steps;
    const double own = static_cast<double>(tally.count) * step * step / 12;
    rounding += own;
    signal_to_noise += tally.noise / tally.signal;
    own_signal_to_noise += own / tally.signal;
  }
  // By channel, since the layers behind may scale a small channel up again.
  const double gain = Decibels(signal_to_noise, own_signal_to_noise);
  const double present = -10 * std::log10(signal_to_noise / static_cast<double>(alive.size()));
  if (gain < kLeastGainDb || present >= kAccurateDb) return;
  const LossCause cause = IsDepthwise(subject) ? LossCause::kDepthwiseSpread : LossCause::kOutlierChannel;
  Finding finding = subject.Found(cause, Remedy::kPerChannel, gain);
  finding.evidence =
      StrCat("one scale for channels that reach from ", Digits(least), " to ", Digits(largest), " (channel ",
             alive.back().number, ") leaves a channel ", Digits(present), " dB on average");
  finding.numbers = {
      {"channel", static_cast<double>(alive.back().number)}, {"ratio", largest / least}, {"largest", largest}};
  findings.push_back(std::move(finding));
}

void FindDeadChannels(const Subject& subject, const Gathered& gathered, std::vector<Finding>& findings) {
  const TensorTally& tally = subject.gathered.tally;
  if (tally.channels().size() < 2 || !tally.compared()) return;
  size_t dead = 0, first = 0;
  double noise = 0, own_noise = 0;
  const double steps = std::exp2(subject.gathered.grid.bits - 1) - 1;
  for (size_t c = 0; c < tally.channels().size(); ++c) {
    const ChannelTally& channel = tally.channels()[c];
    if (channel.count < 2 || !(channel.min < channel.max) || channel.quantized_min != channel.quantized_max) continue;
    if (subject.is_constant && !WeightsMatter(subject.run, gathered, subject.id, c)) continue;
    if (dead++ == 0) first = c;
    const double step = static_cast<double>(channel.magnitude()) / steps;
    noise += channel.noise;
    own_noise += static_cast<double>(channel.count) * step * step / 12;
  }
  if (dead == 0 || noise == 0) return;
  const Remedy remedy = !subject.is_constant               ? Remedy::kEqualize
                        : subject.gathered.grid.pairs == 1 ? Remedy::kPerChannel
                                                           : Remedy::kKeepFloat;
  Finding finding = subject.Found(LossCause::kDeadChannel, remedy, Decibels(noise, own_noise));
  const ChannelTally& channel = tally.channels()[first];
  finding.evidence = StrCat(dead, " of ", tally.channels().size(),
                            " channels are one number each once quantized; channel ", first, " holds values from ",
                            Digits(static_cast<double>(channel.min)), " to ", Digits(static_cast<double>(channel.max)),
                            ", a step is ", Digits(static_cast<double>(subject.gathered.grid.scale)));
  finding.numbers = {{"channel", static_cast<double>(first)}, {"channels", static_cast<double>(dead)}};
  findings.push_back(std::move(finding));
}

void FindClippedRange(const Subject& subject, std::vector<Finding>& findings) {
  const ChannelTally total = subject.gathered.tally.Total();
  const Grid& grid = subject.gathered.grid;
  if (total.clipping == 0 || Decibels(total.signal, total.clipping + total.rounding) >= kAccurateDb) return;
  const double low = std::min(0.0, static_cast<double>(total.min)),
               high = std::max(0.0, static_cast<double>(total.max));
  const double widened = (high - low) / (static_cast<double>(grid.max) - static_cast<double>(grid.min));
  const double gain = Decibels(total.clipping + total.rounding, total.rounding * std::max(1.0, widened * widened));
  if (!(gain >= kLeastGainDb)) return;
  Finding finding = subject.Found(LossCause::kRangeClipped, Remedy::kFullRange, gain);
  const double clip = subject.gathered.tally.Clip();
  finding.evidence =
      StrCat(Digits(100 * clip), " % of the values lie outside of ", Digits(static_cast<double>(grid.min)), " to ",
             Digits(static_cast<double>(grid.max)), ", up to ", Digits(low), " and ", Digits(high),
             "; cutting them off costs ", Digits(total.clipping / (total.rounding + total.clipping) * 100),
             " % of the tensor's own error");
  finding.numbers = {{"clip", clip}, {"min", low}, {"max", high}};
  findings.push_back(std::move(finding));
}

void FindOneSided(const Subject& subject, std::vector<Finding>& findings) {
  const Grid& grid = subject.gathered.grid;
  const ChannelTally total = subject.gathered.tally.Total();
  if (total.count == 0 || total.signal == 0 || grid.zero_point != 0 || (grid.pairs > 1 && !subject.is_constant)) return;
  if (grid.pairs > 1 && grid.scheme != QuantScheme::kSymmetric) return;
  const bool positive = total.min >= 0, negative = total.max <= 0;
  if (!positive && !negative) return;
  const double whole = static_cast<double>(grid.max) - static_cast<double>(grid.min);
  const double used = static_cast<double>(positive ? grid.max : -grid.min);
  if ((whole - used) / whole < kIdleShare || Decibels(total.signal, subject.own_noise(total)) >= kAccurateDb) return;
  Finding finding = subject.Found(LossCause::kOneSidedSymmetric, Remedy::kAsymmetric, Decibel20(whole / used));
  finding.evidence =
      StrCat("values from ", Digits(static_cast<double>(total.min)), " to ", Digits(static_cast<double>(total.max)),
             " on integers for ", Digits(static_cast<double>(grid.min)), " to ", Digits(static_cast<double>(grid.max)),
             ": ", Digits(100 * (whole - used) / whole), " % of these are never used");
  finding.numbers = {{"idle", (whole - used) / whole}};
  findings.push_back(std::move(finding));
}

void FindSaturation(const Subject& subject, std::vector<Finding>& findings) {
  const TensorTally& tally = subject.gathered.tally;
  const ChannelTally total = tally.Total();
  double noise = 0, saturated = 0;
  for (const TensorTally::End* end : {&tally.low_end(), &tally.high_end()}) {
    // Where a clamp gathers float values at the end as well, noise around it is no saturation.
    if (end->saturated <= end->near) continue;
    saturated += static_cast<double>(end->saturated);
    noise += end->noise;
  }
  const double share = tally.elements() == 0 ? 0 : saturated / static_cast<double>(tally.elements());
  if (share < kSaturatedShare || Decibels(total.signal, total.noise) >= kAccurateDb) return;
  const double gain = Decibels(total.noise, std::max(total.noise - noise, total.rounding));
  if (!(gain >= kLeastGainDb)) return;
  Finding finding = subject.Found(LossCause::kSaturation, Remedy::kKeepFloat, gain);
  finding.evidence = StrCat(Digits(100 * share), " % of the values are at an end of their integers, ",
                            Digits(static_cast<double>(subject.gathered.grid.min)), " or ",
                            Digits(static_cast<double>(subject.gathered.grid.max)),
                            ", where the float ones lie two steps or more inside");
  finding.numbers = {{"share", share}};
  findings.push_back(std::move(finding));
}

bool FindUnlikeSamples(const Subject& subject, std::vector<Finding>& findings) {
  const std::vector<float>& samples = subject.gathered.tally.sample_magnitudes();
  if (samples.size() < kFewestSamples) return false;
  std::vector<float> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const double median = static_cast<double>(sorted[sorted.size() / 2]), largest = static_cast<double>(sorted.back());
  if (!(median > 0) || largest < kUnlikeRatio * median) return false;
  // Only where that sample has set the range.
  const Grid& grid = subject.gathered.grid;
  if (std::max(static_cast<double>(grid.max), -static_cast<double>(grid.min)) < 0.75 * largest) return false;
  const auto which = std::max_element(samples.begin(), samples.end()) - samples.begin();
  Finding finding = subject.Found(LossCause::kUnlikeSamples, Remedy::kCheckSamples, Decibel20(largest / median));
  finding.evidence = StrCat("sample ", which, " reaches ", Digits(largest), ", ", Digits(largest / median),
                            " times the median of ", samples.size(), " samples, and sets the range for all");
  finding.numbers = {{"sample", static_cast<double>(which)}, {"ratio", largest / median}};
  findings.push_back(std::move(finding));
  return true;
}

}  // namespace qlite::report
