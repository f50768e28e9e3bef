#include "formats/qlite/encoding/entropy_form.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/functional/function_ref.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/qlite/encoding/bit_stream.h"
#include "formats/qlite/encoding/symbol_model.h"
#include "kernels/rans_decode.h"

namespace qlite {
namespace {

using kernels::kRansLanes;
using kernels::kRansLeastState;
using kernels::kRansSlots;
static_assert(kernels::kRansBits == kFrequencyBits);

constexpr int kMaxLanesLog2 = 5, kLanesBits = 3;
static_assert(1 << kMaxLanesLog2 == kRansLanes);
constexpr int kLeastChunkLog2 = 16, kMaxChunkLog2 = 24, kChunkBits = 4;
// A state costs 3 bytes beyond what it holds, and a chunk its directory too: coded bytes a state, and a chunk, so that
// both stay well below 1 %. All 32 states are decoded several times as fast as fewer are, which few values can do
// without.
constexpr uint64_t kBytesPerLane = 400, kBytesPerLaneOfFew = 3 * kBytesPerLane;
constexpr size_t kFewValues = size_t{1} << 17;
constexpr uint64_t kBytesPerChunk = 2 * kRansLanes * kBytesPerLane;

// How the values are cut and coded.
struct Plan {
  int lanes_log2 = 0;
  int chunk_log2 = kLeastChunkLog2;
  SymbolModel model;

  size_t lanes() const { return size_t{1} << lanes_log2; }
  size_t chunk_size() const { return size_t{1} << chunk_log2; }
  size_t chunks(size_t values) const { return (values + chunk_size() - 1) / chunk_size(); }
  bool coded() const { return model.Certain() == nullptr; }
};

// The bytes of one chunk's parts. Both stand in the file as 32-bit numbers where the plan has such a part.
struct ChunkSizes {
  uint32_t words = 0;  // of 2 bytes
  uint32_t extra_bytes = 0;
};

uint64_t ChunkBytes(const Plan& plan, const ChunkSizes& sizes) {
  return (plan.coded() ? sizeof(uint32_t) * plan.lanes() : 0) + uint64_t{2} * sizes.words + sizes.extra_bytes;
}

void ForEachChunk(Executor* executor, size_t chunks, absl::FunctionRef<void(size_t)> work) {
  const auto range = [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) work(static_cast<size_t>(i));
  };
  if (executor == nullptr || chunks == 1) {
    range(0, static_cast<int64_t>(chunks), 0);
  } else {
    executor->ParallelFor(static_cast<int64_t>(chunks), range);
  }
}

template <class T>
uint32_t FieldOf(T value, int width) {
  return static_cast<uint32_t>(value + (1 << (width - 1)));
}

template <class T>
std::vector<uint32_t> CountFields(std::span<const T> values, int width) {
  std::vector<uint32_t> counts(size_t{1} << width);
  for (const T value : values) ++counts[FieldOf(value, width)];
  return counts;
}

Plan MakePlan(std::span<const uint32_t> counts, int width, size_t values) {
  Plan plan;
  plan.model = FitModel(counts, width);
  const uint64_t bytes = CodedBytes(plan.model, counts);
  const uint64_t bytes_per_lane = values < kFewValues ? kBytesPerLaneOfFew : kBytesPerLane;
  while (plan.lanes_log2 < kMaxLanesLog2 && (bytes_per_lane << (plan.lanes_log2 + 1)) <= bytes) ++plan.lanes_log2;
  const auto chunk_bytes = [&] { return (bytes << plan.chunk_log2) / values; };
  while (plan.chunk_log2 < kMaxChunkLog2 && plan.chunk_size() < values && chunk_bytes() < kBytesPerChunk) {
    ++plan.chunk_log2;
  }
  return plan;
}

class Encoder {
 public:
  explicit Encoder(const Plan& plan) : plan_(plan), symbol_of_(size_t{1} << plan.model.width) {
    for (size_t i = 0; i < plan.model.symbols.size(); ++i) {
      const Symbol& symbol = plan.model.symbols[i];
      std::fill_n(symbol_of_.begin() + symbol.first, size_t{1} << symbol.extra_bits, static_cast<uint8_t>(i));
      if (symbol.frequency == 0) continue;
      coders_[i] = {((uint64_t{1} << 44) + symbol.frequency - 1) / symbol.frequency, symbol.frequency << 20,
                    kRansSlots - symbol.frequency, symbol.start};
    }
  }

  template <class T>
  std::vector<std::byte> Encode(std::span<const T> values, ChunkSizes* sizes) const {
    std::vector<std::byte> bytes;
    if (plan_.coded()) AppendCoded(values, bytes, sizes);
    if (plan_.model.HasExtraBits()) {
      const std::vector<std::byte> extra = ExtraBits(values);
      sizes->extra_bytes = static_cast<uint32_t>(extra.size());
      bytes.insert(bytes.end(), extra.begin(), extra.end());
    }
    return bytes;
  }

