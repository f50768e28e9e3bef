// .qlite files that are cut short, changed or made to deceive: each an error or a valid graph, never anything else. Run
// these under the sanitizers.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "flatbuffers/flatbuffers.h"
#include "formats/qlite/file_layout.h"
#include "formats/qlite/qlite_reader.h"
#include "formats/qlite/qlite_writer.h"
#include "formats/random_graph.h"
#include "model_generated.h"

namespace qlite {
namespace {

using ::Catch::Contains;
using testing::RandomGraph;
using testing::SmallNetwork;

// A copy whose end is the end of an allocation, so that the address sanitizer sees a read beyond it.
Buffer Exactly(std::string_view bytes) {
  void* memory = std::aligned_alloc(64, (bytes.size() + 63) / 64 * 64);
  std::shared_ptr<const void> owner(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
  // The file ends where the memory does; data at a multiple of 8 from its start are aligned only for sizes that are.
  if (bytes.size() % 8 != 0) return Buffer::Copy(bytes.data(), bytes.size());
  auto* start = static_cast<std::byte*>(memory) + (bytes.size() + 63) / 64 * 64 - bytes.size();
  if (!bytes.empty()) std::memcpy(start, bytes.data(), bytes.size());
  return {start, bytes.size(), owner};
}

absl::StatusOr<Graph> Read(std::string_view bytes, bool verify_checksum = true) {
  QliteReadOptions options;
  options.verify_checksum = verify_checksum;
  return ReadQlite(Exactly(bytes), "model.qlite", options);
}

// What is wrong with the file, which must be an error that names the file.
std::string Refusal(std::string_view bytes, bool verify_checksum = true) {
  const absl::StatusOr<Graph> graph = Read(bytes, verify_checksum);
  CHECK_FALSE(graph.ok());
  const std::string message(graph.status().message());
  CHECK_THAT(message, Contains("model.qlite"));
  return message;
}

// An error, or a graph that can be used: validated, inferred and written again.
void CheckHarmless(std::string_view bytes) {
  absl::StatusOr<Graph> graph = Read(bytes, false);
  if (!graph.ok()) return;
  REQUIRE(graph->Validate().ok());
  CHECK(WriteQlite(*graph).ok());
  graph->InferShapes().IgnoreError();
}

template <class T>
void Poke(std::string& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

TEST_CASE("a file cut short anywhere is refused") {
  const std::string bytes = *WriteQlite(SmallNetwork());
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO("cut to " << size << " bytes");
    REQUIRE_FALSE(Read(std::string_view(bytes).substr(0, size)).ok());
    REQUIRE_FALSE(Read(std::string_view(bytes).substr(0, size), false).ok());
  }
  CHECK_THAT(Refusal(std::string_view(bytes).substr(0, bytes.size() - 1)), Contains("cut short"));
  CHECK_THAT(Refusal(""), Contains("0 bytes"));
}

TEST_CASE("bytes behind the end are refused") {
  CHECK_THAT(Refusal(*WriteQlite(SmallNetwork()) + std::string(64, '\0')), Contains("has grown"));
}

TEST_CASE("any changed byte is noticed") {
  const std::string bytes = *WriteQlite(SmallNetwork());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ change);
      INFO("byte " << i << " changed by " << change);
      REQUIRE_FALSE(Read(changed).ok());
    }
  }
  std::string changed = bytes;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  CHECK_THAT(Refusal(changed), Contains("checksum"));
}

TEST_CASE("changed bytes of header and structure behind the checksum do no harm") {
  for (const std::string& bytes : {*WriteQlite(SmallNetwork()), *WriteQlite(RandomGraph(11).Make())}) {
    FileHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    const size_t end = sizeof(header) + header.structure_bytes;
    const size_t step = end > 8192 ? 11 : 1;  // coprime to every alignment
    for (size_t i = 0; i < end; i += step) {
      for (const int change : {0x01, 0x10, 0xff}) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ change);
        CheckHarmless(changed);
      }
    }
  }
}

