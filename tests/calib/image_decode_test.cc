#include "calib/image_decode.h"

#include <catch2/catch.hpp>

#include "calib/exif.h"
#include "calib/picture_files.h"

namespace qlite::calib {
namespace {

using testing::EncodeBmp;
using testing::EncodeJpeg;
using testing::EncodePng;
using testing::Gradient;
using testing::TestPicture;

constexpr uint64_t kNoLimit = uint64_t{1} << 28;

absl::StatusOr<Picture> Decode(const std::string& bytes, PixelOrder order = PixelOrder::kRgb) {
  return DecodePicture(bytes, "picture", order, kNoLimit);
}

// The largest difference to the expected channels; `channel(c)` of the expected picture for channel c.
int LargestDifference(const Picture& picture, const TestPicture& expected, std::vector<int> channel) {
  REQUIRE(picture.width == expected.width);
  REQUIRE(picture.height == expected.height);
  int largest = 0;
  for (int y = 0; y < expected.height; ++y) {
    for (int x = 0; x < expected.width; ++x) {
      for (size_t c = 0; c < 3; ++c) {
        const int found = picture.row(y)[static_cast<size_t>(x) * 3 + c];
        largest = std::max(largest, std::abs(found - expected.at(x, y, channel[c])));
      }
    }
  }
  return largest;
}

TEST_CASE("JPEG pictures come out close to what was stored, in either order") {
  const TestPicture stored = Gradient(53, 37);
  for (const bool progressive : {false, true}) {
    const std::string bytes = EncodeJpeg(stored, progressive);
    const auto rgb = Decode(bytes, PixelOrder::kRgb);
    REQUIRE(rgb.ok());
    // Chroma is stored at half the resolution.
    CHECK(LargestDifference(*rgb, stored, {0, 1, 2}) <= 12);
    const auto bgr = Decode(bytes, PixelOrder::kBgr);
    REQUIRE(bgr.ok());
    for (size_t i = 0; i < rgb->pixels.size(); i += 3) {
      REQUIRE(rgb->pixels[i] == bgr->pixels[i + 2]);
      REQUIRE(rgb->pixels[i + 1] == bgr->pixels[i + 1]);
    }
  }
}

TEST_CASE("grey pictures are repeated over the channels") {
  const TestPicture stored = Gradient(21, 19, 1);
  const auto jpeg = Decode(EncodeJpeg(stored));
  REQUIRE(jpeg.ok());
  CHECK(LargestDifference(*jpeg, stored, {0, 0, 0}) <= 2);
  const auto png = Decode(EncodePng(stored));
  REQUIRE(png.ok());
  CHECK(LargestDifference(*png, stored, {0, 0, 0}) == 0);
}

TEST_CASE("CMYK JPEG is converted") {
  // Inverted ink: 255 is none. Full key leaves the colours as they are.
  TestPicture stored{16, 16, 4, {}};
  for (int i = 0; i < 256; ++i) stored.pixels.insert(stored.pixels.end(), {200, 100, 50, 255});
  const auto picture = Decode(EncodeJpeg(stored));
  REQUIRE(picture.ok());
  for (size_t i = 0; i < picture->pixels.size(); i += 3) {
    REQUIRE(std::abs(picture->pixels[i] - 200) <= 2);
    REQUIRE(std::abs(picture->pixels[i + 1] - 100) <= 2);
    REQUIRE(std::abs(picture->pixels[i + 2] - 50) <= 2);
  }
}

TEST_CASE("PNG pictures come out exactly, without transparency and with 16 bits cut to 8") {
  const TestPicture stored = Gradient(17, 23);
  for (const bool interlaced : {false, true}) {
    const auto picture = Decode(EncodePng(stored, 8, interlaced));
    REQUIRE(picture.ok());
    CHECK(LargestDifference(*picture, stored, {0, 1, 2}) == 0);
  }
  const auto bgr = Decode(EncodePng(stored), PixelOrder::kBgr);
  REQUIRE(bgr.ok());
  CHECK(LargestDifference(*bgr, stored, {2, 1, 0}) == 0);

  TestPicture with_alpha = Gradient(17, 23, 4);
  for (size_t i = 3; i < with_alpha.pixels.size(); i += 4) with_alpha.pixels[i] = 7;
  const auto dropped = Decode(EncodePng(with_alpha));
  REQUIRE(dropped.ok());
  CHECK(LargestDifference(*dropped, stored, {0, 1, 2}) == 0);

  TestPicture wide{17, 23, 3, {}};
  for (uint8_t value : stored.pixels) wide.pixels.insert(wide.pixels.end(), {value, 0x7F});
  const auto cut = Decode(EncodePng(wide, 16));
  REQUIRE(cut.ok());
  CHECK(LargestDifference(*cut, stored, {0, 1, 2}) == 0);
}

TEST_CASE("BMP pictures come out exactly") {
  const TestPicture stored = Gradient(13, 9);
  const auto rgb = Decode(EncodeBmp(stored), PixelOrder::kRgb);
  REQUIRE(rgb.ok());
  CHECK(LargestDifference(*rgb, stored, {0, 1, 2}) == 0);
  const auto bgr = Decode(EncodeBmp(stored), PixelOrder::kBgr);
  REQUIRE(bgr.ok());
  CHECK(LargestDifference(*bgr, stored, {2, 1, 0}) == 0);
}

TEST_CASE("a picture is turned upright by its EXIF orientation") {
  // Where the stored pixel (0, 0) and the one to its right come to lie in a 3x2 picture, for each orientation.
  struct Expected {
    int64_t width, height, x0, y0, x1, y1;
  };
  const Expected expected[] = {{3, 2, 0, 0, 1, 0}, {3, 2, 2, 0, 1, 0}, {3, 2, 2, 1, 1, 1}, {3, 2, 0, 1, 1, 1},
                               {2, 3, 0, 0, 0, 1}, {2, 3, 1, 0, 1, 1}, {2, 3, 1, 2, 1, 1}, {2, 3, 0, 2, 0, 1}};
  Picture stored;
  stored.width = 3, stored.height = 2;
  for (int i = 0; i < 18; ++i) stored.pixels.push_back(static_cast<uint8_t>(i / 3));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Expected& e = expected[orientation - 1];
    const Picture upright = ApplyOrientation(stored, orientation);
    CHECK(upright.width == e.width);
    CHECK(upright.height == e.height);
    CHECK(upright.row(e.y0)[e.x0 * 3] == 0);
    CHECK(upright.row(e.y1)[e.x1 * 3] == 1);
  }
  const auto turned = Decode(EncodeJpeg(Gradient(40, 24), false, 6));
  REQUIRE(turned.ok());
  CHECK(turned->width == 24);
  CHECK(turned->height == 40);
}

TEST_CASE("EXIF data survive being cut anywhere") {
  const std::string tiff("MM\0\x2a\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 26);
  CHECK(ExifOrientation(tiff) == 6);
  for (size_t size = 0; size < 22; ++size) CHECK(ExifOrientation(std::string_view(tiff).substr(0, size)) == 1);
}

TEST_CASE("pictures cut off at any byte are refused") {
  const TestPicture stored = Gradient(24, 16);
  for (const std::string& bytes :
       {EncodeJpeg(stored), EncodeJpeg(stored, true), EncodePng(stored), EncodeBmp(stored)}) {
    // The end marker of a JPEG and the last chunk of a PNG hold no pixels.
    const size_t end = bytes.size() - (bytes[0] == 'B' ? 0 : 12);
    for (size_t size = 0; size < end; ++size) {
      const auto picture = Decode(bytes.substr(0, size));
      INFO("cut at " << size << " of " << bytes.size());
      REQUIRE_FALSE(picture.ok());
      REQUIRE(picture.status().message().find("picture") != std::string::npos);
    }
  }
}

TEST_CASE("damaged pictures are refused or decoded, never worse") {
  const TestPicture stored = Gradient(24, 16);
  for (const std::string& bytes :
       {EncodeJpeg(stored), EncodeJpeg(stored, true), EncodePng(stored), EncodeBmp(stored)}) {
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0xFF, 0x80, 0x01}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        (void)DecodePicture(damaged, "picture", PixelOrder::kBgr, 1 << 20);
      }
    }
  }
}

TEST_CASE("the limit on pixels holds before memory is taken") {
  for (const std::string& bytes :
       {EncodeJpeg(Gradient(64, 64)), EncodePng(Gradient(64, 64)), EncodeBmp(Gradient(64, 64))}) {
    const auto picture = DecodePicture(bytes, "big", PixelOrder::kRgb, 64 * 64 - 1);
    CHECK(picture.status().code() == absl::StatusCode::kResourceExhausted);
    CHECK(DecodePicture(bytes, "big", PixelOrder::kRgb, 64 * 64).ok());
  }
  // A header that promises far more than the file can hold.
  std::string bmp = EncodeBmp(Gradient(8, 8));
  bmp[20] = 0x40;
  CHECK_FALSE(Decode(bmp).ok());
}

TEST_CASE("what is no picture is named") {
  const auto picture = DecodePicture("GIF89a", "cat.gif", PixelOrder::kRgb, kNoLimit);
  CHECK(picture.status().message() == "cat.gif: not a JPEG, PNG or BMP picture");
}

}  // namespace
}  // namespace qlite::calib
