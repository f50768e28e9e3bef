// Whatever is wrong with a file, the answer is an error that says so.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>

#include "formats/onnx_model_builder.h"

namespace qlite {
namespace {

using namespace testing;  // NOLINT: the builder
using onnx_schema::TensorProto;

OnnxModel SmallConv() {
  OnnxModel model(13);
  model.Input("x", {1, 1, 4, 4}).Output("y");
  auto& weights = model.Constant("w", TensorProto::FLOAT, {2, 1, 3, 3});
  weights.set_raw_data(std::string(72, '\1'));
  model.Floats("b", {2}, {0, 1});
  auto& conv = model.Node("Conv", {"x", "w", "b"}, {"c"});
  SetInts(conv, "pads", {1, 1, 1, 1});
  SetInts(conv, "kernel_shape", {3, 3});
  model.Node("Relu", {"c"}, {"y"});
  return model;
}

// The model is refused with a message that says `named`.
absl::StatusCode Error(const OnnxModel& model, const std::string& named = "") {
  const absl::Status status = model.Read().status();
  INFO(status.ToString());
  CHECK_FALSE(status.ok());
  CHECK(status.ToString().find(named) != std::string::npos);
  return status.code();
}

TEST_CASE("a file cut at any byte is refused or, at a field's end, read") {
  const std::string bytes = SmallConv().Bytes();
  REQUIRE(OnnxModel::ReadBytes(bytes).ok());
  for (size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(OnnxModel::ReadBytes(bytes.substr(0, length)).ok());
  }
}

TEST_CASE("a file with any byte changed does not crash the reader") {
  const std::string bytes = SmallConv().Bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x08, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const absl::StatusOr<Graph> graph = OnnxModel::ReadBytes(changed);
      if (graph.ok()) CHECK(graph->Validate().ok());
    }
  }
}

TEST_CASE("other files are not ONNX") {
  CHECK_FALSE(OnnxModel::ReadBytes("").ok());
  CHECK_FALSE(OnnxModel::ReadBytes("hello, world").ok());
  CHECK_FALSE(OnnxModel::ReadBytes(std::string(1000, '\0')).ok());
  CHECK_FALSE(OnnxModel::ReadBytes(std::string(1000, '\xff')).ok());
}

TEST_CASE("the data of a constant must fill its shape") {
  OnnxModel model = SmallConv();
  auto& weights = *model.graph().mutable_initializer(0);
  SECTION("too few bytes") { weights.set_raw_data("abcd"); }
  SECTION("a negative dimension") { weights.set_dims(0, -2); }
  SECTION("a product beyond 64 bits") { weights.set_dims(0, std::numeric_limits<int64_t>::max()); }
  SECTION("terabytes declared, none there") { weights.set_dims(0, int64_t{1} << 40); }
  SECTION("raw and typed data") { weights.add_float_data(1); }
  SECTION("a type that is unknown") { weights.set_data_type(99); }
  SECTION("no type") { weights.clear_data_type(); }
  SECTION("data of another type's field") {
    weights.clear_raw_data();
    for (int i = 0; i < 18; ++i) weights.add_int64_data(1);
  }
  Error(model, "'w'");
}

TEST_CASE("numbers outside the range of their type are refused") {
  OnnxModel model(13);
  model.Output("y", TensorProto::UINT8).Input("x", {1}, TensorProto::UINT8);
  model.Small("c", TensorProto::UINT8, {1}, {256});
  model.Node("Add", {"x", "c"}, {"y"});
  Error(model, "256");
}

TEST_CASE("strings, sparse tensors, training information and local functions are refused by name") {
  OnnxModel model = SmallConv();
  SECTION("strings") {
    auto& text = model.Constant("text", TensorProto::STRING, {1});
    text.add_string_data("a");
    Error(model, "STRING");
  }
  SECTION("sparse") {
    model.graph().add_sparse_initializer()->mutable_values()->set_name("thin");
    Error(model, "thin");
  }
  SECTION("training") {
    model.proto.add_training_info();
    Error(model, "training");
  }
  SECTION("functions") {
    model.proto.add_functions()->set_name("gelu_of_mine");
    Error(model, "gelu_of_mine");
  }
}

