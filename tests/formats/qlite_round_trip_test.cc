#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/attribute_fields.h"
#include "formats/qlite/file_layout.h"
#include "formats/qlite/qlite_reader.h"
#include "formats/qlite/qlite_writer.h"
#include "formats/random_graph.h"
#include "formats/same_graph.h"

namespace qlite {
namespace {

using testing::FirstDifference;
using testing::RandomGraph;
using testing::SmallNetwork;

absl::StatusOr<Graph> Reread(const std::string& bytes) {
  return ReadQlite(Buffer::Copy(bytes.data(), bytes.size()), "memory");
}

// Writes and reads back; fails the test where either is an error.
Graph RoundTrip(const Graph& graph) {
  const absl::StatusOr<std::string> bytes = WriteQlite(graph);
  INFO(std::string(bytes.status().message()));
  REQUIRE(bytes.ok());
  absl::StatusOr<Graph> read = Reread(*bytes);
  INFO(std::string(read.status().message()));
  REQUIRE(read.ok());
  return *std::move(read);
}

FileHeader HeaderOf(const std::string& bytes) {
  FileHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// x -> Add(x, c1) -> Add(., c2) ...; the graph's constants are the given tensors.
Graph ChainOf(const std::vector<Tensor>& constants) {
  Graph graph;
  ValueId last = graph.AddInput("x", ElementType::kFloat32, Shape());
  for (size_t i = 0; i < constants.size(); ++i) {
    const ValueId constant = graph.AddConstant(StrCat("c", i), constants[i]);
    last = *graph.AddNode(StrCat("add", i), OpType::kAdd, ElementwiseAttrs(), {last, constant}, StrCat("y", i));
  }
  graph.SetOutputs({last});
  return graph;
}

TEST_CASE("every operator with random attributes survives a round trip") {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    const Graph graph = RandomGraph(seed).Make();
    REQUIRE(graph.Validate().ok());
    const Graph read = RoundTrip(graph);
    CHECK(FirstDifference(graph, read) == "");
    CHECK(read.Validate().ok());
    CHECK(*WriteQlite(read) == *WriteQlite(graph));
  }
}

TEST_CASE("a random graph uses every operator") {
  const Graph graph = RandomGraph(3).Make();
#define QLITE_CHECK_OP(name, attrs) CHECK(graph.FindNode("node/" #name).has_value());
  QLITE_FOR_EACH_OP(QLITE_CHECK_OP)
#undef QLITE_CHECK_OP
}

TEST_CASE("a usual network survives and two writes are equal") {
  const Graph graph = SmallNetwork();
  CHECK(FirstDifference(graph, RoundTrip(graph)) == "");
  CHECK(*WriteQlite(graph) == *WriteQlite(graph));
}

TEST_CASE("infinities, negative zero and NaN in attributes keep their bits") {
  for (const float real :
       {-0.0f, 0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::denorm_min(),
        std::bit_cast<float>(0x7fc01234u), std::bit_cast<float>(0xffc00001u)}) {
    Graph graph;
    const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape());
    ClipAttrs clip;
    clip.range.min = real;
    const ValueId y = *graph.AddNode("clip", OpType::kClip, clip, {x}, "y");
    graph.SetOutputs({y});
    const Graph read = RoundTrip(graph);
    INFO("bits " << std::hex << std::bit_cast<uint32_t>(real));
    CHECK(std::bit_cast<uint32_t>(read.node(*read.FindNode("clip")).attr<ClipAttrs>().range.min) ==
          std::bit_cast<uint32_t>(real));
  }
}

TEST_CASE("the empty graph and one without nodes survive") {
  CHECK(FirstDifference(Graph(), RoundTrip(Graph())) == "");
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kInt64, Shape::Of({2, 0}));
  graph.SetOutputs({x, x});
  CHECK(FirstDifference(graph, RoundTrip(graph)) == "");
}

