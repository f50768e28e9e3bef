#include "benchmark/golden_file.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "benchmark/output_difference.h"
#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;

std::vector<GoldenTensor> Parse(std::string_view text) {
  absl::StatusOr<std::vector<GoldenTensor>> tensors = ParseGolden(text, "g.txt");
  INFO(MessageOf(tensors));
  REQUIRE(tensors.ok());
  return *std::move(tensors);
}

std::string Refusal(std::string_view text) {
  const absl::StatusOr<std::vector<GoldenTensor>> tensors = ParseGolden(text, "g.txt");
  CHECK_FALSE(tensors.ok());
  return MessageOf(tensors);
}

GoldenTensor Golden(std::vector<double> values) {
  return {"y", {static_cast<int64_t>(values.size())}, std::move(values)};
}

template <class T>
TensorView View(const std::vector<T>& values, ElementType type) {
  return {type, {}, values.data(), values.size() * sizeof(T)};
}

double Bias(const std::vector<double>& golden, const std::vector<float>& result) {
  const absl::StatusOr<double> bias = MeanBias(Golden(golden), View(result, ElementType::kFloat32));
  REQUIRE(bias.ok());
  return *bias;
}

double Cosine(const std::vector<double>& golden, const std::vector<float>& result) {
  return CosineSimilarity(Golden(golden), View(result, ElementType::kFloat32));
}

TEST_CASE("golden: outputs of any rank") {
  const auto tensors = Parse("out 2 1 3\n1 -2.5 3e-2\nscalar 0\n7\n\n  spaced/name:0\t1   2\r\n  4\t5 \r\n\n");
  REQUIRE(tensors.size() == 3);
  CHECK(tensors[0].name == "out");
  CHECK(tensors[0].dims == std::vector<int64_t>{1, 3});
  CHECK(tensors[0].values == std::vector<double>{1, -2.5, 3e-2});
  CHECK(tensors[1].dims.empty());
  CHECK(tensors[1].values == std::vector<double>{7});
  CHECK(tensors[2].name == "spaced/name:0");
  CHECK(tensors[2].values == std::vector<double>{4, 5});
}

TEST_CASE("golden: what is wrong is said with its line") {
  CHECK_THAT(Refusal(""), Contains("g.txt") && Contains("no outputs"));
  CHECK_THAT(Refusal("out\n1\n"), Contains("g.txt:1"));
  CHECK_THAT(Refusal("out 2 3\n1 2 3\n"), Contains("g.txt:1") && Contains("<rank>"));
  CHECK_THAT(Refusal("out 1 3 1\n1 2 3\n"), Contains("g.txt:1"));
  CHECK_THAT(Refusal("out -1\n1\n"), Contains("g.txt:1"));
  CHECK_THAT(Refusal("out 1 0\n\n"), Contains("g.txt:1") && Contains("'0' is not a possible dimension"));
  CHECK_THAT(Refusal("out 1 -3\n1\n"), Contains("'-3'"));
  CHECK_THAT(Refusal("out 2 4294967296 4294967296\n1\n"), Contains("4294967296"));
  CHECK_THAT(Refusal("out 1 3\n1 2\n"), Contains("g.txt:2") && Contains("expected 3 values, found 2"));
  CHECK_THAT(Refusal("out 1 3\n1 2 3 4\n"), Contains("expected 3 values, found 4"));
  CHECK_THAT(Refusal("out 1 3"), Contains("expected 3 values, found 0"));
  CHECK_THAT(Refusal("out 1 2\n1 x\n"), Contains("g.txt:2") && Contains("'x' is not a finite number"));
  CHECK_THAT(Refusal("out 1 2\n1 nan\n"), Contains("'nan'"));
  CHECK_THAT(MessageOf(ReadGoldenFile("/nowhere/at/all")), Contains("/nowhere/at/all"));
}

TEST_CASE("golden: shapes are compared without trailing ones") {
  const auto same = [](std::vector<int64_t> a, std::vector<int64_t> b) { return SameShape(a, b); };
  CHECK(same({1, 10}, {1, 10, 1, 1}));
  CHECK(same({}, {1, 1}));
  CHECK_FALSE(same({1, 10}, {10}));
  CHECK_FALSE(same({2, 5}, {10}));
}

TEST_CASE("mean bias: the mean over the elements that differ") {
  CHECK(Bias({1, 2, 4}, {1, 2, 4}) == 0);
  CHECK(Bias({1, 2, 4}, {1.5f, 2, 4}) == Approx(0.5));
  CHECK(Bias({1, 2, 4}, {1.5f, 3, 4}) == Approx(0.5));
  CHECK(Bias({1, -2, 4}, {1, -3, 5}) == Approx((0.5 + 0.25) / 2));
}

TEST_CASE("mean bias: what lies within the tolerance does not take part") {
  CHECK(Bias({100}, {100.0009f}) == 0);  // 0.0009 <= 1e-8 + 1e-5 * 100
  CHECK(Bias({100}, {100.002f}) == Approx(2e-5).epsilon(0.01));
}

