#include "kernels/reduce_f32.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

using Shape = std::vector<int64_t>;

std::vector<float> Run(Isa isa, ReduceOp op, const std::vector<float>& in, int64_t outer, int64_t length, int64_t inner,
                       int64_t pieces = 1) {
  const int64_t lines = outer * inner;
  std::vector<float> out(static_cast<size_t>(lines));
  for (int64_t p = 0; p < pieces; ++p) {
    ReduceF32(isa)[op](in.data(), out.data(), length, inner, lines * p / pieces, lines * (p + 1) / pieces);
  }
  return out;
}

std::vector<float> Line(const std::vector<float>& in, int64_t length, int64_t inner, int64_t line) {
  std::vector<float> values;
  for (int64_t k = 0; k < length; ++k) {
    values.push_back(in[static_cast<size_t>(line / inner * length * inner + k * inner + line % inner)]);
  }
  return values;
}

float Reference(ReduceOp op, std::vector<float> line) {
  switch (op) {
    case ReduceOp::kSum:
      return TreeSum(line);
    case ReduceOp::kMean:
      return TreeSum(line) / static_cast<float>(line.size());
    case ReduceOp::kMax:
      return line.empty() ? -kInf : *std::max_element(line.begin(), line.end());
    case ReduceOp::kMin:
      return line.empty() ? kInf : *std::min_element(line.begin(), line.end());
    case ReduceOp::kL1:
      for (float& x : line) x = std::fabs(x);
      return TreeSum(line);
    case ReduceOp::kSumSquare:
    case ReduceOp::kL2: {
      float lanes[16] = {};
      for (size_t i = 0; i < line.size(); ++i) lanes[i % 16] = std::fma(line[i], line[i], lanes[i % 16]);
      const float sum = TreeSum(std::vector<float>(lanes, lanes + 16));
      return op == ReduceOp::kL2 ? std::sqrt(sum) : sum;
    }
    case ReduceOp::kProd: {
      float lanes[16];
      std::fill_n(lanes, 16, 1.0f);
      for (size_t i = 0; i < line.size(); ++i) lanes[i % 16] *= line[i];
      for (int half = 8; half > 0; half /= 2) {
        for (int j = 0; j < half; ++j) lanes[j] *= lanes[j + half];
      }
      return lanes[0];
    }
  }
  return 0;
}

TEST_CASE("Reductions follow the 16-lane tree on every instruction set and for every split") {
  Sequence sequence(31);
  for (const int64_t length : {0, 1, 2, 7, 15, 16, 17, 31, 32, 49, 101}) {
    for (const int64_t inner : {1, 2, 7, 8, 16, 17, 33}) {
      const int64_t outer = 2;
      const std::vector<float> in = sequence.Floats(outer * length * inner);
      for (int i = 0; i < kReduceOpCount; ++i) {
        const ReduceOp op = static_cast<ReduceOp>(i);
        std::vector<float> expected;
        for (int64_t l = 0; l < outer * inner; ++l) expected.push_back(Reference(op, Line(in, length, inner, l)));
        for (const Isa isa : SupportedIsas()) {
          INFO(IsaName(isa) << " op " << i << " length " << length << " inner " << inner);
          CHECK(SameFloats(Run(isa, op, in, outer, length, inner), expected));
          CHECK(SameFloats(Run(isa, op, in, outer, length, inner, 5), expected));
        }
      }
    }
  }
}

TEST_CASE("NaN wins in maximum and minimum wherever it stands") {
  for (const Isa isa : SupportedIsas()) {
    for (size_t at = 0; at < 40; ++at) {
      std::vector<float> line(40, 1.0f);
      line[at] = kNan;
      CHECK(std::isnan(Run(isa, ReduceOp::kMax, line, 1, 40, 1)[0]));
      CHECK(std::isnan(Run(isa, ReduceOp::kMin, line, 1, 20, 2)[at % 2]));
    }
  }
}