TEST_CASE("many changed bytes at once do no harm") {
  const std::string bytes = *WriteQlite(RandomGraph(12).Make());
  RandomGraph random(13);
  for (int round = 0; round < 3000; ++round) {
    std::string changed = bytes;
    for (int64_t i = random.Number(1, 6); i > 0; --i) {
      const auto place = static_cast<size_t>(random.Number(sizeof(FileHeader), std::ssize(bytes) - 5));
      if (random.Number(0, 1) == 0) {
        changed[place] = static_cast<char>(random.Number(0, 255));
      } else {
        Poke(changed, place, static_cast<uint32_t>(random.Number(0, 1) == 0 ? 0xffffffff : random.Number(0, 300)));
      }
    }
    CheckHarmless(changed);
  }
}

TEST_CASE("every field of the header is checked") {
  const std::string bytes = *WriteQlite(SmallNetwork());
  const auto with = [&bytes](size_t offset, auto value) {
    std::string changed = bytes;
    Poke(changed, offset, value);
    return changed;
  };
  CHECK_THAT(Refusal(with(0, 'Q')), Contains("identifier 'qlite'"));
  CHECK_THAT(Refusal(with(5, '\n')), Contains("identifier"));
  CHECK_THAT(Refusal(with(offsetof(FileHeader, reserved), 1u)), Contains("reserved"));
  CHECK_THAT(Refusal(with(offsetof(FileHeader, padding), 1u)), Contains("reserved"));
  const absl::Status other_version = Read(with(offsetof(FileHeader, version), kQliteVersion + 1)).status();
  CHECK(other_version.code() == absl::StatusCode::kUnimplemented);
  CHECK_THAT(std::string(other_version.message()), Contains("version 3") && Contains("reads versions 1 to 2"));
  constexpr uint64_t kNumbers[] = {0,
                                   1,
                                   63,
                                   64,
                                   1u << 20,
                                   uint64_t{1} << 31,
                                   uint64_t{1} << 32,
                                   uint64_t{1} << 62,
                                   uint64_t{1} << 63,
                                   ~uint64_t{0},
                                   ~uint64_t{0} - 63};
  for (const uint64_t number : kNumbers) {
    for (const size_t field :
         {offsetof(FileHeader, structure_bytes), offsetof(FileHeader, data_offset), offsetof(FileHeader, data_bytes)}) {
      INFO(number << " at " << field);
      CHECK_FALSE(Read(with(field, number), false).ok());
    }
    CHECK_THAT(Refusal(with(offsetof(FileHeader, checksum), number)), Contains("checksum"));
  }
}

TEST_CASE("another kind of file is refused") {
  CHECK_FALSE(LooksLikeQlite(""));
  CHECK_FALSE(LooksLikeQlite("qlite"));
  CHECK(LooksLikeQlite(*WriteQlite(Graph())));
  CHECK_THAT(Refusal(std::string(200, '\0')), Contains("identifier"));
  CHECK_THAT(Refusal(std::string(10, 'x')), Contains("10 bytes"));
}

// --- files whose structure is well-formed and says something wrong.

// The parts of a file with the input "x", an Add of "x" and a constant "c", and its result "y"; tests change one part.
struct Parts {
  schema::ModelT model;
  std::string data = std::string(64, '\0');
};

Parts ValidParts() {
  Parts parts;
  const auto value = [&](const char* name) -> schema::ValueT& {
    parts.model.values.push_back(std::make_unique<schema::ValueT>());
    schema::ValueT& made = *parts.model.values.back();
    made.name = name;
    made.type = static_cast<uint8_t>(ElementType::kFloat32);
    made.has_rank = true;
    made.dims = {2, 3};
    return made;
  };
  value("x");
  value("c").data = std::make_unique<schema::DataRange>(0, 24);
  value("y");
  parts.model.nodes.push_back(std::make_unique<schema::NodeT>());
  schema::NodeT& node = *parts.model.nodes[0];
  node.name = "add";
  node.op = "Add";
  node.inputs = {0, 1};
  node.outputs = {2};
  parts.model.inputs = {0};
  parts.model.outputs = {2};
  return parts;
}

