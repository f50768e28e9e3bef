#include "core/shape_util.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

namespace qlite {
namespace {

Shape Symbols(std::vector<Dim> dims) { return Shape(std::move(dims)); }

TEST_CASE("axes count from both ends") {
  CHECK(*NormalizeAxis(-1, 4) == 3);
  CHECK(*NormalizeAxis(3, 4) == 3);
  CHECK_FALSE(NormalizeAxis(4, 4).ok());
  CHECK_FALSE(NormalizeAxis(-5, 4).ok());
  CHECK_FALSE(NormalizeAxis(0, 0).ok());
  CHECK(*NormalizeAxes(std::vector<int64_t>{-1, 0}, 3) == std::vector<int64_t>{0, 2});
  CHECK_FALSE(NormalizeAxes(std::vector<int64_t>{-1, 2}, 3).ok());
}

TEST_CASE("broadcasting") {
  CHECK(*BroadcastShapes(Shape::Of({2, 1, 3}), Shape::Of({4, 1})) == Shape::Of({2, 4, 3}));
  CHECK(*BroadcastShapes(Shape::Of({}), Shape::Of({5})) == Shape::Of({5}));
  CHECK(*BroadcastShapes(Shape::Of({0}), Shape::Of({1})) == Shape::Of({0}));
  CHECK_FALSE(BroadcastShapes(Shape::Of({2}), Shape::Of({3})).ok());
  CHECK_FALSE(BroadcastShapes(Shape::Of({0}), Shape::Of({3})).ok());
  CHECK_FALSE(BroadcastShapes(Shape(), Shape::Of({3}))->has_rank());
  const Dim n = Dim::Symbolic("N");
  CHECK(*BroadcastShapes(Symbols({n, Dim(1)}), Symbols({n, Dim(3)})) == Symbols({n, Dim(3)}));
  CHECK(*BroadcastShapes(Symbols({n}), Symbols({Dim(1)})) == Symbols({n}));
  CHECK(*BroadcastShapes(Symbols({n}), Symbols({Dim(4)})) == Shape::Of({4}));
  CHECK(*BroadcastShapes(Symbols({n}), Symbols({Dim::Symbolic("M")})) == Symbols({Dim()}));
  CHECK(*BroadcastExtents(std::vector<int64_t>{3, 1}, std::vector<int64_t>{2}) == std::vector<int64_t>{3, 2});
  CHECK(CheckBroadcastableTo(Shape::Of({1, 3}), Shape::Of({2, 3})).ok());
  CHECK_FALSE(CheckBroadcastableTo(Shape::Of({2, 3}), Shape::Of({1, 3})).ok());
  CHECK_FALSE(CheckBroadcastableTo(Shape::Of({1, 3}), Shape::Of({3})).ok());
}

TEST_CASE("slices against counting") {
  for (int64_t extent = 0; extent <= 5; ++extent) {
    for (int64_t start = -8; start <= 8; ++start) {
      for (int64_t end = -8; end <= 8; ++end) {
        for (const int64_t step : {-3, -2, -1, 1, 2, 3}) {
          const auto place = [&](int64_t p, int64_t low, int64_t high) {
            return std::min(std::max(p < 0 ? p + extent : p, low), high);
          };
          std::vector<int64_t> expected;
          if (extent > 0 && step > 0) {
            for (int64_t i = place(start, 0, extent); i < place(end, 0, extent); i += step) expected.push_back(i);
          } else if (extent > 0) {
            for (int64_t i = place(start, 0, extent - 1); i > place(end, -1, extent - 1); i += step)
              expected.push_back(i);
          }
          const SliceRange range = ResolveSlice(start, end, step, extent);
          std::vector<int64_t> found;
          for (int64_t i = 0; i < range.length; ++i) found.push_back(range.start + i * range.step);
          INFO(extent << ": " << start << ":" << end << ":" << step);
          CHECK(found == expected);
        }
      }
    }
  }
}

TEST_CASE("slices with extreme positions") {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  for (const int64_t start : {kLeast, kMost, int64_t{0}}) {
    for (const int64_t end : {kLeast, kMost, int64_t{0}}) {
      for (const int64_t step : {kLeast, kMost, int64_t{1}, int64_t{-1}}) {
        for (const int64_t extent : {int64_t{0}, int64_t{7}, int64_t{1} << 62}) {
          const SliceRange range = ResolveSlice(start, end, step, extent);
          CHECK(range.length >= 0);
          CHECK(range.length <= extent);
        }
      }
    }
  }
  CHECK(ResolveSlice(kMost, kLeast, -1, 7).length == 7);
}

TEST_CASE("sizes of split parts") {
  CHECK(*SplitSizes({}, 3, 7) == std::vector<int64_t>{3, 3, 1});
  CHECK(*SplitSizes({}, 2, 4) == std::vector<int64_t>{2, 2});
  CHECK_FALSE(SplitSizes({}, 4, 5).ok());
  CHECK(*SplitSizes(std::vector<int64_t>{1, 4}, 2, 5) == std::vector<int64_t>{1, 4});
  CHECK_FALSE(SplitSizes(std::vector<int64_t>{1, 4}, 2, 6).ok());
  CHECK_FALSE(SplitSizes(std::vector<int64_t>{1, 4}, 3, 5).ok());
  CHECK_FALSE(SplitSizes(std::vector<int64_t>{6, -1}, 2, 5).ok());
  CHECK(SplitSizes(std::vector<int64_t>{6, 1}, 2, -1).ok());
}

TEST_CASE("products and strides") {
  const Dim n = Dim::Symbolic("N");
  CHECK(ProductOf(std::vector<Dim>{2, 3}) == Dim(6));
  CHECK(ProductOf({}) == Dim(1));
  CHECK(ProductOf(std::vector<Dim>{n, 1}) == n);
  CHECK(ProductOf(std::vector<Dim>{n, 2}) == Dim());
  CHECK(ProductOf(std::vector<Dim>{n, 0}) == Dim(0));
  CHECK(ProductOf(std::vector<Dim>{n, n}) == Dim());
  CHECK(ProductOf(std::vector<Dim>{int64_t{1} << 40, int64_t{1} << 40}) == Dim());
  CHECK(RowMajorStrides(std::vector<int64_t>{2, 3, 4}) == std::vector<int64_t>{12, 4, 1});
  CHECK(RowMajorStrides({}).empty());
}

TEST_CASE("scaled extents are computed in single precision") {
  CHECK(*ScaledExtent(10, 2.0f) == 20);
  CHECK(*ScaledExtent(7, 0.5f) == 3);
  CHECK(*ScaledExtent(3, 1.0f / 3.0f) == 1);
  CHECK_FALSE(ScaledExtent(3, 0).ok());
  CHECK_FALSE(ScaledExtent(3, -1).ok());
  CHECK_FALSE(ScaledExtent(3, std::numeric_limits<float>::quiet_NaN()).ok());
  CHECK_FALSE(ScaledExtent(int64_t{1} << 40, 1e30f).ok());
}

}  // namespace
}  // namespace qlite