 private:
  struct Coder {
    uint64_t reciprocal;  // ceil(2^44 / frequency): (x * reciprocal) >> 44 is x / frequency for x < frequency * 2^20
    uint32_t limit;       // a state from here on gives a word first
    uint32_t others;      // 2^12 - frequency
    uint32_t start;
  };

  // From the last symbol to the first, as the decoder takes them the other way round.
  template <class T>
  void AppendCoded(std::span<const T> values, std::vector<std::byte>& bytes, ChunkSizes* sizes) const {
    std::array<uint32_t, kRansLanes> states;
    states.fill(kRansLeastState);
    std::vector<uint16_t> words(values.size() +
                                1);  // filled from behind; one more as a word is stored before it counts
    uint16_t* next = words.data() + values.size();
    const size_t last_lane = plan_.lanes() - 1;
    for (size_t i = values.size(); i-- > 0;) {
      const Coder& coder = coders_[symbol_of_[FieldOf(values[i], plan_.model.width)]];
      uint32_t& state = states[i & last_lane];
      const bool full = state >= coder.limit;
      *next = static_cast<uint16_t>(state);
      next -= full;
      const uint32_t x = state >> (full ? 16 : 0);
      state = x + static_cast<uint32_t>(x * coder.reciprocal >> 44) * coder.others + coder.start;
    }
    ++next;
    const auto* end = words.data() + words.size();
    sizes->words = static_cast<uint32_t>(end - next);
    const auto* state_bytes = reinterpret_cast<const std::byte*>(states.data());
    bytes.insert(bytes.end(), state_bytes, state_bytes + sizeof(uint32_t) * plan_.lanes());
    bytes.insert(bytes.end(), reinterpret_cast<const std::byte*>(next), reinterpret_cast<const std::byte*>(end));
  }

  template <class T>
  std::vector<std::byte> ExtraBits(std::span<const T> values) const {
    BitWriter writer;
    for (const T value : values) {
      const uint32_t field = FieldOf(value, plan_.model.width);
      const Symbol& symbol = plan_.model.symbols[symbol_of_[field]];
      if (symbol.extra_bits > 0) writer.Write(field - symbol.first, symbol.extra_bits);
    }
    return writer.Finish();
  }

