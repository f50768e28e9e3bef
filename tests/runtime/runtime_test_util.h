// Building graphs and running them in the runtime's tests.
#ifndef QLITE_TESTS_RUNTIME_RUNTIME_TEST_UTIL_H_
#define QLITE_TESTS_RUNTIME_RUNTIME_TEST_UTIL_H_

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/str_cat.h"
#include "kernels/isa.h"
#include "qlite/session.h"
#include "runtime/reference.h"

namespace qlite::testing {

using Rng = std::mt19937;

inline int64_t Pick(Rng& rng, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(rng() % static_cast<uint64_t>(high - low + 1));
}

inline float Uniform(Rng& rng, float low, float high) {
  return low + (high - low) * static_cast<float>(rng() >> 8) / static_cast<float>(1 << 24);
}

inline Tensor RandomTensor(Rng& rng, const std::vector<int64_t>& dims, float low = -1, float high = 1) {
  std::vector<float> values(*ElementCount(dims));
  for (float& value : values) value = Uniform(rng, low, high);
  return Tensor::Of<float>(dims, std::move(values));
}

inline Tensor Int64s(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::Of<int64_t>({count}, std::move(values));
}

inline Array RandomArray(Rng& rng, const std::vector<int64_t>& dims, float low = -1, float high = 1) {
  return FromTensor(RandomTensor(rng, dims, low, high));
}

inline Context MakeContext(int threads = 1, const std::string& isa = "") {
  ContextOptions options;
  options.num_threads = threads;
  options.isa = isa;
  auto context = Context::Create(options);
  REQUIRE(context.ok());
  return *context;
}

inline std::unique_ptr<Session> MakeSession(const Context& context, const Graph& graph,
                                            const SessionOptions& options = {}) {
  auto session = Session::Create(context, graph, options);
  INFO((session.ok() ? std::string() : std::string(Message(session.status()))));
  REQUIRE(session.ok());
  return std::move(*session);
}

inline void Fill(Session& session, size_t input, const Array& values) {
  const MutableTensorView view = session.input(input);
  for (size_t i = 0; i < values.data.size(); ++i) {
    switch (view.type) {
      case ElementType::kFloat32:
        view.as<float>()[i] = static_cast<float>(values.data[i]);
        break;
      case ElementType::kInt64:
        view.as<int64_t>()[i] = static_cast<int64_t>(values.data[i]);
        break;
      case ElementType::kInt8:
        view.as<int8_t>()[i] = static_cast<int8_t>(values.data[i]);
        break;
      default:
        FAIL("input type");
    }
  }
}

using Bytes = std::vector<std::byte>;

inline std::vector<Bytes> OutputBytes(const Session& session) {
  std::vector<Bytes> outputs;
  for (size_t i = 0; i < session.output_count(); ++i) {
    const TensorView view = session.output(i);
    const auto* data = static_cast<const std::byte*>(view.data);
    outputs.emplace_back(data, data + view.bytes);
  }
  return outputs;
}

inline std::vector<Bytes> RunFor(const Context& context, const Graph& graph, const std::vector<Array>& inputs,
                                 const SessionOptions& options = {}) {
  auto session = MakeSession(context, graph, options);
  for (size_t i = 0; i < inputs.size(); ++i) Fill(*session, i, inputs[i]);
  const absl::Status status = session->Run();
  INFO(std::string(Message(status)));
  REQUIRE(status.ok());
  return OutputBytes(*session);
}

inline std::vector<float> Floats(const Bytes& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

// The float output equals the reference to `tolerance` of the largest magnitude.
inline void CheckClose(const Bytes& bytes, const Array& expected, double tolerance = 2e-5) {
  const std::vector<float> got = Floats(bytes);
  REQUIRE(got.size() == expected.data.size());
  double scale = 1e-6;
  for (double value : expected.data) scale = std::max(scale, std::abs(value));
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::abs(got[i] - expected.data[i]) > tolerance * scale) {
      INFO("element " << i);
      CHECK(got[i] == Approx(expected.data[i]));
      return;
    }
  }
}

// A graph under construction; a failed addition fails the test.
struct GraphBuilder {
  Graph graph;

  ValueId Input(const std::vector<int64_t>& dims, ElementType type = ElementType::kFloat32) {
    return graph.AddInput("x", type, Shape::Of(dims));
  }
  ValueId Constant(Tensor tensor) { return graph.AddConstant("c", std::move(tensor)); }
  ValueId Add(OpType op, std::vector<ValueId> inputs, OpAttrs attrs) {
    auto added = graph.AddNode("", op, std::move(attrs), std::move(inputs), "v");
    INFO((added.ok() ? std::string() : std::string(Message(added.status()))));
    REQUIRE(added.ok());
    return *added;
  }
  ValueId Add(OpType op, std::vector<ValueId> inputs) { return Add(op, std::move(inputs), DefaultAttrs(op)); }
  std::vector<ValueId> AddMany(OpType op, std::vector<ValueId> inputs, OpAttrs attrs, size_t outputs) {
    std::vector<ValueId> made;
    for (size_t i = 0; i < outputs; ++i) made.push_back(graph.AddValue("v"));
    REQUIRE(graph.AddNode("", op, std::move(attrs), std::move(inputs), made).ok());
    return made;
  }
  Graph& Finish(std::vector<ValueId> outputs) {
    graph.SetOutputs(std::move(outputs));
    const absl::Status status = graph.InferShapes();
    INFO(std::string(Message(status)));
    REQUIRE(status.ok());
    return graph;
  }
  std::vector<int64_t> Dims(ValueId id) {
    REQUIRE(graph.InferShapes().ok());
    return graph.value(id).shape.Extents();
  }
};

// Compares a graph's run with the reference, for one context.
inline void CheckAgainstReference(const Graph& graph, const std::vector<Array>& inputs, double tolerance = 2e-5) {
  const std::vector<Array> expected = ReferenceRun(graph, inputs);
  const std::vector<Bytes> got = RunFor(MakeContext(), graph, inputs);
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("output " << i << "\n" << graph.Dump());
    CheckClose(got[i], expected[static_cast<size_t>(graph.outputs()[i].index)], tolerance);
  }
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_RUNTIME_RUNTIME_TEST_UTIL_H_
