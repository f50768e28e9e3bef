#include "calib/image_transform.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace qlite::calib {
namespace {

Picture RandomPicture(int64_t width, int64_t height, unsigned seed) {
  std::mt19937 random(seed);
  Picture picture;
  picture.width = width, picture.height = height;
  for (int64_t i = 0; i < width * height * 3; ++i) picture.pixels.push_back(static_cast<uint8_t>(random()));
  return picture;
}

// The definition in double: pixel positions with half-pixel centres, repeated border.
double Reference(const Picture& picture, double mean, double std, int64_t c, double x, double y, ResizeMethod method) {
  const auto pixel = [&](int64_t px, int64_t py) {
    px = std::clamp<int64_t>(px, 0, picture.width - 1);
    py = std::clamp<int64_t>(py, 0, picture.height - 1);
    return (picture.row(py)[px * 3 + c] - mean) / std;
  };
  const auto kernel = [method](double distance) {
    const double d = std::abs(distance), a = -0.75;
    if (method == ResizeMethod::kLinear) return d < 1 ? 1 - d : 0.0;
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0.0;
  };
  double sum = 0;
  const int64_t x0 = static_cast<int64_t>(std::floor(x)), y0 = static_cast<int64_t>(std::floor(y));
  for (int64_t py = y0 - 1; py <= y0 + 2; ++py) {
    for (int64_t px = x0 - 1; px <= x0 + 2; ++px) {
      sum += kernel(x - static_cast<double>(px)) * kernel(y - static_cast<double>(py)) * pixel(px, py);
    }
  }
  return sum;
}

std::vector<float> Transform(const ImageOptions& options, const ImageLayout& layout, const Picture& picture) {
  std::vector<float> out(static_cast<size_t>(layout.height * layout.width * layout.channels));
  const absl::Status status = ImageTransform(options, layout).Apply(picture, "picture", out);
  INFO(status);
  REQUIRE(status.ok());
  return out;
}

TEST_CASE("resizing agrees with its definition") {
  for (const ResizeMethod method : {ResizeMethod::kLinear, ResizeMethod::kCubic}) {
    for (const auto& [width, height, new_width, new_height] :
         {std::tuple<int64_t, int64_t, int64_t, int64_t>{31, 17, 62, 40},
          {40, 50, 13, 21},
          {5, 1, 9, 4},
          {1, 1, 3, 2},
          {20, 20, 20, 31}}) {
      const Picture picture = RandomPicture(width, height, 7);
      ImageOptions options;
      options.order = ColorOrder::kRgb;
      options.mean = {100, 110, 120}, options.std = {50, 60, 70};
      options.resize_width = new_width, options.resize_height = new_height;
      options.resize_method = method;
      const ImageLayout layout{new_height, new_width, 3, true};
      const std::vector<float> out = Transform(options, layout, picture);
      for (int64_t y = 0; y < new_height; ++y) {
        for (int64_t x = 0; x < new_width; ++x) {
          for (int64_t c = 0; c < 3; ++c) {
            const double at_x =
                (static_cast<double>(x) + 0.5) * static_cast<double>(width) / static_cast<double>(new_width) - 0.5;
            const double at_y =
                (static_cast<double>(y) + 0.5) * static_cast<double>(height) / static_cast<double>(new_height) - 0.5;
            const size_t k = static_cast<size_t>(c);
            const double expected = Reference(picture, options.mean[k], options.std[k], c, at_x, at_y, method);
            REQUIRE(out[static_cast<size_t>((y * new_width + x) * 3 + c)] == Approx(expected).margin(1e-4));
          }
        }
      }
    }
  }
}

TEST_CASE("nearest takes floor(i * scale)") {
  const Picture picture = RandomPicture(10, 7, 3);
  ImageOptions options;
  options.order = ColorOrder::kRgb;
  options.resize_width = 4, options.resize_height = 9;
  options.resize_method = ResizeMethod::kNearest;
  const std::vector<float> out = Transform(options, {9, 4, 3, true}, picture);
  for (int64_t y = 0; y < 9; ++y) {
    for (int64_t x = 0; x < 4; ++x) {
      CHECK(out[static_cast<size_t>((y * 4 + x) * 3)] == picture.row(y * 7 / 9)[x * 10 / 4 * 3]);
    }
  }
}

TEST_CASE("a crop is the middle of the whole result, resized or not") {
  const Picture picture = RandomPicture(41, 33, 5);
  for (const bool resized : {false, true}) {
    ImageOptions whole;
    whole.mean = {1, 2, 3};
    if (resized) whole.resize_width = 60, whole.resize_height = 52;
    const int64_t width = resized ? 60 : 41, height = resized ? 52 : 33;
    ImageOptions cropped = whole;
    cropped.crop_width = 24, cropped.crop_height = 21;
    const std::vector<float> all = Transform(whole, {height, width, 3, false}, picture);
    const std::vector<float> middle = Transform(cropped, {21, 24, 3, false}, picture);
    const int64_t left = (width - 24) / 2, top = (height - 21) / 2;
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t y = 0; y < 21; ++y) {
        for (int64_t x = 0; x < 24; ++x) {
          REQUIRE(middle[static_cast<size_t>((c * 21 + y) * 24 + x)] ==
                  all[static_cast<size_t>((c * height + top + y) * width + left + x)]);
        }
      }
    }
  }
}

