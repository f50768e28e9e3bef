// The orientation that cameras note in EXIF data (JEITA CP-3451, tag 0x0112), and turning a picture upright by it.
#ifndef QLITE_CALIB_EXIF_H_
#define QLITE_CALIB_EXIF_H_

#include <string_view>

#include "calib/image_decode.h"

namespace qlite::calib {

// `tiff`: EXIF data from their TIFF header on ("II*" or "MM*"). 1 (upright) for whatever is missing or damaged.
int ExifOrientation(std::string_view tiff);

// Turns a picture stored with the orientation (1..8) upright.
Picture ApplyOrientation(Picture picture, int orientation);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_EXIF_H_
