#include "qlite/calibrator.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "calib/picture_files.h"

namespace qlite {
namespace {

constexpr int64_t kChannels = 5;

Tensor RandomTensor(std::vector<int64_t> dims, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.4f);
  int64_t elements = 1;
  for (int64_t dim : dims) elements *= dim;
  std::vector<float> values(static_cast<size_t>(elements));
  for (float& x : values) x = normal(random);
  return Tensor::Of(std::move(dims), std::move(values));
}

// x -> Conv -> Relu -> GlobalAveragePool -> Flatten -> Gemm -> y
Graph MakeNetwork(unsigned seed = 1) {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 3, 9, 7}));
  ConvAttrs conv;
  conv.pads = {1, 1, 1, 1};
  const ValueId weights = graph.AddConstant("w", RandomTensor({kChannels, 3, 3, 3}, seed));
  const ValueId bias = graph.AddConstant("b", RandomTensor({kChannels}, seed + 1));
  const ValueId convolved = *graph.AddNode("conv", OpType::kConv, conv, {x, weights, bias}, "convolved");
  const ValueId rectified = *graph.AddNode("relu", OpType::kRelu, NoAttrs{}, {convolved}, "rectified");
  const ValueId pooled = *graph.AddNode("pool", OpType::kGlobalAveragePool, NoAttrs{}, {rectified}, "pooled");
  const ValueId flat = *graph.AddNode("flat", OpType::kFlatten, AxisAttrs{1}, {pooled}, "flat");
  const ValueId matrix = graph.AddConstant("m", RandomTensor({kChannels, 4}, seed + 2));
  const ValueId y = *graph.AddNode("gemm", OpType::kGemm, GemmAttrs{}, {flat, matrix}, "y");
  graph.SetOutputs({y});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

// Random samples [first, first + count) of an endless sequence.
class RandomSamples : public DataSet {
 public:
  explicit RandomSamples(int64_t count, int64_t first = 0) : count_(count), first_(first) {}
  int64_t size() const override { return count_; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index == broken) return absl::DataLossError("this one cannot be read");
    std::mt19937 random(static_cast<unsigned>(first_ + index));
    std::normal_distribution<float> normal;
    for (float& x : inputs[0].as<float>()) x = normal(random);
    if (index == infinite) inputs[0].as<float>()[17] = std::numeric_limits<float>::infinity();
    return absl::OkStatus();
  }
  std::string Describe(int64_t index) const override { return "random " + std::to_string(first_ + index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return static_cast<uint64_t>(first_ * 1000 + count_); }

  int64_t broken = -1, infinite = -1;

 private:
  int64_t count_, first_;
};

Context MakeContext(int threads, ProgressCallback progress = {}) {
  ContextOptions options;
  options.num_threads = threads;
  options.progress = std::move(progress);
  return *Context::Create(options);
}

CalibratorOptions Options(const std::string& method) {
  CalibratorOptions options;
  options.method = method;
  options.check_inputs = false;
  return options;
}

std::string Bytes(const CalibrationTable& table) { return *table.Serialize(); }

absl::StatusOr<CalibrationTable> Calibrate(const Graph& graph, const DataSet& data, const std::string& method,
                                           int threads, const CalibrationTable* resume = nullptr) {
  return Calibrator(MakeContext(threads), graph, Options(method)).Run(data, resume);
}

TEST_CASE("any number of threads gives the same table") {
  const Graph graph = MakeNetwork();
  const RandomSamples data(23);
  for (const std::string method : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}) {
    const auto one = Calibrate(graph, data, method, 1);
    INFO(one.status());
    REQUIRE(one.ok());
    CHECK(one->samples_done == 23);
    for (const char* name : {"x", "convolved", "rectified", "pooled", "flat", "y"}) {
      INFO(name);
      REQUIRE(one->tensors.count(name) == 1);
      CHECK(one->Range(name).ok());
    }
    CHECK(one->tensors.count("w") == 0);
    CHECK(one->Range("w").status().code() == absl::StatusCode::kNotFound);
    for (const int threads : {2, 3, 5}) CHECK(Bytes(*Calibrate(graph, data, method, threads)) == Bytes(*one));
  }
}