std::string FileOf(const std::function<void(flatbuffers::FlatBufferBuilder&)>& write, const std::string& data) {
  flatbuffers::FlatBufferBuilder builder;
  write(builder);
  FileHeader header{};
  header.magic = kQliteMagic;
  header.version = kQliteVersion;
  header.structure_bytes = builder.GetSize();
  header.data_offset = (sizeof(header) + builder.GetSize() + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
  header.data_bytes = data.size();
  std::string file(header.data_offset, '\0');
  std::memcpy(file.data(), &header, sizeof(header));
  std::memcpy(file.data() + sizeof(header), builder.GetBufferPointer(), builder.GetSize());
  return file + data;
}

std::string FileOf(const Parts& parts) {
  return FileOf([&](auto& builder) { schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &parts.model)); },
                parts.data);
}

// What is wrong with the valid file after one change.
std::string RefusalOf(const std::function<void(Parts&)>& change) {
  Parts parts = ValidParts();
  change(parts);
  return Refusal(FileOf(parts), false);
}

TEST_CASE("the file that the next tests change is valid") {
  const absl::StatusOr<Graph> graph = Read(FileOf(ValidParts()), false);
  INFO(std::string(graph.status().message()));
  CHECK(graph.ok());
}

TEST_CASE("constants must lie aligned within the data and have their size") {
  const auto range = [](uint64_t offset, uint64_t size) {
    return RefusalOf([=](Parts& p) { *p.model.values[1]->data = schema::DataRange(offset, size); });
  };
  CHECK_THAT(range(4, 24), Contains("value 'c'") && Contains("not aligned"));
  CHECK_THAT(range(64, 24), Contains("reach beyond the data section of 64"));
  CHECK_THAT(range(0, 65), Contains("reach beyond"));
  CHECK_THAT(range(0, ~uint64_t{0}), Contains("reach beyond"));
  CHECK_THAT(range(~uint64_t{0} - 63, 128), Contains("reach beyond"));
  CHECK_THAT(range(0, 20), Contains("value 'c'") && Contains("24"));
  CHECK_THAT(range(0, 28), Contains("value 'c'") && Contains("24"));
}

TEST_CASE("shapes and types of values are checked") {
  const auto dims = [](size_t value, std::vector<int64_t> extents) {
    return RefusalOf([&](Parts& parts) { parts.model.values[value]->dims = extents; });
  };
  CHECK_THAT(dims(1, {-1, 3}), Contains("value 'c'") && Contains("unknown dimension"));
  CHECK_THAT(dims(1, {int64_t{1} << 40, int64_t{1} << 40}), Contains("value 'c'"));
  CHECK_THAT(dims(0, {-2}), Contains("-2"));
  CHECK_THAT(dims(2, {std::numeric_limits<int64_t>::min()}), Contains("'y'"));
  CHECK_THAT(dims(2, std::vector<int64_t>(100000, 1)), Contains("dimensions"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[2]->type = 14; }), Contains("unknown element type 14"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[0]->type = 255; }), Contains("unknown element type"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[1]->type = 0; }), Contains("'c'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[1]->has_rank = false; }), Contains("'c'"));
}

TEST_CASE("boolean constants hold 0 and 1 alone") {
  CHECK_THAT(RefusalOf([](Parts& p) {
               p.model.values[1]->type = static_cast<uint8_t>(ElementType::kBool);
               *p.model.values[1]->data = schema::DataRange(0, 6);
               p.data[5] = 2;
             }),
             Contains("value 'c'") && Contains("bool"));
}

TEST_CASE("references to what is not there are refused") {
  for (const int32_t number : {-2, 3, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    INFO(number);
    CHECK_THAT(RefusalOf([&](Parts& p) { p.model.nodes[0]->inputs[1] = number; }), Contains(std::to_string(number)));
    CHECK_THAT(RefusalOf([&](Parts& p) { p.model.nodes[0]->outputs[0] = number; }), Contains(std::to_string(number)));
    CHECK_THAT(RefusalOf([&](Parts& p) { p.model.outputs[0] = number; }), Contains(std::to_string(number)));
    CHECK_THAT(RefusalOf([&](Parts& p) { p.model.inputs[0] = number; }), Contains(std::to_string(number)));
  }
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.outputs[0] = -1; }), Contains("outputs"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.inputs = {0, 0}; }), Contains("twice"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.inputs = {0, 1}; }), Contains("constant"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.inputs = {}; }), Contains("'x'"));
}