  const Plan& plan_;
  std::vector<uint8_t> symbol_of_;  // by field
  std::array<Coder, kMaxSymbols> coders_{};
};

void AppendNumber(uint32_t number, std::vector<std::byte>& bytes) {
  const auto* begin = reinterpret_cast<const std::byte*>(&number);
  bytes.insert(bytes.end(), begin, begin + sizeof(number));
}

template <class T>
std::vector<std::byte> Encode(std::span<const T> values, int width, Executor* executor) {
  const Plan plan = MakePlan(CountFields(values, width), width, values.size());
  const Encoder encoder(plan);
  const size_t chunks = plan.chunks(values.size());
  std::vector<std::vector<std::byte>> parts(chunks);
  std::vector<ChunkSizes> sizes(chunks);
  ForEachChunk(executor, chunks, [&](size_t i) {
    const size_t begin = i * plan.chunk_size();
    parts[i] = encoder.Encode(values.subspan(begin, std::min(plan.chunk_size(), values.size() - begin)), &sizes[i]);
  });
  BitWriter header;
  header.Write(static_cast<uint32_t>(plan.lanes_log2), kLanesBits);
  header.Write(static_cast<uint32_t>(plan.chunk_log2 - kLeastChunkLog2), kChunkBits);
  WriteModel(plan.model, header);
  std::vector<std::byte> bytes = header.Finish();
  for (const ChunkSizes& size : sizes) {
    if (plan.coded()) AppendNumber(size.words, bytes);
    if (plan.model.HasExtraBits()) AppendNumber(size.extra_bytes, bytes);
  }
  for (const std::vector<std::byte>& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

// Where each chunk's bytes begin, and one more for the end.
struct Directory {
  std::vector<ChunkSizes> sizes;
  std::vector<uint64_t> begins;
};

absl::StatusOr<Directory> ReadDirectory(const Plan& plan, std::span<const std::byte> bytes, size_t chunks) {
  const size_t numbers = (plan.coded() ? 1u : 0u) + (plan.model.HasExtraBits() ? 1u : 0u);
  const uint64_t directory_bytes = sizeof(uint32_t) * numbers * chunks;
  if (directory_bytes > bytes.size()) return absl::InvalidArgumentError("the list of chunks ends early");
  Directory directory;
  const std::byte* next = bytes.data();
  const auto read = [&next] {
    uint32_t number;
    std::memcpy(&number, next, sizeof(number));
    next += sizeof(number);
    return number;
  };
  uint64_t begin = directory_bytes;
  for (size_t i = 0; i < chunks; ++i) {
    ChunkSizes sizes;
    if (plan.coded()) sizes.words = read();
    if (plan.model.HasExtraBits()) sizes.extra_bytes = read();
    directory.sizes.push_back(sizes);
    directory.begins.push_back(begin);
    begin += ChunkBytes(plan, sizes);
    if (begin > bytes.size()) {
      return absl::InvalidArgumentError(StrCat("chunk ", i, " of ", chunks, " reaches beyond the constant's bytes"));
    }
  }
  directory.begins.push_back(begin);
  return directory;
}

class Decoder {
 public:
  // int8 values stand in the table themselves, int16 values as numbers of symbols.
  Decoder(const Plan& plan, bool int8_values, kernels::Isa isa)
      : plan_(plan), decode_(kernels::RansDecode(isa).decode), table_(kRansSlots) {
    const SymbolModel& model = plan.model;
    for (size_t i = 0; i < model.symbols.size(); ++i) {
      const Symbol& symbol = model.symbols[i];
      const auto byte = static_cast<uint8_t>(int8_values ? symbol.first - (1u << (model.width - 1)) : i);
      if (symbol.frequency > 0) extra_bits_[byte] = symbol.extra_bits;
      first_[i] = static_cast<int32_t>(symbol.first) - (1 << (model.width - 1));
      if (&symbol == model.Certain()) certain_byte_ = byte;
      for (uint32_t k = 0; plan.coded() && k < symbol.frequency; ++k) {
        table_[symbol.start + k] = kernels::RansEntry(byte, symbol.frequency, k);
      }
    }
  }

  absl::Status Decode(std::span<const std::byte> bytes, const ChunkSizes& sizes, std::span<int8_t> values) const {
    std::vector<uint32_t> marked((values.size() + kRansLanes - 1) / kRansLanes);
    auto* symbols = reinterpret_cast<uint8_t*>(values.data());
    QLITE_RETURN_IF_ERROR(DecodeSymbols(bytes, sizes, values.size(), symbols, marked.data()));
    if (!plan_.model.HasExtraBits()) return absl::OkStatus();
    BitReader reader(bytes.last(sizes.extra_bytes));
    for (size_t group = 0; group < marked.size(); ++group) {
      for (uint32_t left = marked[group]; left != 0; left &= left - 1) {
        uint8_t& symbol = symbols[group * kRansLanes + static_cast<size_t>(std::countr_zero(left))];
        symbol = static_cast<uint8_t>(symbol + reader.Read(extra_bits_[symbol]));
      }
    }
    return CheckEnd(reader);
  }

  absl::Status Decode(std::span<const std::byte> bytes, const ChunkSizes& sizes, std::span<int16_t> values) const {
    std::vector<uint32_t> marked((values.size() + kRansLanes - 1) / kRansLanes);
    std::vector<uint8_t> symbols(values.size());
    QLITE_RETURN_IF_ERROR(DecodeSymbols(bytes, sizes, values.size(), symbols.data(), marked.data()));
    BitReader reader(bytes.last(sizes.extra_bytes));
    for (size_t i = 0; i < values.size(); ++i) {
      const uint32_t extra = reader.Read(extra_bits_[symbols[i]]);
      values[i] = static_cast<int16_t>(first_[symbols[i]] + static_cast<int32_t>(extra));
    }
    return CheckEnd(reader);
  }

 private:
  static absl::Status CheckEnd(const BitReader& reader) {
    if (reader.AtEnd()) return absl::OkStatus();
    return absl::InvalidArgumentError("the extra bits of a chunk do not end where they should");
  }

  // The table's bytes of `count` symbols, and which of them have extra bits.
  absl::Status DecodeSymbols(std::span<const std::byte> bytes, const ChunkSizes& sizes, size_t count, uint8_t* symbols,
                             uint32_t* marked) const {
    if (!plan_.coded()) {
      std::fill_n(symbols, count, certain_byte_);
      for (size_t i = 0; plan_.model.HasExtraBits() && i < count; ++i) marked[i / kRansLanes] |= 1u << i % kRansLanes;
      return absl::OkStatus();
    }
    kernels::RansStream stream;
    std::fill_n(stream.states, kRansLanes, kRansLeastState);
    std::memcpy(stream.states, bytes.data(), sizeof(uint32_t) * plan_.lanes());
    stream.words = reinterpret_cast<const uint8_t*>(bytes.data()) + sizeof(uint32_t) * plan_.lanes();
    stream.end = stream.words + uint64_t{2} * sizes.words;
    if (*std::min_element(stream.states, stream.states + kRansLanes) < kRansLeastState) {
      return absl::InvalidArgumentError("a state of a chunk is out of range");
    }
    size_t done = 0;
    if (plan_.lanes() == kRansLanes) {
      done = kRansLanes * static_cast<size_t>(decode_(table_.data(), plan_.model.first_extra_slot, &stream,
                                                      static_cast<int64_t>(count / kRansLanes), symbols, marked));
    }
    return DecodeOneByOne(stream, done, count, symbols, marked);
  }

  // The symbols [done, count), and the check that the stream ends as it began when it was encoded.
  absl::Status DecodeOneByOne(kernels::RansStream& stream, size_t done, size_t count, uint8_t* symbols,
                              uint32_t* marked) const {
    const size_t last_lane = plan_.lanes() - 1;
    for (size_t i = done; i < count; ++i) {
      uint32_t& state = stream.states[i & last_lane];
      const bool extra = (state & (kRansSlots - 1)) >= plan_.model.first_extra_slot;
      marked[i / kRansLanes] |= static_cast<uint32_t>(extra) << i % kRansLanes;
      const kernels::RansStep step = kernels::TakeRansSymbol(table_.data(), &state);
      symbols[i] = step.symbol;
      if (!step.needs_word) continue;
      if (stream.words == stream.end) return absl::InvalidArgumentError("the words of a chunk end early");
      uint16_t word;
      std::memcpy(&word, stream.words, sizeof(word));
      stream.words += sizeof(word);
      state = state << 16 | word;
    }
    const bool ended =
        std::all_of(stream.states, stream.states + kRansLanes, [](uint32_t state) { return state == kRansLeastState; });
    if (ended && stream.words == stream.end) return absl::OkStatus();
    return absl::InvalidArgumentError("a chunk does not end where it should");
  }

  const Plan& plan_;
  int64_t (*decode_)(const uint32_t*, uint32_t, kernels::RansStream*, int64_t, uint8_t*, uint32_t*);
  std::vector<uint32_t> table_;
  std::array<int, 256> extra_bits_{};         // by the table's byte
  std::array<int32_t, kMaxSymbols> first_{};  // the least value of each symbol
  uint8_t certain_byte_ = 0;
};

template <class T>
absl::StatusOr<size_t> Decode(std::span<const std::byte> bytes, int width, std::span<T> values, Executor* executor,
                              kernels::Isa isa) {
  BitReader header(bytes);
  Plan plan;
  plan.lanes_log2 = static_cast<int>(header.Read(kLanesBits));
  plan.chunk_log2 = kLeastChunkLog2 + static_cast<int>(header.Read(kChunkBits));
  if (plan.lanes_log2 > kMaxLanesLog2 || plan.chunk_log2 > kMaxChunkLog2) {
    return absl::InvalidArgumentError(
        StrCat("2^", plan.lanes_log2, " states and chunks of 2^", plan.chunk_log2, " are out of range"));
  }
  absl::StatusOr<SymbolModel> model = ReadModel(header, width);
  if (!model.ok()) return model.status();
  plan.model = *std::move(model);
  bytes = bytes.subspan(header.bytes_used());
  const size_t chunks = plan.chunks(values.size());
  const absl::StatusOr<Directory> directory = ReadDirectory(plan, bytes, chunks);
  if (!directory.ok()) return directory.status();
  const Decoder decoder(plan, sizeof(T) == 1, isa);
  std::vector<absl::Status> statuses(chunks);
  ForEachChunk(executor, chunks, [&](size_t i) {
    const size_t begin = i * plan.chunk_size();
    statuses[i] =
        decoder.Decode(bytes.subspan(directory->begins[i], directory->begins[i + 1] - directory->begins[i]),
                       directory->sizes[i], values.subspan(begin, std::min(plan.chunk_size(), values.size() - begin)));
  });
  for (const absl::Status& status : statuses) QLITE_RETURN_IF_ERROR(status);
  return header.bytes_used() + directory->begins.back();
}

}  // namespace

std::vector<std::byte> EncodeEntropy(std::span<const int8_t> values, int width, Executor* executor) {
  return Encode(values, width, executor);
}
std::vector<std::byte> EncodeEntropy(std::span<const int16_t> values, int width, Executor* executor) {
  return Encode(values, width, executor);
}

absl::StatusOr<size_t> DecodeEntropy(std::span<const std::byte> bytes, int width, std::span<int8_t> values,
                                     Executor* executor, kernels::Isa isa) {
  return Decode(bytes, width, values, executor, isa);
}
absl::StatusOr<size_t> DecodeEntropy(std::span<const std::byte> bytes, int width, std::span<int16_t> values,
                                     Executor* executor, kernels::Isa isa) {
  return Decode(bytes, width, values, executor, isa);
}

}  // namespace qlite
