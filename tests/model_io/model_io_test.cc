#include "qlite/model_io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "formats/random_graph.h"
#include "formats/same_graph.h"
#include "model_io/check_export.h"
#include "qlite/session.h"
#include "qlite/version.h"
#include "temporary_folder.h"

namespace qlite {
namespace {

namespace fs = std::filesystem;
using ::Catch::Contains;
using testing::FirstDifference;
using testing::SmallNetwork;
using testing::TemporaryFolder;

void WriteText(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

Context MakeContext(int threads = 1, const std::string& isa = "") {
  ContextOptions options;
  options.num_threads = threads;
  options.isa = isa;
  return *Context::Create(options);
}

ExportOptions As(ModelFormat format) {
  ExportOptions options;
  options.format = format;
  return options;
}

// SmallNetwork with its batch dimension fixed and its shapes inferred.
Graph Network() {
  Graph graph = SmallNetwork();
  REQUIRE(graph.InferShapes({{"x", {1, 3, 8, 8}}}).ok());
  return graph;
}

// A graph whose output is NaN everywhere: 0 * infinity.
Graph NetworkOfNaN() {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({4}));
  const ValueId infinite =
      graph.AddConstant("c", Tensor::Of<float>({4}, std::vector<float>(4, std::numeric_limits<float>::infinity())));
  const ValueId zero = graph.AddConstant("z", Tensor::Of<float>({4}, std::vector<float>(4, 0.0f)));
  const ValueId none = *graph.AddNode("none", OpType::kMul, ElementwiseAttrs(), {x, zero}, "n");
  graph.SetOutputs({*graph.AddNode("nan", OpType::kMul, ElementwiseAttrs(), {none, infinite}, "y")});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

// One sample that cannot be read: the check of an export fails with it.
class BrokenData : public DataSet {
 public:
  int64_t size() const override { return 1; }
  absl::Status Read(int64_t, std::span<const MutableTensorView>) const override {
    return absl::DataLossError("the sample is broken");
  }
  std::string Describe(int64_t) const override { return "sample"; }
  absl::StatusOr<uint64_t> Fingerprint() const override { return 1; }
};

TEST_CASE("formats by name and by extension") {
  CHECK(*ParseModelFormat("QLite") == ModelFormat::kQlite);
  CHECK(*ParseModelFormat("onnx") == ModelFormat::kOnnx);
  CHECK_THAT(MessageOf(ParseModelFormat("onx").status()), Contains("'onx'") && Contains("did you mean 'onnx'"));
  CHECK_FALSE(ParseModelFormat("").ok());
  CHECK(ModelFormatName(ModelFormat::kQlite) == "qlite");
  CHECK(ModelFormatOfPath("a/b.c/model.ONNX") == ModelFormat::kOnnx);
  CHECK(ModelFormatOfPath("model.qlite") == ModelFormat::kQlite);
  for (const char* path : {"", "model", "model.", "model.tflite", "a.onnx/model", "onnx"}) {
    CHECK_FALSE(ModelFormatOfPath(path).has_value());
  }
}

TEST_CASE("export and load: .qlite keeps the graph exactly") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  const Graph graph = Network();
  const std::string path = folder.File("model.qlite");
  const absl::Status status = ExportModel(context, graph, path, As(ModelFormat::kQlite));
  INFO(MessageOf(status));
  REQUIRE(status.ok());
  CHECK(folder.entries() == 1);
  absl::StatusOr<Graph> read = LoadModel(context, path);
  REQUIRE(read.ok());
  CHECK(read->metadata["qlite.version"] == LibraryVersion());
  read->metadata = graph.metadata;
  CHECK(FirstDifference(graph, *read) == "");
}

TEST_CASE("a file, which is written piece by piece, has the bytes that are made in memory") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  for (const ModelFormat format : {ModelFormat::kQlite, ModelFormat::kOnnx}) {
    const std::string path = folder.File("model");
    REQUIRE(ExportModel(context, Network(), path, As(format)).ok());
    CHECK(Contents(path) == *SerializeModel(Network(), As(format)));
  }
}

TEST_CASE("export and load: ONNX gives the same results") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  const Graph graph = Network();
  const std::string path = folder.File("model.onnx");
  const absl::Status status = ExportModel(context, graph, path, As(ModelFormat::kOnnx));
  INFO(MessageOf(status));
  REQUIRE(status.ok());
  const absl::StatusOr<Graph> read = LoadModel(context, path);
  REQUIRE(read.ok());
  CHECK(CheckSameResults(context, graph, *read, nullptr, 3, /*exact=*/false).ok());
  CHECK(read->value(read->inputs()[0]).name == "x");
  CHECK(read->value(read->outputs()[0]).name == "y");
}

