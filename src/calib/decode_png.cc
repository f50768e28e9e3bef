#include <png.h>

#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <string>

#include "calib/exif.h"
#include "calib/image_decode.h"
#include "core/str_cat.h"

namespace qlite::calib {
namespace {

// libpng's error function must not return; see decode_jpeg.cc for the scheme.
struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view bytes;
  size_t position = 0;
  char message[128] = "";
  bool out_of_memory = false;
};

// malloc, which says where it has failed: libpng's own message does not tell that from a damaged file.
png_voidp Allocate(png_structp png, png_alloc_size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) static_cast<PngState*>(png_get_mem_ptr(png))->out_of_memory = true;
  return block;
}

void Deallocate(png_structp, png_voidp block) { std::free(block); }

void NoteError(png_structp png, png_const_charp text) {
  PngState* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, text, sizeof(state->message) - 1);
  std::longjmp(png_jmpbuf(png), 1);
}

void DropWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, png_size_t size) {
  PngState* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (state->bytes.size() - state->position < size) png_error(png, "the file ends too early");
  std::memcpy(out, state->bytes.data() + state->position, size);
  state->position += size;
}

// Reads up to the pixels.
bool ReadHeader(PngState* state) {
  if (setjmp(png_jmpbuf(state->png)) != 0) return false;
  constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;
  png_set_chunk_malloc_max(state->png, kMaxChunkBytes);
  png_set_chunk_cache_max(state->png, 64);
  png_set_user_limits(state->png, 1 << 24, 1 << 24);  // MakePicture holds the product against the caller's limit
  png_set_read_fn(state->png, state, ReadBytes);
  png_read_info(state->png, state->info);
  return true;
}

// Reads the pixels as three interleaved bytes each into rows of `stride` bytes.
bool ReadRows(PngState* state, png_bytep* rows, size_t stride, bool bgr) {
  if (setjmp(png_jmpbuf(state->png)) != 0) return false;
  png_set_palette_to_rgb(state->png);
  png_set_expand_gray_1_2_4_to_8(state->png);
  png_set_strip_16(state->png);
  png_set_strip_alpha(state->png);
  png_set_gray_to_rgb(state->png);
  if (bgr) png_set_bgr(state->png);
  png_set_interlace_handling(state->png);
  png_read_update_info(state->png, state->info);
  if (png_get_rowbytes(state->png, state->info) != stride) png_error(state->png, "unexpected pixel layout");
  png_read_image(state->png, rows);
  png_read_end(state->png, state->info);
  return true;
}

class PngReader {
 public:
  explicit PngReader(std::string_view bytes) {
    state_.bytes = bytes;
    state_.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &state_, NoteError, DropWarning, &state_, Allocate, Deallocate);
    if (state_.png != nullptr) state_.info = png_create_info_struct(state_.png);
  }
  ~PngReader() { png_destroy_read_struct(&state_.png, &state_.info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool ok() const { return state_.info != nullptr; }
  PngState* state() { return &state_; }
  const char* message() const { return state_.message; }
  bool out_of_memory() const { return state_.out_of_memory; }

  int Orientation() {
    png_bytep exif = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(state_.png, state_.info, &size, &exif) == 0 || exif == nullptr) return 1;
    return ExifOrientation({reinterpret_cast<const char*>(exif), size});
  }

 private:
  PngState state_;
};

}  // namespace

absl::StatusOr<Picture> DecodePng(std::string_view bytes, const std::string& name, PixelOrder order,
                                  uint64_t max_pixels) {
  PngReader reader(bytes);
  const auto no_memory = [&] { return absl::ResourceExhaustedError(StrCat(name, ": no memory for the PNG decoder")); };
  if (!reader.ok()) return no_memory();
  const auto damaged = [&] {
    if (reader.out_of_memory()) return no_memory();
    return absl::InvalidArgumentError(StrCat(name, ": bad PNG: ", reader.message()));
  };
  if (!ReadHeader(reader.state())) return damaged();
  const png_structp png = reader.state()->png;
  const png_infop info = reader.state()->info;
  absl::StatusOr<Picture> picture =
      MakePicture(png_get_image_width(png, info), png_get_image_height(png, info), bytes.size(), name, max_pixels);
  if (!picture.ok()) return picture.status();
  const size_t stride = static_cast<size_t>(picture->width) * 3;
  std::vector<png_bytep> rows(static_cast<size_t>(picture->height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = picture->pixels.data() + y * stride;
  if (!ReadRows(reader.state(), rows.data(), stride, order == PixelOrder::kBgr)) return damaged();
  return ApplyOrientation(*std::move(picture), reader.Orientation());
}

}  // namespace qlite::calib
