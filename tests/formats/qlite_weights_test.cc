// Integer weights through .qlite files: any number of bits, any granularity, exactly the same integers again.
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "formats/qlite/encoding/weight_encoding.h"
#include "formats/qlite/file_layout.h"
#include "formats/qlite/qlite_reader.h"
#include "formats/qlite/qlite_writer.h"
#include "formats/random_graph.h"
#include "formats/random_weights.h"
#include "formats/same_graph.h"

namespace qlite {
namespace {

using testing::FirstDifference;
using testing::RandomGraph;
using testing::RandomParams;
using testing::RandomWeights;
using testing::Spread;

// A graph whose output is the constant.
Graph GraphOf(const Tensor& weights, const QuantParams& quant) {
  Graph graph;
  const ValueId id = graph.AddConstant("weights", weights);
  graph.mutable_value(id).quant = quant;
  const absl::StatusOr<ValueId> output = graph.AddNode("copy", OpType::kIdentity, NoAttrs(), {id}, "y");
  REQUIRE(output.ok());
  graph.SetOutputs({*output});
  return graph;
}

FileHeader HeaderOf(const std::string& bytes) {
  FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// Writes, reads back and compares; the size of the data section.
uint64_t CheckRoundTrip(const Graph& graph, const QliteWriteOptions& options = {}) {
  const absl::StatusOr<std::string> bytes = WriteQlite(graph, options);
  REQUIRE(bytes.ok());
  const absl::StatusOr<Graph> read = ReadQlite(Buffer::Copy(bytes->data(), bytes->size()), "memory");
  INFO(std::string(read.status().message()));
  REQUIRE(read.ok());
  CHECK(FirstDifference(graph, *read) == "");
  CHECK(*WriteQlite(*read, options) == *bytes);
  return HeaderOf(*bytes).data_bytes;
}

TEST_CASE(
    "weights of every width survive, for a tensor, a channel and a block, packed into that many bits or encoded") {
  RandomGraph random(1);
  for (int bits = 1; bits <= 16; ++bits) {
    for (const Spread spread : testing::kSpreads) {
      std::vector<int64_t> dims(static_cast<size_t>(random.Number(1, 4)));
      for (int64_t& dim : dims) dim = random.Number(0, 9);
      const int64_t axis = random.Number(-1, std::ssize(dims) - 1);
      const int64_t block = axis >= 0 && bits % 2 == 0 ? random.Number(1, 5) : 0;
      const QuantParams quant = RandomParams(random, dims, bits, axis, block);
      if (!quant.Validate().ok()) continue;  // an axis of extent 0 has no scales
      const Tensor weights = RandomWeights(random, dims, bits, spread);
      INFO(bits << " bits, " << weights.element_count() << " elements, axis " << axis << ", block " << block);
      const Graph graph = GraphOf(weights, quant);
      const auto packed = static_cast<uint64_t>(weights.element_count() * bits + 7) / 8;
      CHECK(CheckRoundTrip(graph) == packed);
      CHECK(CheckRoundTrip(graph, {.smallest_weights = true}) <= packed);
    }
  }
}

TEST_CASE("files without encoded constants keep the version that older readers know") {
  RandomGraph random(2);
  const auto version = [&random](int bits) {
    const QuantParams quant = RandomParams(random, {5}, bits, -1);
    return HeaderOf(*WriteQlite(GraphOf(RandomWeights(random, {5}, bits, Spread::kUniform), quant))).version;
  };
  CHECK(version(8) == 1);
  CHECK(version(16) == 1);
  CHECK(version(7) == 2);
  CHECK(version(12) == 2);
}

TEST_CASE("integers beyond the bits that their parameters name stay as they are") {
  RandomGraph random(3);
  const Tensor weights = Tensor::Of<int8_t>({3}, {0, 8, -8});
  CHECK(CheckRoundTrip(GraphOf(weights, RandomParams(random, {3}, 4, -1))) == 3);
  CHECK(CheckRoundTrip(GraphOf(weights, RandomParams(random, {3}, 5, -1))) == 2);
}

TEST_CASE("equal encoded constants are stored and decoded once") {
  RandomGraph random(4);
  Graph graph;
  std::vector<ValueId> outputs;
  const Tensor weights = RandomWeights(random, {100}, 5, Spread::kUniform);
  for (int i = 0; i < 3; ++i) {
    const ValueId id = graph.AddConstant(StrCat("w", i), weights);
    graph.mutable_value(id).quant = RandomParams(random, {100}, 5, i - 1 > 0 ? 0 : -1);
    outputs.push_back(*graph.AddNode("", OpType::kIdentity, NoAttrs(), {id}, StrCat("y", i)));
  }
  graph.SetOutputs(outputs);
  CHECK(CheckRoundTrip(graph) == 63);
  const std::string bytes = *WriteQlite(graph);
  const Graph read = *ReadQlite(Buffer::Copy(bytes.data(), bytes.size()), "memory");
  const auto data = [&read](const char* name) { return read.value(*read.FindValue(name)).constant->buffer().data; };
  CHECK(data("w0") == data("w1"));
  CHECK(data("w0") == data("w2"));
}

TEST_CASE("packed constants stay packed in the file until they are asked for") {
  RandomGraph random(7);
  const Tensor weights = RandomWeights(random, {11, 9}, 3, Spread::kUniform);
  const std::string bytes = *WriteQlite(GraphOf(weights, RandomParams(random, {11, 9}, 3, -1)));
  const Buffer file = Buffer::Copy(bytes.data(), bytes.size());
  const absl::StatusOr<Graph> read = ReadQlite(file, "memory");
  REQUIRE(read.ok());
  const Tensor& constant = *read->value(*read->FindValue("weights")).constant;
  REQUIRE(constant.packed() != nullptr);
  CHECK(constant.packed()->width == 3);
  CHECK(constant.packed()->fields.data > file.data);
  CHECK(constant.packed()->fields.data + constant.packed()->fields.size == file.data + file.size);
  CHECK(constant == weights);

  // What a checksum would have noticed: a bit behind the last field.
  std::string changed = bytes;
  changed.back() = static_cast<char>(changed.back() | 0x80);
  QliteReadOptions unchecked;
  unchecked.verify_checksum = false;
  CHECK_FALSE(ReadQlite(Buffer::Copy(changed.data(), changed.size()), "memory", unchecked).ok());
}

TEST_CASE("the checksum covers files of several pieces") {
  std::vector<int8_t> values((size_t{16} << 20) + 100);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i % 251);
  const auto count = static_cast<int64_t>(values.size());
  Graph graph;
  const ValueId weights = graph.AddConstant("weights", Tensor::Of<int8_t>({count}, std::move(values)));
  graph.SetOutputs({*graph.AddNode("", OpType::kIdentity, NoAttrs(), {weights}, "y")});
  std::string bytes = *WriteQlite(graph);
  CHECK(ReadQlite(Buffer::Copy(bytes.data(), bytes.size()), "memory").ok());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  CHECK_FALSE(ReadQlite(Buffer::Copy(bytes.data(), bytes.size()), "memory").ok());
}

TEST_CASE("any changed byte of an encoded file is noticed") {
  RandomGraph random(6);
  const QuantParams quant = RandomParams(random, {30, 40}, 6, 0);
  const Graph graph = GraphOf(RandomWeights(random, {30, 40}, 6, Spread::kNarrow), quant);
  for (const bool smallest : {false, true}) {
    const std::string bytes = *WriteQlite(graph, {.smallest_weights = smallest});
    REQUIRE(HeaderOf(bytes).version == kQliteEncodedVersion);
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ 0x10);
      INFO("byte " << i);
      REQUIRE_FALSE(ReadQlite(Buffer::Copy(changed.data(), changed.size()), "memory").ok());
    }
  }
}

TEST_CASE("decoding takes no more memory than the limit and the encoded bytes allow") {
  RandomGraph random(5);
  const std::string bytes =
      *WriteQlite(GraphOf(RandomWeights(random, {1000}, 3, Spread::kUniform), RandomParams(random, {}, 3, -1)));
  QliteReadOptions options;
  options.limits.max_tensor_bytes = 999;
  const absl::Status status = ReadQlite(Buffer::Copy(bytes.data(), bytes.size()), "memory", options).status();
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
  CHECK_THAT(std::string(status.message()), Catch::Contains("weights") && Catch::Contains("1000 bytes"));
  const std::vector<std::byte> few(10);
  CHECK_FALSE(DecodeWeights({WeightForm::kPacked, 1}, few, ElementType::kInt8, int64_t{1} << 40).ok());
  CHECK_FALSE(DecodeWeights({WeightForm::kPacked, 9}, few, ElementType::kInt8, 8).ok());
  CHECK_FALSE(DecodeWeights({WeightForm::kPacked, 0}, few, ElementType::kInt8, 8).ok());
  CHECK_FALSE(DecodeWeights({WeightForm::kPacked, 4}, few, ElementType::kUInt8, 20).ok());
}

}  // namespace
}  // namespace qlite
