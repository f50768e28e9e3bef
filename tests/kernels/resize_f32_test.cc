#include "kernels/resize_f32.h"

#include <catch2/catch.hpp>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

struct Table {
  std::vector<int32_t> index;
  std::vector<float> weight;
  ResizeTable view;
};

Table Build(const ResizeAxis& axis) {
  Table table;
  const int taps = ResizeTaps(axis.mode);
  table.index.resize(static_cast<size_t>(axis.out_length * taps));
  table.weight.resize(table.index.size());
  REQUIRE(BuildResizeTable(axis, table.index.data(), table.weight.data()));
  table.view = {taps, table.index.data(), table.weight.data()};
  return table;
}

ResizeAxis Axis(ResizeMode mode, ResizeCoordinates coordinates, int64_t in, int64_t out, float scale = 0.0f) {
  ResizeAxis axis;
  axis.mode = mode;
  axis.coordinates = coordinates;
  axis.in_length = in;
  axis.out_length = out;
  axis.scale = scale > 0 ? scale : static_cast<float>(out) / static_cast<float>(in);
  return axis;
}

std::vector<float> Run(Isa isa, const ResizeAxis& rows, const ResizeAxis& columns, int64_t channels, int64_t images,
                       const std::vector<float>& in, float extrapolation = 0.0f) {
  const Table row_table = Build(rows), column_table = Build(columns);
  const Resize2d resize{channels,           rows.in_length, columns.in_length, rows.out_length,
                        columns.out_length, row_table.view, column_table.view, extrapolation};
  const int64_t count = images * rows.out_length;
  std::vector<float> out(static_cast<size_t>(count * columns.out_length * channels));
  ResizeF32(isa).interpolate(resize, in.data(), out.data(), 0, count / 3);
  ResizeF32(isa).interpolate(resize, in.data(), out.data(), count / 3, count);
  if (rows.mode == ResizeMode::kNearest) {
    std::vector<float> moved(out.size());
    ResizeNearestRows(resize, sizeof(float), in.data(), moved.data(), &extrapolation, 0, count);
    CHECK(SameFloats(moved, out));
  }
  return out;
}

// A single-channel image through every instruction set, which must agree.
std::vector<float> RunImage(const ResizeAxis& rows, const ResizeAxis& columns, const std::vector<float>& in,
                            float extrapolation = 0.0f) {
  const std::vector<float> out = Run(Isa::kGeneric, rows, columns, 1, 1, in, extrapolation);
  for (const Isa isa : SupportedIsas()) CHECK(SameFloats(Run(isa, rows, columns, 1, 1, in, extrapolation), out));
  return out;
}

void CheckClose(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(1e-5));
}

std::vector<float> Ramp(int count) {
  std::vector<float> values;
  for (int i = 1; i <= count; ++i) values.push_back(static_cast<float>(i));
  return values;
}

using C = ResizeCoordinates;

// Expected values: the examples of the operator's page in the ONNX standard.
TEST_CASE("Linear resizing gives the standard's examples") {
  const ResizeMode linear = ResizeMode::kLinear;
  CheckClose(RunImage(Axis(linear, C::kHalfPixel, 2, 1, 0.6f), Axis(linear, C::kHalfPixel, 4, 2, 0.6f), Ramp(8)),
             {2.6666665f, 4.3333331f});
  CheckClose(RunImage(Axis(linear, C::kAlignCorners, 2, 1, 0.6f), Axis(linear, C::kAlignCorners, 4, 2, 0.6f), Ramp(8)),
             {1.0f, 4.0f});
  CheckClose(RunImage(Axis(linear, C::kHalfPixel, 2, 4), Axis(linear, C::kHalfPixel, 2, 4), Ramp(4)),
             {1.0f, 1.25f, 1.75f, 2.0f, 1.5f, 1.75f, 2.25f, 2.5f, 2.5f, 2.75f, 3.25f, 3.5f, 3.0f, 3.25f, 3.75f, 4.0f});
  CheckClose(RunImage(Axis(linear, C::kAlignCorners, 2, 4), Axis(linear, C::kAlignCorners, 2, 4), Ramp(4)),
             {1.0f, 1.33333333f, 1.66666667f, 2.0f, 1.66666667f, 2.0f, 2.33333333f, 2.66666667f, 2.33333333f,
              2.66666667f, 3.0f, 3.33333333f, 3.0f, 3.33333333f, 3.66666667f, 4.0f});
  CheckClose(RunImage(Axis(linear, C::kPytorchHalfPixel, 4, 3), Axis(linear, C::kPytorchHalfPixel, 4, 1), Ramp(16)),
             {1.6666666f, 7.0f, 12.333333f});
}

