#include "runtime/early_taps.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <vector>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Values = std::map<int32_t, std::vector<float>>;  // by value index, as they lie in memory

std::vector<float> First(const TappedValue& value, int64_t elements) {
  const float* data = static_cast<const float*>(value.data);
  return {data, data + elements};
}

// Large convolutions of every kind that is made in parts.
Graph LargeConvolutions() {
  Rng rng(2);
  GraphBuilder b;
  const auto conv = [&](ValueId x, std::vector<int64_t> weights, ConvAttrs attrs) {
    const int64_t outputs = weights[0];
    return b.Add(OpType::kConv,
                 {x, b.Constant(RandomTensor(rng, weights, -0.2f, 0.2f)), b.Constant(RandomTensor(rng, {outputs}))},
                 attrs);
  };
  ConvAttrs same, depthwise, dilated, point, strided;
  same.pads = {1, 1, 1, 1};
  depthwise.pads = {2, 2, 2, 2}, depthwise.group = 64;
  dilated.pads = {2, 2, 2, 2}, dilated.dilations = {2, 2};
  strided.pads = {0, 1, 2, 1}, strided.strides = {2, 2};
  const ValueId x = b.Input({2, 8, 41, 40});
  const ValueId first = conv(x, {64, 8, 3, 3}, same);
  const ValueId second = conv(first, {64, 1, 5, 5}, depthwise);
  const ValueId third = conv(second, {64, 64, 3, 3}, dilated);
  const ValueId fourth = conv(b.Add(OpType::kRelu, {third}), {128, 64, 1, 1}, point);
  const ValueId fifth = conv(fourth, {128, 128, 3, 3}, same);
  b.Finish({conv(fifth, {256, 128, 3, 3}, strided)});
  return b.graph;
}

TEST_CASE("early taps see parts of the values that taps see", "[runtime]") {
  const Graph graph = LargeConvolutions();
  Rng rng(3);
  const Array input = RandomArray(rng, {2, 8, 41, 40});
  auto session = MakeSession(MakeContext(1), graph);
  Fill(*session, 0, input);
  Values whole;
  REQUIRE(
      session->RunTapped([&](ValueId id, const TappedValue& value) { whole[id.index] = First(value, value.elements); })
          .ok());
  for (const int threads : {1, 3}) {
    auto early = MakeSession(MakeContext(threads), graph);
    Fill(*early, 0, input);
    Values ended;
    std::map<int32_t, int> parts;
    bool right = true;
    REQUIRE(RunTappedEarly(*early, {}, [&](ValueId id, const TappedValue& value, int64_t ready) {
              right = right && ready > 0 && !ended.contains(id.index) && std::ssize(whole[id.index]) == value.elements;
              right = right && std::memcmp(whole[id.index].data(), value.data, static_cast<size_t>(ready) * 4) == 0;
              if (ready == value.elements) ended[id.index] = First(value, ready);
              parts[id.index] += ready < value.elements ? 1 : 0;
            }).ok());
    CHECK(right);
    CHECK(ended == whole);
    int in_parts = 0;
    for (const auto& [id, count] : parts) in_parts += count > 1 ? 1 : 0;
    CHECK(in_parts == (threads == 1 ? 6 : 0));
  }
}

}  // namespace
}  // namespace qlite::testing