TEST_CASE("mean bias: near zero the absolute error counts, above 1e-5") {
  CHECK(Bias({0}, {0.9e-5f}) == 0);
  CHECK(Bias({0}, {0.5f}) == Approx(0.5));
  CHECK(Bias({1e-7}, {0.5f}) == Approx(0.5));
  CHECK(Bias({1.2e-7}, {1.0f}) == Approx(1.0 / 1.2e-7).epsilon(1e-3));
  CHECK(Bias({0, 2}, {0.5f, 3}) == Approx((0.5 + 0.5) / 2));
}

TEST_CASE("mean bias: a result that is not finite is an error") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> result = {1, bad};
    CHECK_THAT(MessageOf(MeanBias(Golden({1, 2}), View(result, ElementType::kFloat32))), Contains("index 1"));
  }
}

TEST_CASE("mean bias: integers and booleans are numbers") {
  const auto bias = [](const auto& values, ElementType type) { return *MeanBias(Golden({-2, 4}), View(values, type)); };
  CHECK(bias(std::vector<int8_t>{-2, 5}, ElementType::kInt8) == Approx(0.25));
  CHECK(bias(std::vector<int16_t>{-2, 5}, ElementType::kInt16) == Approx(0.25));
  CHECK(bias(std::vector<int32_t>{-2, 5}, ElementType::kInt32) == Approx(0.25));
  CHECK(bias(std::vector<int64_t>{-2, 5}, ElementType::kInt64) == Approx(0.25));
  CHECK(bias(std::vector<double>{-2, 5}, ElementType::kFloat64) == Approx(0.25));
  const std::vector<uint8_t> bytes = {254, 1};
  CHECK(*MeanBias(Golden({254, 1}), View(bytes, ElementType::kUInt8)) == 0);
  CHECK(*MeanBias(Golden({254, 1}), View(bytes, ElementType::kBool)) == 0);
  const std::vector<uint16_t> halves = {0x3c00, 0xc100};  // 1 and -2.5
  CHECK(*MeanBias(Golden({1, -2.5}), View(halves, ElementType::kFloat16)) == 0);
}

TEST_CASE("cosine of golden and result") {
  CHECK(Cosine({1, 2, 3}, {2, 4, 6}) == Approx(1.0));
  CHECK(Cosine({1, 0}, {0, 1}) == Approx(0.0));
  CHECK(Cosine({1, 2}, {-1, -2}) == Approx(-1.0));
  CHECK(Cosine({3, 4}, {4, 3}) == Approx(0.96));
  CHECK(Cosine({0, 0}, {0, 0}) == 1);
  CHECK(Cosine({0, 0}, {1, 0}) == 0);
  CHECK(Cosine({1, 0}, {0, 0}) == 0);
}

TEST_CASE("the largest element, the first one on ties") {
  const auto largest = [](std::vector<float> values) { return ArgMax(values); };
  CHECK(largest({}) == 0);
  CHECK(largest({1}) == 0);
  CHECK(largest({1, 3, 2}) == 1);
  CHECK(largest({3, 3, 3}) == 0);
  CHECK(largest({-5, -1, -1}) == 1);
}

TEST_CASE("the difference of outputs, by hand") {
  OutputDifference difference;
  const std::vector<float> a = {3, 4}, b = {4, 3}, zero = {0, 0};
  difference.Add(a, b);
  CHECK(difference.count() == 1);
  CHECK(difference.MeanCosine() == Approx(0.96));
  CHECK(difference.SignalToNoise() == Approx(10 * std::log10(25.0 / 2.0)));
  CHECK(difference.LargestError() == 1);
  CHECK(difference.Top1Agreement() == 0);
  difference.Add(zero, zero);
  CHECK(difference.MeanCosine() == Approx(0.98));
  CHECK(difference.Top1Agreement() == Approx(0.5));
  difference.Add(zero, a);
  CHECK(difference.MeanCosine() == Approx(1.96 / 3));
  CHECK(difference.LargestError() == 4);
}

TEST_CASE("the difference of nothing and of equal outputs") {
  OutputDifference difference;
  CHECK(difference.MeanCosine() == 1);
  CHECK(difference.Top1Agreement() == 1);
  const std::vector<float> a = {1, 2, 3};
  difference.Add(a, a);
  CHECK(std::isinf(difference.SignalToNoise()));
  CHECK(difference.LargestError() == 0);
  CHECK(difference.Top1Agreement() == 1);
}

TEST_CASE("differences of parts add up to that of the whole") {
  const std::vector<float> a = {3, 4}, b = {4, 3}, c = {1, 1};
  OutputDifference whole, first, second;
  whole.Add(a, b);
  whole.Add(a, c);
  first.Add(a, b);
  second.Add(a, c);
  first.Merge(second);
  CHECK(first.count() == whole.count());
  CHECK(first.MeanCosine() == whole.MeanCosine());
  CHECK(first.SignalToNoise() == whole.SignalToNoise());
  CHECK(first.LargestError() == whole.LargestError());
  CHECK(first.Top1Agreement() == whole.Top1Agreement());
}

}  // namespace
}  // namespace qlite::cli