TEST_CASE("all unsupported operators are listed at once") {
  OnnxModel model = SmallConv();
  model.Node("RNN", {"x"}, {"p"});
  model.Node("RNN", {"x"}, {"q"});
  model.Node("Wonder", {"x"}, {"r"}).set_domain("com.example");
  const absl::StatusCode code =
      Error(model, "RNN (2 nodes: 'RNN_p', 'RNN_q'), com.example::Wonder (1 node: 'Wonder_r')");
  CHECK(code == absl::StatusCode::kUnimplemented);
}

TEST_CASE("names") {
  OnnxModel model = SmallConv();
  SECTION("missing input") {
    model.graph().mutable_node(0)->set_input(0, "nowhere");
    Error(model, "nowhere");
  }
  SECTION("value made twice") {
    model.Node("Neg", {"x"}, {"c"});
    Error(model, "'c'");
  }
  SECTION("node makes a constant's name") {
    model.Node("Neg", {"x"}, {"w"});
    Error(model, "'w'");
  }
  SECTION("initializer twice") {
    model.Floats("w", {1}, {1});
    Error(model, "'w'");
  }
  SECTION("initializer without a name") {
    model.Floats("", {1}, {1});
    Error(model, "no name");
  }
  SECTION("input twice") {
    model.Input("x", {1});
    Error(model, "'x'");
  }
  SECTION("output of nothing") {
    model.Output("z");
    Error(model, "'z'");
  }
  SECTION("output twice") {
    model.Output("y");
    Error(model, "'y'");
  }
  SECTION("not UTF-8") {
    model.graph().mutable_node(1)->set_output(0, "\xc3\x28");
    Error(model, "UTF-8");
  }
  SECTION("node without outputs") {
    model.graph().mutable_node(1)->clear_output();
    Error(model, "no output");
  }
}

TEST_CASE("cycles are refused, naming a node") {
  OnnxModel model = SmallConv();
  model.Node("Add", {"c", "q"}, {"p"});
  model.Node("Neg", {"p"}, {"q"});
  Error(model, "cycle");
  OnnxModel self = SmallConv();
  self.Node("Add", {"c", "p"}, {"p"});
  Error(self, "cycle");
}

TEST_CASE("attributes") {
  OnnxModel model = SmallConv();
  auto& conv = *model.graph().mutable_node(0);
  SECTION("of the wrong type") {
    SetFloat(conv, "group", 1);
    Error(model, "'group'");
  }
  SECTION("unknown") {
    SetInt(conv, "colour", 3);
    Error(model, "'colour'");
  }
  SECTION("twice") {
    SetInt(conv, "group", 1);
    SetInt(conv, "group", 1);
    Error(model, "'group'");
  }
  SECTION("of impossible value") {
    SetString(conv, "auto_pad", "SOMEHOW");
    Error(model, "SOMEHOW");
  }
}

TEST_CASE("a negative dimension of an input is refused") {
  OnnxModel model(13);
  model.Input("x", {1, -3}).Output("y");
  model.Node("Relu", {"x"}, {"y"});
  Error(model, "'x'");
}

TEST_CASE("limits are kept before memory is taken") {
  const OnnxModel model = SmallConv();
  OnnxReadOptions options;
  SECTION("file") { options.limits.max_file_bytes = 10; }
  SECTION("tensor") { options.limits.max_tensor_bytes = 50; }
  SECTION("nodes") { options.limits.max_nodes = 1; }
  SECTION("tensors") { options.limits.max_tensors = 3; }
  CHECK_FALSE(model.Read(options).ok());
}

TEST_CASE("a file of nothing but empty messages is refused before it is parsed") {
  // GraphProto of 200 MB in memory, in 4 MB: node fields of length 0.
  std::string nodes;
  for (int i = 0; i < 2000000; ++i) nodes += std::string("\x0a\x00", 2);
  std::string bytes = "\x3a";
  for (size_t n = nodes.size(); n > 0; n >>= 7) bytes += static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
  const absl::Status status = OnnxModel::ReadBytes(bytes + nodes).status();
  CHECK_FALSE(status.ok());
  INFO(status.ToString());
  CHECK(
      (status.ToString().find("memory") != std::string::npos || status.ToString().find("nodes") != std::string::npos));
}

