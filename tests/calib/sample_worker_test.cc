#include "calib/sample_worker.h"

#include <catch2/catch.hpp>
#include <random>

#include "core/mapped_file.h"
#include "formats/onnx/onnx_reader.h"
#include "runtime/early_taps.h"
#include "test_data.h"

namespace qlite::calib {
namespace {

class RandomSamples : public DataSet {
 public:
  int64_t size() const override { return 2; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    std::mt19937 random(static_cast<unsigned>(index));
    std::normal_distribution<float> normal;
    for (const MutableTensorView& input : inputs) {
      for (float& x : input.as<float>()) x = normal(random);
    }
    return absl::OkStatus();
  }
  std::string Describe(int64_t) const override { return ""; }
  absl::StatusOr<uint64_t> Fingerprint() const override { return 1; }
};

std::unique_ptr<Session> MakeSession(const Graph& graph) {
  ContextOptions options;
  options.num_threads = 1;
  auto session = Session::Create(*Context::Create(options), graph);
  INFO(session.status());
  REQUIRE(session.ok());
  return *std::move(session);
}

// The bytes of a table of what a worker observes.
std::string Observe(const Graph& graph, const std::string& method, const EarlyTapOptions& taps) {
  const ObserverRegistry registry = ObserverRegistry::Default();
  SampleWorker worker(MakeSession(graph), graph, method, registry, taps);
  const RandomSamples data;
  for (int64_t i = 0; i < data.size(); ++i) {
    const absl::Status status = worker.Process(data, i);
    INFO(status);
    REQUIRE(status.ok());
  }
  CalibrationTable table;
  table.method = method;
  REQUIRE(worker.MoveInto(&table.tensors).ok());
  CHECK(table.tensors.size() > 2);
  return *table.Serialize();
}

// How many values come in parts.
int ValuesInParts(const Graph& graph) {
  const auto session = MakeSession(graph);
  int parts = 0;
  REQUIRE(RunTappedEarly(*session, {}, [&](ValueId, const TappedValue& value, int64_t ready) {
            parts += ready < value.elements ? 1 : 0;
          }).ok());
  return parts;
}

void CheckScanning(const Graph& graph) {
  CHECK(ValuesInParts(graph) > 0);
  for (const std::string method : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}) {
    INFO(method);
    const std::string whole = Observe(graph, method, {.keep_values = true, .split_values = false});
    CHECK(Observe(graph, method, {.keep_values = true, .split_values = true}) == whole);
    if ((*ObserverRegistry::Default().Make(method))->needs_values()) continue;
    CHECK(Observe(graph, method, {.keep_values = false, .split_values = false}) == whole);
    CHECK(Observe(graph, method, {.keep_values = false, .split_values = true}) == whole);
  }
}

TEST_CASE("values scanned as they are made are calibrated like values scanned when they are whole") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.2f);
  Graph graph;
  ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 64, 81, 80}));
  for (const char* name : {"first", "second"}) {  // the first is read while it is scanned, the second an output
    std::vector<float> weights(64 * 64);
    for (float& weight : weights) weight = normal(random);
    const ValueId constant = graph.AddConstant("w", Tensor::Of({64, 64, 1, 1}, std::move(weights)));
    x = *graph.AddNode(name, OpType::kConv, ConvAttrs{}, {x, constant}, name);
  }
  graph.SetOutputs({x});
  REQUIRE(graph.InferShapes().ok());
  CheckScanning(graph);
}

#ifndef __SANITIZE_THREAD__  // a worker has one thread: a minute that would find nothing
TEST_CASE("trained networks are calibrated alike however large values are scanned") {
  for (const char* name : {"mobilenet_v2_1.0_224/mobilenet_v2_1.0_224.onnx", "squeezenet_v1.1/squeezenet_v1.1.onnx"}) {
    const auto path = testing::TestData(std::string("models/") + name);
    if (!path) {
      WARN(name << " is absent: nothing checked");
      continue;
    }
    const absl::StatusOr<Buffer> file = MapFile(*path, uint64_t{1} << 30);
    REQUIRE(file.ok());
    const absl::StatusOr<Graph> graph = ReadOnnx(*file, *path, {});
    REQUIRE(graph.ok());
    CheckScanning(*graph);
  }
}
#endif

}  // namespace
}  // namespace qlite::calib
