#include "kernels/pad.h"

#include <catch2/catch.hpp>
#include <vector>

namespace qlite::kernels {
namespace {

using Shape = std::vector<int64_t>;

template <typename T = int32_t>
std::vector<T> Pad(PadMode mode, const std::vector<T>& in, const Shape& shape, const Shape& before,
                   const Shape& after) {
  PadPlan plan;
  REQUIRE(PlanPad(mode, shape, before, after, &plan));
  size_t count = 1;
  for (int d = 0; d < plan.rank; ++d) count *= static_cast<size_t>(plan.out_shape[d]);
  std::vector<T> out(count);
  const T value = 9;
  const int64_t half = plan.work_units / 2;
  CHECK(RunPad(plan, sizeof(T), in.data(), &value, out.data(), 0, half));
  CHECK(RunPad(plan, sizeof(T), in.data(), &value, out.data(), half, plan.work_units));
  return out;
}

TEST_CASE("Padding modes along one dimension, with padding longer than the tensor") {
  using V = std::vector<int32_t>;
  const V in = {1, 2, 3};
  CHECK(Pad(PadMode::kConstant, in, {3}, {2}, {1}) == V{9, 9, 1, 2, 3, 9});
  CHECK(Pad(PadMode::kEdge, in, {3}, {2}, {1}) == V{1, 1, 1, 2, 3, 3});
  CHECK(Pad(PadMode::kReflect, in, {3}, {2}, {2}) == V{3, 2, 1, 2, 3, 2, 1});
  CHECK(Pad(PadMode::kReflect, in, {3}, {6}, {0}) == V{3, 2, 1, 2, 3, 2, 1, 2, 3});
  CHECK(Pad(PadMode::kWrap, in, {3}, {4}, {2}) == V{3, 1, 2, 3, 1, 2, 3, 1, 2});
  CHECK(Pad(PadMode::kReflect, {7}, {1}, {2}, {1}) == V{7, 7, 7, 7});
}

TEST_CASE("Negative amounts crop") {
  using V = std::vector<int32_t>;
  CHECK(Pad(PadMode::kConstant, {1, 2, 3, 4}, {4}, {-1}, {-2}) == V{2});
  CHECK(Pad(PadMode::kConstant, {1, 2, 3, 4}, {4}, {-5}, {4}) == V{9, 9, 9});
  CHECK(Pad(PadMode::kConstant, {1, 2, 3, 4}, {4}, {3}, {-5}) == V{9, 9});
  CHECK(Pad(PadMode::kEdge, {1, 2, 3, 4}, {4}, {-2}, {1}) == V{3, 4, 4});
  CHECK(Pad(PadMode::kConstant, {1, 2}, {2}, {-1}, {-1}).empty());
}

template <typename T>
void CheckTwoDimensions() {
  using V = std::vector<T>;
  const V in = {1, 2, 3, 4};
  CHECK(Pad<T>(PadMode::kConstant, in, {2, 2}, {1, 1}, {0, 1}) == V{9, 9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9});
  CHECK(Pad<T>(PadMode::kReflect, in, {2, 2}, {1, 1}, {0, 0}) == V{4, 3, 4, 2, 1, 2, 4, 3, 4});
  CHECK(Pad<T>(PadMode::kEdge, in, {2, 2}, {0, 0}, {1, 0}) == V{1, 2, 3, 4, 3, 4});
}

TEST_CASE("Padding of two dimensions, for every element size, of scalars and of nothing") {
  CheckTwoDimensions<uint8_t>();
  CheckTwoDimensions<uint16_t>();
  CheckTwoDimensions<uint32_t>();
  CheckTwoDimensions<uint64_t>();
  CHECK(Pad(PadMode::kConstant, {5}, {}, {}, {}) == std::vector<int32_t>{5});
  CHECK(Pad(PadMode::kConstant, {}, {0, 2}, {1, 0}, {0, 0}) == std::vector<int32_t>{9, 9});
}

TEST_CASE("Padding is refused where it has no meaning") {
  PadPlan plan;
  CHECK_FALSE(PlanPad(PadMode::kEdge, Shape{0}, Shape{1}, Shape{0}, &plan));
  CHECK_FALSE(PlanPad(PadMode::kConstant, Shape{2}, Shape{-3}, Shape{0}, &plan));
  CHECK_FALSE(PlanPad(PadMode::kConstant, Shape{2}, Shape{INT64_MAX}, Shape{0}, &plan));
  CHECK_FALSE(PlanPad(PadMode::kConstant, Shape{2}, Shape{1, 1}, Shape{0}, &plan));
  CHECK_FALSE(PlanPad(PadMode::kConstant, Shape{-2}, Shape{5}, Shape{0}, &plan));
  REQUIRE(PlanPad(PadMode::kConstant, Shape{2}, Shape{0}, Shape{0}, &plan));
  uint8_t byte = 0;
  CHECK_FALSE(RunPad(plan, 3, &byte, &byte, &byte, 0, 1));
}

}  // namespace
}  // namespace qlite::kernels