TEST_CASE("the manifest is in the file, without time or path") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  for (const ModelFormat format : {ModelFormat::kQlite, ModelFormat::kOnnx}) {
    ExportOptions options = As(format);
    options.manifest = {{"model_hash", "0123"}, {"per_channel", "true"}};
    REQUIRE(ExportModel(context, Network(), folder.File("one.bin"), options).ok());
    REQUIRE(ExportModel(context, Network(), folder.File("other name.bin"), options).ok());
    CHECK(Contents(folder.File("one.bin")) == Contents(folder.File("other name.bin")));
    CHECK(Contents(folder.File("one.bin")).find(folder.path()) == std::string::npos);
    absl::StatusOr<Graph> read = LoadModel(context, folder.File("one.bin"), {.format = format});
    REQUIRE(read.ok());
    CHECK(read->metadata["qlite.model_hash"] == "0123");
    CHECK(read->metadata["qlite.per_channel"] == "true");
    CHECK(read->metadata["qlite.version"] == LibraryVersion());
    CHECK(*SerializeModel(Network(), options) == Contents(folder.File("one.bin")));
  }
}

TEST_CASE("the bytes do not depend on threads or instruction set") {
  const TemporaryFolder folder;
  REQUIRE(ExportModel(MakeContext(1), Network(), folder.File("a"), As(ModelFormat::kQlite)).ok());
  REQUIRE(ExportModel(MakeContext(3, "generic"), Network(), folder.File("b"), As(ModelFormat::kQlite)).ok());
  CHECK(Contents(folder.File("a")) == Contents(folder.File("b")));
}

TEST_CASE("a file that is written twice is the same after loading") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  REQUIRE(ExportModel(context, Network(), folder.File("a.qlite"), As(ModelFormat::kQlite)).ok());
  const absl::StatusOr<Graph> read = LoadModel(context, folder.File("a.qlite"));
  REQUIRE(read.ok());
  // Over the file that the graph's constants are mapped from.
  REQUIRE(ExportModel(context, *read, folder.File("b.qlite"), As(ModelFormat::kQlite)).ok());
  CHECK(Contents(folder.File("a.qlite")) == Contents(folder.File("b.qlite")));
  REQUIRE(ExportModel(context, *read, folder.File("a.qlite"), As(ModelFormat::kQlite)).ok());
  CHECK(Contents(folder.File("a.qlite")) == Contents(folder.File("b.qlite")));
}

TEST_CASE("an output that is not a number is kept as it is") {
  const TemporaryFolder folder;
  const absl::Status status =
      ExportModel(MakeContext(), NetworkOfNaN(), folder.File("a.qlite"), As(ModelFormat::kQlite));
  INFO(MessageOf(status));
  CHECK(status.ok());
}

