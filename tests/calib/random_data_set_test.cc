#include "qlite/random_data_set.h"

#include <catch2/catch.hpp>
#include <vector>

namespace qlite {
namespace {

// The floats and the integers of a sample.
std::pair<std::vector<float>, std::vector<int64_t>> Read(const DataSet& data, int64_t index) {
  std::pair<std::vector<float>, std::vector<int64_t>> sample{std::vector<float>(6), std::vector<int64_t>(2, 5)};
  const std::vector<int64_t> dims = {6}, integers = {2};
  const std::vector<MutableTensorView> views = {
      {ElementType::kFloat32, dims, sample.first.data(), 24},
      {ElementType::kInt64, integers, sample.second.data(), 16},
  };
  REQUIRE(data.Read(index, views).ok());
  return sample;
}

TEST_CASE("random samples are the same every time and differ from each other") {
  const std::vector<InputSpec> inputs = {{"x", ElementType::kFloat32, {6}}, {"i", ElementType::kInt64, {2}}};
  const auto one = MakeRandomDataSet(inputs, 2), two = MakeRandomDataSet(inputs, 2);
  CHECK(one->size() == 2);
  CHECK(Read(*one, 1) == Read(*two, 1));
  CHECK(Read(*one, 0).first != Read(*one, 1).first);
  for (const float x : Read(*one, 0).first) CHECK((x >= -1 && x < 1));
  CHECK(Read(*one, 0).second == std::vector<int64_t>{0, 0});
  CHECK(*one->Fingerprint() == *two->Fingerprint());
  CHECK(one->Read(2, {}).code() == absl::StatusCode::kOutOfRange);
  CHECK(one->Read(-1, {}).code() == absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace qlite
