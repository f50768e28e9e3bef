// Large initializers, whose raw data stay in the file.
#include <catch2/catch.hpp>
#include <cstring>

#include "formats/onnx/detached_data.h"
#include "formats/onnx_model_builder.h"

namespace qlite::testing {
namespace {

using onnx_schema::TensorProto;

constexpr int64_t kCount = 20000;

std::vector<float> Counting(float first) {
  std::vector<float> values(kCount);
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  return values;
}

std::string RawBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// x + large + small + other, the constants as raw data.
OnnxModel ThreeConstants() {
  OnnxModel model(13);
  model.Input("x", {kCount}).Output("y");
  model.Constant("large", TensorProto::FLOAT, {kCount}).set_raw_data(RawBytes(Counting(1)));
  model.Constant("small", TensorProto::FLOAT, {1}).set_raw_data(RawBytes({2}));
  model.Constant("other", TensorProto::FLOAT, {kCount}).set_raw_data(RawBytes(Counting(3)));
  model.Node("Sum", {"x", "large", "small", "other"}, {"y"});
  return model;
}

bool Holds(const Graph& graph, const char* name, const std::vector<float>& values) {
  const auto data = graph.value(*graph.FindValue(name)).constant->data<float>();
  return std::vector<float>(data.begin(), data.end()) == values;
}

TEST_CASE("large initializers are read from where they lie, wherever that is") {
  const std::string bytes = ThreeConstants().Bytes();
  bool used_in_place = false;
  for (size_t offset = 0; offset < 4; ++offset) {
    std::vector<char> memory(bytes.size() + offset);
    std::memcpy(memory.data() + offset, bytes.data(), bytes.size());
    const Buffer whole = Buffer::Own(std::move(memory));
    const Buffer file{whole.data + offset, bytes.size(), whole.owner};
    const absl::StatusOr<Graph> graph = ReadOnnx(file, "");
    REQUIRE(graph.ok());
    CHECK(Holds(*graph, "large", Counting(1)));
    CHECK(Holds(*graph, "small", {2}));
    CHECK(Holds(*graph, "other", Counting(3)));
    const std::byte* data = graph->value(*graph->FindValue("large")).constant->buffer().data;
    used_in_place |= data >= file.data && data < file.data + file.size;
  }
  CHECK(used_in_place);
}

TEST_CASE("what is left of a file without its large data is small") {
  const std::string bytes = ThreeConstants().Bytes();
  onnx::DetachedData data;
  const std::string rest =
      onnx::DetachLargeData({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, data);
  CHECK(rest.size() < 1000);
  REQUIRE(data.size() == 2);
  CHECK(data.at(0).size() == kCount * sizeof(float));
  CHECK(data.contains(2));
  onnx_schema::ModelProto model;
  REQUIRE(model.ParseFromString(rest));
  CHECK(model.graph().initializer_size() == 3);
  CHECK(model.graph().initializer(1).raw_data().size() == sizeof(float));
}

TEST_CASE("of raw data that stand twice the last ones count") {
  for (const bool large_last : {false, true}) {
    OnnxModel model = ThreeConstants();
    TensorProto twice = model.graph().initializer(large_last ? 1 : 0),
                last = model.graph().initializer(large_last ? 0 : 1);
    twice.clear_dims();
    twice.add_dims(large_last ? kCount : 1);
    std::string tensor = twice.SerializeAsString();
    TensorProto data;
    data.set_raw_data(last.raw_data());
    tensor += data.SerializeAsString();
    // The graph a second time, with the tensor that no message would hold so.
    model.graph().mutable_initializer()->DeleteSubrange(large_last ? 1 : 0, 1);
    const auto delimited = [](int field, const std::string& contents) {
      std::string out(1, static_cast<char>(field << 3 | 2));
      for (size_t rest = contents.size(); true; rest >>= 7) {
        out.push_back(static_cast<char>(rest > 127 ? (rest & 127) | 128 : rest));
        if (rest <= 127) break;
      }
      return out + contents;
    };
    const absl::StatusOr<Graph> graph = OnnxModel::ReadBytes(model.Bytes() + delimited(7, delimited(5, tensor)));
    REQUIRE(graph.ok());
    CHECK(Holds(*graph, large_last ? "small" : "large", large_last ? Counting(1) : std::vector<float>{2}));
  }
}

TEST_CASE("large data are checked as others are") {
  OnnxModel model = ThreeConstants();
  model.graph().mutable_initializer(0)->set_dims(0, kCount - 1);
  CHECK(model.Read().status().code() == absl::StatusCode::kInvalidArgument);
  model = ThreeConstants();
  model.graph().mutable_initializer(0)->add_float_data(1);
  CHECK(model.Read().status().code() == absl::StatusCode::kInvalidArgument);
  model = ThreeConstants();
  model.graph().mutable_initializer(0)->set_data_location(TensorProto::EXTERNAL);
  CHECK(model.Read().status().code() == absl::StatusCode::kInvalidArgument);
  const std::string bytes = ThreeConstants().Bytes();
  CHECK_FALSE(OnnxModel::ReadBytes(bytes.substr(0, bytes.size() / 2)).ok());
}

}  // namespace
}  // namespace qlite::testing