TEST_CASE("constants that are equal are stored once, wherever they lie in memory") {
  const std::vector<float> values(1000, 1.5f);
  const Tensor shared = Tensor::Of<float>({1000}, values);
  const std::string once = *WriteQlite(ChainOf({shared}));
  const std::string sharing = *WriteQlite(ChainOf({shared, shared, shared}));
  const std::string copies =
      *WriteQlite(ChainOf({shared, Tensor::Of<float>({1000}, values), Tensor::Of<float>({1000}, values)}));
  CHECK(HeaderOf(sharing).data_bytes == HeaderOf(once).data_bytes);
  CHECK(copies == sharing);
  const Graph read = RoundTrip(ChainOf({shared, shared}));
  CHECK(read.value(*read.FindValue("c0")).constant->buffer().data ==
        read.value(*read.FindValue("c1")).constant->buffer().data);
  const std::string other = *WriteQlite(ChainOf({shared, Tensor::Of<float>({1000}, std::vector<float>(1000, 2.5f))}));
  CHECK(HeaderOf(other).data_bytes >= 8000);
}

TEST_CASE("empty constants do not make bytes depend on memory") {
  const std::vector<char> memory(16);
  const auto empty_at = [&](size_t place) {
    return *Tensor::Create(ElementType::kFloat32, {0, 4},
                           Buffer{reinterpret_cast<const std::byte*>(memory.data() + place), 0, nullptr});
  };
  const Tensor full = Tensor::Of<float>({1}, {1.0f});
  CHECK(*WriteQlite(ChainOf({empty_at(0), full, empty_at(0)})) ==
        *WriteQlite(ChainOf({empty_at(0), full, empty_at(8)})));
}

TEST_CASE("the order in which a graph was built leaves no trace") {
  const auto build = [](bool constants_first) {
    Graph graph;
    ValueId a, b;
    const auto constants = [&] {
      b = graph.AddConstant("b", Tensor::Of<float>({1}, {2.0f}));
      a = graph.AddConstant("a", Tensor::Of<float>({1}, {1.0f}));
    };
    if (constants_first) constants();
    const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1}));
    if (!constants_first) {
      a = graph.AddConstant("a", Tensor::Of<float>({1}, {1.0f}));
      b = graph.AddConstant("b", Tensor::Of<float>({1}, {2.0f}));
      const ValueId gone = *graph.AddNode("gone", OpType::kNeg, NoAttrs(), {x}, "gone");
      graph.RemoveNode(graph.value(gone).producer);
    }
    const ValueId y = *graph.AddNode("first", OpType::kAdd, ElementwiseAttrs(), {x, a}, "y");
    const ValueId z = *graph.AddNode("second", OpType::kMul, ElementwiseAttrs(), {y, b}, "z");
    graph.SetOutputs({z});
    return graph;
  };
  CHECK(*WriteQlite(build(true)) == *WriteQlite(build(false)));
}

TEST_CASE("constants lie aligned in the file and are used where they are") {
  const std::string bytes = *WriteQlite(RandomGraph(5).Make());
  const FileHeader header = HeaderOf(bytes);
  CHECK(header.data_offset % kDataAlignment == 0);
  CHECK(header.data_offset + header.data_bytes == bytes.size());
  const Buffer file = Buffer::Copy(bytes.data(), bytes.size());
  const absl::StatusOr<Graph> graph = ReadQlite(file, "memory");
  REQUIRE(graph.ok());
  int constants = 0;
  for (int32_t i = 0; i < static_cast<int32_t>(graph->value_slots()); ++i) {
    const Value& value = graph->value(ValueId{i});
    if (!value.is_constant() || value.constant->buffer().size == 0) continue;
    const bool packed = value.quant && value.quant->bits < 8 * static_cast<int>(ElementSize(value.type));
    if (packed) continue;  // decoded into memory of its own
    const std::byte* data = value.constant->buffer().data;
    CHECK(data >= file.data);
    CHECK(data + value.constant->buffer().size <= file.data + file.size);
    CHECK(static_cast<size_t>(data - file.data - static_cast<std::ptrdiff_t>(header.data_offset)) % kDataAlignment ==
          0);
    ++constants;
  }
  CHECK(constants > 5);
}