TEST_CASE("a failing check leaves nothing behind") {
  const TemporaryFolder folder;
  const BrokenData data;
  for (const ModelFormat format : {ModelFormat::kQlite, ModelFormat::kOnnx}) {
    ExportOptions options = As(format);
    options.check_data = &data;
    const absl::Status status = ExportModel(MakeContext(), Network(), folder.File("model"), options);
    CHECK(status.code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(MessageOf(status), Contains("model") && Contains("the sample is broken"));
    CHECK(folder.entries() == 0);
  }
}

TEST_CASE("a failing check leaves the file that was there") {
  const TemporaryFolder folder;
  const BrokenData data;
  WriteText(folder.File("model.qlite"), "old");
  ExportOptions options = As(ModelFormat::kQlite);
  options.check_data = &data;
  CHECK_FALSE(ExportModel(MakeContext(), Network(), folder.File("model.qlite"), options).ok());
  CHECK(Contents(folder.File("model.qlite")) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("results that differ are noticed") {
  const Context context = MakeContext();
  const Graph graph = Network();
  Graph other = graph;
  const ValueId bias = *other.FindValue("a");
  std::vector<float> values(5);
  std::memcpy(values.data(), other.value(bias).constant->buffer().data, sizeof(float) * values.size());
  values[2] += 1e-5f;
  other.mutable_value(bias).constant = Tensor::Of<float>({5}, values);
  const absl::Status exact = CheckSameResults(context, graph, other, nullptr, 2, true);
  CHECK(exact.code() == absl::StatusCode::kInternal);
  CHECK_THAT(MessageOf(exact), Contains("'y'"));
  CHECK(CheckSameResults(context, graph, other, nullptr, 2, false).ok());
  values[2] += 10;
  other.mutable_value(bias).constant = Tensor::Of<float>({5}, values);
  CHECK_THAT(MessageOf(CheckSameResults(context, graph, other, nullptr, 2, false)), Contains("relative error"));
  CHECK_FALSE(CheckSameResults(context, graph, NetworkOfNaN(), nullptr, 2, false).ok());
}

TEST_CASE("targets that cannot be written") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  const auto refusal = [&](const std::string& path) {
    const absl::Status status = ExportModel(context, Network(), path, As(ModelFormat::kQlite));
    CHECK_FALSE(status.ok());
    return MessageOf(status);
  };
  CHECK_THAT(refusal(folder.path()), Contains(folder.path()) && Contains("not a regular file"));
  CHECK_THAT(refusal(folder.File("missing/model.qlite")), Contains("missing"));
  CHECK_FALSE(ExportModel(context, Network(), "", As(ModelFormat::kQlite)).ok());
  WriteText(folder.File("file"), "");
  CHECK_THAT(refusal(folder.File("file/model.qlite")), Contains("file/model.qlite"));
  CHECK(folder.entries() == 1);
  if (geteuid() == 0) {
    WARN("a folder without write permission is not tested: the superuser may write everywhere");
    return;
  }
  chmod(folder.path().c_str(), 0500);
  CHECK_THAT(refusal(folder.File("model.qlite")), Contains("model.qlite"));
}

TEST_CASE("a graph that is not valid is not written") {
  const TemporaryFolder folder;
  Graph graph;
  graph.SetOutputs({graph.AddValue("nothing makes it")});
  CHECK_FALSE(ExportModel(MakeContext(), graph, folder.File("a.qlite"), As(ModelFormat::kQlite)).ok());
  CHECK_FALSE(ExportModel(MakeContext(), graph, folder.File("a.onnx"), As(ModelFormat::kOnnx)).ok());
  CHECK(folder.entries() == 0);
}

TEST_CASE("the content of a file comes before its name") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  for (const char* name : {"model.onnx", "model", "model.tflite", "model.bin"}) {
    WriteText(folder.File(name), *SerializeModel(Network(), As(ModelFormat::kQlite)));
    CHECK(LoadModel(context, folder.File(name)).ok());
  }
  for (const char* name : {"model", "model.bin", "model.onnx"}) {
    WriteText(folder.File(name), *SerializeModel(Network(), As(ModelFormat::kOnnx)));
    CHECK(LoadModel(context, folder.File(name)).ok());
  }
  CHECK_FALSE(LoadModel(context, folder.File("model.onnx"), {.format = ModelFormat::kQlite}).ok());
}

TEST_CASE("models of other frameworks are refused by their name") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  const auto refusal = [&](std::string_view bytes, const std::string& name) {
    WriteText(folder.File(name), bytes);
    const absl::Status status = LoadModel(context, folder.File(name)).status();
    CHECK_FALSE(status.ok());
    return MessageOf(status);
  };
  const std::string zeros(60, '\0');
  CHECK_THAT(refusal(std::string("\x1c\0\0\0TFL3", 8) + zeros, "a.tflite"),
             Contains("TensorFlow Lite") && Contains("a.tflite"));
  CHECK_THAT(refusal(std::string("\x1c\0\0\0TFL3", 8) + zeros, "a.onnx"), Contains("TensorFlow Lite"));
  CHECK_THAT(refusal(std::string("\x20\0\0\0MSL2", 8) + zeros, "a.ms"), Contains("MindSpore Lite"));
  CHECK_THAT(refusal("7767517\n75 83\n", "a.param"), Contains("ncnn"));
  CHECK_THAT(refusal("something else", "a.txt"),
             Contains("neither content nor extension") && Contains(".qlite or .onnx"));
  CHECK_THAT(refusal("", "empty"), Contains("empty"));
  CHECK_THAT(refusal("", "empty.qlite"), Contains("empty.qlite"));
  CHECK_THAT(refusal("", "empty.onnx"), Contains("empty.onnx"));
  CHECK_THAT(refusal("qlite", "short.qlite"), Contains("short.qlite"));
}