TEST_CASE("nodes that no graph can have are refused") {
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->op = "Ad"; }), Contains("node 'add'") && Contains("'Ad'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->op = ""; }), Contains("node 'add'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->name = ""; }), Contains("name"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->outputs = {0}; }), Contains("'x'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->outputs = {1}; }), Contains("'c'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->outputs = {2, 2}; }), Contains("add"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->outputs = {}; }), Contains("add"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->inputs = {0}; }), Contains("add"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->inputs = {0, -1}; }), Contains("add"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->inputs = {0, 2}; }), Contains("'add'"));  // a cycle
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.nodes[0]->inputs = {0, 1, 1}; }), Contains("add"));
  const auto attribute = [](const char* name, int64_t integer) {
    return [=](Parts& p) {
      p.model.nodes[0]->attributes.push_back(std::make_unique<schema::AttributeT>());
      p.model.nodes[0]->attributes.back()->name = name;
      p.model.nodes[0]->attributes.back()->integer = integer;
    };
  };
  CHECK_THAT(RefusalOf(attribute("axis", 1)), Contains("node 'add'") && Contains("unknown attribute 'axis'"));
}

TEST_CASE("names must be unique") {
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[2]->name = "x"; }), Contains("'x'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[1]->name = "y"; }), Contains("'y'"));
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[2]->name = ""; }), Contains("name"));
  CHECK_THAT(RefusalOf([](Parts& p) {
               p.model.nodes.push_back(std::make_unique<schema::NodeT>(*p.model.nodes[0]));
               p.model.values.push_back(std::make_unique<schema::ValueT>());
               p.model.values[3]->name = "z";
               p.model.nodes[1]->outputs = {3};
             }),
             Contains("two nodes are called 'add'"));
}

TEST_CASE("quantization parameters are checked") {
  const auto quant = [](const std::function<void(schema::QuantParamsT&)>& change) {
    return RefusalOf([&](Parts& p) {
      auto params = std::make_unique<schema::QuantParamsT>();
      params->scales = {1.0f};
      change(*params);
      p.model.values[2]->quant = std::move(params);
    });
  };
  CHECK_THAT(quant([](auto& q) { q.scales = {}; }), Contains("'y'"));
  CHECK_THAT(quant([](auto& q) { q.scales = {-1.0f}; }), Contains("'y'") && Contains("positive"));
  CHECK_THAT(quant([](auto& q) { q.scales = {std::numeric_limits<float>::quiet_NaN()}; }), Contains("positive"));
  CHECK_THAT(quant([](auto& q) { q.bits = 0; }), Contains("bits"));
  CHECK_THAT(quant([](auto& q) { q.bits = 200; }), Contains("bits"));
  CHECK_THAT(quant([](auto& q) { q.zero_points = {200}; }), Contains("zero point"));
  CHECK_THAT(quant([](auto& q) { q.zero_points = {0, 0}; }), Contains("zero points"));
  CHECK_THAT(quant([](auto& q) { q.axis = 2; }), Contains("axis 2"));
  CHECK_THAT(quant([](auto& q) { q.axis = -5; }), Contains("axis"));
  CHECK_THAT(quant([](auto& q) { q.axis = 1; }), Contains("scales"));
  CHECK_THAT(quant([](auto& q) { q.axis = 1, q.block_size = -1; }), Contains("block_size"));
}

TEST_CASE("symbols beside the dimensions are as many as they") {
  CHECK_THAT(RefusalOf([](Parts& p) { p.model.values[0]->symbols.push_back(std::make_unique<schema::SymbolT>()); }),
             Contains("symbols and dimensions differ"));
}

TEST_CASE("more nodes or tensors than the limit are refused") {
  QliteReadOptions options;
  options.verify_checksum = false;
  options.limits.max_nodes = 0;
  CHECK_FALSE(ReadQlite(Exactly(FileOf(ValidParts())), "model.qlite", options).ok());
  options.limits.max_nodes = std::numeric_limits<int64_t>::max();
  CHECK(ReadQlite(Exactly(FileOf(ValidParts())), "model.qlite", options).ok());
  const auto tensors = static_cast<int64_t>(ValidParts().model.values.size());
  options.limits.max_tensors = tensors - 1;
  CHECK(ReadQlite(Exactly(FileOf(ValidParts())), "model.qlite", options).status().code() ==
        absl::StatusCode::kResourceExhausted);
  options.limits.max_tensors = tensors;
  options.limits.max_tensor_bytes = 23;
  const absl::Status status = ReadQlite(Exactly(FileOf(ValidParts())), "model.qlite", options).status();
  CHECK(status.code() == absl::StatusCode::kResourceExhausted);
}

