// What an entropy coder knows of a constant's integers: a partition of their range into symbols, and the symbols'
// frequencies.
//
// The fields u = q + 2^(width-1) of [0, 2^width) are cut by halving again and again; each part that is not halved any
// more is a symbol. A symbol of 2^e fields is followed by e extra bits that tell which of them it is. So frequent
// values are symbols of their own, while rare ones, the tails of a distribution, share a symbol; and a range of any
// width needs no more than 256 symbols.
#ifndef QLITE_FORMATS_QLITE_ENCODING_SYMBOL_MODEL_H_
#define QLITE_FORMATS_QLITE_ENCODING_SYMBOL_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/qlite/encoding/bit_stream.h"

namespace qlite {

inline constexpr int kMaxSymbols = 256;
// Frequencies sum to 2^kFrequencyBits.
inline constexpr int kFrequencyBits = 12;

struct Symbol {
  uint32_t first = 0;      // the least of its fields
  int extra_bits = 0;      // it has 2^extra_bits
  uint32_t frequency = 0;  // 0: never occurs
  uint32_t start = 0;      // the sum of the frequencies of the symbols before it in slot order
};

// Symbols lie in ascending order of their fields and cover all. In slot order those without extra bits come first, and
// within each kind they ascend.
struct SymbolModel {
  int width = 1;
  int precision = kFrequencyBits;  // frequencies are multiples of 2^(kFrequencyBits - precision)
  std::vector<Symbol> symbols;
  uint32_t first_extra_slot = 0;  // slots from here on belong to symbols with extra bits

  // The symbol that owns all slots, or none.
  const Symbol* Certain() const;
  bool HasExtraBits() const { return first_extra_slot < 1u << kFrequencyBits; }
};

// The partition and frequencies with which `counts`, how often each of the 2^width fields occurs, take the fewest bits,
// the model's own included; nearly so, as the search is over sums of estimates. At least one count is not 0. The same
// on every machine.
SymbolModel FitModel(std::span<const uint32_t> counts, int width);

// About the bytes of the symbols of these fields in an ideal code, without extra bits.
uint64_t CodedBytes(const SymbolModel& model, std::span<const uint32_t> counts);

void WriteModel(const SymbolModel& model, BitWriter& writer);
// kInvalidArgument where the bits end early, or frequencies do not sum up. width within 1..16.
absl::StatusOr<SymbolModel> ReadModel(BitReader& reader, int width);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_ENCODING_SYMBOL_MODEL_H_
