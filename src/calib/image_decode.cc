#include "calib/image_decode.h"

#include "core/str_cat.h"

namespace qlite::calib {

absl::StatusOr<Picture> DecodePicture(std::string_view bytes, const std::string& name, PixelOrder order,
                                      uint64_t max_pixels) {
  constexpr std::string_view kJpegSignature = "\xFF\xD8\xFF";
  constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n";
  if (bytes.starts_with(kJpegSignature)) return DecodeJpeg(bytes, name, order, max_pixels);
  if (bytes.starts_with(kPngSignature)) return DecodePng(bytes, name, order, max_pixels);
  if (bytes.starts_with("BM")) return DecodeBmp(bytes, name, order, max_pixels);
  return absl::InvalidArgumentError(StrCat(name, ": not a JPEG, PNG or BMP picture"));
}

absl::StatusOr<Picture> MakePicture(int64_t width, int64_t height, size_t file_bytes, const std::string& name,
                                    uint64_t max_pixels) {
  constexpr int64_t kMaxSide = int64_t{1} << 24;
  // The densest there is: a PNG of one bit a pixel, deflated at most 1032 to 1. Half as much again for good measure.
  constexpr uint64_t kMaxPixelsPerByte = 8 * 1032 * 3 / 2;
  if (width <= 0 || height <= 0) {
    return absl::InvalidArgumentError(StrCat(name, ": the picture is empty (", width, "x", height, ")"));
  }
  const uint64_t pixels = static_cast<uint64_t>(width) * static_cast<uint64_t>(height);
  if (width > kMaxSide || height > kMaxSide || pixels > max_pixels) {
    return absl::ResourceExhaustedError(
        StrCat(name, ": ", width, "x", height, " pixels, more than the limit of ", max_pixels));
  }
  if (pixels / kMaxPixelsPerByte > file_bytes) {
    return absl::InvalidArgumentError(
        StrCat(name, ": ", file_bytes, " bytes cannot hold the ", width, "x", height, " pixels they declare"));
  }
  Picture picture;
  picture.width = width;
  picture.height = height;
  picture.pixels.resize(static_cast<size_t>(width * height * 3));
  return picture;
}

}  // namespace qlite::calib
