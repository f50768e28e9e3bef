#include "calib/kl_threshold.h"

#include <algorithm>
#include <bit>
#include <limits>

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
  mass_ = filled_ = entropy_ = {0};
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
  // Bins [begin, end) with `below` and `above` outside.
  CrossEntropy(const RangeDivergence& bins, int64_t begin, int64_t end, double below, double above)
      : bins_(bins), begin_(begin), end_(end), below_(below), above_(above) {}

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

  // The sum of P ln Q; minus infinity where Q is 0 and P is not.
  double sum() const { return sum_; }

 private:
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
    if (mass > 0) sum_ += q > 0 ? mass * PortableLog(q) : -std::numeric_limits<double>::infinity();
  }

  const RangeDivergence& bins_;
  int64_t begin_, end_;
  double below_, above_;
  double partial_ = 0;  // Q of the bin that the next cell begins in, as far as earlier cells gave it
  double sum_ = 0;
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
  CrossEntropy p_log_q(*this, begin, end, below, above);
  for (int64_t cell = 0; cell < levels; ++cell) {
    const int64_t from = cell * span, to = from + span;
    const double unit = 1.0 / static_cast<double>(levels);
    p_log_q.AddCell(begin + from / levels, static_cast<double>(from % levels) * unit, begin + to / levels,
                    static_cast<double>(to % levels) * unit);
  }
  return (p_log_p - p_log_q.sum()) / total - PortableLog(total) + PortableLog(inside);
}

ObservedRange FindRangeByDivergence(const SignedHistogram& histogram, int bits) {
  constexpr int64_t kMaxCandidates = 512;
  const int64_t levels = int64_t{1} << bits;
  const int64_t negative = static_cast<int64_t>(histogram.negative.size());
  const int64_t positive = static_cast<int64_t>(histogram.positive.size());
  const int64_t last = std::max(negative, positive);
  const auto span = [&](int64_t bins) { return std::min(bins, negative) + std::min(bins, positive); };
  if (span(last) <= levels) return {histogram.min, histogram.max};
  int64_t first = levels / 2;
  while (span(first) < levels) ++first;
  const int64_t step = std::max<int64_t>(1, (last - first + kMaxCandidates - 1) / kMaxCandidates);

  const RangeDivergence divergence(histogram);
  double best_divergence = std::numeric_limits<double>::infinity();
  int64_t best = last;
  for (int64_t bins = first; bins < last + step; bins += step) {
    const int64_t candidate = std::min(bins, last);
    const double found = divergence.Compute(std::min(candidate, negative), std::min(candidate, positive), levels);
    if (found < best_divergence) best_divergence = found, best = candidate;
  }
  const double threshold = static_cast<double>(best) * histogram.bin_width;
  const float high = static_cast<float>(std::min<double>(histogram.max, threshold));
  const float low = static_cast<float>(std::max<double>(histogram.min, -threshold));
  return {std::min(low, high), high};
}

}  // namespace qlite::calib
