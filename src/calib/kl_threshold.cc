#include "calib/kl_threshold.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace qlite::calib {
namespace {

double XLogX(double x) { return x > 0 ? x * PortableLog(x) : 0; }

}  // namespace

double PortableLog(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh(s) with s = (m - 1) / (m + 1), |s| < 0.1716.
  constexpr double kLn2 = 0.693147180559945309417;
  constexpr uint64_t kSqrtHalfBits = 0x3FE6A09E667F3BCDull;
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint64_t above = bits - kSqrtHalfBits;
  const int64_t exponent = static_cast<int64_t>(above) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<uint64_t>(exponent) << 52));
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  // The series ends where the next term is below the rounding of the first.
  double sum = 1.0 / 19;
  for (int k = 17; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
  return static_cast<double>(exponent) * kLn2 + 2 * s * sum;
}

RangeDivergence::RangeDivergence(const SignedHistogram& histogram)
    : negative_bins_(static_cast<int64_t>(histogram.negative.size())),
      positive_bins_(static_cast<int64_t>(histogram.positive.size())) {
  for (std::vector<double>* sums : {&mass_, &filled_, &entropy_}) {
    sums->reserve(histogram.negative.size() + histogram.positive.size() + 1);
    sums->push_back(0);
  }
  const auto append = [this](uint64_t count) {
    const double mass = static_cast<double>(count);
    mass_.push_back(mass_.back() + mass);
    filled_.push_back(filled_.back() + (count > 0 ? 1 : 0));
    entropy_.push_back(entropy_.back() + XLogX(mass));
  };
  std::for_each(histogram.negative.rbegin(), histogram.negative.rend(), append);
  std::for_each(histogram.positive.begin(), histogram.positive.end(), append);
}

class RangeDivergence::CrossEntropy {
 public:
  // Bins [begin, end) with `below` and `above` outside, in so many cells.
  CrossEntropy(const RangeDivergence& bins, int64_t begin, int64_t end, double below, double above, int64_t cells)
      : bins_(bins), begin_(begin), end_(end), below_(below), above_(above) {
    stretches_.reserve(static_cast<size_t>(2 * cells));
  }

  // Adds the cell from `from_rest` (a share of a bin) into bin `from` to `to_rest` into bin `to`; cells come in order.
  void AddCell(int64_t from, double from_rest, int64_t to, double to_rest) {
    double mass = bins_.Mass(from, to) - from_rest * Count(from);
    double filled = FilledBetween(from, to) - from_rest * Filled(from);
    if (to_rest > 0) {
      mass += to_rest * Count(to);
      filled += to_rest * Filled(to);
    }
    const double density = filled > 0 ? mass / filled : 0;
    if (from == to) {
      partial_ += density * (to_rest - from_rest);
      return;
    }
    int64_t whole = from;
    if (from_rest > 0) {
      AddBins(from, from + 1, partial_ + density * (1 - from_rest));
      ++whole;
    }
    if (whole < to) AddBins(whole, to, density);
    partial_ = density * to_rest;
  }

  // The sum of P ln Q; minus infinity where Q is 0 and P is not. Logarithms one right behind the other overlap.
  double Sum() const {
    double sum = 0;
    for (const Stretch& bins : stretches_) {
      sum += bins.q > 0 ? bins.mass * PortableLog(bins.q) : -std::numeric_limits<double>::infinity();
    }
    return sum;
  }

 private:
  // Neighbouring bins with Q = q each, and the sum of their P.
  struct Stretch {
    double mass, q;
  };

  double Count(int64_t bin) const { return bins_.Mass(bin, bin + 1); }
  // The end bins take in what lies outside: they hold something in P even where the histogram has nothing.
  double Extra(int64_t bin) const { return (bin == begin_ ? below_ : 0) + (bin == end_ - 1 ? above_ : 0); }
  double Filled(int64_t bin) const { return Count(bin) > 0 || Extra(bin) > 0 ? 1 : 0; }
  double FilledBetween(int64_t from, int64_t to) const {
    double filled = bins_.Filled(from, to);
    if (from <= begin_ && begin_ < to && Count(begin_) == 0) filled += Filled(begin_);
    if (from < end_ && end_ <= to && end_ - 1 != begin_ && Count(end_ - 1) == 0) filled += Filled(end_ - 1);
    return filled;
  }

  // Bins [from, to), wholly behind the cells so far, have Q = q each.
  void AddBins(int64_t from, int64_t to, double q) {
    double mass = bins_.Mass(from, to);
    if (from <= begin_ && begin_ < to) mass += below_;
    if (from < end_ && end_ <= to) mass += above_;
    if (mass > 0) stretches_.push_back({mass, q});
  }

  const RangeDivergence& bins_;
  int64_t begin_, end_;
  double below_, above_;
  double partial_ = 0;  // Q of the bin that the next cell begins in, as far as earlier cells gave it
  std::vector<Stretch> stretches_;
};

double RangeDivergence::Compute(int64_t negative_bins, int64_t positive_bins, int64_t levels) const {
  const int64_t begin = -negative_bins, end = positive_bins, span = end - begin;
  const double total = mass_.back();
  const double inside = Mass(begin, end);
  const double below = Mass(-negative_bins_, begin), above = Mass(end, positive_bins_);
  if (inside <= 0) return std::numeric_limits<double>::infinity();
  // P is the histogram but for the end bins.
  double p_log_p = entropy_[Index(end)] - entropy_[Index(begin)];
  const auto raise = [&](int64_t bin, double extra) {
    const double count = Mass(bin, bin + 1);
    p_log_p += XLogX(count + extra) - XLogX(count);
  };
  if (span == 1) {
    raise(begin, below + above);
  } else {
    raise(begin, below);
    raise(end - 1, above);
  }
  CrossEntropy p_log_q(*this, begin, end, below, above, levels);
  const double unit = 1.0 / static_cast<double>(levels);
  const int64_t whole = span / levels, rest = span % levels;
  int64_t from = begin, from_rest = 0;
  for (int64_t cell = 0; cell < levels; ++cell) {
    const int64_t carry = from_rest + rest >= levels ? 1 : 0;
    const int64_t to = from + whole + carry, to_rest = from_rest + rest - carry * levels;
    p_log_q.AddCell(from, static_cast<double>(from_rest) * unit, to, static_cast<double>(to_rest) * unit);
    from = to, from_rest = to_rest;
  }
  return (p_log_p - p_log_q.Sum()) / total - PortableLog(total) + PortableLog(inside);
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
