#include <catch2/catch.hpp>

#include "qlite/data_set.h"
#include "temporary_folder.h"

namespace qlite {
namespace {

TEST_CASE("lines of tokens are samples") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.Write("tokens.txt", "1 2 3 4\n\n5 6 7\r\n-8\t9 10 words behind\n");
  const InputSpec input{"ids", ElementType::kInt64, {1, 3}};
  const auto data = OpenTokenDataSet(input, path, 2, 0);
  INFO(data.status().ToString());
  REQUIRE(data.ok());
  REQUIRE((*data)->size() == 2);
  std::vector<int64_t> tokens(3);
  const MutableTensorView view[] = {{ElementType::kInt64, input.dims, tokens.data(), 3 * sizeof(int64_t)}};
  REQUIRE((*data)->Read(0, view).ok());
  CHECK(tokens == std::vector<int64_t>{5, 6, 7});
  REQUIRE((*data)->Read(1, view).ok());
  CHECK(tokens == std::vector<int64_t>{-8, 9, 10});
  CHECK((*OpenTokenDataSet(input, path, 1, 1))->size() == 1);
  CHECK(OpenTokenDataSet({"ids", ElementType::kInt32, {1, 2}}, path, 1, 0).ok());
}

TEST_CASE("token files that do not fit are refused with file and line") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.Write("tokens_bad.txt", "1 2 3\n1 2\n1 two 3\n");
  const InputSpec input{"ids", ElementType::kInt64, {1, 3}};
  const auto refusal = [&](const InputSpec& spec, int64_t first, int64_t count) {
    return OpenTokenDataSet(spec, path, first, count).status().ToString();
  };
  CHECK_THAT(refusal(input, 1, 0), Catch::Contains("bad.txt:2: expected at least 3 tokens, found 2"));
  CHECK_THAT(refusal(input, 3, 0), Catch::Contains("bad.txt:3: expected integers, found \"two\""));
  CHECK_THAT(refusal(input, 4, 0), Catch::Contains("found 0"));
  CHECK_THAT(refusal(input, 1, -1), Catch::Contains("cannot be read"));
  CHECK_THAT(refusal(input, 0, 1), Catch::Contains("count from 1"));
  CHECK_THAT(refusal({"ids", ElementType::kFloat32, {1, 3}}, 1, 1), Catch::Contains("int64 or int32"));
  CHECK_THAT(OpenTokenDataSet(input, path + ".not", 1, 0).status().ToString(), Catch::Contains("bad.txt.not"));
}

}  // namespace
}  // namespace qlite
