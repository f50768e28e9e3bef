// Steps that are joined into strips of rows: the bits of separate steps, in less memory.
#include "runtime/strips.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "runtime/early_taps.h"
#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

struct Window {
  int64_t kernel = 1, stride = 1, dilation = 1;
  bool pads_top = true;  // else at the bottom and right alone
};

// Layers over images large enough to be made in strips.
class LayerBuilder : public GraphBuilder {
 public:
  ValueId Conv(ValueId x, int64_t outputs, const Window& window = {}) {
    return Conv(x, outputs, Dims(x)[1], 1, window);
  }
  ValueId Depthwise(ValueId x, const Window& window) {
    const int64_t channels = Dims(x)[1];
    return Conv(x, channels, 1, channels, window);
  }
  ValueId Silu(ValueId x) { return Add(OpType::kMul, {x, Add(OpType::kSigmoid, {x})}); }
  ValueId Scale(ValueId x) { return Add(OpType::kMul, {x, Constant(RandomTensor(rng_, {1, Dims(x)[1], 1, 1}))}); }
  ValueId Clip(ValueId x) { return Add(OpType::kClip, {x}, ClipAttrs{{0, 6}}); }
  using GraphBuilder::Add;

 private:
  ValueId Conv(ValueId x, int64_t outputs, int64_t inputs, int64_t groups, const Window& window) {
    const int64_t border = (window.kernel - 1) * window.dilation, begin = window.pads_top ? border / 2 : 0;
    ConvAttrs attrs;
    attrs.group = groups;
    attrs.strides = {window.stride, window.stride};
    attrs.dilations = {window.dilation, window.dilation};
    attrs.pads = {begin, begin, border - begin, border - begin};
    const auto weights = RandomTensor(rng_, {outputs, inputs, window.kernel, window.kernel}, -0.3f, 0.3f);
    return Add(OpType::kConv, {x, Constant(weights), Constant(RandomTensor(rng_, {outputs}))}, attrs);
  }

  Rng rng_{7};
};

using Layers = std::function<std::vector<ValueId>(LayerBuilder& b, ValueId x)>;

struct Network {
  Network(const std::vector<int64_t>& input_dims, const Layers& layers) : dims(input_dims) {
    LayerBuilder b;
    const ValueId x = b.Input(dims);
    b.Finish(layers(b, x));
    graph = b.graph;
  }
  Array Input() const {
    Rng rng(3);
    return RandomArray(rng, dims, -2, 2);
  }
  std::vector<int64_t> dims;
  Graph graph;
};

uint64_t Activations(const Graph& graph, int threads, bool profile) {
  SessionOptions options;
  options.profile = profile;
  return MakeSession(MakeContext(threads), graph, options)->memory().activations_bytes;
}

// A profiled session runs every node by itself.
bool Joins(const Graph& graph, int threads = 1) {
  return Activations(graph, threads, false) != Activations(graph, threads, true);
}

void CheckBits(const Network& network) {
  CHECK(Joins(network.graph));
  auto session = MakeSession(MakeContext(1, "generic"), network.graph);
  Fill(*session, 0, network.Input());
  REQUIRE(session->RunTapped([](ValueId, const TappedValue&) {}).ok());
  const auto separate = OutputBytes(*session);
  for (kernels::Isa isa : kernels::SupportedIsas()) {
    for (const int threads : {1, 3}) {
      INFO(kernels::IsaName(isa) << " threads " << threads << "\n" << network.graph.Dump());
      const Context context = MakeContext(threads, std::string(kernels::IsaName(isa)));
      CHECK((RunFor(context, network.graph, {network.Input()}) == separate));
    }
  }
}

using Values = std::map<int32_t, std::vector<float>>;  // by value, as they lie in memory

// Every value, put together from its parts where it comes in parts.
Values Tapped(Session& session, const EarlyTapOptions& options) {
  Values values;
  const auto tap = [&](ValueId id, const TappedValue& value, int64_t ready) {
    const float* data = static_cast<const float*>(value.data);
    std::vector<float>& parts = values[id.index];
    parts.insert(parts.end(), data + parts.size(), data + ready);
  };
  REQUIRE(RunTappedEarly(session, options, tap).ok());
  return values;
}

uint64_t TappedActivations(const Graph& graph, const EarlyTapOptions& options, int threads) {
  return TappedMemory(*MakeSession(MakeContext(threads), graph), options)->activations_bytes;
}

// Taps see the bits of separate steps, whether values are kept or not, in one session too.
void CheckTaps(const Network& network) {
  INFO(network.graph.Dump());
  auto session = MakeSession(MakeContext(1), network.graph);
  Fill(*session, 0, network.Input());
  const EarlyTapOptions keeping = {.keep_values = true, .split_values = false};
  const Values whole = Tapped(*session, keeping);
  for (const bool split : {false, true}) {
    CHECK(Tapped(*session, {.keep_values = false, .split_values = split}) == whole);
    CHECK(Tapped(*session, {.keep_values = true, .split_values = split}) == whole);
  }
}

