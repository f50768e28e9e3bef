// Encoders for the pictures that the tests decode, and a folder that goes away with its owner.
#ifndef QLITE_TESTS_CALIB_PICTURE_FILES_H_
#define QLITE_TESTS_CALIB_PICTURE_FILES_H_

#include <jpeglib.h>
#include <png.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "temporary_folder.h"

namespace qlite::testing {

// Interleaved pixels.
struct TestPicture {
  int width = 0, height = 0, channels = 3;
  std::vector<uint8_t> pixels;
  uint8_t at(int x, int y, int c) const { return pixels[static_cast<size_t>((y * width + x) * channels + c)]; }
};

// Smooth, with a different course in every channel, so that JPEG keeps it within a few steps.
inline TestPicture Gradient(int width, int height, int channels = 3) {
  TestPicture picture{width, height, channels, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const int value = c == 0 ? 255 * x / width : c == 1 ? 255 * y / height : 255 * (x + y) / (width + height);
        picture.pixels.push_back(static_cast<uint8_t>(value));
      }
    }
  }
  return picture;
}

// Grey (1 channel), RGB (3) or CMYK (4, stored inverted as Adobe's programs do). orientation 0: no EXIF segment.
inline std::string EncodeJpeg(const TestPicture& picture, bool progressive = false, int orientation = 0) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (picture.channels == 4) info.write_Adobe_marker = TRUE;
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (orientation > 0) {
    const unsigned char exif[] = {
        'E', 'x', 'i', 'f', 0,    0, 'M', 'M', 0, 42, 0, 0, 0,
        8,   0,   1,   1,   0x12, 0, 3,   0,   0, 0,  1, 0, static_cast<unsigned char>(orientation),
        0,   0,   0,   0,   0,    0};
    jpeg_write_marker(&info, JPEG_APP0 + 1, exif, sizeof(exif));
  }
  std::vector<uint8_t> pixels = picture.pixels;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = pixels.data() + static_cast<size_t>(info.next_scanline) * static_cast<size_t>(picture.width) *
                                       static_cast<size_t>(picture.channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return bytes;
}

// Grey, grey with alpha, RGB or RGBA by the number of channels; 16 bits: big-endian pairs in `pixels`.
inline std::string EncodePng(const TestPicture& picture, int bits = 8, bool interlaced = false) {
  constexpr int kColorTypes[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                 PNG_COLOR_TYPE_RGB_ALPHA};
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp writer, png_bytep data, png_size_t size) {
        static_cast<std::string*>(png_get_io_ptr(writer))->append(reinterpret_cast<char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width), static_cast<png_uint_32>(picture.height), bits,
               kColorTypes[picture.channels], interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  std::vector<uint8_t> pixels = picture.pixels;
  std::vector<png_bytep> rows;
  const size_t stride = pixels.size() / static_cast<size_t>(picture.height);
  for (int y = 0; y < picture.height; ++y) rows.push_back(pixels.data() + static_cast<size_t>(y) * stride);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

// RGB as 24-bit BMP, rows from the bottom.
inline std::string EncodeBmp(const TestPicture& picture) {
  const size_t stride = (static_cast<size_t>(picture.width) * 3 + 3) / 4 * 4;
  const size_t data_size = stride * static_cast<size_t>(picture.height);
  std::string bytes(54 + data_size, '\0');
  const auto put = [&bytes](size_t at, size_t value, int count) {
    for (int i = 0; i < count; ++i) bytes[at + static_cast<size_t>(i)] = static_cast<char>(value >> (8 * i));
  };
  bytes[0] = 'B', bytes[1] = 'M';
  put(2, bytes.size(), 4), put(10, 54, 4), put(14, 40, 4), put(18, static_cast<size_t>(picture.width), 4);
  put(22, static_cast<size_t>(picture.height), 4), put(26, 1, 2), put(28, 24, 2), put(34, data_size, 4);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const size_t at = 54 + static_cast<size_t>(picture.height - 1 - y) * stride + static_cast<size_t>(x * 3 + c);
        bytes[at] = static_cast<char>(picture.at(x, y, 2 - c));
      }
    }
  }
  return bytes;
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_CALIB_PICTURE_FILES_H_