TEST_CASE("Linear resizing of a region of interest, with extrapolation") {
  ResizeAxis rows = Axis(ResizeMode::kLinear, C::kTfCropAndResize, 4, 3), columns = rows;
  rows.roi_start = 0.4f, rows.roi_end = 0.6f;
  columns.roi_start = 0.6f, columns.roi_end = 0.8f;
  CheckClose(RunImage(rows, columns, Ramp(16)), {7.6f, 7.9f, 8.2f, 8.8f, 9.1f, 9.4f, 10.0f, 10.3f, 10.6f});
  columns.roi_end = 1.7f;
  rows.roi_end = 1.2f;
  CheckClose(RunImage(rows, columns, Ramp(16), 10.0f), {7.6f, 10.0f, 10.0f, 12.4f, 10.0f, 10.0f, 10.0f, 10.0f, 10.0f});
}

TEST_CASE("Cubic resizing gives the standard's examples") {
  const ResizeMode cubic = ResizeMode::kCubic;
  const std::vector<float> first_row = {0.47265625f, 0.76953125f, 1.24609375f, 1.875f,
                                        2.28125f,    2.91015625f, 3.38671875f, 3.68359375f};
  std::vector<float> out = RunImage(Axis(cubic, C::kHalfPixel, 4, 8), Axis(cubic, C::kHalfPixel, 4, 8), Ramp(16));
  out.resize(8);
  CheckClose(out, first_row);
  CheckClose(RunImage(Axis(cubic, C::kHalfPixel, 4, 3, 0.8f), Axis(cubic, C::kHalfPixel, 4, 3, 0.8f), Ramp(16)),
             {1.47119141f, 2.78125f, 4.08251953f, 6.71142578f, 8.02148438f, 9.32275391f, 11.91650391f, 13.2265625f,
              14.52783203f});
  ResizeAxis axis = Axis(cubic, C::kHalfPixel, 4, 3, 0.8f);
  axis.exclude_outside = true;
  axis.cubic_coefficient = -0.5f;
  CheckClose(RunImage(axis, axis, Ramp(16)), {1.36812675f, 2.6695014f, 4.0133367f, 6.57362535f, 7.875f, 9.2188353f,
                                              11.94896657f, 13.25034122f, 14.59417652f});
  axis = Axis(cubic, C::kAsymmetric, 4, 8);
  out = RunImage(axis, axis, Ramp(16));
  out.resize(8);
  CheckClose(out, {1.0f, 1.40625f, 2.0f, 2.5f, 3.0f, 3.59375f, 4.0f, 4.09375f});
}

