#include <csetjmp>
#include <cstdio>
#include <string>

// jpeglib.h needs <cstdio> before it, and jerror.h needs jpeglib.h: not in the order of their names.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "calib/exif.h"
#include "calib/image_decode.h"
#include "core/str_cat.h"

namespace qlite::calib {
namespace {

// Progressive files may hold any number of scans, each of which costs a pass over the picture.
constexpr int kMaxScans = 200;

// libjpeg reports errors through a function that must not return. It jumps back to the setjmp of the step under way;
// the functions with a setjmp own nothing that needs a destructor, everything else belongs to the JpegReader around
// them.
struct JpegState {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
  bool damaged;
};

JpegState* StateOf(j_common_ptr info) { return static_cast<JpegState*>(info->client_data); }

[[noreturn]] void Escape(j_common_ptr info) {
  JpegState* state = StateOf(info);
  info->err->format_message(info, state->message);
  std::longjmp(state->escape, 1);
}

// Warnings (level -1) mean lost data, but for stray bytes between segments, which some cameras write.
void NoteMessage(j_common_ptr info, int level) {
  if (level >= 0 || info->err->msg_code == JWRN_EXTRANEOUS_DATA || info->err->msg_code == JWRN_ADOBE_XFORM ||
      info->err->msg_code == JWRN_JFIF_MAJOR) {
    return;
  }
  JpegState* state = StateOf(info);
  if (!state->damaged) info->err->format_message(info, state->message);
  state->damaged = true;
}

void DropMessage(j_common_ptr) {}

void LimitScans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) ERREXIT(info, JERR_BAD_PROGRESSION);
}

// Reads up to the first scan. False: state->message says why not.
bool ReadHeader(JpegState* state, const unsigned char* bytes, unsigned long size) {
  if (setjmp(state->escape) != 0) return false;
  jpeg_create_decompress(&state->info);
  state->info.client_data = state;
  state->info.progress = &state->progress;
  jpeg_mem_src(&state->info, bytes, size);
  jpeg_save_markers(&state->info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&state->info, TRUE);
  return true;
}

// Decodes all rows to pixels of `stride` bytes a row.
bool ReadRows(JpegState* state, unsigned char* pixels, size_t stride) {
  if (setjmp(state->escape) != 0) return false;
  jpeg_start_decompress(&state->info);
  while (state->info.output_scanline < state->info.output_height) {
    constexpr JDIMENSION kRows = 16;
    JSAMPROW rows[kRows];
    for (JDIMENSION i = 0; i < kRows; ++i) rows[i] = pixels + (state->info.output_scanline + i) * stride;
    const JDIMENSION left = state->info.output_height - state->info.output_scanline;
    jpeg_read_scanlines(&state->info, rows, left < kRows ? left : kRows);
  }
  jpeg_finish_decompress(&state->info);
  return !state->damaged;
}

class JpegReader {
 public:
  JpegReader() {
    state_.info = {};
    state_.progress = {};
    state_.damaged = false;
    state_.message[0] = '\0';
    state_.info.err = jpeg_std_error(&state_.errors);
    state_.info.client_data = &state_;
    state_.errors.error_exit = Escape;
    state_.errors.emit_message = NoteMessage;
    state_.errors.output_message = DropMessage;
    state_.progress.progress_monitor = LimitScans;
  }
  ~JpegReader() { jpeg_destroy_decompress(&state_.info); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  JpegState* state() { return &state_; }
  jpeg_decompress_struct& info() { return state_.info; }
  const char* message() const { return state_.message; }
  bool out_of_memory() const { return state_.errors.msg_code == JERR_OUT_OF_MEMORY; }

  int Orientation() const {
    constexpr std::string_view kExif("Exif\0\0", 6);
    for (const jpeg_marker_struct* marker = state_.info.marker_list; marker != nullptr; marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (data.substr(0, kExif.size()) == kExif) return ExifOrientation(data.substr(kExif.size()));
    }
    return 1;
  }

 private:
  JpegState state_;
};

// CMYK as Adobe's programs store it (inverted, 255 is no ink) to three channels: colour * key / 255.
void CmykToColor(const std::vector<uint8_t>& cmyk, bool inverted, PixelOrder order, Picture* picture) {
  const size_t red = order == PixelOrder::kRgb ? 0 : 2;
  const int flip = inverted ? 0 : 255;
  uint8_t* out = picture->pixels.data();
  for (size_t i = 0; i < cmyk.size(); i += 4, out += 3) {
    const int key = cmyk[i + 3] ^ flip;
    out[red] = static_cast<uint8_t>(((cmyk[i] ^ flip) * key + 127) / 255);
    out[1] = static_cast<uint8_t>(((cmyk[i + 1] ^ flip) * key + 127) / 255);
    out[2 - red] = static_cast<uint8_t>(((cmyk[i + 2] ^ flip) * key + 127) / 255);
  }
}

}  // namespace

absl::StatusOr<Picture> DecodeJpeg(std::string_view bytes, const std::string& name, PixelOrder order,
                                   uint64_t max_pixels) {
  JpegReader reader;
  const auto damaged = [&] {
    if (reader.out_of_memory()) return absl::ResourceExhaustedError(StrCat(name, ": no memory for the JPEG decoder"));
    return absl::InvalidArgumentError(StrCat(name, ": bad JPEG: ", reader.message()));
  };
  if (!ReadHeader(reader.state(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size())) return damaged();
  jpeg_decompress_struct& info = reader.info();
  absl::StatusOr<Picture> picture = MakePicture(info.image_width, info.image_height, bytes.size(), name, max_pixels);
  if (!picture.ok()) return picture.status();
  const int orientation = reader.Orientation();  // the last row read, libjpeg forgets the segments
  if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
    info.out_color_space = JCS_CMYK;
    std::vector<uint8_t> cmyk(static_cast<size_t>(picture->width * picture->height * 4));
    if (!ReadRows(reader.state(), cmyk.data(), static_cast<size_t>(picture->width * 4))) return damaged();
    CmykToColor(cmyk, info.saw_Adobe_marker, order, &*picture);
  } else {
    info.out_color_space = order == PixelOrder::kRgb ? JCS_EXT_RGB : JCS_EXT_BGR;
    if (!ReadRows(reader.state(), picture->pixels.data(), static_cast<size_t>(picture->width * 3))) return damaged();
  }
  return ApplyOrientation(*std::move(picture), orientation);
}

}  // namespace qlite::calib