TEST_CASE("files that cannot be loaded") {
  const TemporaryFolder folder;
  CHECK(LoadModel(MakeContext(), folder.File("absent.qlite")).status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(MessageOf(LoadModel(MakeContext(), folder.path()).status()), Contains("not a regular file"));
  WriteText(folder.File("model.qlite"), *SerializeModel(Network(), As(ModelFormat::kQlite)));
  ContextOptions options;
  options.limits.max_file_bytes = 100;
  CHECK(LoadModel(*Context::Create(options), folder.File("model.qlite")).status().code() ==
        absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a structure larger than can be is refused before it is touched") {
  const TemporaryFolder folder;
  const std::string path = folder.File("large.qlite");
  std::string header = SerializeModel(Network(), As(ModelFormat::kQlite))->substr(0, 64);
  const uint64_t sizes[] = {uint64_t{3} << 30, 64 + (uint64_t{3} << 30), 0};  // structure, data offset, data bytes
  std::memcpy(header.data() + 16, sizes, sizeof(sizes));
  WriteText(path, header);
  fs::resize_file(path, sizes[1]);  // a hole: it takes no space
  CHECK_THAT(MessageOf(LoadModel(MakeContext(), path).status()), Contains("its structure has 3221225472 bytes"));
}

TEST_CASE("models from memory") {
  const Context context = MakeContext();
  for (const ModelFormat format : {ModelFormat::kQlite, ModelFormat::kOnnx}) {
    const std::string bytes = *SerializeModel(Network(), As(format));
    absl::StatusOr<Graph> graph =
        LoadModelFromMemory(context, Buffer::Copy(bytes.data(), bytes.size()), "from memory", {.format = format});
    REQUIRE(graph.ok());
    CHECK(CheckSameResults(context, Network(), *graph, nullptr, 1, false).ok());
    const absl::Status cut =
        LoadModelFromMemory(context, Buffer::Copy(bytes.data(), bytes.size() / 2), "from memory", {.format = format})
            .status();
    CHECK_THAT(MessageOf(cut), Contains("from memory"));
  }
}

// Quantize, an integer Conv, Dequantize.
Graph IntegerNetwork() {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 2, 5, 5}));
  const ValueId q = *graph.AddNode("q", OpType::kQuantize, QuantizeAttrs(), {x}, "xq");
  graph.mutable_value(q).quant = QuantParams::PerTensor(1.0f / 64, 3);
  testing::RandomGraph random(4);
  std::vector<int8_t> weights(3 * 2 * 3 * 3);
  for (int8_t& w : weights) w = static_cast<int8_t>(random.Number(-127, 127));
  const ValueId w = graph.AddConstant("w", Tensor::Of<int8_t>({3, 2, 3, 3}, weights));
  QuantParams of_weights = SymmetricParams(1.0f);
  of_weights.axis = 0;
  of_weights.scales = {0.01f, 0.02f, 0.005f};
  of_weights.zero_points = {0, 0, 0};
  graph.mutable_value(w).quant = of_weights;
  const ValueId b = graph.AddConstant("b", Tensor::Of<int32_t>({3}, {100, -200, 300}));
  QuantParams of_bias = of_weights;
  of_bias.bits = 32;
  of_bias.narrow_range = false;
  for (float& scale : of_bias.scales) scale *= 1.0f / 64;
  of_bias.axis = 0;
  graph.mutable_value(b).quant = of_bias;
  ConvAttrs conv;
  conv.kernel_shape = {3, 3};
  const ValueId c = *graph.AddNode("conv", OpType::kConv, conv, {q, w, b}, "c");
  graph.mutable_value(c).quant = QuantParams::PerTensor(1.0f / 16, -5);
  graph.SetOutputs({*graph.AddNode("dq", OpType::kDequantize, QuantizeAttrs(), {c}, "y")});
  const absl::Status status = graph.InferShapes();
  INFO(MessageOf(status));
  REQUIRE(status.ok());
  return graph;
}

TEST_CASE("integer graphs keep their results in both formats") {
  const TemporaryFolder folder;
  const Context context = MakeContext();
  for (const ModelFormat format : {ModelFormat::kQlite, ModelFormat::kOnnx}) {
    const absl::Status status = ExportModel(context, IntegerNetwork(), folder.File("model"), As(format));
    INFO(ModelFormatName(format) << ": " << MessageOf(status));
    REQUIRE(status.ok());
    const absl::StatusOr<Graph> read = LoadModel(context, folder.File("model"), {.format = format});
    REQUIRE(read.ok());
    CHECK(CheckSameResults(context, IntegerNetwork(), *read, nullptr, 4, /*exact=*/true).ok());
    CHECK(read->value(read->node(*read->FindNode("conv")).inputs[0]).type == ElementType::kInt8);
  }
}

}  // namespace
}  // namespace qlite