TEST_CASE("channels are the second dimension and have their extremes and means") {
  const Graph graph = MakeNetwork();
  const RandomSamples data(4);
  const auto table = Calibrate(graph, data, "MAX_MIN", 2);
  REQUIRE(table.ok());
  const TensorCalibration& x = table->tensors.at("x");
  REQUIRE(x.channels.min.size() == 3);
  CHECK(x.elements == 4 * 3 * 63);
  CHECK(x.channels.count == 4 * 63);
  std::vector<float> values(3 * 63);
  std::vector<int64_t> dims = {1, 3, 9, 7};
  const MutableTensorView view{ElementType::kFloat32, dims, values.data(), values.size() * sizeof(float)};
  std::vector<float> min(3, 100), max(3, -100);
  std::vector<double> sum(3);
  for (int64_t i = 0; i < 4; ++i) {
    REQUIRE(data.Read(i, {&view, 1}).ok());
    for (size_t k = 0; k < values.size(); ++k) {
      min[k / 63] = std::min(min[k / 63], values[k]);
      max[k / 63] = std::max(max[k / 63], values[k]);
      sum[k / 63] += static_cast<double>(values[k]);
    }
  }
  CHECK(x.channels.min == min);
  CHECK(x.channels.max == max);
  for (size_t c = 0; c < 3; ++c) CHECK(x.channels.Mean(c) == Approx(sum[c] / (4 * 63)).margin(1e-10));
  CHECK(table->Range("x")->min == *std::min_element(min.begin(), min.end()));
  const ChannelStatistics& rectified = table->tensors.at("rectified").channels;
  const ChannelStatistics& pooled = table->tensors.at("pooled").channels;
  REQUIRE(pooled.min.size() == kChannels);
  for (size_t c = 0; c < kChannels; ++c) CHECK(pooled.Mean(c) == Approx(rectified.Mean(c)).margin(1e-6));
}

// Fails where the range that it is given is not that of the values.
class RangeChecker : public Observer {
 public:
  absl::Status Observe(std::span<const float> values, ObservedRange range) override {
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    if (*min == range.min && *max == range.max) return absl::OkStatus();
    return absl::InternalError("this is not the range");
  }
  absl::Status Merge(const Observer&) override { return absl::OkStatus(); }
  std::string Save() const override { return {}; }
  absl::Status Load(std::string_view) override { return absl::OkStatus(); }
  absl::StatusOr<ObservedRange> Compute(int) const override { return ObservedRange{}; }
};

TEST_CASE("observers are given the range of the values, whatever their layout") {
  ObserverRegistry registry = ObserverRegistry::Default();
  REQUIRE(registry.Register("CHECKED", [] { return std::make_unique<RangeChecker>(); }).ok());
  CalibratorOptions options = Options("CHECKED");
  options.registry = &registry;
  const Graph graph = MakeNetwork();
  for (const int threads : {1, 2}) {
    const auto table = Calibrator(MakeContext(threads), graph, options).Run(RandomSamples(7));
    INFO(table.status());
    CHECK(table.ok());
  }
}

TEST_CASE("a cancelled calibration goes on where it stopped") {
  const Graph graph = MakeNetwork();
  const RandomSamples data(20);
  const testing::TemporaryFolder folder;
  for (const int threads : {1, 3}) {
    const std::string whole = Bytes(*Calibrate(graph, data, "KL", threads));
    for (const int64_t stop_at : {0, 1, 7, 19}) {
      const std::string path = folder.File("state");
      CalibratorOptions options = Options("KL");
      options.checkpoint_path = path;
      const Context context = MakeContext(threads, [&](const Progress& p) { return p.done < stop_at; });
      const auto cancelled = Calibrator(context, graph, options).Run(data);
      CHECK(cancelled.status().code() == absl::StatusCode::kCancelled);
      if (stop_at == 0) continue;  // nothing was done yet
      const auto saved = CalibrationTable::LoadFile(path, ObserverRegistry::Default());
      INFO(saved.status());
      REQUIRE(saved.ok());
      CHECK(saved->samples_done >= stop_at);
      CHECK(saved->samples_done < stop_at + threads);
      CHECK(Bytes(*Calibrate(graph, data, "KL", threads, &*saved)) == whole);
    }
  }
}

