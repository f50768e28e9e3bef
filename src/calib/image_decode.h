// Pictures in memory from JPEG, PNG and BMP files, as OpenCV's imread(IMREAD_COLOR) gives them.
#ifndef QLITE_CALIB_IMAGE_DECODE_H_
#define QLITE_CALIB_IMAGE_DECODE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite::calib {

enum class PixelOrder : uint8_t { kRgb, kBgr };

// Rows from the top, pixels from the left, three bytes a pixel.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> pixels;

  const uint8_t* row(int64_t y) const { return pixels.data() + y * width * 3; }
};

// Decodes the bytes of a file whose kind is known by its first bytes. `name` stands for the file in messages.
//  - JPEG: baseline and progressive; grey pictures are repeated over the channels, CMYK is converted; truncated or
//    damaged data are an error (no half-grey pictures); the orientation that EXIF says is applied.
//  - PNG: palettes and grey are expanded, 16 bits cut to 8, transparency is dropped; EXIF orientation as above.
//  - BMP: uncompressed.
// kInvalidArgument for what is none of these or is damaged; kResourceExhausted beyond `max_pixels`, before memory is
// taken. Thread-safe.
absl::StatusOr<Picture> DecodePicture(std::string_view bytes, const std::string& name, PixelOrder order,
                                      uint64_t max_pixels);

// The decoders behind it; `bytes` begin with the format's signature.
absl::StatusOr<Picture> DecodeJpeg(std::string_view bytes, const std::string& name, PixelOrder order,
                                   uint64_t max_pixels);
absl::StatusOr<Picture> DecodePng(std::string_view bytes, const std::string& name, PixelOrder order,
                                  uint64_t max_pixels);
absl::StatusOr<Picture> DecodeBmp(std::string_view bytes, const std::string& name, PixelOrder order,
                                  uint64_t max_pixels);

// A picture of that size with its memory, after the checks that every decoder shares: not empty, not beyond the limit,
// and not more than a file of `file_bytes` can hold.
absl::StatusOr<Picture> MakePicture(int64_t width, int64_t height, size_t file_bytes, const std::string& name,
                                    uint64_t max_pixels);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_IMAGE_DECODE_H_
