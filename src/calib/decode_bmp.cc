#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "calib/image_decode.h"
#include "core/str_cat.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace qlite::calib {
namespace {

struct BmpHeader {
  int64_t width = 0;
  int64_t height = 0;
  uint64_t data_end = 0;  // where the last row of pixels ends in the file
  uint32_t compression = 0;
};

uint32_t LittleEndian(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// The fields that decide how much memory and how much of the file the pixels need. The decoder itself reads zeros
// behind the end of a truncated file, so the length is checked here.
bool ParseHeader(std::string_view bytes, BmpHeader* header) {
  constexpr size_t kCoreHeaderEnd = 26, kInfoHeaderEnd = 54;
  if (bytes.size() < kCoreHeaderEnd) return false;
  const uint64_t data_begin = LittleEndian(bytes, 10, 4);
  uint32_t bits = 0;
  if (LittleEndian(bytes, 14, 4) == 12) {
    header->width = LittleEndian(bytes, 18, 2);
    header->height = LittleEndian(bytes, 20, 2);
    bits = LittleEndian(bytes, 24, 2);
  } else {
    if (bytes.size() < kInfoHeaderEnd) return false;
    header->width = static_cast<int32_t>(LittleEndian(bytes, 18, 4));
    header->height = std::abs(static_cast<int64_t>(static_cast<int32_t>(LittleEndian(bytes, 22, 4))));
    bits = LittleEndian(bytes, 28, 2);
    header->compression = LittleEndian(bytes, 30, 4);
  }
  if (header->width <= 0 || header->height <= 0 || bits == 0 || bits > 32) return false;
  const uint64_t row_bytes = (static_cast<uint64_t>(header->width) * bits + 31) / 32 * 4;
  header->data_end = data_begin + row_bytes * static_cast<uint64_t>(header->height);
  return true;
}

struct FreePixels {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

}  // namespace

absl::StatusOr<Picture> DecodeBmp(std::string_view bytes, const std::string& name, PixelOrder order,
                                  uint64_t max_pixels) {
  const auto damaged = [&](std::string_view why) {
    return absl::InvalidArgumentError(StrCat(name, ": bad BMP: ", why));
  };
  BmpHeader header;
  if (!ParseHeader(bytes, &header)) return damaged("the header is damaged or cut off");
  constexpr uint32_t kBitFields = 3;
  if (header.compression != 0 && header.compression != kBitFields) {
    return absl::UnimplementedError(StrCat(name, ": compressed BMP is not supported; store it uncompressed"));
  }
  absl::StatusOr<Picture> picture = MakePicture(header.width, header.height, bytes.size(), name, max_pixels);
  if (!picture.ok()) return picture.status();
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) return damaged("the file is too long");
  if (header.data_end > bytes.size()) return damaged("the file ends too early");
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, FreePixels> pixels(stbi_load_from_memory(
      reinterpret_cast<const stbi_uc*>(bytes.data()), static_cast<int>(bytes.size()), &width, &height, &channels, 3));
  if (pixels == nullptr) return damaged(stbi_failure_reason());
  if (width != header.width || height != header.height) return damaged("contradictory sizes");
  const stbi_uc* from = pixels.get();
  for (size_t i = 0; i < picture->pixels.size(); i += 3) {
    const bool rgb = order == PixelOrder::kRgb;
    picture->pixels[i] = from[rgb ? i : i + 2];
    picture->pixels[i + 1] = from[i + 1];
    picture->pixels[i + 2] = from[rgb ? i + 2 : i];
  }
  return picture;
}

}  // namespace qlite::calib