TEST_CASE("checkpoints are written on the way") {
  const Graph graph = MakeNetwork();
  const testing::TemporaryFolder folder;
  CalibratorOptions options = Options("MAX_MIN");
  options.checkpoint_path = folder.File("state");
  options.checkpoint_every = 4;
  RandomSamples data(11);
  data.broken = 9;
  const auto failed = Calibrator(MakeContext(2), graph, options).Run(data);
  CHECK(failed.status().code() == absl::StatusCode::kDataLoss);
  data.broken = -1;
  const auto saved = CalibrationTable::LoadFile(options.checkpoint_path, ObserverRegistry::Default());
  REQUIRE(saved.ok());
  CHECK(saved->samples_done == 8);
  const auto resumed = Calibrator(MakeContext(2), graph, options).Run(data, &*saved);
  REQUIRE(resumed.ok());
  CHECK(Bytes(*resumed) == Bytes(*Calibrate(graph, data, "MAX_MIN", 1)));
}

TEST_CASE("progress counts every sample once, in order") {
  std::vector<int64_t> done;
  const Context context = MakeContext(3, [&](const Progress& p) {
    CHECK(p.stage == "calibrate");
    CHECK(p.total == 12);
    done.push_back(p.done);
    return true;
  });
  const Graph graph = MakeNetwork();
  REQUIRE(Calibrator(context, graph, Options("MAX_MIN")).Run(RandomSamples(12)).ok());
  REQUIRE(done.size() == 13);
  for (size_t i = 0; i < done.size(); ++i) CHECK(done[i] == static_cast<int64_t>(i));
}

TEST_CASE("a resumed calibration must be of the same method, graph and data") {
  const Graph graph = MakeNetwork(), other_graph = MakeNetwork(9);
  const RandomSamples data(6), other_data(6, 100), fewer(5);
  const auto table = Calibrate(graph, data, "KL", 1);
  CHECK(Calibrate(graph, data, "KL", 1, &*table).ok());
  const auto check_refused = [&](const absl::Status& status, const std::string& difference) {
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    const std::string message(status.message());
    INFO(message);
    CHECK(message.find("cannot be resumed: the saved table is of " + difference) != std::string::npos);
  };
  check_refused(Calibrate(graph, data, "MAX_MIN", 1, &*table).status(), "method KL, not MAX_MIN");
  check_refused(Calibrate(other_graph, data, "KL", 1, &*table).status(), "another graph");
  check_refused(Calibrate(graph, other_data, "KL", 1, &*table).status(), "other samples");
  check_refused(Calibrate(graph, fewer, "KL", 1, &*table).status(), "other samples");
  // A network equalised over other samples is another graph, but the samples are what its user changed.
  check_refused(Calibrate(other_graph, fewer, "KL", 1, &*table).status(), "other samples");
}

TEST_CASE("tables of shards merge to the table of the whole") {
  const Graph graph = MakeNetwork();
  for (const std::string method : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}) {
    auto whole = Calibrate(graph, RandomSamples(17), method, 2);
    auto a = Calibrate(graph, RandomSamples(5), method, 1);
    const auto b = Calibrate(graph, RandomSamples(9, 5), method, 3),
               c = Calibrate(graph, RandomSamples(3, 14), method, 2);
    auto reversed = Calibrate(graph, RandomSamples(3, 14), method, 2);
    REQUIRE(a->Merge(*b).ok());
    REQUIRE(a->Merge(*c).ok());
    REQUIRE(reversed->Merge(*b).ok());
    REQUIRE(reversed->Merge(*Calibrate(graph, RandomSamples(5), method, 1)).ok());
    CHECK(a->data_fingerprint == 0);
    CHECK(Bytes(*a) == Bytes(*reversed));
    whole->data_fingerprint = 0;
    CHECK(Bytes(*a) == Bytes(*whole));
  }
  auto table = Calibrate(graph, RandomSamples(2), "KL", 1);
  CHECK_FALSE(table->Merge(*Calibrate(graph, RandomSamples(2), "MAX_MIN", 1)).ok());
  CHECK_FALSE(table->Merge(*Calibrate(MakeNetwork(3), RandomSamples(2), "KL", 1)).ok());
}

