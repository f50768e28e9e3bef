// The test cases of the ONNX standard through reader and session. A case is a folder with model.onnx and
// test_data_set_N/input_M.pb, output_M.pb, each a TensorProto. Those that need what is not supported are counted, not
// run: the reader or the session must refuse them with kUnimplemented.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/str_cat.h"
#include "formats/onnx/external_data.h"
#include "formats/onnx/onnx.pb.h"
#include "formats/onnx/onnx_reader.h"
#include "formats/onnx/onnx_tensor.h"
#include "qlite/session.h"
#include "test_data.h"

namespace qlite {
namespace {

namespace fs = std::filesystem;
using onnx_schema::ModelProto;
using onnx_schema::TensorProto;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct DataSetFiles {
  std::vector<TensorProto> inputs, outputs;
};

std::vector<TensorProto> ReadTensors(const fs::path& folder, const std::string& prefix) {
  std::vector<TensorProto> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / (prefix + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return tensors;
    tensors.emplace_back();
    if (!tensors.back().ParseFromString(ReadFile(path))) tensors.back().Clear();
  }
}

// Element as double, whatever its type.
std::vector<double> Numbers(ElementType type, const void* data, size_t count) {
  std::vector<double> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    switch (type) {
      case ElementType::kFloat32:
        numbers[i] = static_cast<const float*>(data)[i];
        break;
      case ElementType::kInt64:
        numbers[i] = static_cast<double>(static_cast<const int64_t*>(data)[i]);
        break;
      case ElementType::kInt32:
        numbers[i] = static_cast<const int32_t*>(data)[i];
        break;
      case ElementType::kInt16:
        numbers[i] = static_cast<const int16_t*>(data)[i];
        break;
      case ElementType::kInt8:
        numbers[i] = static_cast<const int8_t*>(data)[i];
        break;
      case ElementType::kUInt16:
        numbers[i] = static_cast<const uint16_t*>(data)[i];
        break;
      case ElementType::kUInt32:
        numbers[i] = static_cast<const uint32_t*>(data)[i];
        break;
      case ElementType::kUInt64:
        numbers[i] = static_cast<double>(static_cast<const uint64_t*>(data)[i]);
        break;
      default:
        numbers[i] = static_cast<const uint8_t*>(data)[i];
        break;
    }
  }
  return numbers;
}

absl::StatusOr<Tensor> AsTensor(TensorProto proto) {
  onnx::ExternalData none("", 0);
  return onnx::ReadTensor(proto, none, Limits{});
}

// What became of a case: nothing where it passed, else why it was not run or is wrong.
struct Outcome {
  bool run = false;
  std::string refusal;  // of a case that was not run
  std::string mistake;  // of one that was
};

std::string Compare(const Session& session, std::vector<TensorProto>& expected) {
  if (session.output_count() != expected.size()) return "number of outputs";
  for (size_t i = 0; i < expected.size(); ++i) {
    auto tensor = AsTensor(expected[i]);
    if (!tensor.ok()) return "";  // strings, sequences: the reader has refused the model before
    const TensorView view = session.output(i);
    if (!std::equal(view.dims.begin(), view.dims.end(), tensor->dims().begin(), tensor->dims().end())) return "extents";
    const auto count = static_cast<size_t>(tensor->element_count());
    const auto want = Numbers(tensor->type(), tensor->buffer().data, count);
    // Quantized uint8 values are int8 with the zero point less 128.
    const bool shifted = tensor->type() == ElementType::kUInt8 && view.type == ElementType::kInt8;
    if (view.type != tensor->type() && !shifted) return "element type";
    const auto got = Numbers(view.type, view.data, count);
    for (size_t k = 0; k < count; ++k) {
      const double value = got[k] + (shifted ? 128 : 0);
      const bool same = value == want[k] || (std::isnan(value) && std::isnan(want[k])) ||
                        std::abs(value - want[k]) <= 1e-5 + 1e-3 * std::abs(want[k]);
      if (!same) {
        return "output " + std::to_string(i) + " element " + std::to_string(k) + ": " + std::to_string(value) +
               ", expected " + std::to_string(want[k]);
      }
    }
  }
  return "";
}

// Inputs from `first_constant` on become constants of the model.
Outcome RunCase(const Context& context, ModelProto model, const DataSetFiles& data, size_t first_constant) {
  auto* graph = model.mutable_graph();
  while (first_constant < data.inputs.size() && static_cast<size_t>(graph->input_size()) > first_constant) {
    const int last = graph->input_size() - 1;
    if (static_cast<size_t>(last) < data.inputs.size()) {
      *graph->add_initializer() = data.inputs[static_cast<size_t>(last)];
      graph->mutable_initializer(graph->initializer_size() - 1)->set_name(graph->input(last).name());
    }
    graph->mutable_input()->RemoveLast();
  }
  std::string bytes = model.SerializeAsString();
  auto read = ReadOnnx(Buffer::Copy(bytes.data(), bytes.size()), "");
  if (!read.ok()) return {false, std::string(Message(read.status())), ""};
  SessionOptions options;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < std::min(data.inputs.size(), read->inputs().size()); ++i) {
    auto tensor = AsTensor(data.inputs[i]);
    if (!tensor.ok()) return {false, "an input is no tensor", ""};
    options.input_shapes[read->value(read->inputs()[i]).name] = tensor->dims();
    inputs.push_back(std::move(*tensor));
  }
  auto session = Session::Create(context, *read, options);
  if (!session.ok()) {
    const bool refused = session.status().code() == absl::StatusCode::kUnimplemented;
    const std::string message(Message(session.status()));
    return refused ? Outcome{false, message, ""} : Outcome{true, "", message};
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const MutableTensorView view = (*session)->input(i);
    if (view.bytes != inputs[i].buffer().size) return {true, "", "size of input " + std::to_string(i)};
    std::memcpy(view.data, inputs[i].buffer().data, view.bytes);
    if (inputs[i].type() == ElementType::kUInt8 && view.type == ElementType::kInt8) {
      for (uint8_t& byte : view.as<uint8_t>()) byte = static_cast<uint8_t>(byte ^ 0x80);
    }
  }
  if (absl::Status status = (*session)->Run(); !status.ok()) return {true, "", std::string(Message(status))};
  std::vector<TensorProto> expected = data.outputs;
  return {true, "", Compare(**session, expected)};
}

