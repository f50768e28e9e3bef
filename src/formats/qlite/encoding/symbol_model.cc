#include "formats/qlite/encoding/symbol_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr uint32_t kSlots = 1u << kFrequencyBits;
constexpr std::array<int, 3> kPrecisions = {8, 10, 12};
constexpr int kLeastPrecision = 8;
constexpr int kPrecisionBits = 3, kOrderBits = 4;
constexpr int kMaxOrder = 12;
// What an occurrence with extra bits counts beyond them, for it takes longer to decode. Integers of more than 8 bits
// have them nearly all, and few are decoded at once in any case.
double ExtraPenalty(int width, uint64_t total) { return width <= 8 && total >= (1u << 17) ? 0.25 : 0; }

// Of a positive number. By operations that every machine rounds alike, unlike the C library's: 2 atanh(t) / ln 2 as a
// series in t = (m - 1) / (m + 1) for m in [0.7, 1.42]; good to 1e-9.
double Log2(double x) {
  int exponent;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678) m *= 2, --exponent;
  const double t = (m - 1) / (m + 1), square = t * t;
  double series = 0;
  for (int k = 11; k >= 1; k -= 2) series = series * square + 1.0 / k;
  return exponent + 2.8853900817779268 * t * series;
}

// Searches the partitions by halving for the cheapest: the tree's node i has the children 2i and 2i + 1, and the fields
// are its leaves from 2^width on.
class PartitionSearch {
 public:
  PartitionSearch(std::span<const uint32_t> counts, int width)
      : width_(width),
        counts_(size_t{2} << width),
        information_(counts_.size()),
        costs_(counts_.size()),
        halved_(counts_.size()) {
    std::copy(counts.begin(), counts.end(), counts_.begin() + (std::ptrdiff_t{1} << width));
    for (size_t i = (size_t{1} << width) - 1; i > 0; --i) counts_[i] = counts_[2 * i] + counts_[2 * i + 1];
    total_ = static_cast<double>(counts_[1]);
    extra_penalty_ = ExtraPenalty(width, counts_[1]);
    const double log_total = Log2(total_);
    for (size_t i = 1; i < counts_.size(); ++i) {
      const auto count = static_cast<double>(counts_[i]);
      if (count > 0) information_[i] = count * (log_total - Log2(count));
    }
  }

  // Symbols without frequencies; at most kMaxSymbols.
  std::vector<Symbol> Cheapest(int precision) {
    log_least_ = precision;
    least_share_ = std::ldexp(1.0, -precision);
    double symbol_bits = 7;
    std::vector<Symbol> symbols;
    do {
      Weigh(symbol_bits);
      symbols.clear();
      Collect(1, width_, 0, symbols);
      symbol_bits *= 2;
    } while (symbols.size() > static_cast<size_t>(kMaxSymbols));
    return symbols;
  }

  // How often the symbol occurs.
  uint32_t CountOf(const Symbol& symbol) const {
    return static_cast<uint32_t>(counts_[((size_t{1} << width_) + symbol.first) >> symbol.extra_bits]);
  }

 private:
  // Bits that the node's fields take as one symbol. A share below the least takes slots from all others.
  double CostAsOne(size_t node, int extra_bits, double symbol_bits) const {
    if (counts_[node] == 0) return symbol_bits / 2;
    const auto count = static_cast<double>(counts_[node]);
    const double least = least_share_ * total_, extra = extra_bits > 0 ? extra_bits + extra_penalty_ : 0;
    if (count >= least) return information_[node] + count * extra + symbol_bits;
    return count * (log_least_ + extra) + 1.4426950408889634 * (least - count) + symbol_bits;
  }

  void Weigh(double symbol_bits) {
    for (int extra_bits = 0; extra_bits <= width_; ++extra_bits) {
      const size_t begin = size_t{1} << (width_ - extra_bits);
      for (size_t node = begin; node < 2 * begin; ++node) {
        const double as_one = CostAsOne(node, extra_bits, symbol_bits);
        const double halves = extra_bits == 0 ? HUGE_VAL : costs_[2 * node] + costs_[2 * node + 1];
        halved_[node] = halves < as_one;
        costs_[node] = std::min(as_one, halves);
      }
    }
  }

  void Collect(size_t node, int extra_bits, uint32_t first, std::vector<Symbol>& symbols) const {
    if (!halved_[node]) {
      symbols.push_back({first, extra_bits, 0, 0});
      return;
    }
    Collect(2 * node, extra_bits - 1, first, symbols);
    Collect(2 * node + 1, extra_bits - 1, first + (1u << (extra_bits - 1)), symbols);
  }

