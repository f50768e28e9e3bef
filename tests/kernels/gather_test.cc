#include "kernels/gather.h"

#include <catch2/catch.hpp>
#include <vector>

namespace qlite::kernels {
namespace {

TEMPLATE_TEST_CASE("Gather takes blocks along an axis, negative indices from the end", "", int32_t, int64_t) {
  // (2, 3, 2) of uint16.
  const std::vector<uint16_t> in = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
  const std::vector<TestType> indices = {2, -3, 2, -1};
  std::vector<uint16_t> out(16);
  CHECK(Gather(in.data(), indices.data(), out.data(), 3, 4, 4, 0, 3));
  CHECK(Gather(in.data(), indices.data(), out.data(), 3, 4, 4, 3, 8));
  CHECK(out == std::vector<uint16_t>{4, 5, 0, 1, 4, 5, 4, 5, 14, 15, 10, 11, 14, 15, 14, 15});
  std::vector<uint16_t> singles(4);
  CHECK(Gather(in.data(), indices.data(), singles.data(), 3, 4, 2, 0, 4));
  CHECK(singles == std::vector<uint16_t>{2, 0, 2, 2});
  CHECK(Gather(in.data(), indices.data(), out.data(), 3, 4, 0, 0, 8));
}

TEMPLATE_TEST_CASE("Gather refuses indices out of range", "", int32_t, int64_t) {
  const std::vector<uint32_t> in = {0, 1, 2};
  uint32_t out = 0;
  for (const TestType bad : {TestType{3}, TestType{-4}, std::numeric_limits<TestType>::min()}) {
    CHECK_FALSE(Gather(in.data(), &bad, &out, 3, 1, 4, 0, 1));
    CHECK(FirstBadIndex(&bad, 1, 3) == 0);
  }
  const std::vector<TestType> indices = {0, -3, 2, 3};
  CHECK(FirstBadIndex(indices.data(), 4, 3) == 3);
  CHECK(FirstBadIndex(indices.data(), 3, 3) == -1);
  CHECK(FirstBadIndex(indices.data(), 1, 0) == 0);
}

}  // namespace
}  // namespace qlite::kernels
