// Properties of the runtime on random graphs.
#include "runtime/random_graph.h"

#include <catch2/catch.hpp>
#include <map>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

constexpr int kGraphs = 150;

TEST_CASE("random graphs equal the reference", "[runtime]") {
  for (uint32_t seed = 0; seed < kGraphs; ++seed) {
    const RandomGraph random(seed, 1 + seed % 3, 12);
    Rng rng(seed);
    INFO("seed " << seed);
    CheckAgainstReference(random.graph(), {RandomArray(rng, random.input_dims())}, 1e-4);
  }
}

TEST_CASE("results have the same bits on every instruction set and number of threads", "[runtime]") {
  for (uint32_t seed = 0; seed < kGraphs; ++seed) {
    const RandomGraph random(seed, 2, 12);
    Rng rng(seed);
    const std::vector<Array> inputs = {RandomArray(rng, random.input_dims())};
    const auto expected = RunFor(MakeContext(1, "generic"), random.graph(), inputs);
    for (kernels::Isa isa : kernels::SupportedIsas()) {
      const int threads = 1 + static_cast<int>(seed + static_cast<uint32_t>(isa)) % 4;
      INFO("seed " << seed << " " << kernels::IsaName(isa) << " threads " << threads);
      CHECK((RunFor(MakeContext(threads, std::string(kernels::IsaName(isa))), random.graph(), inputs) == expected));
    }
  }
}

TEST_CASE("a batch gives the bits of its parts", "[runtime]") {
  for (uint32_t seed = 0; seed < kGraphs; ++seed) {
    const RandomGraph four(seed, 4, 12), one(seed, 1, 12);
    if (four.graph().node_slots() != one.graph().node_slots()) continue;  // a choice depended on the extents
    Rng rng(seed);
    const Array whole = RandomArray(rng, four.input_dims());
    const auto together = RunFor(MakeContext(2), four.graph(), {whole});
    for (size_t n = 0; n < 4; ++n) {
      Array part(one.input_dims());
      std::copy_n(whole.data.begin() + static_cast<int64_t>(n * part.data.size()), part.data.size(), part.data.begin());
      const auto alone = RunFor(MakeContext(1), one.graph(), {part});
      for (size_t i = 0; i < alone.size(); ++i) {
        INFO("seed " << seed << " output " << i);
        REQUIRE(together[i].size() == 4 * alone[i].size());
        CHECK(std::equal(alone[i].begin(), alone[i].end(),
                         together[i].begin() + static_cast<int64_t>(n * alone[i].size())));
      }
    }
  }
}

TEST_CASE("tapped runs give the same bits, and taps see the values of the graph", "[runtime]") {
  for (uint32_t seed = 0; seed < kGraphs; ++seed) {
    const RandomGraph random(seed, 2, 12);
    Rng rng(seed);
    const Array input = RandomArray(rng, random.input_dims());
    const std::vector<Array> reference = ReferenceRun(random.graph(), {input});
    const auto plain = RunFor(MakeContext(), random.graph(), {input});
    auto session = MakeSession(MakeContext(2), random.graph());
    Fill(*session, 0, input);
    std::map<int32_t, std::vector<float>> seen;
    const absl::Status status = session->RunTapped([&](ValueId id, const TappedValue& value) {
      auto& copy = seen[id.index];
      copy.resize(static_cast<size_t>(value.elements));
      CopyTappedValue(value, nullptr, copy.data());
    });
    REQUIRE(status.ok());
    INFO("seed " << seed << "\n" << random.graph().Dump());
    CHECK((OutputBytes(*session) == plain));
    for (NodeId id : random.graph().TopologicalOrder()) {
      for (ValueId output : random.graph().node(id).outputs) {
        REQUIRE(seen.contains(output.index));
        const Array& expected = reference[static_cast<size_t>(output.index)];
        const auto& got = seen[output.index];
        REQUIRE(got.size() == expected.data.size());
        double error = 0, largest = 1e-6;
        for (size_t i = 0; i < got.size(); ++i) {
          error = std::max(error, std::abs(got[i] - expected.data[i]));
          largest = std::max(largest, std::abs(expected.data[i]));
        }
        INFO(random.graph().value(output).name);
        CHECK(error <= 1e-4 * largest);
      }
    }
  }
}

TEST_CASE("running again, and running a fork, gives the same bits", "[runtime]") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const RandomGraph random(seed, 1, 12);
    Rng rng(seed);
    const Array input = RandomArray(rng, random.input_dims());
    auto session = MakeSession(MakeContext(2), random.graph());
    Fill(*session, 0, input);
    REQUIRE(session->Run().ok());
    const auto first = OutputBytes(*session);
    REQUIRE(session->Run().ok());
    CHECK((OutputBytes(*session) == first));
    auto fork = session->Fork(MakeContext(3));
    REQUIRE(fork.ok());
    Fill(**fork, 0, input);
    REQUIRE((*fork)->Run().ok());
    CHECK((OutputBytes(**fork) == first));
  }
}

}  // namespace
}  // namespace qlite::testing