TEST_CASE("faulty samples are named, the first one whatever the number of threads") {
  const Graph graph = MakeNetwork();
  for (const int threads : {1, 4}) {
    RandomSamples data(30);
    data.broken = 25, data.infinite = 13;
    const absl::Status status = Calibrate(graph, data, "KL", threads).status();
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(status.message().find("sample 13 (random 13)") != std::string::npos);
    CHECK(status.message().find("'x'") != std::string::npos);
  }
  CHECK(Calibrate(graph, RandomSamples(0), "KL", 1).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(Calibrate(graph, RandomSamples(1), "MAXMIN", 1).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("saved tables come back, damaged ones do not") {
  const Graph graph = MakeNetwork();
  const auto table = Calibrate(graph, RandomSamples(3), "MAX_MIN", 1);
  const std::string bytes = Bytes(*table);
  const ObserverRegistry registry = ObserverRegistry::Default();
  CHECK(Bytes(*CalibrationTable::Parse(bytes, registry)) == bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(CalibrationTable::Parse(std::string_view(bytes).substr(0, size), registry).ok());
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    REQUIRE_FALSE(CalibrationTable::Parse(damaged, registry).ok());
  }
  const testing::TemporaryFolder folder;
  REQUIRE(table->SaveFile(folder.File("table")).ok());
  CHECK(Bytes(*CalibrationTable::LoadFile(folder.File("table"), registry)) == bytes);
  const auto missing = CalibrationTable::LoadFile(folder.File("none"), registry);
  CHECK(missing.status().message().find("none") != std::string::npos);
  const auto wrong = CalibrationTable::LoadFile(folder.Write("wrong", std::string(100, 'x')), registry);
  CHECK(wrong.status().message().find("not a calibration table") != std::string::npos);
}

TEST_CASE("the inputs of a graph become specs with batch 1") {
  Graph graph;
  graph.AddInput("a", ElementType::kFloat32, Shape({Dim::Symbolic("N"), Dim(3)}));
  graph.AddInput("b", ElementType::kInt64, Shape({Dim(2), Dim::Symbolic("L")}));
  CHECK(InputSpecs(graph).status().message().find("dimension 1 of input 'b'") != std::string::npos);
  const auto specs = InputSpecs(graph, {{"b", {2, 8}}});
  REQUIRE(specs.ok());
  CHECK((*specs)[0].dims == std::vector<int64_t>{1, 3});
  CHECK((*specs)[1].dims == std::vector<int64_t>{2, 8});
  CHECK((*specs)[1].type == ElementType::kInt64);
  CHECK_FALSE(InputSpecs(graph, {{"b", {3, 8}}}).ok());
  CHECK_FALSE(InputSpecs(graph, {{"b", {2}}}).ok());
  CHECK(InputSpecs(graph, {{"bb", {2, 8}}}).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("graph fingerprints follow structure, attributes, names and weights") {
  const uint64_t fingerprint = GraphFingerprint(MakeNetwork());
  CHECK(GraphFingerprint(MakeNetwork()) == fingerprint);
  CHECK(GraphFingerprint(MakeNetwork(2)) != fingerprint);
  Graph changed = MakeNetwork();
  changed.mutable_node(*changed.FindNode("conv")).attr<ConvAttrs>().clamp.min = 0;
  CHECK(GraphFingerprint(changed) != fingerprint);
}

}  // namespace
}  // namespace qlite
