#include "passes/made_up_pictures.h"

#include <limits>

#include "passes/graph_maker.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

using namespace testing;
using Catch::Contains;

Graph InputOf(const Shape& shape, ElementType type = ElementType::kFloat32) {
  Graph graph;
  graph.SetOutputs({graph.AddInput("x", type, shape)});
  return graph;
}

std::vector<float> Draw(const std::vector<int64_t>& dims, int64_t index) {
  const auto pictures = MadeUpPictures::For(InputOf(Shape::Of(dims)), 4);
  REQUIRE(pictures);
  std::vector<float> values(static_cast<size_t>(*ElementCount(dims)), std::numeric_limits<float>::quiet_NaN());
  const MutableTensorView view{ElementType::kFloat32, dims, values.data(), values.size() * sizeof(float)};
  REQUIRE(pictures->Read(index, std::span(&view, 1)).ok());
  return values;
}

double MeanProduct(const std::vector<float>& x, size_t distance) {
  double sum = 0;
  for (size_t i = 0; i + distance < x.size(); ++i)
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i + distance]);
  return sum / static_cast<double>(x.size() - distance);
}

TEST_CASE("made-up pictures are for inputs that look like pictures") {
  CHECK(MadeUpPictures::For(InputOf(Shape({Dim(), Dim(3), Dim(8), Dim(9)})), 2));
  CHECK(MadeUpPictures::For(InputOf(Shape({Dim(1), Dim(8), Dim(9), Dim(1)})), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape()), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape::Of({1, 3, 8})), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape::Of({1, 16, 8, 8})), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape({Dim(1), Dim(3), Dim(), Dim(9)})), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape::Of({1, 3, 100000, 100000})), 2));
  CHECK_FALSE(MadeUpPictures::For(InputOf(Shape::Of({1, 3, 8, 8}), ElementType::kUInt8), 2));
  Graph two = InputOf(Shape::Of({1, 3, 8, 8}));
  two.AddInput("y", ElementType::kFloat32, Shape::Of({1, 3, 8, 8}));
  CHECK_FALSE(MadeUpPictures::For(two, 2));
}

TEST_CASE("made-up pictures: spread, neighbours and colours") {
  double squares = 0, neighbours = 0, colours = 0;
  for (int64_t i = 0; i < 16; ++i) {
    const std::vector<float> x = Draw({1, 3, 64, 48}, i);
    squares += MeanProduct(x, 0) / 16;
    neighbours += MeanProduct(x, 1) / 16;
    colours += MeanProduct(x, 64 * 48) / 16;
  }
  CHECK(squares == Approx(1).margin(0.4));
  CHECK(neighbours / squares > 0.7);
  CHECK(colours / squares > 0.5);
}

TEST_CASE("made-up pictures depend on their number alone, in either layout") {
  const std::vector<float> first = Draw({1, 3, 16, 8}, 1), last = Draw({1, 16, 8, 3}, 1);
  CHECK(first == Draw({1, 3, 16, 8}, 1));
  CHECK(first != Draw({1, 3, 16, 8}, 2));
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < 16 * 8; ++i) REQUIRE(first[c * 16 * 8 + i] == last[i * 3 + c]);
  }
  CHECK(Draw({2, 1, 1, 1}, 0).size() == 2);
}

Graph& MakeNetwork(GraphMaker& maker, int64_t channels) {
  const ValueId x = maker.Input({1, channels, 16, 16});
  const ValueId a = maker.Conv(x, channels, 24, 3, 1, true, "a", FusedClamp{0, 6});
  return maker.Finish({maker.Conv(a, 24, 32, 1, 1, true, "b")});
}

TEST_CASE("without data the weights of a picture network are rounded for made-up pictures") {
  GraphMaker maker{4};
  const Graph& graph = MakeNetwork(maker, 3);
  const auto automatic = WeightQuantize(TestContext(), graph, {.bits = 4});
  const auto nearest = WeightQuantize(TestContext(), graph, {.bits = 4, .rounding = WeightRounding::kNearest});
  REQUIRE(automatic.ok());
  REQUIRE(nearest.ok());
  CHECK_THAT(automatic->steps.back(), Contains("2 by GPTQ over made-up pictures"));
  CHECK_THAT(nearest->steps.back(), !Contains("GPTQ"));
  // The results over other noise of the kind are nearer.
  const auto error = [&](const Graph& quantized) {
    const auto before = Session::Create(TestContext(), graph), after = Session::Create(TestContext(), quantized);
    double sum = 0;
    for (int64_t i = 100; i < 104; ++i) {
      const std::vector<float> x = Draw({1, 3, 16, 16}, i);
      for (Session* session : {before->get(), after->get()}) {
        std::copy(x.begin(), x.end(), session->input(0).as<float>().begin());
        REQUIRE(session->Run().ok());
      }
      const auto a = (*before)->output(0).as<float>(), b = (*after)->output(0).as<float>();
      for (size_t k = 0; k < a.size(); ++k) sum += static_cast<double>((a[k] - b[k]) * (a[k] - b[k]));
    }
    return sum;
  };
  CHECK(error(automatic->graph) < error(nearest->graph));
  const auto again = WeightQuantize(TestContext(3), graph, {.bits = 4});
  CHECK(RunGraph(again->graph) == RunGraph(automatic->graph));
}

TEST_CASE("without data and pictures, and above 8 bits, weights are rounded to the nearest") {
  GraphMaker maker{4}, other{4};
  const Graph& pictures = MakeNetwork(maker, 3);
  const Graph& none = MakeNetwork(other, 5);
  CHECK_THAT(WeightQuantize(TestContext(), pictures, {.bits = 9})->steps.back(), !Contains("GPTQ"));
  CHECK_THAT(WeightQuantize(TestContext(), none, {.bits = 8})->steps.back(), !Contains("GPTQ"));
}

TEST_CASE("a network that has no finite results for made-up pictures is rounded to the nearest") {
  GraphMaker maker{4};
  const ValueId x = maker.Input({1, 3, 8, 8});
  const ValueId huge = maker.Node(OpType::kMul, {x, maker.Floats({1, 1, 1, 8}, std::vector<float>(8, 3e38f))});
  const ValueId larger = maker.Node(OpType::kMul, {huge, maker.Floats({1, 1, 1, 8}, std::vector<float>(8, 100.0f))});
  const Graph& graph = maker.Finish({maker.Conv(larger, 3, 4, 3, 1, true, "a")});
  const auto automatic = WeightQuantize(TestContext(), graph, {});
  INFO(automatic.status());
  REQUIRE(automatic.ok());
  const auto nearest = WeightQuantize(TestContext(), graph, {.rounding = WeightRounding::kNearest});
  CHECK(automatic->weights[0].error == nearest->weights[0].error);
}

}  // namespace
}  // namespace qlite
