#include "calib/image_transform.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/str_cat.h"

namespace qlite::calib {
namespace {

// OpenCV's weights in 15-bit fixed point: 0.299 R + 0.587 G + 0.114 B, rounded.
void ToGray(const uint8_t* bgr, int64_t pixels, uint8_t* gray) {
  for (int64_t i = 0; i < pixels; ++i, bgr += 3) {
    gray[i] = static_cast<uint8_t>((bgr[0] * 3735 + bgr[1] * 19235 + bgr[2] * 9798 + (1 << 14)) >> 15);
  }
}

// long_side * target / short_side, rounded half to even.
int64_t ScaledSide(int64_t long_side, int64_t target, int64_t short_side) {
  const int64_t product = long_side * target;
  const int64_t quotient = product / short_side;
  const int64_t twice_rest = 2 * (product % short_side);
  const bool up = twice_rest > short_side || (twice_rest == short_side && quotient % 2 != 0);
  return quotient + (up ? 1 : 0);
}

// The source pixels that one target pixel is made of, along one axis.
struct Tap {
  int64_t index[4];
  float weight[4];
};

void CubicWeights(float x, float weight[4]) {
  constexpr float a = -0.75f;
  weight[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  weight[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
  weight[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  weight[3] = 1.0f - weight[0] - weight[1] - weight[2];
}

int TapCount(ResizeMethod method) {
  switch (method) {
    case ResizeMethod::kNearest:
      return 1;
    case ResizeMethod::kLinear:
      return 2;
    case ResizeMethod::kCubic:
      return 4;
  }
  return 1;
}

// The taps of the target pixels [first, first + count) where `target` pixels stand for `source` ones.
std::vector<Tap> MakeTaps(int64_t source, int64_t target, int64_t first, int64_t count, ResizeMethod method) {
  const double scale = static_cast<double>(source) / static_cast<double>(target);
  std::vector<Tap> taps(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    Tap& tap = taps[static_cast<size_t>(i)];
    const double position = static_cast<double>(first + i);
    int64_t start = 0;
    if (method == ResizeMethod::kNearest) {
      start = static_cast<int64_t>(std::floor(position * scale));
      tap.weight[0] = 1;
    } else {
      const float at = static_cast<float>((position + 0.5) * scale - 0.5);
      start = static_cast<int64_t>(std::floor(at));
      const float fraction = at - static_cast<float>(start);
      if (method == ResizeMethod::kLinear) {
        tap.weight[0] = 1 - fraction;
        tap.weight[1] = fraction;
      } else {
        CubicWeights(fraction, tap.weight);
        --start;
      }
    }
    for (int k = 0; k < TapCount(method); ++k) tap.index[k] = std::clamp<int64_t>(start + k, 0, source - 1);
  }
  return taps;
}

// One source row, interpolated along x: out[i * channels + c].
template <int kTaps>
void ResizeRow(const uint8_t* row, const std::vector<Tap>& taps, int64_t channels, const float* normalized,
               float* out) {
  for (const Tap& tap : taps) {
    for (int64_t c = 0; c < channels; ++c) {
      const float* table = normalized + c * 256;
      float sum = table[row[tap.index[0] * channels + c]];
      if constexpr (kTaps > 1) {
        sum *= tap.weight[0];
        for (int k = 1; k < kTaps; ++k) sum += table[row[tap.index[k] * channels + c]] * tap.weight[k];
      }
      *out++ = sum;
    }
  }
}

void ResizeRow(ResizeMethod method, const uint8_t* row, const std::vector<Tap>& taps, int64_t channels,
               const float* normalized, float* out) {
  switch (method) {
    case ResizeMethod::kNearest:
      return ResizeRow<1>(row, taps, channels, normalized, out);
    case ResizeMethod::kLinear:
      return ResizeRow<2>(row, taps, channels, normalized, out);
    case ResizeMethod::kCubic:
      return ResizeRow<4>(row, taps, channels, normalized, out);
  }
}

// Writes rows of interleaved values where the layout wants them.
class RowWriter {
 public:
  RowWriter(const ImageLayout& layout, std::span<float> out) : layout_(layout), out_(out.data()) {}

  // value(x, c) gives the row's values.
  template <class ValueAt>
  void Write(int64_t y, ValueAt value) const {
    const int64_t x_step = layout_.channels_last ? layout_.channels : 1;
    const int64_t c_step = layout_.channels_last ? 1 : layout_.height * layout_.width;
    float* row = out_ + y * layout_.width * x_step;
    if (layout_.channels == 1) {
      for (int64_t x = 0; x < layout_.width; ++x) row[x * x_step] = value(x, 0);
      return;
    }
    for (int64_t x = 0; x < layout_.width; ++x) {
      row[x * x_step] = value(x, 0);
      row[x * x_step + c_step] = value(x, 1);
      row[x * x_step + 2 * c_step] = value(x, 2);
    }
  }

 private:
  ImageLayout layout_;
  float* out_;
};

struct Window {
  int64_t left, top;
};

// The layout's window of a picture that is not resized.
void Crop(const uint8_t* pixels, int64_t width, Window window, const ImageLayout& layout, const float* normalized,
          std::span<float> out) {
  const RowWriter writer(layout, out);
  for (int64_t y = 0; y < layout.height; ++y) {
    const uint8_t* row = pixels + ((window.top + y) * width + window.left) * layout.channels;
    writer.Write(y, [&](int64_t x, int64_t c) { return normalized[c * 256 + row[x * layout.channels + c]]; });
  }
}

// Source rows interpolated along x, each computed once and kept as long as target rows ask for it.
class RowCache {
 public:
  RowCache(size_t rows, size_t values) : values_(values), source_(rows, -1), data_(rows * values) {}

  template <class Compute>
  const float* Get(int64_t source_row, Compute compute) {
    // Target rows ask for increasing source rows: those of one tap fall into different slots.
    const size_t slot = static_cast<size_t>(source_row) % source_.size();
    float* row = data_.data() + slot * values_;
    if (source_[slot] != source_row) {
      compute(row);
      source_[slot] = source_row;
    }
    return row;
  }

 private:
  size_t values_;
  std::vector<int64_t> source_;
  std::vector<float> data_;
};

// The layout's window of the picture resized to `target`; only what the window shows is computed.
void ResizeAndCrop(const uint8_t* pixels, int64_t width, int64_t height, int64_t target_width, int64_t target_height,
                   Window window, ResizeMethod method, const ImageLayout& layout, const float* normalized,
                   std::span<float> out) {
  const std::vector<Tap> columns = MakeTaps(width, target_width, window.left, layout.width, method);
  const std::vector<Tap> rows = MakeTaps(height, target_height, window.top, layout.height, method);
  const int taps = TapCount(method);
  const size_t values = static_cast<size_t>(layout.width * layout.channels);
  RowCache cache(static_cast<size_t>(taps), values);
  std::vector<float> sum(values);
  const RowWriter writer(layout, out);
  for (int64_t y = 0; y < layout.height; ++y) {
    const Tap& tap = rows[static_cast<size_t>(y)];
    for (int k = 0; k < taps; ++k) {
      const uint8_t* source = pixels + tap.index[k] * width * layout.channels;
      const float* row = cache.Get(
          tap.index[k], [&](float* into) { ResizeRow(method, source, columns, layout.channels, normalized, into); });
      if (taps == 1) {
        std::copy(row, row + values, sum.begin());
      } else if (k == 0) {
        for (size_t i = 0; i < values; ++i) sum[i] = row[i] * tap.weight[0];
      } else {
        for (size_t i = 0; i < values; ++i) sum[i] += row[i] * tap.weight[k];
      }
    }
    writer.Write(y, [&](int64_t x, int64_t c) { return sum[static_cast<size_t>(x * layout.channels + c)]; });
  }
}

absl::Status CheckNormalization(const ImageOptions& options) {
  const size_t channels = options.order == ColorOrder::kGray ? 1 : 3;
  for (const auto& [values, what] : {std::pair(&options.mean, "mean"), std::pair(&options.std, "std")}) {
    if (!values->empty() && values->size() != channels) {
      return absl::InvalidArgumentError(
          StrCat("the ", what, " has ", values->size(), " values, but the picture ", channels, " channels"));
    }
    for (float value : *values) {
      if (!std::isfinite(value)) return absl::InvalidArgumentError(StrCat("the ", what, " is not finite"));
    }
  }
  for (float value : options.std) {
    if (value == 0) return absl::InvalidArgumentError("the std is zero");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateImageOptions(const ImageOptions& options) {
  constexpr int64_t kMaxSide = 1 << 16;
  for (int64_t side : {options.resize_width, options.resize_height, options.resize_shorter_side, options.crop_width,
                       options.crop_height}) {
    if (side < 0 || side > kMaxSide) {
      return absl::InvalidArgumentError(StrCat("a side of ", side, " pixels is not within 0..", kMaxSide));
    }
  }
  if ((options.resize_width == 0) != (options.resize_height == 0)) {
    return absl::InvalidArgumentError("resize_width and resize_height need each other");
  }
  if (options.resize_width != 0 && options.resize_shorter_side != 0) {
    return absl::InvalidArgumentError("resize_shorter_side excludes resize_width and resize_height");
  }
  if ((options.crop_width == 0) != (options.crop_height == 0)) {
    return absl::InvalidArgumentError("the crop needs both a width and a height");
  }
  return CheckNormalization(options);
}

ImageTransform::ImageTransform(const ImageOptions& options, const ImageLayout& layout)
    : options_(options), layout_(layout), normalized_(static_cast<size_t>(layout.channels) * 256) {
  for (size_t i = 0; i < normalized_.size(); ++i) {
    const float mean = options.mean.empty() ? 0.0f : options.mean[i / 256];
    const float std = options.std.empty() ? 1.0f : options.std[i / 256];
    normalized_[i] = (static_cast<float>(i % 256) - mean) / std;
  }
}

PixelOrder ImageTransform::decode_order() const {
  return options_.order == ColorOrder::kRgb ? PixelOrder::kRgb : PixelOrder::kBgr;
}

ImageTransform::Size ImageTransform::ResizedSize(const Picture& picture) const {
  if (options_.resize_width > 0) return {options_.resize_width, options_.resize_height};
  const int64_t side = options_.resize_shorter_side;
  if (side == 0) return {picture.width, picture.height};
  if (picture.width < picture.height) return {side, ScaledSide(picture.height, side, picture.width)};
  return {ScaledSide(picture.width, side, picture.height), side};
}

absl::Status ImageTransform::Apply(Picture picture, const std::string& name, std::span<float> out) const {
  const Size size = ResizedSize(picture);
  const Size crop = options_.crop_width > 0 ? Size{options_.crop_width, options_.crop_height} : size;
  if (crop.width > size.width || crop.height > size.height) {
    return absl::InvalidArgumentError(StrCat(name, ": the crop of ", crop.width, "x", crop.height,
                                             " (width x height) is larger than the picture of ", size.width, "x",
                                             size.height, "; set resize_shorter_side to enlarge small pictures first"));
  }
  if (crop.width != layout_.width || crop.height != layout_.height) {
    return absl::InvalidArgumentError(StrCat(name, ": the picture comes out as ", crop.width, "x", crop.height,
                                             " (width x height), but the input takes ", layout_.width, "x",
                                             layout_.height, "; set the resize or the centre crop to that size"));
  }
  if (layout_.channels == 1) {
    std::vector<uint8_t> gray(picture.pixels.size() / 3);
    ToGray(picture.pixels.data(), static_cast<int64_t>(gray.size()), gray.data());
    picture.pixels = std::move(gray);
  }
  const Window window = {(size.width - crop.width) / 2, (size.height - crop.height) / 2};
  if (size.width == picture.width && size.height == picture.height) {
    Crop(picture.pixels.data(), picture.width, window, layout_, normalized_.data(), out);
  } else {
    ResizeAndCrop(picture.pixels.data(), picture.width, picture.height, size.width, size.height, window,
                  options_.resize_method, layout_, normalized_.data(), out);
  }
  return absl::OkStatus();
}

}  // namespace qlite::calib
