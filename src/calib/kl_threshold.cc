#include "calib/kl_threshold.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernels/log_f64.h"

namespace qlite::calib {
namespace {

const kernels::LogF64Kernels& Logs() { return kernels::LogF64(kernels::BestVectorIsa()); }

double XLogX(double x) { return x > 0 ? x * PortableLog(x) : 0; }

}  // namespace

double PortableLog(double x) {
  double log;
  Logs().log(&x, 1, &log);
  return log;
}

RangeDivergence::RangeDivergence(const SignedHistogram& histogram)
    : negative_bins_(static_cast<int64_t>(histogram.negative.size())),
      positive_bins_(static_cast<int64_t>(histogram.positive.size())) {
  const size_t bins = histogram.negative.size() + histogram.positive.size();
  std::vector<double> counts, logs(bins);
  counts.reserve(bins);
  const auto append = [&counts](uint64_t count) { counts.push_back(static_cast<double>(count)); };
  std::for_each(histogram.negative.rbegin(), histogram.negative.rend(), append);
  std::for_each(histogram.positive.begin(), histogram.positive.end(), append);
  Logs().log(counts.data(), std::ssize(counts), logs.data());
  sums_.resize(bins + 2);
  entropy_.resize(bins + 1);
  for (size_t i = 0; i < bins; ++i) {
    const bool filled = counts[i] > 0;
    sums_[i + 1] = {sums_[i].mass + counts[i], sums_[i].filled + (filled ? 1 : 0)};
    entropy_[i + 1] = entropy_[i] + (filled ? counts[i] * logs[i] : 0);
  }
  sums_.back() = sums_[bins];
}

// Q of one candidate, cell by cell: the bins [begin, end), `below` and `above` outside, `levels` cells over them.
class RangeDivergence::Cells {
 public:
  Cells(const RangeDivergence& bins, int64_t begin, int64_t end, double below, double above, int64_t levels)
      : bins_(bins), begin_(begin), end_(end), levels_(levels) {
    LocateEdges(below, above);
    SpreadMasses();
    AddOutside(begin, below);
    AddOutside(end - 1, above);
  }

  // The sum of P ln Q; minus infinity where Q is 0 and P is not.
  double CrossEntropy() const {
    return Logs().weighted_log_sum(masses_.data(), densities_.data(), std::ssize(masses_));
  }

 private:
  // Where a cell begins and the one before it ends: `rest`, a share, into the bin `bin`. `start` sums the bins before
  // that one, `next` takes it in.
  struct Edge {
    int64_t bin;
    double rest;
    Sums start, next;
  };

  // The end bins take in what lies outside: they hold something in P even where the histogram has nothing.
  void LocateEdges(double below, double above) {
    const bool single = end_ - begin_ == 1;
    const auto fills = [this](int64_t bin, double outside) {
      return bins_.Mass(bin, bin + 1) == 0 && outside > 0 ? 1.0 : 0.0;
    };
    const double first_fills = fills(begin_, single ? below + above : below);
    const double last_fills = single ? 0 : fills(end_ - 1, above);
    const auto sums_before = [&](int64_t bin) {
      Sums sums = bins_.sums_[bins_.Index(bin)];
      sums.filled += (bin > begin_ ? first_fills : 0) + (bin >= end_ ? last_fills : 0);
      return sums;
    };
    const double unit = 1.0 / static_cast<double>(levels_);
    const int64_t whole = (end_ - begin_) / levels_, rest = (end_ - begin_) % levels_;
    edges_.resize(static_cast<size_t>(levels_ + 1));
    int64_t bin = begin_, into = 0;
    for (Edge& edge : edges_) {
      edge = {bin, static_cast<double>(into) * unit, sums_before(bin), sums_before(bin + 1)};
      const int64_t carry = into + rest >= levels_ ? 1 : 0;
      bin += whole + carry, into += rest - carry * levels_;
    }
  }

  // A cell's stretches of equal Q: the bin that it shares with earlier cells, where it begins inside one, then the bins
  // up to the one that later cells share. A stretch that is not there has no mass.
  void SpreadMasses() {
    const size_t cells = static_cast<size_t>(levels_);
    masses_.resize(2 * cells);
    densities_.resize(2 * cells);
    double shared = 0;  // Q of the bin that the cell begins in, as far as earlier cells gave it
    for (size_t cell = 0; cell < cells; ++cell) {
      const Edge &from = edges_[cell], &to = edges_[cell + 1];
      const Sums first = Between(from.start, from.next), last = Between(to.start, to.next);
      const Sums all = Between(from.start, to.start);
      const double mass = all.mass - from.rest * first.mass + to.rest * last.mass;
      const double filled = all.filled - from.rest * first.filled + to.rest * last.filled;
      const double density = filled > 0 ? mass / filled : 0;
      const bool inside_one = from.bin == to.bin, begins_inside = from.rest > 0;
      masses_[2 * cell] = begins_inside && !inside_one ? first.mass : 0;
      densities_[2 * cell] = shared + density * (1 - from.rest);
      masses_[2 * cell + 1] = begins_inside ? to.start.mass - from.next.mass : all.mass;
      densities_[2 * cell + 1] = density;
      shared = inside_one ? shared + density * (to.rest - from.rest) : density * to.rest;
    }
  }