// Two inverted residuals, the first with a stride, whose expanded values are large.
std::vector<ValueId> InvertedResiduals(LayerBuilder& b, ValueId x) {
  const ValueId first = b.Clip(b.Conv(x, 24, {.kernel = 3, .stride = 2, .pads_top = false}));
  const ValueId expanded = b.Clip(b.Conv(first, 48));
  const ValueId strided = b.Conv(b.Clip(b.Depthwise(expanded, {.kernel = 3, .stride = 2})), 16);
  const ValueId wide = b.Silu(b.Conv(strided, 100));
  const ValueId projected = b.Conv(b.Silu(b.Depthwise(wide, {.kernel = 5})), 16);
  return {b.Add(OpType::kAdd, {projected, strided})};
}

// Products computed over tiles of four rows between others, and what reads none of the rows that it lies on.
std::vector<ValueId> Tiles(LayerBuilder& b, ValueId x) {
  const ValueId first = b.Silu(b.Conv(x, 24, {.kernel = 3, .pads_top = false}));
  const ValueId second = b.Conv(first, 24, {.kernel = 3});
  const ValueId third = b.Depthwise(b.Silu(second), {.kernel = 3, .dilation = 3});
  return {b.Conv(third, 40, {.kernel = 1, .stride = 3})};
}

// A large value that is read again later stays whole, and is written before those who join it read it.
std::vector<ValueId> Residual(LayerBuilder& b, ValueId x) {
  const ValueId kept = b.Silu(b.Conv(x, 32, {.kernel = 3}));
  const ValueId reduced = b.Conv(kept, 24);
  const ValueId grown = b.Conv(b.Depthwise(reduced, {.kernel = 3}), 32);
  const ValueId sum = b.Silu(b.Add(OpType::kAdd, {grown, kept}));
  const ValueId scaled = b.Scale(sum);
  return {b.Conv(scaled, 8), b.Depthwise(scaled, {.kernel = 3}), reduced};
}

// Halves of a concatenation, one of which is made of the other.
std::vector<ValueId> Halves(LayerBuilder& b, ValueId x) {
  const ValueId left = b.Conv(x, 32, {.kernel = 3}), right = b.Depthwise(b.Conv(left, 32), {.kernel = 3});
  AxisAttrs channels;
  channels.axis = 1;
  return {b.Conv(b.Add(OpType::kConcat, {left, right}, channels), 8)};
}

// Large values that one step alone reads, with too few channels for parts in the end.
std::vector<ValueId> Bottlenecks(LayerBuilder& b, ValueId x) {
  const ValueId wide = b.Conv(b.Depthwise(b.Conv(x, 40), {.kernel = 3, .stride = 2}), 100, {.kernel = 3});
  return {b.Conv(b.Conv(b.Depthwise(b.Conv(wide, 24), {.kernel = 5}), 64), 8, {.stride = 2})};
}

TEST_CASE("strips have the bits of separate steps, on every instruction set and number of threads", "[runtime]") {
  CheckBits(Network({1, 3, 211, 203}, InvertedResiduals));
  CheckBits(Network({2, 8, 110, 113}, Tiles));
  CheckBits(Network({1, 8, 101, 96}, Residual));
  CheckBits(Network({1, 8, 97, 91}, Halves));
  CheckBits(Network({2, 8, 110, 113}, Bottlenecks));
}

TEST_CASE("what steps of strips pass on is tapped in parts", "[runtime]") {
  const Network network({2, 8, 110, 113}, Bottlenecks);
  CheckTaps(network);
  const EarlyTapOptions keeping = {.keep_values = true}, passing = {.keep_values = false};
  CHECK(TappedActivations(network.graph, passing, 1) < TappedActivations(network.graph, keeping, 1));
  CHECK(TappedActivations(network.graph, passing, 2) == TappedActivations(network.graph, keeping, 2));
  CheckTaps(Network({1, 3, 211, 203}, InvertedResiduals));
  CheckTaps(Network({2, 8, 110, 113}, Tiles));
  CheckTaps(Network({2, 8, 101, 96}, Residual));
  CheckTaps(Network({1, 8, 97, 91}, Halves));
}

TEST_CASE("what steps of strips pass on takes no memory", "[runtime]") {
  const Network network({1, 3, 211, 203}, InvertedResiduals);
  for (const int threads : {1, 2}) {
    const uint64_t joined = Activations(network.graph, threads, false);
    CHECK(joined < Activations(network.graph, threads, true));
  }
}

TEST_CASE("steps join where the value between them is large and the threads have rows enough", "[runtime]") {
  const Layers layers = [](LayerBuilder& b, ValueId x) {
    return std::vector{b.Depthwise(b.Conv(x, 64), {.kernel = 3, .stride = 2})};
  };
  CHECK(Joins(Network({1, 8, 80, 80}, layers).graph));
  CHECK_FALSE(Joins(Network({1, 8, 40, 40}, layers).graph));
  CHECK(Joins(Network({1, 8, 80, 80}, layers).graph, 6));
  CHECK_FALSE(Joins(Network({1, 8, 80, 80}, layers).graph, 7));
  // Rows too long for the cache.
  CHECK_FALSE(Joins(Network({1, 8, 24, 1000}, layers).graph));
}

}  // namespace
}  // namespace qlite::testing
