#include "formats/qlite/encoding/weight_encoding.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "formats/qlite/encoding/bit_stream.h"
#include "formats/qlite/encoding/symbol_model.h"
#include "formats/random_weights.h"

namespace qlite {
namespace {

using testing::kSpreads;
using testing::RandomGraph;
using testing::RandomParams;
using testing::RandomWeights;
using testing::Spread;

constexpr WeightForm kForms[] = {WeightForm::kPacked, WeightForm::kIndexed, WeightForm::kSparse, WeightForm::kEntropy,
                                 WeightForm::kIndexedEntropy};

bool SameBytes(const Buffer& buffer, const Tensor& tensor) {
  return buffer.size == tensor.buffer().size &&
         (buffer.size == 0 || std::memcmp(buffer.data, tensor.buffer().data, buffer.size) == 0);
}

absl::StatusOr<Buffer> Decode(const EncodedWeights& encoded, const Tensor& like, Executor* executor = nullptr,
                              kernels::Isa isa = kernels::BestIsa()) {
  return DecodeWeights(encoded.encoding, encoded.bytes, like.type(), like.element_count(), executor, isa);
}

// The bytes that the integers' zeroth-order entropy comes to.
double EntropyBytes(const Tensor& weights) {
  std::map<int32_t, double> counts;
  for (int64_t i = 0; i < weights.element_count(); ++i) {
    const auto at = static_cast<size_t>(i);
    ++counts[weights.type() == ElementType::kInt8 ? weights.data<int8_t>()[at] : weights.data<int16_t>()[at]];
  }
  double bits = 0;
  const auto total = static_cast<double>(weights.element_count());
  for (const auto& [value, count] : counts) bits += count * std::log2(total / count);
  return bits / 8;
}

TEST_CASE("every form of every width decodes to the same integers, with every instruction set") {
  RandomGraph random(1);
  for (int bits = 1; bits <= 16; ++bits) {
    for (const Spread spread : kSpreads) {
      for (const int64_t count : {1, 2, 33, 700}) {
        const std::vector<int64_t> dims = {count, random.Number(1, 4)};
        const QuantParams quant = RandomParams(random, dims, bits, random.Number(-1, 1));
        const Tensor weights = RandomWeights(random, dims, bits, spread);
        for (const WeightForm form : kForms) {
          INFO(bits << " bits, spread " << static_cast<int>(spread) << ", " << weights.element_count()
                    << " elements, form " << static_cast<int>(form));
          const EncodedWeights encoded = EncodeWeightsAs(form, weights, quant);
          if (encoded.encoding.form == WeightForm::kRaw) {
            CHECK((form == WeightForm::kIndexedEntropy && (bits <= 8 || weights.element_count() > 256)));
            continue;
          }
          for (const kernels::Isa isa : kernels::SupportedIsas()) {
            const absl::StatusOr<Buffer> decoded = Decode(encoded, weights, nullptr, isa);
            INFO(std::string(decoded.status().message()));
            REQUIRE(decoded.ok());
            CHECK(SameBytes(*decoded, weights));
          }
        }
      }
    }
  }
}

TEST_CASE("large tensors are coded in chunks that threads share, to the same bytes") {
  RandomGraph random(2);
  const std::shared_ptr<Executor> threads = MakeThreadPool(3);
  for (const int bits : {4, 8, 11}) {
    for (const Spread spread : {Spread::kUniform, Spread::kPeaked, Spread::kSparse}) {
      const Tensor weights = RandomWeights(random, {300007}, bits, spread);
      const QuantParams quant = RandomParams(random, {}, bits, -1);
      const EncodedWeights encoded = EncodeWeightsAs(WeightForm::kEntropy, weights, quant);
      CHECK(EncodeWeightsAs(WeightForm::kEntropy, weights, quant, threads.get()).bytes == encoded.bytes);
      for (const kernels::Isa isa : kernels::SupportedIsas()) {
        const absl::StatusOr<Buffer> decoded = Decode(encoded, weights, threads.get(), isa);
        REQUIRE(decoded.ok());
        CHECK(SameBytes(*decoded, weights));
      }
    }
  }
}

// The bytes of a table of the plain code: every integer of the width is a symbol of its own, with a frequency of 12
// bits.
double PlainTableBytes(const Tensor& weights, int bits) {
  SymbolModel model;
  model.width = bits;
  std::vector<uint32_t> counts(size_t{1} << bits);
  for (const int8_t value : weights.data<int8_t>()) ++counts[static_cast<size_t>(value + (1 << (bits - 1)))];
  for (size_t field = 0; field < counts.size(); ++field) {
    const double share = counts[field] / static_cast<double>(weights.element_count());
    model.symbols.push_back({static_cast<uint32_t>(field), 0, static_cast<uint32_t>(std::ceil(4095 * share))});
  }
  BitWriter writer;
  WriteModel(model, writer);
  return static_cast<double>(writer.Finish().size());
}

// A two-sided distribution like that of trained weights, or one of the spreads.
Tensor SpreadWeights(RandomGraph& random, int64_t count, int bits) {
  const int64_t kind = random.Number(0, 5);
  if (kind < 4) {
    const Spread spreads[] = {Spread::kUniform, Spread::kPeaked, Spread::kNarrow, Spread::kSparse};
    return RandomWeights(random, {count}, bits, spreads[kind]);
  }
  const double width = std::ldexp(1.0, bits - 1) / static_cast<double>(random.Number(2, 20));
  std::vector<int8_t> values;
  for (int64_t i = 0; i < count; ++i) {
    const double size = -width * std::log(static_cast<double>(random.Number(1, 100000)) / 100000.0);
    const double bound = std::ldexp(1.0, bits - 1) - 1;
    values.push_back(static_cast<int8_t>((kind == 5 && random.Number(0, 1) == 0 ? -1 : 1) * std::min(size, bound)));
  }
  return Tensor::Of<int8_t>({count}, std::move(values));
}

TEST_CASE("entropy-coded weights of any count take at most 1 % more than their entropy, and a table") {
  RandomGraph random(3);
  constexpr double kHeaderBytes = 12;  // numbers of words and extra bits, and the end of a state
  for (int round = 0; round < 400; ++round) {
    const int bits = static_cast<int>(random.Number(2, 8));
    const int64_t count = int64_t{1} << random.Number(5, 17);
    const Tensor weights = SpreadWeights(random, count + random.Number(0, count - 1), bits);
    const EncodedWeights encoded = EncodeWeightsAs(WeightForm::kEntropy, weights, RandomParams(random, {}, bits, -1));
    INFO(bits << " bits, " << weights.element_count() << " elements of " << EntropyBytes(weights) << " bytes, table of "
              << PlainTableBytes(weights, bits));
    const double least = static_cast<double>(weights.buffer().size) / static_cast<double>(kMaxWeightExpansion) + 1;
    const double most = 1.01 * EntropyBytes(weights) + PlainTableBytes(weights, bits) + kHeaderBytes;
    CHECK(static_cast<double>(encoded.bytes.size()) <= std::max(least, most));
  }
}

TEST_CASE("wider integers come near their entropy where values recur") {
  RandomGraph random(4);
  for (int bits = 9; bits <= 12; ++bits) {
    const Tensor weights = RandomWeights(random, {200000}, bits, Spread::kPeaked);
    const EncodedWeights encoded = EncodeWeightsAs(WeightForm::kEntropy, weights, RandomParams(random, {}, bits, -1));
    INFO(bits << " bits");
    CHECK(static_cast<double>(encoded.bytes.size()) <= 1.01 * EntropyBytes(weights) + 600);
  }
}

TEST_CASE("few distinct values in a wide range take little more than their entropy") {
  RandomGraph random(10);
  std::vector<int16_t> values(50000);
  for (int16_t& value : values) value = static_cast<int16_t>(127 * testing::RandomInteger(random, 8, Spread::kPeaked));
  const Tensor weights = Tensor::Of<int16_t>({50000}, std::move(values));
  const EncodedWeights best = EncodeWeights(weights, RandomParams(random, {}, 16, -1));
  CHECK(best.encoding.form == WeightForm::kIndexedEntropy);
  CHECK(static_cast<double>(best.bytes.size()) <= 1.01 * EntropyBytes(weights) + 2 * 256 + 300);
  CHECK(SameBytes(*Decode(best, weights), weights));
}

TEST_CASE("the smallest form is chosen, the first among equals") {
  RandomGraph random(5);
  std::map<WeightForm, int> chosen;
  for (int bits = 1; bits <= 16; ++bits) {
    for (const Spread spread : kSpreads) {
      for (const int64_t count : {1, 5, 40, 3000}) {
        const Tensor weights = RandomWeights(random, {count}, bits, spread);
        const QuantParams quant = RandomParams(random, {}, bits, -1);
        const EncodedWeights best = EncodeWeights(weights, quant);
        size_t least = weights.buffer().size;
        WeightForm least_form = WeightForm::kRaw;
        for (const WeightForm form : kForms) {
          const EncodedWeights encoded = EncodeWeightsAs(form, weights, quant);
          const size_t size = encoded.bytes.size();
          if (encoded.encoding.form == WeightForm::kRaw || size >= least) continue;
          least = size;
          least_form = form;
        }
        CHECK(best.encoding.form == least_form);
        if (best.encoding.form != WeightForm::kRaw) CHECK(best.bytes.size() == least);
        ++chosen[best.encoding.form];
      }
    }
  }
  const Tensor few = Tensor::Of<int16_t>({64}, std::vector<int16_t>(64, -3000));
  ++chosen[EncodeWeights(few, RandomParams(random, {}, 16, -1)).encoding.form];
  std::vector<int8_t> rare(5000, 0);
  rare[100] = 7;
  const QuantParams zero = QuantParams::PerTensor(1.0f, 0);
  ++chosen[EncodeWeights(Tensor::Of<int8_t>({5000}, rare), zero).encoding.form];
  CHECK(chosen.size() == 5);
}

TEST_CASE("a background that differs from channel to channel is left out, whatever the axis") {
  for (const int64_t axis : {0, 1, 2}) {
    const std::vector<int64_t> dims = {6, 50, 7};
    RandomGraph random(6);
    QuantParams quant = RandomParams(random, dims, 8, axis);
    std::vector<int8_t> values;
    for (int64_t i = 0; i < 6 * 50 * 7; ++i) {
      const int64_t channel = axis == 0 ? i / 350 : axis == 1 ? i / 7 % 50 : i % 7;
      values.push_back(static_cast<int8_t>(quant.zero_points[static_cast<size_t>(channel)]));
    }
    values[1000] = static_cast<int8_t>(values[1000] ^ 1);
    const Tensor weights = Tensor::Of<int8_t>(dims, values);
    const EncodedWeights sparse = EncodeWeightsAs(WeightForm::kSparse, weights, quant);
    CHECK(sparse.bytes.size() <= quant.zero_points.size() + 12);
    CHECK(SameBytes(*Decode(sparse, weights), weights));
  }
}

TEST_CASE("what expands too much is filled up") {
  const Tensor weights = Tensor::Of<int8_t>({1 << 20}, std::vector<int8_t>(1 << 20, 5));
  const EncodedWeights best = EncodeWeights(weights, QuantParams::PerTensor(1.0f, 0));
  CHECK(best.bytes.size() == 1024);
  CHECK(SameBytes(*Decode(best, weights), weights));
  EncodedWeights changed = best;
  changed.bytes.back() = std::byte{1};
  CHECK_FALSE(Decode(changed, weights).ok());
  changed = best;
  changed.bytes.push_back(std::byte{0});
  CHECK_FALSE(Decode(changed, weights).ok());
  changed.bytes.resize(1023);
  CHECK_FALSE(Decode(changed, weights).ok());
}

// Every byte of the encoded weights changed in some ways, or cut off.
TEST_CASE("damaged streams of every form do no harm") {
  RandomGraph random(7);
  for (const int bits : {3, 8, 12}) {
    for (const Spread spread : {Spread::kPeaked, Spread::kSparse}) {
      const Tensor weights = RandomWeights(random, {20, 30}, bits, spread);
      const QuantParams quant = RandomParams(random, {20, 30}, bits, 0);
      for (const WeightForm form : kForms) {
        const EncodedWeights encoded = EncodeWeightsAs(form, weights, quant);
        for (size_t i = 0; i < encoded.bytes.size(); ++i) {
          for (const int change : {0x01, 0x80, 0xff}) {
            EncodedWeights damaged = encoded;
            damaged.bytes[i] ^= static_cast<std::byte>(change);
            const absl::StatusOr<Buffer> decoded = Decode(damaged, weights);
            if (decoded.ok()) CHECK(decoded->size == weights.buffer().size);
          }
          EncodedWeights cut = encoded;
          cut.bytes.resize(i);
          CHECK_FALSE(Decode(cut, weights).ok());
        }
      }
    }
  }
}

TEST_CASE("a changed bit among entropy-coded symbols is noticed by how the stream ends") {
  RandomGraph random(9);
  const Tensor weights = RandomWeights(random, {5000}, 3, Spread::kPeaked);
  const EncodedWeights encoded = EncodeWeightsAs(WeightForm::kEntropy, weights, RandomParams(random, {}, 4, -1));
  size_t unnoticed = 0;
  for (size_t bit = 0; bit < 8 * encoded.bytes.size(); bit += 3) {
    EncodedWeights damaged = encoded;
    damaged.bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    const absl::StatusOr<Buffer> decoded = Decode(damaged, weights);
    unnoticed += decoded.ok() && !SameBytes(*decoded, weights);
  }
  CHECK(unnoticed < 20);  // extra bits, which the file's checksum covers
}

TEST_CASE("models: partition and frequencies come back, and all fields have a symbol") {
  RandomGraph random(8);
  for (int width = 1; width <= 16; ++width) {
    for (int round = 0; round < 4; ++round) {
      std::vector<uint32_t> counts(size_t{1} << width);
      for (int i = 0; i < 3000; ++i) {
        const auto spread = static_cast<int64_t>(counts.size() >> round);
        ++counts[static_cast<size_t>(random.Number(0, spread > 0 ? spread - 1 : 0))];
      }
      const SymbolModel model = FitModel(counts, width);
      BitWriter writer;
      WriteModel(model, writer);
      const std::vector<std::byte> bytes = writer.Finish();
      BitReader reader(bytes);
      const absl::StatusOr<SymbolModel> read = ReadModel(reader, width);
      REQUIRE(read.ok());
      CHECK(reader.bytes_used() == bytes.size());
      REQUIRE(read->symbols.size() == model.symbols.size());
      uint32_t next = 0, sum = 0;
      for (size_t i = 0; i < model.symbols.size(); ++i) {
        CHECK(read->symbols[i].first == model.symbols[i].first);
        CHECK(read->symbols[i].frequency == model.symbols[i].frequency);
        CHECK(read->symbols[i].start == model.symbols[i].start);
        CHECK(model.symbols[i].first == next);
        next += 1u << model.symbols[i].extra_bits;
        sum += model.symbols[i].frequency;
      }
      CHECK(next == counts.size());
      CHECK(sum == 1u << kFrequencyBits);
      CHECK(model.symbols.size() <= static_cast<size_t>(kMaxSymbols));
    }
  }
}

TEST_CASE("models that are no models are refused") {
  const auto refused = [](std::vector<std::pair<uint32_t, int>> fields, int width) {
    BitWriter writer;
    for (const auto& [value, bits] : fields) writer.Write(value, bits);
    const std::vector<std::byte> bytes = writer.Finish();
    BitReader reader(bytes);
    return !ReadModel(reader, width).ok();
  };
  CHECK(refused({}, 4));
  CHECK(refused({{5, 3}, {0, 4}}, 4));                                    // frequencies of 13 bits
  CHECK(refused({{0, 3}, {15, 4}}, 4));                                   // code of order 15
  CHECK(refused({{0, 3}, {8, 4}, {0, 1}}, 4));                            // ends behind the partition
  CHECK(refused({{0, 3}, {8, 4}, {0, 1}, {1, 1}, {0, 8}}, 4));            // sums to 0
  CHECK(refused({{0, 3}, {8, 4}, {0, 1}, {1, 1}, {1, 8}}, 4));            // negative
  CHECK_FALSE(refused({{0, 3}, {10, 4}, {0, 1}, {1, 1}, {512, 10}}, 4));  // one symbol of 256 slots
  CHECK(refused({{4, 3},           {0, 4},           {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32},
                 {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32},
                 {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32},
                 {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}, {0xffffffff, 32}},
                16));  // too many symbols
}

}  // namespace
}  // namespace qlite
