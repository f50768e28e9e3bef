// Random graphs and their results, for the tests of passes.
#ifndef QLITE_TESTS_PASSES_GRAPH_MAKER_H_
#define QLITE_TESTS_PASSES_GRAPH_MAKER_H_

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/session.h"

namespace qlite::testing {

inline Context TestContext(int threads = 1) {
  ContextOptions options;
  options.num_threads = threads;
  return *Context::Create(options);
}

class GraphMaker {
 public:
  explicit GraphMaker(uint32_t seed = 1) : random_(seed) {}

  Graph graph;

  ValueId Input(const std::vector<int64_t>& dims, std::string_view name = "x") {
    return graph.AddInput(name, ElementType::kFloat32, Shape::Of(dims));
  }

  Tensor Random(const std::vector<int64_t>& dims, float low = -1, float high = 1) {
    std::vector<float> values(static_cast<size_t>(*ElementCount(dims)));
    std::uniform_real_distribution<float> uniform(low, high);
    for (float& value : values) value = uniform(random_);
    return Tensor::Of<float>(dims, std::move(values));
  }

  ValueId Constant(Tensor tensor, std::string_view name = "c") { return graph.AddConstant(name, std::move(tensor)); }
  ValueId RandomConstant(const std::vector<int64_t>& dims, float low = -1, float high = 1,
                         std::string_view name = "c") {
    return Constant(Random(dims, low, high), name);
  }
  ValueId Floats(const std::vector<int64_t>& dims, std::vector<float> values, std::string_view name = "c") {
    return Constant(Tensor::Of<float>(dims, std::move(values)), name);
  }
  ValueId Integers(std::vector<int64_t> values, std::string_view name = "i") {
    const auto count = static_cast<int64_t>(values.size());
    return Constant(Tensor::Of<int64_t>({count}, std::move(values)), name);
  }

  ValueId Node(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, std::string_view name = "") {
    const std::string node_name = name.empty() ? std::string(OpName(op)) : std::string(name);
    const auto output =
        graph.AddNode(node_name, op, std::move(attrs), std::move(inputs), std::string_view(node_name + "_out"));
    REQUIRE(output.ok());
    return *output;
  }
  ValueId Node(OpType op, std::vector<ValueId> inputs, std::string_view name = "") {
    return Node(op, DefaultAttrs(op), std::move(inputs), name);
  }

  ValueId Conv(ValueId x, int64_t in, int64_t out, int64_t kernel = 3, int64_t group = 1, bool bias = true,
               std::string_view name = "conv", FusedClamp clamp = {}) {
    ConvAttrs attrs;
    attrs.group = group;
    attrs.pads.assign(4, kernel / 2);
    attrs.clamp = clamp;
    std::vector<ValueId> inputs = {
        x, RandomConstant({out, in / group, kernel, kernel}, -0.5f, 0.5f, std::string(name) + "_w")};
    if (bias) inputs.push_back(RandomConstant({out}, -0.5f, 0.5f, std::string(name) + "_b"));
    return Node(OpType::kConv, attrs, inputs, name);
  }

  Graph& Finish(std::vector<ValueId> outputs) {
    graph.SetOutputs(std::move(outputs));
    const absl::Status status = graph.InferShapes();
    INFO(status);
    REQUIRE(status.ok());
    return graph;
  }

 private:
  std::mt19937 random_;
};

// Results of the graph's float outputs, one after the other, for inputs drawn with the seed.
inline std::vector<float> RunGraph(const Graph& graph, uint32_t seed = 7) {
  const auto session = Session::Create(TestContext(), graph);
  INFO(session.status());
  REQUIRE(session.ok());
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (size_t i = 0; i < (*session)->input_count(); ++i) {
    for (float& value : (*session)->input(i).as<float>()) value = uniform(random);
  }
  REQUIRE((*session)->Run().ok());
  std::vector<float> results;
  for (size_t i = 0; i < (*session)->output_count(); ++i) {
    const auto output = (*session)->output(i).as<float>();
    results.insert(results.end(), output.begin(), output.end());
  }
  return results;
}

inline void RequireClose(const std::vector<float>& a, const std::vector<float>& b, float tolerance = 1e-4f) {
  REQUIRE(a.size() == b.size());
  float largest = 0, error = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(a[i]));
    error = std::max(error, std::abs(a[i] - b[i]));
  }
  REQUIRE(error <= tolerance * std::max(largest, 1e-3f));
}

// 10 log10 of signal over noise.
inline double SignalToNoise(const std::vector<float>& reference, const std::vector<float>& result) {
  REQUIRE(reference.size() == result.size());
  double signal = 0, noise = 1e-30;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double error = static_cast<double>(result[i]) - static_cast<double>(reference[i]);
    signal += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
    noise += error * error;
  }
  return 10 * std::log10(signal / noise);
}

inline int CountOps(const Graph& graph, OpType op) {
  int count = 0;
  for (const NodeId id : graph.TopologicalOrder()) count += graph.node(id).op == op ? 1 : 0;
  return count;
}

// A graph whose weights simplification replaces, and what tells whether the memory of the old ones is gone.
inline Graph MakeFoldable(std::weak_ptr<const void>* old_weights) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 3, 8, 8});
  const ValueId first = maker.Conv(x, 3, 8, 3, 1, false, "first");
  const auto normalized = [&](ValueId value) {
    std::vector<ValueId> inputs = {value};
    for (int i = 0; i < 4; ++i) inputs.push_back(maker.RandomConstant({8}, 0.5f, 2));
    return maker.Node(OpType::kBatchNormalization, BatchNormAttrs{1e-3f}, inputs);
  };
  const Tensor weights = maker.Random({8, 8, 3, 3});
  *old_weights = weights.buffer().owner;
  const ValueId second = maker.Node(OpType::kConv, {normalized(first), maker.Constant(weights)}, "second");
  return maker.Finish({normalized(second)});
}

// A context that notes at each stage whether `watched` is gone by then.
inline Context WatchingContext(const std::weak_ptr<const void>& watched, std::map<std::string, bool>* gone) {
  ContextOptions options;
  options.num_threads = 1;
  options.progress = [&watched, gone](const Progress& progress) {
    gone->try_emplace(std::string(progress.stage), watched.expired());
    return true;
  };
  return *Context::Create(options);
}

// Uniform numbers in [-1, 1] for every input.
class RandomDataSet : public DataSet {
 public:
  explicit RandomDataSet(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    std::mt19937 random(static_cast<uint32_t>(index) + 100);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (const MutableTensorView& input : inputs) {
      for (float& value : input.as<float>()) value = uniform(random);
    }
    return absl::OkStatus();
  }
  std::string Describe(int64_t index) const override { return "sample " + std::to_string(index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return static_cast<uint64_t>(size_); }

 private:
  int64_t size_;
};

}  // namespace qlite::testing

#endif  // QLITE_TESTS_PASSES_GRAPH_MAKER_H_
