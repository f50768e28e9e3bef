#include "calib/exif.h"

#include <utility>

namespace qlite::calib {
namespace {

// Reads integers of either byte order, giving 0 beyond the end.
class TiffReader {
 public:
  TiffReader(std::string_view bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  uint32_t Unsigned(size_t at, size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t from = big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | static_cast<uint8_t>(bytes_[from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

}  // namespace

int ExifOrientation(std::string_view tiff) {
  constexpr uint32_t kOrientationTag = 0x0112;
  constexpr size_t kEntryBytes = 12;
  if (tiff.size() < 8 || (tiff.substr(0, 2) != "II" && tiff.substr(0, 2) != "MM")) return 1;
  const TiffReader reader(tiff, tiff[0] == 'M');
  const size_t directory = reader.Unsigned(4, 4);
  const size_t entries = reader.Unsigned(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > tiff.size()) break;
    if (reader.Unsigned(entry, 2) != kOrientationTag) continue;
    const uint32_t orientation = reader.Unsigned(entry + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

Picture ApplyOrientation(Picture picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  // 5..8 exchange rows and columns; the flips are those of the stored picture.
  const bool transposed = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture upright;
  upright.width = transposed ? picture.height : picture.width;
  upright.height = transposed ? picture.width : picture.height;
  upright.pixels.resize(picture.pixels.size());
  uint8_t* out = upright.pixels.data();
  for (int64_t y = 0; y < upright.height; ++y) {
    for (int64_t x = 0; x < upright.width; ++x, out += 3) {
      int64_t from_x = transposed ? y : x;
      int64_t from_y = transposed ? x : y;
      if (flip_x) from_x = picture.width - 1 - from_x;
      if (flip_y) from_y = picture.height - 1 - from_y;
      const uint8_t* from = picture.row(from_y) + from_x * 3;
      out[0] = from[0], out[1] = from[1], out[2] = from[2];
    }
  }
  return upright;
}

}  // namespace qlite::calib