TEST_CASE("layouts hold the same values") {
  const Picture picture = RandomPicture(6, 5, 1);
  const std::vector<float> last = Transform({}, {5, 6, 3, true}, picture);
  const std::vector<float> first = Transform({}, {5, 6, 3, false}, picture);
  for (size_t i = 0; i < 30; ++i) {
    for (size_t c = 0; c < 3; ++c) REQUIRE(last[i * 3 + c] == first[c * 30 + i]);
  }
}

TEST_CASE("grey weighs the colours of a BGR picture") {
  Picture picture;
  picture.width = 4, picture.height = 1;
  picture.pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  ImageOptions options;
  options.order = ColorOrder::kGray;
  CHECK(Transform(options, {1, 4, 1, false}, picture) == std::vector<float>{29, 150, 76, 255});
}

TEST_CASE("the shorter side decides the size, the longer one is rounded half to even") {
  ImageOptions options;
  options.resize_shorter_side = 2;
  CHECK(Transform(options, {2, 2, 3, true}, RandomPicture(5, 4, 1)).size() == 12);  // 2.5 -> 2
  CHECK(Transform(options, {4, 2, 3, true}, RandomPicture(4, 7, 1)).size() == 24);  // 3.5 -> 4
}

TEST_CASE("what does not fit is said with the remedy") {
  ImageOptions options;
  options.crop_width = 9, options.crop_height = 4;
  std::vector<float> out(9 * 4 * 3);
  const absl::Status large = ImageTransform(options, {4, 9, 3, true}).Apply(RandomPicture(8, 8, 1), "a.png", out);
  CHECK(large.message() ==
        "a.png: the crop of 9x4 (width x height) is larger than the picture of 8x8; set resize_shorter_side to enlarge "
        "small pictures first");
  const absl::Status other = ImageTransform({}, {4, 9, 3, true}).Apply(RandomPicture(8, 8, 1), "a.png", out);
  CHECK(other.code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("contradictory options are refused") {
  const auto code = [](const ImageOptions& options) { return ValidateImageOptions(options).code(); };
  ImageOptions options;
  CHECK(ValidateImageOptions(options).ok());
  options.resize_width = 8;
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
  options.resize_height = 8;
  CHECK(ValidateImageOptions(options).ok());
  options.resize_shorter_side = 8;
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
  options = {};
  options.mean = {1};
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
  options.mean = {}, options.std = {1, 0, 1};
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
  options.std = {1, NAN, 1};
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
  options = {};
  options.crop_height = 3;
  CHECK(code(options) == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace qlite::calib
