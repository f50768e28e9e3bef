#include "kernels/strided_copy.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

namespace qlite::kernels {
namespace {

using Shape = std::vector<int64_t>;

template <typename T>
std::vector<T> Numbers(int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i * 7 + 1);
  return values;
}

template <typename T>
std::vector<T> ReferenceTranspose(const std::vector<T>& in, const Shape& shape, const std::vector<int>& permutation) {
  const size_t rank = shape.size();
  std::vector<T> out(in.size());
  for (size_t flat = 0; flat < out.size(); ++flat) {
    int64_t rest = static_cast<int64_t>(flat);
    std::vector<int64_t> index(rank);
    for (size_t d = rank; d-- > 0;) {
      const int64_t dim = shape[static_cast<size_t>(permutation[d])];
      index[static_cast<size_t>(permutation[d])] = rest % dim;
      rest /= dim;
    }
    int64_t from = 0;
    for (size_t d = 0; d < rank; ++d) from = from * shape[d] + index[d];
    out[flat] = in[static_cast<size_t>(from)];
  }
  return out;
}

template <typename T>
void CheckTranspose(const Shape& shape, const std::vector<int>& permutation) {
  const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  const std::vector<T> in = Numbers<T>(count);
  CopyPlan plan;
  REQUIRE(PlanTranspose(shape, permutation, &plan));
  for (const int64_t pieces : {1, 5}) {
    std::vector<T> out(in.size());
    for (int64_t p = pieces - 1; p >= 0; --p) {
      REQUIRE(RunCopy(plan, sizeof(T), in.data(), out.data(), plan.work_units * p / pieces,
                      plan.work_units * (p + 1) / pieces));
    }
    CHECK(out == ReferenceTranspose(in, shape, permutation));
  }
}

TEST_CASE("Transpositions of every permutation and element size are the naive loop") {
  for (const Shape& shape : {Shape{2, 3, 37, 41}, Shape{1, 4, 19, 35}, Shape{1, 64, 5, 33}, Shape{1, 1, 21, 2100},
                             Shape{3, 1, 2, 1}, Shape{2, 0, 3, 4}}) {
    std::vector<int> permutation = {0, 1, 2, 3};
    do {
      CheckTranspose<uint8_t>(shape, permutation);
      CheckTranspose<uint16_t>(shape, permutation);
      CheckTranspose<uint32_t>(shape, permutation);
      CheckTranspose<uint64_t>(shape, permutation);
    } while (std::next_permutation(permutation.begin(), permutation.end()));
  }
  CheckTranspose<uint32_t>({}, {});
  CheckTranspose<uint32_t>({2, 3, 2, 3, 2, 2, 3, 2}, {7, 0, 6, 1, 5, 2, 4, 3});
}

TEST_CASE("Strided copies slice forwards and backwards, place into a larger array, and repeat") {
  const std::vector<uint32_t> in = Numbers<uint32_t>(20);
  CopyPlan plan;
  // Every third element from the last, backwards.
  REQUIRE(PlanCopy(Shape{6}, Shape{-3}, Shape{1}, &plan));
  std::vector<uint32_t> out(6);
  REQUIRE(RunCopy(plan, 4, in.data() + 19, out.data(), 0, plan.work_units));
  CHECK(out == std::vector<uint32_t>{in[19], in[16], in[13], in[10], in[7], in[4]});
  // A 2x2 block of a 4x5 array into the second half of the rows of a 2x4 array.
  REQUIRE(PlanCopy(Shape{2, 2}, Shape{5, 1}, Shape{4, 1}, &plan));
  out.assign(8, 0);
  REQUIRE(RunCopy(plan, 4, in.data() + 6, out.data() + 2, 0, plan.work_units));
  CHECK(out == std::vector<uint32_t>{0, 0, in[6], in[7], 0, 0, in[11], in[12]});
  // Expansion of a column and of a scalar.
  REQUIRE(PlanCopy(Shape{2, 3}, Shape{1, 0}, Shape{3, 1}, &plan));
  out.assign(6, 0);
  REQUIRE(RunCopy(plan, 4, in.data(), out.data(), 0, 4));
  REQUIRE(RunCopy(plan, 4, in.data(), out.data(), 4, 6));
  CHECK(out == std::vector<uint32_t>{in[0], in[0], in[0], in[1], in[1], in[1]});
}

TEST_CASE("Copies are refused for what is no permutation, and for odd element sizes") {
  CopyPlan plan;
  CHECK_FALSE(PlanTranspose(Shape{2, 3}, std::vector<int>{0, 0}, &plan));
  CHECK_FALSE(PlanTranspose(Shape{2, 3}, std::vector<int>{0, 2}, &plan));
  CHECK_FALSE(PlanTranspose(Shape{2, 3}, std::vector<int>{0}, &plan));
  CHECK_FALSE(PlanTranspose(Shape{2, -3}, std::vector<int>{0, 1}, &plan));
  CHECK_FALSE(PlanCopy(Shape{2, 3}, Shape{1}, Shape{3, 1}, &plan));
  REQUIRE(PlanTranspose(Shape{2, 3}, std::vector<int>{1, 0}, &plan));
  uint8_t byte = 0;
  CHECK_FALSE(RunCopy(plan, 3, &byte, &byte, 0, 1));
}

}  // namespace
}  // namespace qlite::kernels
