#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <random>

#include "calib/input_alternatives.h"
#include "calib/input_evidence.h"
#include "qlite/calibrator.h"

namespace qlite {
namespace {

constexpr int64_t kSide = 24;
constexpr size_t kPlane = kSide * kSide;

using Picture = std::vector<float>;  // three planes
using Change = std::function<Picture(Picture)>;

// Smooth pictures, 0..255 in whole steps, reddish.
Picture MakePicture(int64_t index) {
  std::mt19937 random(static_cast<unsigned>(index));
  std::uniform_real_distribution<float> uniform(0, 1);
  Picture picture(3 * kPlane);
  for (size_t c = 0; c < 3; ++c) {
    const float level = 170 - 50 * static_cast<float>(c), fx = 0.1f + 0.2f * uniform(random),
                fy = 0.1f + 0.2f * uniform(random);
    const float phase = 6 * uniform(random);
    for (size_t i = 0; i < kPlane; ++i) {
      const float x = static_cast<float>(i % kSide), y = static_cast<float>(i / kSide);
      picture[c * kPlane + i] = std::round(level + 65 * std::sin(fx * x + phase) * std::cos(fy * y));
    }
  }
  return picture;
}

Picture Normalize(Picture picture) {
  for (float& x : picture) x = x / 127.5f - 1;
  return picture;
}

class Pictures : public DataSet {
 public:
  explicit Pictures(Change change) : change_(std::move(change)) {}
  int64_t size() const override { return 40; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    const Picture picture = change_(MakePicture(index));
    std::copy(picture.begin(), picture.end(), inputs[0].as<float>().begin());
    return absl::OkStatus();
  }
  std::string Describe(int64_t index) const override { return std::to_string(index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return 1; }

 private:
  Change change_;
};

// Conv -> BatchNormalization -> Relu, with the statistics that the right pictures give.
Graph MakeNetwork(const Shape& input = Shape::Of({1, 3, kSide, kSide})) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 0.3f);
  std::vector<float> weights(8 * 3);
  for (float& w : weights) w = normal(random);
  std::vector<double> sum(8), squares(8);
  for (int64_t index = 100; index < 140; ++index) {
    const Picture picture = Normalize(MakePicture(index));
    for (size_t o = 0; o < 8; ++o) {
      for (size_t i = 0; i < kPlane; ++i) {
        double x = 0;
        for (size_t c = 0; c < 3; ++c) x += static_cast<double>(weights[o * 3 + c] * picture[c * kPlane + i]);
        sum[o] += x / (40 * kPlane), squares[o] += x * x / (40 * kPlane);
      }
    }
  }
  std::vector<float> mean(8), variance(8);
  for (size_t o = 0; o < 8; ++o) {
    mean[o] = static_cast<float>(sum[o]);
    variance[o] = static_cast<float>(squares[o] - sum[o] * sum[o]);
  }
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, input);
  const ValueId w = graph.AddConstant("w", Tensor::Of({8, 3, 1, 1}, weights));
  const ValueId convolved = *graph.AddNode("conv", OpType::kConv, ConvAttrs{}, {x, w}, "convolved");
  std::vector<ValueId> inputs = {convolved};
  inputs.push_back(graph.AddConstant("scale", Tensor::Of({8}, std::vector<float>(8, 1))));
  inputs.push_back(graph.AddConstant("bias", Tensor::Of({8}, std::vector<float>(8, 0))));
  inputs.push_back(graph.AddConstant("mean", Tensor::Of({8}, mean)));
  inputs.push_back(graph.AddConstant("variance", Tensor::Of({8}, variance)));
  const ValueId normalized = *graph.AddNode("bn", OpType::kBatchNormalization, BatchNormAttrs{}, inputs, "normalized");
  graph.SetOutputs({*graph.AddNode("relu", OpType::kRelu, NoAttrs{}, {normalized}, "y")});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

std::string Mistakes(const Change& change, const Graph& original) {
  Graph graph = original;
  REQUIRE(graph.InferShapes({{"x", {1, 3, kSide, kSide}}}).ok());
  ContextOptions options;
  options.num_threads = 2;
  const Context context = *Context::Create(options);
  const auto warnings = Calibrator(context, graph, {}).CheckInputStatistics(Pictures(change), original);
  INFO(warnings.status());
  REQUIRE(warnings.ok());
  std::string mistakes;
  for (const InputWarning& warning : *warnings) mistakes += warning.likely_mistake + "; ";
  return mistakes;
}

std::string Mistakes(const Change& change) { return Mistakes(change, MakeNetwork()); }

TEST_CASE("right preprocessing gives no warning") { CHECK(Mistakes(Normalize) == ""); }

TEST_CASE("mistakes of preprocessing are named") {
  CHECK(Mistakes([](Picture p) { return p; }) == "pixel values were not scaled; ");
  CHECK(Mistakes([](Picture p) {
          for (float& x : p) x /= 255;
          return p;
        }) == "the mean was not removed; ");
  CHECK(Mistakes([](Picture p) {
          for (float& x : p) x -= 127.5f;
          return p;
        }) == "pixel values were not divided by their range or standard deviation; ");
  CHECK(Mistakes([](Picture p) {
          p = Normalize(p);
          std::swap_ranges(p.begin(), p.begin() + kPlane, p.begin() + 2 * kPlane);
          return p;
        }) == "the colour channels are swapped (RGB for BGR or the reverse); ");
  CHECK(Mistakes([](Picture p) {
          p = Normalize(p);
          Picture interleaved;
          for (size_t i = 0; i < kPlane; ++i) {
            for (size_t c = 0; c < 3; ++c) interleaved.push_back(p[c * kPlane + i]);
          }
          return interleaved;
        }) == "the data are NHWC, but the input takes NCHW; ");
}

TEST_CASE("the original graph may leave open how large pictures are") {
  const Graph open = MakeNetwork(Shape(std::vector<Dim>{1, 3, Dim::Symbolic("H"), Dim::Symbolic("W")}));
  CHECK(Mistakes(Normalize, open) == "");
  CHECK(Mistakes([](Picture p) { return p; }, open) == "pixel values were not scaled; ");
}

TEST_CASE("of the original graph no more is run than is looked at") {
  const Graph graph = MakeNetwork();
  const Graph beginning = calib::UpToFirstBatchNorm(graph);
  CHECK(beginning.TopologicalOrder().size() == 2);
  CHECK(beginning.outputs()[0] == *graph.FindValue("normalized"));
  CHECK(calib::FindFirstBatchNorm(beginning)->input == calib::FindFirstBatchNorm(graph)->input);
  CHECK(calib::UpToFirstBatchNorm(beginning).Dump() == beginning.Dump());
  CHECK(calib::UpToFirstBatchNorm(Graph()).outputs().empty());
}

TEST_CASE("only single pictures are looked at") {
  const auto find = [](std::vector<int64_t> dims) {
    Graph graph;
    graph.AddInput("x", ElementType::kFloat32, Shape::Of(dims));
    return calib::FindPictureInput(graph);
  };
  REQUIRE(find({1, 3, 8, 9}).has_value());
  CHECK(find({1, 3, 8, 9})->width == 9);
  CHECK(find({1, 8, 9, 1})->channels_last);
  CHECK_FALSE(find({2, 3, 8, 8}).has_value());
  CHECK_FALSE(find({1, 3, 8, 3}).has_value());
  CHECK_FALSE(find({1, 5, 8, 8}).has_value());
  CHECK_FALSE(find({1, 16}).has_value());
}

TEST_CASE("mutual information is high for definite and different answers alone") {
  using calib::MutualInformation;
  const std::vector<double> a = {1, 0, 0}, b = {0, 1, 0}, c = {0, 0, 1}, even = {1.0 / 3, 1.0 / 3, 1.0 / 3};
  CHECK(MutualInformation({a, b, c}) == Approx(std::log(3)));
  CHECK(MutualInformation({a, a, a}) == Approx(0).margin(1e-12));
  CHECK(MutualInformation({even, even, even}) == Approx(0).margin(1e-12));
  const std::vector<double> p = calib::ClassProbabilities(std::vector<float>{0, std::log(3.0f), -1000});
  CHECK(p[1] == Approx(0.75));
  CHECK(calib::ClassProbabilities(std::vector<float>{0.25f, 0.75f}) == std::vector<double>{0.25, 0.75});
}

}  // namespace
}  // namespace qlite