TEST_CASE("messages nested without end are refused") {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) {
    // AttributeProto.g -> GraphProto.node -> NodeProto.attribute, innermost first.
    const char tags[] = {0x32, 0x0a, 0x2a};
    std::string field(1, tags[i % 3]);
    for (size_t n = bytes.size(); true; n >>= 7) {
      field += static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
      if (n <= 0x7f) break;
    }
    if (bytes.size() > 100000) break;
    bytes = field + bytes;
  }
  CHECK_FALSE(OnnxModel::ReadBytes(bytes).ok());
}

TEST_CASE("weights that are not numbers are read") {
  OnnxModel model = SmallConv();
  model.graph().mutable_initializer(1)->set_float_data(0, std::numeric_limits<float>::quiet_NaN());
  model.graph().mutable_initializer(1)->set_float_data(1, std::numeric_limits<float>::infinity());
  CHECK(model.Read().ok());
}

// --- external data

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("qlite_onnx_test_" + std::to_string(reinterpret_cast<uintptr_t>(this)))) {
    std::filesystem::create_directories(path_ / "model" / "deep");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path Path(const std::string& relative) const { return path_ / relative; }
  void Write(const std::string& relative, const std::string& bytes) const {
    std::ofstream(Path(relative), std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path path_;
};

OnnxModel WithExternal(const std::vector<std::pair<std::string, std::string>>& entries) {
  OnnxModel model = SmallConv();
  auto& weights = *model.graph().mutable_initializer(0);
  weights.clear_raw_data();
  weights.set_data_location(TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto& entry = *weights.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  }
  return model;
}

TEST_CASE("external data are read from the model's folder") {
  const Folder folder;
  std::string bytes(8, 'x');
  for (int i = 0; i < 18; ++i) {
    const float v = static_cast<float>(i);
    bytes.append(reinterpret_cast<const char*>(&v), 4);
  }
  folder.Write("model/deep/weights.bin", bytes);
  const OnnxModel model = WithExternal({{"location", "deep/weights.bin"}, {"offset", "8"}, {"length", "72"}});
  const auto graph = OnnxModel::ReadBytes(model.Bytes(), folder.Path("model/m.onnx").string());
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  CHECK(graph->value(*graph->FindValue("w")).constant->data<float>()[17] == 17.0f);
}

TEST_CASE("external data outside the folder, or not as described, are refused") {
  const Folder folder;
  folder.Write("secret.bin", std::string(100, 's'));
  folder.Write("model/short.bin", std::string(60, 's'));
  folder.Write("model/long.bin", std::string(100, 's'));
  std::filesystem::create_symlink(folder.Path("secret.bin"), folder.Path("model/link.bin"));
  std::filesystem::create_directory_symlink(folder.Path("."), folder.Path("model/up"));
  using Entries = std::vector<std::pair<std::string, std::string>>;
  const Entries cases[] = {
      {{"location", "../secret.bin"}},
      {{"location", "deep/../../secret.bin"}},
      {{"location", folder.Path("secret.bin").string()}},
      {{"location", "link.bin"}},
      {{"location", "up/secret.bin"}},
      {{"location", "absent.bin"}},
      {{"location", "deep"}},
      {{"location", ""}},
      {{"location", std::string("long.bin\0.png", 13)}},
      {},
      {{"location", "short.bin"}},
      {{"location", "long.bin"}, {"offset", "40"}},
      {{"location", "long.bin"}, {"offset", "-4"}},
      {{"location", "long.bin"}, {"offset", "18446744073709551612"}},
      {{"location", "long.bin"}, {"offset", "four"}},
      {{"location", "long.bin"}, {"length", "71"}},
      {{"location", "long.bin"}, {"compression", "zip"}},
  };
  for (const Entries& entries : cases) {
    const auto graph = OnnxModel::ReadBytes(WithExternal(entries).Bytes(), folder.Path("model/m.onnx").string());
    INFO((entries.empty() ? "none" : entries[0].second) << ": " << graph.status().ToString());
    CHECK_FALSE(graph.ok());
    CHECK(graph.status().ToString().find("'w'") != std::string::npos);
  }
  const auto memory = OnnxModel::ReadBytes(WithExternal({{"location", "long.bin"}}).Bytes());
  CHECK_FALSE(memory.ok());
}

}  // namespace
}  // namespace qlite