Outcome RunFolder(const Context& context, const fs::path& folder) {
  ModelProto model;
  if (!model.ParseFromString(ReadFile(folder / "model.onnx"))) return {false, "not a model", ""};
  // Opset 7 added the default broadcasting; the reader refuses what was written otherwise before.
  for (auto& opset : *model.mutable_opset_import()) {
    if (opset.version() == 6) opset.set_version(7);
  }
  Outcome last;
  for (int set = 0; fs::exists(folder / ("test_data_set_" + std::to_string(set))); ++set) {
    const fs::path data_folder = folder / ("test_data_set_" + std::to_string(set));
    DataSetFiles data{ReadTensors(data_folder, "input_"), ReadTensors(data_folder, "output_")};
    last = RunCase(context, model, data, data.inputs.size());
    for (size_t first_constant : {1, 0}) {  // what must be constant is
      if (!last.run) last = RunCase(context, model, data, first_constant);
    }
    if (!last.run || !last.mistake.empty()) return last;
  }
  return last;
}

// Where reference and session may differ.
bool IsKnownDifference(const std::string& name) {
  static const std::vector<std::string> kNames = {
      // The data hold bfloat16 numbers in two bytes, the models declare other types or extents.
      "test_cast_BFLOAT16_to_FLOAT",
      "test_cast_FLOAT_to_BFLOAT16",
      "test_castlike_BFLOAT16_to_FLOAT_expanded",
      "test_castlike_FLOAT_to_BFLOAT16_expanded",
      // Computed with an output length that is not whole, which no runtime follows.
      "test_resize_downsample_scales_cubic_align_corners",
      "test_resize_downsample_scales_linear_align_corners",
  };
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void RunAll(const fs::path& root) {
  auto context = Context::Create();
  REQUIRE(context.ok());
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (fs::exists(entry.path() / "model.onnx")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  int passed = 0, refused = 0;
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename().string();
    if (IsKnownDifference(name)) continue;
    const Outcome outcome = RunFolder(*context, folder);
    if (!outcome.run) {
      ++refused;
      if (std::getenv("QLITE_LIST_REFUSED") != nullptr) WARN(name << ": " << outcome.refusal);
      continue;
    }
    ++passed;
    INFO(name);
    CHECK(outcome.mistake == "");
  }
  WARN(root.string() << ": " << passed << " run, " << refused << " refused as unsupported");
  CHECK(passed > 0);
}

TEST_CASE("cases of the ONNX backend tests", "[conformance]") {
  const std::string suite = GENERATE("simple", "pytorch-operator", "pytorch-converted");
  const auto folder = testing::TestData("onnx_backend/" + suite);
  if (!folder) {
    WARN("skipped: no onnx_backend/" << suite << " in the test data");
    return;
  }
  RunAll(*folder);
}

TEST_CASE("recorded outputs of a trained model", "[conformance]") {
  const auto folder = testing::TestData("models/mnist_8");
  if (!folder) {
    WARN("skipped: no models/mnist_8 in the test data");
    return;
  }
  auto context = Context::Create();
  REQUIRE(context.ok());
  const Outcome outcome = RunFolder(*context, *folder);
  INFO(outcome.refusal);
  CHECK(outcome.run);
  CHECK(outcome.mistake == "");
}

TEST_CASE("node tests of ONNX", "[conformance]") {
  const fs::path folder = "/usr/include/onnx/backend/test/data/node";
  if (!fs::exists(folder)) {
    WARN("skipped: Debian's libonnx-testdata is not installed");
    return;
  }
  RunAll(folder);
}

}  // namespace
}  // namespace qlite
