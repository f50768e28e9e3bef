// LSTM and GRU against plain loops; Range, ScatterND and Mod.
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/runtime_test_util.h"

namespace qlite::testing {
namespace {

using Dims = std::vector<int64_t>;
using Row = std::vector<double>;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Net {
  int64_t time = 5, batch = 2, features = 3, hidden = 9, gates = 4;
  RecurrentAttrs attrs;
  Array x, w, r, b, h0, c0;
  int64_t directions() const { return attrs.direction == RecurrentDirection::kBidirectional ? 2 : 1; }

  Net(OpType op, RecurrentDirection direction, bool linear, Rng& rng) {
    gates = op == OpType::kLSTM ? 4 : 3;
    attrs.hidden_size = hidden, attrs.direction = direction, attrs.linear_before_reset = linear;
    x = RandomArray(rng, {time, batch, features});
    w = RandomArray(rng, {directions(), gates * hidden, features});
    r = RandomArray(rng, {directions(), gates * hidden, hidden});
    b = RandomArray(rng, {directions(), 2 * gates * hidden});
    h0 = RandomArray(rng, {directions(), batch, hidden});
    c0 = RandomArray(rng, {directions(), batch, hidden});
  }

  // The recurrent part of a gate, with its bias.
  double Part(int64_t d, int64_t gate, const Row& h, bool input, int64_t t, int64_t n) const {
    double sum = b.at({d, (input ? 0 : gates * hidden) + gate});
    if (input) {
      for (int64_t i = 0; i < features; ++i) sum += w.at({d, gate, i}) * x.at({t, n, i});
    } else {
      for (int64_t i = 0; i < hidden; ++i) sum += r.at({d, gate, i}) * h[static_cast<size_t>(i)];
    }
    return sum;
  }

  void Step(int64_t d, int64_t t, int64_t n, Row& h, Row& c) const {
    const auto both = [&](int64_t gate) { return Part(d, gate, h, true, t, n) + Part(d, gate, h, false, t, n); };
    Row next = h, reset = h;
    for (int64_t j = 0; j < hidden; ++j) {
      if (gates == 3) reset[static_cast<size_t>(j)] *= Sigmoid(both(hidden + j));
    }
    for (int64_t j = 0; j < hidden; ++j) {
      const auto at = static_cast<size_t>(j);
      if (gates == 4) {
        c[at] = Sigmoid(both(2 * hidden + j)) * c[at] + Sigmoid(both(j)) * std::tanh(both(3 * hidden + j));
        next[at] = Sigmoid(both(hidden + j)) * std::tanh(c[at]);
        continue;
      }
      const int64_t gate = 2 * hidden + j;
      const double recurrent = attrs.linear_before_reset ? Sigmoid(both(hidden + j)) * Part(d, gate, h, false, t, n)
                                                         : Part(d, gate, reset, false, t, n);
      const double z = Sigmoid(both(j));
      next[at] = (1 - z) * std::tanh(Part(d, gate, h, true, t, n) + recurrent) + z * h[at];
    }
    h = next;
  }

  // Every step, the last h and the last c.
  std::vector<Array> Run() const {
    std::vector<Array> out = {Array({time, directions(), batch, hidden}), Array({directions(), batch, hidden}),
                              Array({directions(), batch, hidden})};
    for (int64_t d = 0; d < directions(); ++d) {
      const bool reverse = attrs.direction == RecurrentDirection::kReverse || d == 1;
      for (int64_t n = 0; n < batch; ++n) {
        Row h, c;
        for (int64_t j = 0; j < hidden; ++j) h.push_back(h0.at({d, n, j})), c.push_back(c0.at({d, n, j}));
        for (int64_t i = 0; i < time; ++i) {
          const int64_t t = reverse ? time - 1 - i : i;
          Step(d, t, n, h, c);
          for (int64_t j = 0; j < hidden; ++j) out[0].at({t, d, n, j}) = h[static_cast<size_t>(j)];
        }
        for (int64_t j = 0; j < hidden; ++j) {
          out[1].at({d, n, j}) = h[static_cast<size_t>(j)];
          out[2].at({d, n, j}) = c[static_cast<size_t>(j)];
        }
      }
    }
    return out;
  }
};

Tensor AsTensor(const Array& array) {
  return Tensor::Of<float>(array.dims, std::vector<float>(array.data.begin(), array.data.end()));
}

TEST_CASE("recurrent networks in every form", "[runtime]") {
  for (const OpType op : {OpType::kLSTM, OpType::kGRU}) {
    for (const auto direction :
         {RecurrentDirection::kForward, RecurrentDirection::kReverse, RecurrentDirection::kBidirectional}) {
      for (const bool linear : {false, true}) {
        Rng rng(4);
        const Net net(op, direction, linear, rng);
        GraphBuilder b;
        const ValueId x = b.Input(net.x.dims), h = b.Input(net.h0.dims), c = b.Input(net.c0.dims);
        std::vector<ValueId> inputs = {
            x, b.Constant(AsTensor(net.w)), b.Constant(AsTensor(net.r)), b.Constant(AsTensor(net.b)), ValueId(), h};
        if (op == OpType::kLSTM) inputs.push_back(c);
        const auto outputs = b.AddMany(op, inputs, net.attrs, op == OpType::kLSTM ? 3 : 2);
        b.Finish(outputs);
        const std::vector<Array> expected = net.Run();
        const auto generic = RunFor(MakeContext(1, "generic"), b.graph, {net.x, net.h0, net.c0});
        INFO(OpName(op) << " " << static_cast<int>(direction) << " " << linear);
        for (size_t i = 0; i < outputs.size(); ++i) CheckClose(generic[i], expected[i]);
        for (kernels::Isa isa : kernels::SupportedIsas()) {
          const Context context = MakeContext(2, std::string(kernels::IsaName(isa)));
          CHECK((RunFor(context, b.graph, {net.x, net.h0, net.c0}) == generic));
        }
      }
    }
  }
}

TEST_CASE("recurrent networks without biases and states start at zero", "[runtime]") {
  for (const OpType op : {OpType::kLSTM, OpType::kGRU}) {
    Rng rng(5);
    Net net(op, RecurrentDirection::kForward, false, rng);
    for (Array* zero : {&net.b, &net.h0, &net.c0}) std::fill(zero->data.begin(), zero->data.end(), 0.0);
    GraphBuilder b;
    const std::vector<ValueId> inputs = {b.Input(net.x.dims), b.Constant(AsTensor(net.w)), b.Constant(AsTensor(net.r))};
    const ValueId last = b.graph.AddValue("last");
    REQUIRE(b.graph.AddNode("", op, net.attrs, inputs, {ValueId(), last}).ok());
    b.Finish({last});
    CheckClose(RunFor(MakeContext(), b.graph, {net.x})[0], net.Run()[1]);
  }
}

template <class T>
std::vector<T> Values(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST_CASE("a range of an extent", "[runtime]") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N")}));
  const ValueId shape = *graph.AddNode("", OpType::kShape, ShapeAttrs{}, {x}, "shape");
  const ValueId count = *graph.AddNode("", OpType::kSqueeze, AxesAttrs{{0}}, {shape}, "count");
  const ValueId zero = graph.AddConstant("zero", Tensor::Of<int64_t>({}, {0}));
  const ValueId one = graph.AddConstant("one", Tensor::Of<int64_t>({}, {1}));
  const ValueId numbers = *graph.AddNode("", OpType::kRange, NoAttrs{}, {zero, count, one}, "numbers");
  const ValueId three = graph.AddConstant("three", Tensor::Of<int64_t>({}, {-3}));
  const ValueId rest = *graph.AddNode("", OpType::kMod, NoAttrs{}, {numbers, three}, "rest");
  graph.SetOutputs({numbers, rest});
  SessionOptions options;
  options.input_shapes["x"] = {5};
  const auto out = RunFor(MakeContext(), graph, {Array({5})}, options);
  CHECK(Values<int64_t>(out[0]) == std::vector<int64_t>{0, 1, 2, 3, 4});
  CHECK(Values<int64_t>(out[1]) == std::vector<int64_t>{0, -2, -1, 0, -2});
}

TEST_CASE("a range of numbers that are computed", "[runtime]") {
  GraphBuilder b;
  const ValueId start = b.Input({}), limit = b.Constant(Tensor::Of<float>({}, {2}));
  const ValueId numbers = b.Add(
      OpType::kRange, {b.Constant(Tensor::Of<float>({}, {1})), limit, b.Constant(Tensor::Of<float>({}, {0.25f}))});
  b.Finish({b.Add(OpType::kAdd, {numbers, start})});
  CHECK(Floats(RunFor(MakeContext(), b.graph, {Array(Dims{})})[0]) == std::vector<float>{1, 1.25f, 1.5f, 1.75f});
}

TEST_CASE("slices are scattered, and indices are checked", "[runtime]") {
  const auto scatter = [](std::vector<int64_t> indices) {
    GraphBuilder b;
    const ValueId data = b.Input({3, 2}), updates = b.Input({2, 2});
    b.Finish({b.Add(OpType::kScatterND, {data, b.Constant(Tensor::Of<int64_t>({2, 1}, std::move(indices))), updates})});
    auto session = MakeSession(MakeContext(), b.graph);
    for (size_t i = 0; i < 6; ++i) session->input(0).as<float>()[i] = static_cast<float>(i);
    for (size_t i = 0; i < 4; ++i) session->input(1).as<float>()[i] = static_cast<float>(10 + i);
    const absl::Status status = session->Run();
    return status.ok() ? Floats(OutputBytes(*session)[0]) : std::vector<float>{};
  };
  CHECK(scatter({2, 0}) == std::vector<float>{12, 13, 2, 3, 10, 11});
  CHECK(scatter({-1, -1}) == std::vector<float>{0, 1, 2, 3, 12, 13});
  CHECK(scatter({3, 0}).empty());
  CHECK(scatter({-4, 0}).empty());
}

}  // namespace
}  // namespace qlite::testing
