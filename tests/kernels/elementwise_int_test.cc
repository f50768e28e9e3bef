#include "kernels/elementwise_int.h"

#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

using Shape = std::vector<int64_t>;

template <typename T>
std::vector<T> Run(IntegerOp op, const std::vector<T>& a, const std::vector<T>& b, bool* ok) {
  StridedPlan plan;
  const Shape a_shape = {static_cast<int64_t>(a.size())}, b_shape = {static_cast<int64_t>(b.size())};
  REQUIRE(PlanBroadcast(a_shape, a_shape, b_shape, &plan));
  std::vector<T> out(a.size());
  *ok = IntegerBinary(op, plan, a.data(), b.data(), out.data(), 0, plan.elements);
  return out;
}

TEMPLATE_TEST_CASE("Integer arithmetic is defined at its limits", "", int32_t, int64_t) {
  using T = TestType;
  constexpr T kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  using V = std::vector<T>;
  bool ok = false;
  CHECK(Run<T>(IntegerOp::kAdd, {kHigh, 2}, {1, 3}, &ok) == V{kLow, 5});
  CHECK(Run<T>(IntegerOp::kSub, {kLow, 2}, {1}, &ok) == V{kHigh, 1});
  CHECK(Run<T>(IntegerOp::kMul, {kHigh, -7}, {2, 3}, &ok) == V{-2, -21});
  CHECK(Run<T>(IntegerOp::kMin, {5, -7}, {2, 3}, &ok) == V{2, -7});
  CHECK(Run<T>(IntegerOp::kMax, {5, -7}, {2, 3}, &ok) == V{5, 3});
  CHECK(Run<T>(IntegerOp::kDiv, {kLow, -7, 7}, {-1, 2, -2}, &ok) == V{kLow, -3, -3});
  CHECK(ok);
  CHECK(Run<T>(IntegerOp::kMod, {kLow, -7, 7, 6}, {-1, 2, -2, 3}, &ok) == V{0, 1, -1, 0});
  CHECK(ok);
  Run<T>(IntegerOp::kDiv, {1, 2}, {1, 0}, &ok);
  CHECK_FALSE(ok);
  Run<T>(IntegerOp::kMod, {1, 2}, {0}, &ok);
  CHECK_FALSE(ok);
}

TEST_CASE("Comparisons broadcast, and are false with NaN") {
  StridedPlan plan;
  REQUIRE(PlanBroadcast(Shape{2, 3}, Shape{2, 1}, Shape{3}, &plan));
  const std::vector<float> a = {1, kNan}, b = {0, 1, 2};
  const auto run = [&](CompareOp op) {
    std::vector<uint8_t> out(6, 9);
    Compare(op, plan, a.data(), b.data(), out.data(), 0, 2);
    Compare(op, plan, a.data(), b.data(), out.data(), 2, 6);
    return out;
  };
  using V = std::vector<uint8_t>;
  CHECK(run(CompareOp::kEqual) == V{0, 1, 0, 0, 0, 0});
  CHECK(run(CompareOp::kLess) == V{0, 0, 1, 0, 0, 0});
  CHECK(run(CompareOp::kLessOrEqual) == V{0, 1, 1, 0, 0, 0});
  CHECK(run(CompareOp::kGreater) == V{1, 0, 0, 0, 0, 0});
  CHECK(run(CompareOp::kGreaterOrEqual) == V{1, 1, 0, 0, 0, 0});
}

TEST_CASE("Logic reads any byte but 0 as true and writes 1") {
  StridedPlan plan;
  REQUIRE(PlanBroadcast(Shape{4}, Shape{4}, Shape{4}, &plan));
  const std::vector<uint8_t> a = {0, 0, 7, 255}, b = {0, 2, 0, 1};
  std::vector<uint8_t> out(4);
  using V = std::vector<uint8_t>;
  Logic(LogicOp::kAnd, plan, a.data(), b.data(), out.data(), 0, 4);
  CHECK(out == V{0, 0, 0, 1});
  Logic(LogicOp::kOr, plan, a.data(), b.data(), out.data(), 0, 4);
  CHECK(out == V{0, 1, 1, 1});
  Logic(LogicOp::kXor, plan, a.data(), b.data(), out.data(), 0, 4);
  CHECK(out == V{0, 1, 1, 0});
  LogicalNot(a.data(), out.data(), 4);
  CHECK(out == V{1, 1, 0, 0});
}

template <typename T>
void CheckWhere() {
  const Shape out_shape = {2, 3}, condition_shape = {3}, a_shape = {2, 1}, b_shape = {};
  const std::array<std::span<const int64_t>, 3> shapes = {condition_shape, a_shape, b_shape};
  StridedPlan plan;
  REQUIRE(PlanBroadcast(out_shape, shapes, &plan));
  const std::vector<uint8_t> condition = {1, 0, 4};
  const std::vector<T> a = {10, 20};
  const T b = 5;
  std::vector<T> out(6);
  CHECK(Where(sizeof(T), plan, condition.data(), a.data(), &b, out.data(), 0, 6));
  CHECK(out == std::vector<T>{10, 5, 10, 20, 5, 20});
  CHECK_FALSE(Where(3, plan, condition.data(), a.data(), &b, out.data(), 0, 6));
}

TEST_CASE("Where selects elements of every size with broadcasting") {
  CheckWhere<uint8_t>();
  CheckWhere<uint16_t>();
  CheckWhere<uint32_t>();
  CheckWhere<uint64_t>();
}

}  // namespace
}  // namespace qlite::kernels