TEST_CASE("Axes group into outer, length and inner, or ask for a transposition") {
  const auto plan_of = [](const Shape& shape, const Shape& axes) {
    ReducePlan plan;
    REQUIRE(PlanReduce(shape, axes, &plan));
    return plan;
  };
  ReducePlan plan = plan_of({2, 3, 4, 5}, {1, 2});
  CHECK((!plan.transpose && plan.outer == 2 && plan.length == 12 && plan.inner == 5));
  plan = plan_of({2, 3, 4, 5}, {3, 2, 1, 0});
  CHECK((!plan.transpose && plan.outer == 1 && plan.length == 120 && plan.inner == 1));
  plan = plan_of({2, 3, 1, 5}, {1, 3});
  CHECK((!plan.transpose && plan.outer == 2 && plan.length == 15 && plan.inner == 1));
  plan = plan_of({2, 3}, {});
  CHECK((!plan.transpose && plan.length == 1 && plan.outer * plan.inner == 6));
  plan = plan_of({2, 3, 4, 5}, {2, 0});
  CHECK((plan.transpose && plan.outer == 15 && plan.length == 8 && plan.inner == 1));
  CHECK((plan.permutation[0] == 1 && plan.permutation[1] == 3 && plan.permutation[2] == 0 && plan.permutation[3] == 2));
  CHECK_FALSE(PlanReduce(Shape{2, 3}, Shape{2}, &plan));
  CHECK_FALSE(PlanReduce(Shape{2, 3}, Shape{-1}, &plan));
  CHECK_FALSE(PlanReduce(Shape{2, 3}, Shape{1, 1}, &plan));
  CHECK_FALSE(PlanReduce(Shape{-2, 3}, Shape{1}, &plan));
}

TEST_CASE("ArgMax and ArgMin give the first or the last of equals, and NaN is the extreme") {
  const std::vector<float> in = {1, 5, 5, 2, -1, -1};
  int64_t out = -1;
  ArgMax(in.data(), &out, 6, 1, false, 0, 1);
  CHECK(out == 1);
  ArgMax(in.data(), &out, 6, 1, true, 0, 1);
  CHECK(out == 2);
  ArgMin(in.data(), &out, 6, 1, false, 0, 1);
  CHECK(out == 4);
  ArgMin(in.data(), &out, 6, 1, true, 0, 1);
  CHECK(out == 5);
  const std::vector<float> with_nan = {1, kNan, 9, kNan, 2};
  ArgMax(with_nan.data(), &out, 5, 1, false, 0, 1);
  CHECK(out == 1);
  ArgMin(with_nan.data(), &out, 5, 1, true, 0, 1);
  CHECK(out == 3);
  std::vector<int64_t> columns(2);
  ArgMax(in.data(), columns.data(), 3, 2, false, 0, 2);  // columns {1, 5, -1} and {5, 2, -1}
  CHECK((columns[0] == 1 && columns[1] == 0));
}

TEST_CASE("Integer reductions wrap, and refuse what they do not define") {
  const std::vector<int32_t> in = {INT32_MAX, 1, -7, 2};
  int32_t out = 0;
  CHECK(ReduceInteger(ReduceOp::kSum, in.data(), &out, 2, 1, 0, 1));
  CHECK(out == INT32_MIN);
  CHECK(ReduceInteger(ReduceOp::kMean, in.data() + 2, &out, 2, 1, 0, 1));
  CHECK(out == -2);
  CHECK(ReduceInteger(ReduceOp::kMax, in.data(), &out, 4, 1, 0, 1));
  CHECK(out == INT32_MAX);
  CHECK(ReduceInteger(ReduceOp::kMin, in.data(), &out, 4, 1, 0, 1));
  CHECK(out == -7);
  CHECK(ReduceInteger(ReduceOp::kProd, in.data() + 1, &out, 3, 1, 0, 1));
  CHECK(out == -14);
  CHECK(ReduceInteger(ReduceOp::kProd, in.data(), &out, 0, 1, 0, 1));
  CHECK(out == 1);
  CHECK_FALSE(ReduceInteger(ReduceOp::kMax, in.data(), &out, 0, 1, 0, 1));
  CHECK_FALSE(ReduceInteger(ReduceOp::kL2, in.data(), &out, 4, 1, 0, 1));
}

}  // namespace
}  // namespace qlite::kernels
