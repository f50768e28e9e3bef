// From a decoded picture to the values of a model input: colour -> (x - mean) / std -> resize -> centre crop -> layout.
//
// Resizing follows OpenCV on float32 pictures. With scale = source extent / target extent, the target pixel i stands at
// (i + 0.5) * scale - 0.5 of the source; LINEAR weighs the two pixels around it, CUBIC the four around it (Keys, "Cubic
// convolution interpolation for digital image processing", 1981, with a = -0.75), and pixels outside are those of the
// border. NEAREST takes pixel floor(i * scale). Rows are interpolated along x first, then along y, all in float32
// without contraction: the same bits everywhere.
#ifndef QLITE_CALIB_IMAGE_TRANSFORM_H_
#define QLITE_CALIB_IMAGE_TRANSFORM_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "calib/image_decode.h"
#include "qlite/data_set.h"

namespace qlite::calib {

// What a picture becomes.
struct ImageLayout {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 3;
  bool channels_last = false;
};

// The options' own contradictions: counts of mean and std, zero or non-finite std, half a resize, both forms of it.
absl::Status ValidateImageOptions(const ImageOptions& options);

class ImageTransform {
 public:
  // Call with options that ValidateImageOptions accepts, for as many channels as the layout has.
  ImageTransform(const ImageOptions& options, const ImageLayout& layout);

  // The order that pictures are to be decoded in. Grey is computed from kBgr.
  PixelOrder decode_order() const;

  // Writes height * width * channels floats. kInvalidArgument, with the remedy, where the crop is larger than the
  // picture or the result has not the layout's size. Thread-safe.
  absl::Status Apply(Picture picture, const std::string& name, std::span<float> out) const;

 private:
  struct Size {
    int64_t width, height;
  };
  Size ResizedSize(const Picture& picture) const;

  ImageOptions options_;
  ImageLayout layout_;
  // normalized_[c * 256 + v]: what the 8-bit value v of channel c becomes.
  std::vector<float> normalized_;
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_IMAGE_TRANSFORM_H_