TEST_CASE("Nearest resizing rounds by the rule it is given") {
  const auto row = [](ResizeNearest nearest, C coordinates, int64_t in, int64_t out, float scale = 0.0f) {
    ResizeAxis axis = Axis(ResizeMode::kNearest, coordinates, in, out, scale);
    axis.nearest = nearest;
    return Build(axis).index;
  };
  using V = std::vector<int32_t>;
  using N = ResizeNearest;
  CHECK(row(N::kRoundPreferFloor, C::kHalfPixel, 2, 4) == V{0, 0, 1, 1});
  CHECK(row(N::kRoundPreferFloor, C::kHalfPixel, 4, 2, 0.6f) == V{0, 2});
  CHECK(row(N::kFloor, C::kAsymmetric, 3, 6) == V{0, 0, 1, 1, 2, 2});
  CHECK(row(N::kCeil, C::kAsymmetric, 3, 6) == V{0, 1, 1, 2, 2, 2});
  CHECK(row(N::kRoundPreferFloor, C::kAsymmetric, 3, 6) == V{0, 0, 1, 1, 2, 2});
  CHECK(row(N::kRoundPreferCeil, C::kAsymmetric, 3, 6) == V{0, 1, 1, 2, 2, 2});
  CHECK(row(N::kFloor, C::kAlignCorners, 4, 8) == V{0, 0, 0, 1, 1, 2, 2, 3});
  CHECK(row(N::kCeil, C::kHalfPixel, 4, 8) == V{0, 1, 1, 2, 2, 3, 3, 3});
  CHECK(row(N::kFloor, C::kTfHalfPixelForNn, 4, 2) == V{1, 3});
  CHECK(row(N::kRoundPreferFloor, C::kHalfPixelSymmetric, 5, 2, 0.5f) == V{1, 3});
}

TEST_CASE("Nearest rows move elements of any size") {
  ResizeAxis axis = Axis(ResizeMode::kNearest, C::kAsymmetric, 2, 4);
  axis.nearest = ResizeNearest::kFloor;
  const Table table = Build(axis);
  const Resize2d resize{3, 2, 2, 4, 4, table.view, table.view, 0.0f};
  const std::vector<int8_t> in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<int8_t> out(48);
  ResizeNearestRows(resize, 1, in.data(), out.data(), nullptr, 0, 4);
  for (size_t y = 0; y < 4; ++y) {
    for (size_t x = 0; x < 4; ++x) {
      for (size_t c = 0; c < 3; ++c) CHECK(out[(y * 4 + x) * 3 + c] == in[(y / 2 * 2 + x / 2) * 3 + c]);
    }
  }
}

TEST_CASE("Resizing has the same bits on every instruction set, for any number of channels") {
  Sequence sequence(51);
  for (const ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
    for (const int64_t channels : {1, 3, 8, 17, 33}) {
      const ResizeAxis rows = Axis(mode, C::kHalfPixel, 5, 11), columns = Axis(mode, C::kHalfPixel, 7, 4);
      const std::vector<float> in = sequence.Floats(2 * 5 * 7 * channels);
      const std::vector<float> expected = Run(Isa::kGeneric, rows, columns, channels, 2, in);
      for (const Isa isa : SupportedIsas()) {
        INFO(IsaName(isa) << " mode " << static_cast<int>(mode) << " channels " << channels);
        CHECK(SameFloats(Run(isa, rows, columns, channels, 2, in), expected));
      }
    }
  }
}

TEST_CASE("Tables stay inside the image for extreme scales and lengths, and are refused for impossible ones") {
  for (const ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
    for (const float scale : {1e-38f, 1e-3f, 1.0f, 1e3f, 3e38f}) {
      for (const int64_t in : {1, 2, 2147483647}) {
        ResizeAxis axis = Axis(mode, C::kHalfPixel, in, 37, scale);
        for (const int32_t index : Build(axis).index) CHECK((index >= 0 && index < in));
        axis.coordinates = C::kTfCropAndResize;
        axis.roi_start = -kInf, axis.roi_end = kInf;
        for (const int32_t index : Build(axis).index) CHECK((index >= -1 && index < in));
      }
    }
  }
  int32_t index[4];
  float weight[4];
  for (const float scale : {0.0f, -1.0f, kInf, kNan}) {
    ResizeAxis axis = Axis(ResizeMode::kLinear, C::kHalfPixel, 2, 1);
    axis.scale = scale;
    CHECK_FALSE(BuildResizeTable(axis, index, weight));
  }
  CHECK_FALSE(BuildResizeTable(Axis(ResizeMode::kLinear, C::kHalfPixel, 0, 1, 1.0f), index, weight));
  CHECK_FALSE(BuildResizeTable(Axis(ResizeMode::kLinear, C::kHalfPixel, 1, 0, 1.0f), index, weight));
}

}  // namespace
}  // namespace qlite::kernels
