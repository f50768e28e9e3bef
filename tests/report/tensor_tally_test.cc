#include "report/tensor_tally.h"

#include <catch2/catch.hpp>
#include <cmath>

namespace qlite::report {
namespace {

TEST_CASE("a grid reaches what its integers stand for") {
  QuantParams params = QuantParams::PerTensor(0.5f, -128);
  const Grid one = Grid::Of(params, ElementType::kInt8);
  CHECK((one.bits == 8 && one.pairs == 1 && one.min == 0 && one.max == 127.5f));
  params.axis = 0;
  params.scales = {0.5f, 2};
  params.zero_points = {-128, 0};
  const Grid two = Grid::Of(params, ElementType::kInt8);
  CHECK((two.pairs == 2 && two.min == -256 && two.max == 254));
  CHECK(Grid::Of(params, ElementType::kFloat32).pairs == 0);
}

TEST_CASE("a tally holds sums by channel over all samples") {
  const Grid grid = Grid::Of(QuantParams::PerTensor(1, 0), ElementType::kInt8);
  TensorTally tally;
  const std::vector<int64_t> dims = {1, 2, 2};
  tally.Add(dims, 1, std::vector<float>{1.25f, 2, -3, 200}, std::vector<float>{1, 2, -3, 127}, grid);
  tally.Add(dims, 1, std::vector<float>{0, 0, 0, 4}, std::vector<float>{0, 0, 0, 4}, grid);
  REQUIRE(tally.channels().size() == 2);
  CHECK((tally.channels()[0].min == 0 && tally.channels()[0].max == 2 && tally.channels()[0].count == 4));
  CHECK(tally.channels()[0].rounding == 0.0625);
  CHECK(tally.channels()[0].clipping == 0);
  CHECK((tally.channels()[1].rounding == 0 && tally.channels()[1].clipping == 73 * 73));
  CHECK(tally.channels()[1].magnitude() == 200);
  CHECK(tally.Total().noise == 73 * 73 + 0.0625);
  CHECK(tally.Clip() == 1.0 / 8);
  CHECK(tally.sample_magnitudes() == std::vector<float>{200, 4});
  CHECK(tally.SnrDb() == Approx(10 * std::log10(tally.Total().signal / tally.Total().noise)));
  CHECK((tally.Cosine() > 0.99 && tally.Cosine() < 1));
  CHECK(tally.compared());
}

TEST_CASE("tallies of samples join to that of all") {
  const Grid grid = Grid::Of(QuantParams::PerTensor(1, 0), ElementType::kInt8);
  const std::vector<int64_t> dims = {2, 2};
  const std::vector<float> a = {1.5f, 300, -2.25f, 0}, b = {7, -0.5f, 3, 126}, a8 = {2, 127, -2, 0},
                           b8 = {7, 0, 3, 127};
  TensorTally whole, joined, first, second;
  whole.Add(dims, 0, a, a8, grid);
  whole.Add(dims, 0, b, b8, grid);
  first.Add(dims, 0, a, a8, grid);
  second.Add(dims, 0, b, b8, grid);
  joined.Append(first);
  joined.Append(second);
  CHECK(joined.SnrDb() == whole.SnrDb());
  CHECK(joined.Cosine() == Approx(whole.Cosine()));
  CHECK(joined.Clip() == whole.Clip());
  CHECK(joined.elements() == whole.elements());
  CHECK(joined.sample_magnitudes() == whole.sample_magnitudes());
  CHECK(joined.high_end().near == whole.high_end().near);
  REQUIRE(joined.channels().size() == 2);
  CHECK((joined.channels()[1].min == -2.25f && joined.channels()[1].max == 126 && joined.channels()[1].count == 4));
}

TEST_CASE("saturation is told from a value that belongs to the end") {
  const Grid grid = Grid::Of(QuantParams::PerTensor(1, 0), ElementType::kInt8);
  TensorTally tally;
  const std::vector<int64_t> dims = {4};
  tally.Add(dims, -1, std::vector<float>{126.5f, 50, 125.5f, -128}, std::vector<float>{127, 127, 127, -128}, grid);
  CHECK(tally.high_end().saturated == 1);
  CHECK(tally.high_end().near == 1);
  CHECK(tally.high_end().noise == 77 * 77);
  CHECK((tally.low_end().saturated == 0 && tally.low_end().near == 1));
}

TEST_CASE("tensors without elements or counterparts are counted as nothing") {
  TensorTally tally;
  const std::vector<int64_t> dims = {0, 3};
  tally.Add(dims, 1, {}, {}, Grid());
  CHECK_FALSE(tally.compared());
  CHECK((tally.Clip() == 0 && tally.Total().count == 0 && tally.Total().magnitude() == 0));
}

}  // namespace
}  // namespace qlite::report
