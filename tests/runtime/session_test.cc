// What a host relies on: no allocation, forks, errors, limits, shapes.
#include "qlite/session.h"

#include <sys/mman.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <new>
#include <thread>

#include "core/mapped_file.h"
#include "core/str_cat.h"
#include "runtime/constant_bytes.h"
#include "runtime/random_graph.h"
#include "runtime/runtime_test_util.h"
#include "temporary_folder.h"

// Sanitizers bring allocation functions of their own.
#if !defined(QLITE_SANITIZED)
#define QLITE_COUNTS_ALLOCATIONS 1

namespace {
std::atomic<int64_t> allocations{0};

void* Allocate(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) { return Allocate(bytes); }
void* operator new[](std::size_t bytes) { return Allocate(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace qlite::testing {
namespace {

#ifdef QLITE_COUNTS_ALLOCATIONS
TEST_CASE("running allocates nothing", "[runtime]") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const RandomGraph random(seed, 1, 12);
    auto session = MakeSession(MakeContext(2), random.graph());
    REQUIRE(session->Run().ok());
    const int64_t before = allocations;
    const absl::Status status = session->Run();
    CHECK(allocations == before);
    CHECK(status.ok());
  }
}
#endif

TEST_CASE("forks run at the same time", "[runtime]") {
  const RandomGraph random(3, 1, 14);
  auto session = MakeSession(MakeContext(1), random.graph());
  std::vector<std::unique_ptr<Session>> forks;
  std::vector<Array> inputs;
  for (uint32_t i = 0; i < 4; ++i) {
    Rng rng(i);
    inputs.push_back(RandomArray(rng, random.input_dims()));
    auto fork = session->Fork(MakeContext(1));
    REQUIRE(fork.ok());
    forks.push_back(std::move(*fork));
    Fill(*forks.back(), 0, inputs.back());
  }
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (auto& fork : forks) {
    threads.emplace_back([&failures, &fork] {
      for (int i = 0; i < 5; ++i) {
        if (!fork->Run().ok()) ++failures;
        if (!fork->RunTapped([](ValueId, const TappedValue&) {}).ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  for (size_t i = 0; i < forks.size(); ++i) {
    CHECK((OutputBytes(*forks[i]) == RunFor(MakeContext(), random.graph(), {inputs[i]})));
  }
}

TEST_CASE("inputs survive a run", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({1, 2, 3, 3});
  const ValueId y = b.Add(OpType::kRelu, {b.Add(OpType::kNeg, {x})});
  b.Finish({y});
  Rng rng(1);
  const Array input = RandomArray(rng, {1, 2, 3, 3});
  auto session = MakeSession(MakeContext(), b.graph);
  Fill(*session, 0, input);
  REQUIRE(session->Run().ok());
  const auto kept = session->input(0).as<float>();
  for (size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] == static_cast<float>(input.data[i]));
}

TEST_CASE("outputs may be inputs, constants, and the same value twice", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({2, 3});
  const ValueId c = b.Constant(Tensor::Of<float>({2}, {4, 5}));
  const ValueId y = b.Add(OpType::kNeg, {x});
  const ValueId z = b.Add(OpType::kReshape, {y, b.Constant(Int64s({3, 2}))});
  b.Finish({x, c, y, y, z});
  Rng rng(1);
  const Array input = RandomArray(rng, {2, 3});
  const auto outputs = RunFor(MakeContext(), b.graph, {input});
  const std::vector<Array> expected = ReferenceRun(b.graph, {input});
  for (size_t i = 0; i < outputs.size(); ++i) {
    CheckClose(outputs[i], expected[static_cast<size_t>(b.graph.outputs()[i].index)], 0);
  }
}

TEST_CASE("unknown dimensions are 1, or what the host says", "[runtime]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N"), Dim(3)}));
  graph.SetOutputs({*graph.AddNode("", OpType::kRelu, NoAttrs{}, {x}, "y")});
  CHECK(MakeSession(MakeContext(), graph)->input(0).dims[0] == 1);
  SessionOptions options;
  options.input_shapes["x"] = {5, 3};
  CHECK(MakeSession(MakeContext(), graph, options)->output(0).dims[0] == 5);
  options.input_shapes = {{"nothing", {1}}};
  CHECK_FALSE(Session::Create(MakeContext(), graph, options).ok());
}

TEST_CASE("a memory budget is kept", "[runtime]") {
  const RandomGraph random(5, 1, 12);
  ContextOptions options;
  options.limits.memory_budget_bytes = 64;
  auto context = Context::Create(options);
  REQUIRE(context.ok());
  const auto session = Session::Create(*context, random.graph());
  REQUIRE_FALSE(session.ok());
  CHECK(session.status().code() == absl::StatusCode::kResourceExhausted);
  options.limits = Limits{};
  options.limits.max_tensor_bytes = 16;
  context = Context::Create(options);
  CHECK(Session::Create(*context, random.graph()).status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("a plan beyond the memory budget is refused before its weights are read", "[runtime]") {
  constexpr int64_t kInputs = 1024, kOutputs = 256;
  const size_t bytes = kInputs * kOutputs * sizeof(float);
  void* const unreadable = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(unreadable != MAP_FAILED);
  auto weights = Tensor::Create(ElementType::kFloat32, {kInputs, kOutputs},
                                {static_cast<const std::byte*>(unreadable), bytes, nullptr});
  REQUIRE(weights.ok());
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, kInputs}));
  const ValueId w = graph.AddConstant("w", *std::move(weights));
  graph.SetOutputs({*graph.AddNode("", OpType::kMatMul, DefaultAttrs(OpType::kMatMul), {x, w}, "y")});
  ContextOptions options;
  options.limits.memory_budget_bytes = bytes / 2;
  const auto session = Session::Create(*Context::Create(options), graph);
  CHECK(session.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK_THAT(std::string(session.status().message()), Catch::Contains("the memory budget is"));
  munmap(unreadable, bytes);
}

TEST_CASE("constants in memory count as the plan's, those in a mapped file do not", "[runtime]") {
  constexpr int64_t kInputs = 64, kOutputs = 48;
  constexpr uint64_t kBytes = kInputs * kOutputs * sizeof(float);
  const TemporaryFolder folder;
  const absl::StatusOr<Buffer> mapped = MapFile(folder.Write("weights", std::string(kBytes, '\0')), kBytes);
  REQUIRE(mapped.ok());
  const Buffer copy = Buffer::Copy(mapped->data, mapped->size);
  for (const bool in_file : {false, true}) {
    Graph graph;
    const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, kInputs}));
    const ValueId w =
        graph.AddConstant("w", *Tensor::Create(ElementType::kFloat32, {kInputs, kOutputs}, in_file ? *mapped : copy));
    graph.SetOutputs({*graph.AddNode("", OpType::kMatMul, DefaultAttrs(OpType::kMatMul), {x, w}, "y")});
    const SessionMemory memory = MakeSession(MakeContext(), graph)->memory();
    const uint64_t constants = in_file ? 0 : kBytes;
    CHECK(ConstantBytes(graph) == constants);
    CHECK(memory.weights_bytes >= kBytes);
    ContextOptions options;
    options.num_threads = 1;
    options.limits.memory_budget_bytes = constants + memory.weights_bytes + memory.activations_bytes;
    CHECK(Session::Create(*Context::Create(options), graph).ok());
    --options.limits.memory_budget_bytes;
    const absl::Status refused = Session::Create(*Context::Create(options), graph).status();
    CHECK(refused.code() == absl::StatusCode::kResourceExhausted);
    CHECK_THAT(std::string(Message(refused)), Catch::Contains(StrCat(constants, " for constants in memory")));
    CHECK_THAT(std::string(Message(refused)), Catch::EndsWith(StrCat(options.limits.memory_budget_bytes)));
    options.limits.memory_budget_bytes = std::max<uint64_t>(constants, 1);
    CHECK_FALSE(Session::Create(*Context::Create(options), graph).ok());
  }
}