  int width_;
  std::vector<uint64_t> counts_;
  std::vector<double> information_;  // bits of each node's occurrences in an ideal code
  std::vector<double> costs_;
  std::vector<char> halved_;
  double extra_penalty_ = 0, total_ = 0, log_least_ = 0, least_share_ = 0;
};

// Positive frequencies of `precision` bits for all symbols that occur, proportional to their counts as nearly as whole
// numbers with the right sum can be.
std::vector<uint32_t> Apportion(const std::vector<uint32_t>& counts, int precision) {
  uint64_t total = 0;
  for (const uint32_t count : counts) total += count;
  const int64_t sum = int64_t{1} << precision;
  std::vector<uint32_t> frequencies;
  int64_t missing = sum;
  for (const uint32_t count : counts) {
    const uint64_t rounded = ((uint64_t{count} << (precision + 1)) + total) / (2 * total);
    frequencies.push_back(count == 0 ? 0 : std::max<uint32_t>(1, static_cast<uint32_t>(rounded)));
    missing -= frequencies.back();
  }
  // One slot more or less changes a symbol's bits by about count / frequency.
  const auto worth = [&](size_t i, double frequency) { return static_cast<double>(counts[i]) / frequency; };
  for (; missing != 0; missing += missing > 0 ? -1 : 1) {
    size_t best = 0;
    double best_worth = missing > 0 ? -1 : HUGE_VAL;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (missing > 0 && counts[i] > 0) {
        const double gain = worth(i, frequencies[i] + 0.5);
        if (gain > best_worth) best = i, best_worth = gain;
      } else if (missing < 0 && frequencies[i] > 1) {
        const double loss = worth(i, frequencies[i] - 0.5);
        if (loss < best_worth) best = i, best_worth = loss;
      }
    }
    frequencies[best] += missing > 0 ? 1 : ~0u;
  }
  return frequencies;
}

void AssignSlots(SymbolModel& model) {
  uint32_t start = 0;
  for (const bool extra : {false, true}) {
    if (extra) model.first_extra_slot = start;
    for (Symbol& symbol : model.symbols) {
      if ((symbol.extra_bits > 0) != extra) continue;
      symbol.start = start;
      start += symbol.frequency;
    }
  }
}

// Bits that symbols of these counts take under the model, and the model itself, and what decoding counts for.
double CostOf(const SymbolModel& model, const std::vector<uint32_t>& counts) {
  BitWriter writer;
  WriteModel(model, writer);
  auto bits = static_cast<double>(writer.count());
  const double penalty = ExtraPenalty(model.width, std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const Symbol& symbol = model.symbols[i];
    const double extra = symbol.extra_bits > 0 ? symbol.extra_bits + penalty : 0;
    bits += counts[i] * (kFrequencyBits - Log2(symbol.frequency) + extra);
  }
  return bits;
}

// Differences of neighbouring frequencies, which vary little along a distribution, as numbers that are not negative.
std::vector<uint32_t> Differences(const SymbolModel& model) {
  std::vector<uint32_t> differences;
  int32_t last = 0;
  for (const Symbol& symbol : model.symbols) {
    const auto frequency = static_cast<int32_t>(symbol.frequency >> (kFrequencyBits - model.precision));
    const int32_t difference = frequency - last;
    differences.push_back(static_cast<uint32_t>(difference) << 1 ^ static_cast<uint32_t>(difference >> 31));
    last = frequency;
  }
  return differences;
}

int CheapestOrder(const std::vector<uint32_t>& numbers) {
  const auto bits = [&numbers](int k) {
    int64_t sum = 0;
    for (const uint32_t n : numbers) sum += 2 * std::bit_width(n + (uint64_t{1} << k)) - 1 - k;
    return sum;
  };
  int best = 0;
  for (int k = 1; k <= kMaxOrder; ++k) best = bits(k) < bits(best) ? k : best;
  return best;
}

void WritePartition(const std::vector<Symbol>& symbols, size_t& next, int size_bits, BitWriter& writer) {
  const bool halved = symbols[next].extra_bits < size_bits;
  if (size_bits > 0) writer.Write(halved, 1);
  if (!halved) {
    ++next;
    return;
  }
  WritePartition(symbols, next, size_bits - 1, writer);
  WritePartition(symbols, next, size_bits - 1, writer);
}