TEST_CASE("a file in memory of any alignment is read") {
  const Graph graph = SmallNetwork();
  const std::string bytes = *WriteQlite(graph);
  for (size_t shift = 0; shift < 9; ++shift) {
    std::string moved = std::string(shift, '#') + bytes;
    const Buffer buffer{reinterpret_cast<const std::byte*>(moved.data() + shift), bytes.size(), nullptr};
    const absl::StatusOr<Graph> read = ReadQlite(buffer, "memory");
    REQUIRE(read.ok());
    CHECK(FirstDifference(graph, *read) == "");
  }
}

TEST_CASE("long symbols and lists that recur are read again") {
  Graph graph;
  const std::string symbol(256, 's');
  ValueId last = graph.AddInput("x", ElementType::kFloat32, Shape(std::vector<Dim>(64, Dim::Symbolic(symbol))));
  TransposeAttrs transpose;
  transpose.perm.resize(1000, 7);
  for (int i = 0; i < 500; ++i) {
    last = *graph.AddNode("", OpType::kTranspose, transpose, {last}, "");
    graph.mutable_value(last).shape = Shape(std::vector<Dim>(64, Dim::Symbolic(i % 2 == 0 ? symbol : "N")));
  }
  graph.SetOutputs({last});
  REQUIRE(graph.Validate().ok());
  CHECK(FirstDifference(graph, RoundTrip(graph)) == "");
}

TEST_CASE("an invalid graph is not written") {
  Graph graph;
  graph.SetOutputs({graph.AddValue("nothing makes it")});
  CHECK_FALSE(WriteQlite(graph).ok());
}

TEST_CASE("attribute fields: what differs from the default is listed, and sets it again") {
  RandomGraph random(7);
#define QLITE_CHECK_FIELDS(name, attrs_type)                                         \
  for (int i = 0; i < 20; ++i) {                                                     \
    const OpAttrs attrs = random.Attributes(OpType::k##name);                        \
    OpAttrs set = DefaultAttrs(OpType::k##name);                                     \
    REQUIRE(SetFields(NonDefaultFields(OpType::k##name, attrs), set).ok());          \
    CHECK(set == attrs);                                                             \
    CHECK(NonDefaultFields(OpType::k##name, DefaultAttrs(OpType::k##name)).empty()); \
  }
  QLITE_FOR_EACH_OP(QLITE_CHECK_FIELDS)
#undef QLITE_CHECK_FIELDS
}

TEST_CASE("attribute fields that do not fit are errors that name them") {
  const auto refusal = [](std::vector<AttributeField> fields) {
    OpAttrs attrs = ConvAttrs();
    const absl::Status status = SetFields(fields, attrs);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  AttributeField field;
  field.name = "strdes";
  CHECK_THAT(refusal({field}), Catch::Contains("unknown attribute 'strdes'"));
  field.name = "group";
  CHECK_THAT(refusal({field, field}), Catch::Contains("'group' stands twice"));
  field.name = "auto_pad";
  for (const int64_t bad : {int64_t{-1}, int64_t{4}, std::numeric_limits<int64_t>::max()}) {
    field.integer = bad;
    CHECK_THAT(refusal({field}), Catch::Contains("auto_pad") && Catch::Contains(std::to_string(bad)));
  }
  OpAttrs reshape = ReshapeAttrs();
  AttributeField flag;
  flag.name = "allow_zero";
  flag.integer = 2;
  CHECK_FALSE(SetFields({flag}, reshape).ok());
}

}  // namespace
}  // namespace qlite