TEST_CASE("what cannot run is named", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({1, 2, 3, 4, 5});
  PoolAttrs attrs;
  attrs.kernel_shape = {1, 1, 1};
  const ValueId y = b.Add(OpType::kMaxPool, {x}, attrs);
  b.Finish({y});
  const auto session = Session::Create(MakeContext(), b.graph);
  REQUIRE_FALSE(session.ok());
  CHECK(session.status().code() == absl::StatusCode::kUnimplemented);
  CHECK_THAT(std::string(Message(session.status())), Catch::Contains("MaxPool"));
}

TEST_CASE("a transposed convolution that spreads its input too far is refused", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({1, 1, 3, 3});
  ConvTransposeAttrs attrs;
  attrs.strides = {1 << 30, 1 << 30};
  attrs.pads = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  auto added = b.graph.AddNode("wide", OpType::kConvTranspose, attrs,
                               {x, b.Constant(Tensor::Of<float>({1, 1, 1, 1}, {1}))}, "y");
  REQUIRE(added.ok());
  b.graph.SetOutputs({*added});
  CHECK(Session::Create(MakeContext(), b.graph).status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("an index out of range is an error of the run", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Constant(Tensor::Of<float>({3}, {1, 2, 3}));
  const ValueId i = b.Input({2}, ElementType::kInt64);
  b.Finish({b.Add(OpType::kGather, {x, i})});
  auto session = MakeSession(MakeContext(), b.graph);
  session->input(0).as<int64_t>()[1] = -3;
  CHECK(session->Run().ok());
  CHECK(session->output(0).as<float>()[1] == 1.0f);
  session->input(0).as<int64_t>()[1] = 3;
  CHECK(session->Run().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("shapes that a graph computes are followed", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({2, 3, 4, 5});
  const ValueId shape = b.Add(OpType::kShape, {x});
  const ValueId n = b.Add(OpType::kGather, {shape, b.Constant(Tensor::Of<int64_t>({1}, {0}))});
  const ValueId target = b.Add(OpType::kConcat, {n, b.Constant(Int64s({-1}))}, AxisAttrs{0});
  const ValueId y = b.Add(OpType::kReshape, {x, target});
  b.Finish({y});
  auto session = MakeSession(MakeContext(), b.graph);
  CHECK(session->output(0).dims[0] == 2);
  CHECK(session->output(0).dims[1] == 60);
  CHECK(session->Run().ok());
}

TEST_CASE("taps see values that depend on the extents alone", "[runtime]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N"), Dim(3)}));
  const ValueId shape = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {x}, "shape");
  const ValueId token = graph.AddConstant("token", Tensor::Of<float>({1, 3}, {1, -2, 3}));
  const ValueId tokens = *graph.AddNode("", OpType::kExpand, NoAttrs{}, {token, shape}, "tokens");
  const ValueId scaled = *graph.AddNode("", OpType::kNeg, NoAttrs{}, {tokens}, "scaled");
  graph.SetOutputs({*graph.AddNode("", OpType::kAdd, ElementwiseAttrs{}, {x, scaled}, "y")});
  SessionOptions options;
  options.input_shapes["x"] = {2, 3};
  auto session = MakeSession(MakeContext(), graph, options);
  std::map<int32_t, std::vector<float>> seen;
  REQUIRE(session
              ->RunTapped([&](ValueId id, const TappedValue& value) {
                if (value.type != ElementType::kFloat32) return;
                seen[id.index].resize(static_cast<size_t>(value.elements));
                CopyTappedValue(value, nullptr, seen[id.index].data());
              })
              .ok());
  CHECK(seen[tokens.index] == std::vector<float>{1, -2, 3, 1, -2, 3});
  CHECK(seen[scaled.index] == std::vector<float>{-1, 2, -3, -1, 2, -3});
}

TEST_CASE("a profile has the time of every step's node", "[runtime]") {
  const RandomGraph random(3, 1, 12);
  SessionOptions options;
  options.profile = true;
  auto session = MakeSession(MakeContext(), random.graph(), options);
  REQUIRE(session->Run().ok());
  REQUIRE(session->Run().ok());
  REQUIRE_FALSE(session->profile().empty());
  for (const NodeProfile& node : session->profile()) {
    CHECK(node.calls == 2);
    CHECK(node.total_ms >= 0);
  }
}

TEST_CASE("a graph without nodes runs", "[runtime]") {
  GraphBuilder b;
  const ValueId x = b.Input({3});
  b.Finish({x});
  auto session = MakeSession(MakeContext(), b.graph);
  session->input(0).as<float>()[2] = 7;
  REQUIRE(session->Run().ok());
  CHECK(session->output(0).as<float>()[2] == 7);
}

}  // namespace
}  // namespace qlite::testing