// Stops at more symbols than there may be.
void ReadPartition(BitReader& reader, int size_bits, uint32_t first, std::vector<Symbol>& symbols) {
  if (symbols.size() > static_cast<size_t>(kMaxSymbols)) return;
  if (size_bits == 0 || reader.Read(1) == 0) {
    symbols.push_back({first, size_bits, 0, 0});
    return;
  }
  ReadPartition(reader, size_bits - 1, first, symbols);
  ReadPartition(reader, size_bits - 1, first + (1u << (size_bits - 1)), symbols);
}

}  // namespace

const Symbol* SymbolModel::Certain() const {
  for (const Symbol& symbol : symbols) {
    if (symbol.frequency == kSlots) return &symbol;
  }
  return nullptr;
}

SymbolModel FitModel(std::span<const uint32_t> counts, int width) {
  PartitionSearch search(counts, width);
  SymbolModel best;
  double best_cost = HUGE_VAL;
  for (const int precision : kPrecisions) {
    SymbolModel model{.width = width, .precision = precision, .symbols = search.Cheapest(precision)};
    std::vector<uint32_t> symbol_counts;
    for (const Symbol& symbol : model.symbols) symbol_counts.push_back(search.CountOf(symbol));
    const std::vector<uint32_t> frequencies = Apportion(symbol_counts, precision);
    for (size_t i = 0; i < frequencies.size(); ++i) {
      model.symbols[i].frequency = frequencies[i] << (kFrequencyBits - precision);
    }
    const double cost = CostOf(model, symbol_counts);
    if (cost >= best_cost) continue;
    best_cost = cost;
    best = std::move(model);
  }
  AssignSlots(best);
  return best;
}

uint64_t CodedBytes(const SymbolModel& model, std::span<const uint32_t> counts) {
  double bits = 0;
  for (const Symbol& symbol : model.symbols) {
    uint64_t count = 0;
    for (const uint32_t n : counts.subspan(symbol.first, size_t{1} << symbol.extra_bits)) count += n;
    if (count > 0) bits += static_cast<double>(count) * (kFrequencyBits - Log2(symbol.frequency));
  }
  return static_cast<uint64_t>(bits / 8);
}

void WriteModel(const SymbolModel& model, BitWriter& writer) {
  const std::vector<uint32_t> differences = Differences(model);
  const int order = CheapestOrder(differences);
  writer.Write(static_cast<uint32_t>(model.precision - kLeastPrecision), kPrecisionBits);
  writer.Write(static_cast<uint32_t>(order), kOrderBits);
  size_t next = 0;
  WritePartition(model.symbols, next, model.width, writer);
  for (const uint32_t difference : differences) writer.WriteGolomb(difference, order);
}

absl::StatusOr<SymbolModel> ReadModel(BitReader& reader, int width) {
  SymbolModel model;
  model.width = width;
  model.precision = kLeastPrecision + static_cast<int>(reader.Read(kPrecisionBits));
  const int order = static_cast<int>(reader.Read(kOrderBits));
  if (model.precision > kFrequencyBits || order > kMaxOrder) {
    return absl::InvalidArgumentError(
        StrCat("frequencies of ", model.precision, " bits in a code of order ", order, " are unknown"));
  }
  ReadPartition(reader, width, 0, model.symbols);
  if (model.symbols.size() > static_cast<size_t>(kMaxSymbols)) {
    return absl::InvalidArgumentError(StrCat("there are more than ", kMaxSymbols, " symbols"));
  }
  int64_t frequency = 0, sum = 0;
  for (Symbol& symbol : model.symbols) {
    const uint32_t difference = reader.ReadGolomb(order);
    frequency += static_cast<int32_t>(difference >> 1 ^ (0u - (difference & 1)));
    if (frequency < 0 || frequency > 1 << model.precision || reader.overrun()) {
      return absl::InvalidArgumentError(reader.overrun() ? "the table of symbols ends early"
                                                         : StrCat("a symbol has the frequency ", frequency));
    }
    symbol.frequency = static_cast<uint32_t>(frequency) << (kFrequencyBits - model.precision);
    sum += symbol.frequency;
  }
  if (sum != kSlots) {
    return absl::InvalidArgumentError(StrCat("the symbols' frequencies sum to ", sum, ", expected ", kSlots));
  }
  AssignSlots(model);
  return model;
}

}  // namespace qlite