// FlatBuffers' verifier lets 64-bit elements lie at any multiple of 4.
TEST_CASE("vectors that lie badly aligned are read") {
  const std::string bytes = *WriteQlite(SmallNetwork());
  const int64_t dims[] = {3, 3};  // the kernel's shape, behind its length of 2
  std::string wanted(4, '\0');
  wanted[0] = 2;
  wanted.append(reinterpret_cast<const char*>(dims), sizeof(dims));
  const size_t place = bytes.find(wanted);
  REQUIRE(place != std::string::npos);
  // Its reference, moved by 4 bytes, then reads another length and misaligned elements.
  for (size_t i = sizeof(FileHeader); i + 4 <= place; i += 4) {
    uint32_t offset;
    std::memcpy(&offset, bytes.data() + i, sizeof(offset));
    if (i + offset != place) continue;
    for (const int shift : {-12, -8, -4, 4, 8, 12}) {
      std::string changed = bytes;
      Poke(changed, i, offset + static_cast<uint32_t>(shift));
      CheckHarmless(changed);
    }
  }
}

// One large piece that many places refer to would be copied for each of them.
TEST_CASE("parts that are referred to many times cannot multiply") {
  const std::string file = FileOf(
      [](flatbuffers::FlatBufferBuilder& builder) {
        constexpr int kNodes = 2000;
        const auto large = builder.CreateVector(std::vector<int64_t>(100000, 1));
        const auto field = builder.CreateString("kernel_shape"), op = builder.CreateString("Conv");
        const auto attribute = schema::CreateAttribute(builder, field, 0, 0, large);
        const auto attributes = builder.CreateVector(&attribute, 1);
        std::vector<flatbuffers::Offset<schema::Value>> values;
        std::vector<flatbuffers::Offset<schema::Node>> nodes;
        for (int i = 0; i <= kNodes; ++i) {
          values.push_back(schema::CreateValue(builder, builder.CreateString(StrCat("v", i))));
        }
        for (int i = 0; i < kNodes; ++i) {
          const auto name = builder.CreateString(StrCat("n", i));
          const auto inputs = builder.CreateVector<int32_t>({0, 0}), outputs = builder.CreateVector<int32_t>({i + 1});
          nodes.push_back(schema::CreateNode(builder, name, op, attributes, inputs, outputs));
        }
        const auto all_values = builder.CreateVector(values);
        const auto all_nodes = builder.CreateVector(nodes);
        const auto inputs = builder.CreateVector<int32_t>({0}), outputs = builder.CreateVector<int32_t>({1});
        schema::FinishModelBuffer(builder, schema::CreateModel(builder, 0, 0, all_values, all_nodes, inputs, outputs));
      },
      "");
  CHECK_THAT(Refusal(file, false), Contains("too often"));
}

TEST_CASE("long symbols that many dimensions share cannot multiply") {
  const std::string file = FileOf(
      [](flatbuffers::FlatBufferBuilder& builder) {
        const auto name = builder.CreateString("x");
        const auto symbol = schema::CreateSymbol(builder, builder.CreateString(std::string(1 << 16, 's')));
        const auto dims = builder.CreateVector(std::vector<int64_t>(1 << 14, -1));
        const auto symbols = builder.CreateVector(std::vector<flatbuffers::Offset<schema::Symbol>>(1 << 14, symbol));
        const auto value = schema::CreateValue(builder, name, 1, true, dims, symbols);
        const auto values = builder.CreateVector(&value, 1);
        const auto nodes = builder.CreateVector(std::vector<flatbuffers::Offset<schema::Node>>());
        const auto border = builder.CreateVector<int32_t>({0});
        schema::FinishModelBuffer(builder, schema::CreateModel(builder, 0, 0, values, nodes, border, border));
      },
      "");
  CHECK_THAT(Refusal(file, false), Contains("too often"));
}

}  // namespace
}  // namespace qlite
