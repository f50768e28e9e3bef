#include "calib/worker_sessions.h"

#include <catch2/catch.hpp>

#include "runtime/early_taps.h"

namespace qlite {
namespace {

// x -> Relu -> Gemm -> y
Graph MakeNetwork() {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({16, 64}));
  const ValueId rectified = *graph.AddNode("relu", OpType::kRelu, NoAttrs{}, {x}, "rectified");
  const ValueId matrix = graph.AddConstant("m", Tensor::Of({64, 32}, std::vector<float>(64 * 32, 0.5f)));
  graph.SetOutputs({*graph.AddNode("gemm", OpType::kGemm, GemmAttrs{}, {rectified, matrix}, "y")});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

Context WithBudget(uint64_t bytes) {
  ContextOptions options;
  options.limits.memory_budget_bytes = bytes;
  return *Context::Create(std::move(options));
}

size_t SessionsWithin(uint64_t bytes, int64_t most) {
  const auto sessions = calib::MakeWorkerSessions(WithBudget(bytes), MakeNetwork(), most);
  REQUIRE(sessions.ok());
  for (const auto& session : *sessions) CHECK(session->Run().ok());
  return sessions->size();
}

TEST_CASE("as many workers as the memory budget has room for") {
  const auto session = Session::Create(WithBudget(0), MakeNetwork());
  REQUIRE(session.ok());
  const auto memory = TappedMemory(**session);
  REQUIRE(memory.ok());
  REQUIRE(memory->activations_bytes > 0);
  const uint64_t weights = ConstantBytes(**session) + memory->weights_bytes;
  const auto needed = [&](uint64_t sessions) { return weights + sessions * memory->activations_bytes; };
  CHECK(SessionsWithin(0, 5) == 5);
  CHECK(SessionsWithin(needed(5), 5) == 5);
  CHECK(SessionsWithin(needed(3) + 1, 5) == 3);
  CHECK(SessionsWithin(needed(3) - 1, 5) == 2);
  CHECK(SessionsWithin(needed(1), 5) == 1);
  CHECK(SessionsWithin(needed(9), 1) == 1);
  const auto refused = calib::MakeWorkerSessions(WithBudget(weights - 1), MakeNetwork(), 5);
  CHECK(refused.status().code() == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace qlite