  // Adds to P of a bin of the range what lies outside.
  void AddOutside(int64_t bin, double mass) {
    // The cell that the bin ends in.
    const int64_t cell = ((bin - begin_ + 1) * levels_ - 1) / (end_ - begin_);
    const Edge& from = edges_[static_cast<size_t>(cell)];
    const bool shared = from.bin == bin && from.rest > 0;
    masses_[static_cast<size_t>(2 * cell + (shared ? 0 : 1))] += mass;
  }

  static Sums Between(const Sums& from, const Sums& to) { return {to.mass - from.mass, to.filled - from.filled}; }

  const RangeDivergence& bins_;
  int64_t begin_, end_, levels_;
  std::vector<Edge> edges_;
  std::vector<double> masses_, densities_;  // of two stretches a cell: P together, and Q of each bin
};

double RangeDivergence::Compute(int64_t negative_bins, int64_t positive_bins, int64_t levels) const {
  const int64_t begin = -negative_bins, end = positive_bins;
  const double total = sums_.back().mass;
  const double inside = Mass(begin, end);
  const double below = Mass(-negative_bins_, begin), above = Mass(end, positive_bins_);
  if (inside <= 0) return std::numeric_limits<double>::infinity();
  // P is the histogram but for the end bins.
  double p_log_p = entropy_[Index(end)] - entropy_[Index(begin)];
  const auto raise = [&](int64_t bin, double extra) {
    const double count = Mass(bin, bin + 1);
    p_log_p += XLogX(count + extra) - XLogX(count);
  };
  if (end - begin == 1) {
    raise(begin, below + above);
  } else {
    raise(begin, below);
    raise(end - 1, above);
  }
  const double p_log_q = Cells(*this, begin, end, below, above, levels).CrossEntropy();
  return (p_log_p - p_log_q) / total - PortableLog(total) + PortableLog(inside);
}

RangeNoise::RangeNoise(const SignedHistogram& histogram)
    : bin_width_(histogram.bin_width),
      negative_(MakeTails(histogram.negative, histogram.bin_width)),
      positive_(MakeTails(histogram.positive, histogram.bin_width)) {}

std::vector<RangeNoise::Tail> RangeNoise::MakeTails(const std::vector<uint64_t>& counts, double bin_width) {
  std::vector<Tail> tails(counts.size() + 1);
  for (size_t i = counts.size(); i-- > 0;) {
    const double count = static_cast<double>(counts[i]);
    const double magnitude = (static_cast<double>(i) + 0.5) * bin_width;
    const Tail& behind = tails[i + 1];
    tails[i] = {behind.count + count, behind.first + count * magnitude, behind.second + count * magnitude * magnitude};
  }
  return tails;
}

double RangeNoise::Compute(int64_t negative_bins, int64_t positive_bins, int64_t levels) const {
  constexpr double kClippingWeight = 4;
  const double step = static_cast<double>(negative_bins + positive_bins) * bin_width_ / static_cast<double>(levels - 1);
  double inside = 0, clipped = 0;
  for (const auto& [tails, bins] : {std::pair(&negative_, negative_bins), std::pair(&positive_, positive_bins)}) {
    const Tail& tail = (*tails)[static_cast<size_t>(bins)];
    const double threshold = static_cast<double>(bins) * bin_width_;
    inside += tails->front().count - tail.count;
    // The sum of (x - threshold)^2; rounding may leave it a little below zero.
    clipped += std::max(0.0, tail.second - 2 * threshold * tail.first + threshold * threshold * tail.count);
  }
  return inside * step * step / 12 + kClippingWeight * clipped;
}

ObservedRange FindRangeByDivergence(const SignedHistogram& histogram, int bits) {
  constexpr int64_t kMaxCandidates = 512;
  constexpr double kAllowedNoise = 1.1;
  const int64_t levels = int64_t{1} << bits;
  const int64_t negative = static_cast<int64_t>(histogram.negative.size());
  const int64_t positive = static_cast<int64_t>(histogram.positive.size());
  const int64_t last = std::max(negative, positive);
  const auto span = [&](int64_t bins) { return std::min(bins, negative) + std::min(bins, positive); };
  if (span(last) <= levels) return {histogram.min, histogram.max};
  int64_t first = levels / 2;
  while (span(first) < levels) ++first;
  const int64_t step = std::max<int64_t>(1, (last - first + kMaxCandidates - 1) / kMaxCandidates);

  struct Candidate {
    int64_t bins;
    double noise;
  };
  const RangeNoise noise(histogram);
  std::vector<Candidate> candidates;
  double least_noise = std::numeric_limits<double>::infinity();
  for (int64_t bins = first; bins < last + step; bins += step) {
    const int64_t candidate = std::min(bins, last);
    candidates.push_back(
        {candidate, noise.Compute(std::min(candidate, negative), std::min(candidate, positive), levels)});
    least_noise = std::min(least_noise, candidates.back().noise);
  }
  const RangeDivergence divergence(histogram);
  double least_divergence = std::numeric_limits<double>::infinity();
  int64_t best = last;
  for (const Candidate& candidate : candidates) {
    if (candidate.noise > kAllowedNoise * least_noise) continue;
    const double found =
        divergence.Compute(std::min(candidate.bins, negative), std::min(candidate.bins, positive), levels);
    if (found < least_divergence) least_divergence = found, best = candidate.bins;
  }
  const double threshold = static_cast<double>(best) * histogram.bin_width;
  const float high = static_cast<float>(std::min<double>(histogram.max, threshold));
  const float low = static_cast<float>(std::max<double>(histogram.min, -threshold));
  return {std::min(low, high), high};
}

}  // namespace qlite::calib
