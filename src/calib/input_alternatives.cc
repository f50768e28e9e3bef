#include "calib/input_alternatives.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qlite::calib {
namespace {

// The statistics of ImageNet's training pictures in 0..1, red first, which most recipes normalise with.
constexpr std::array<float, 3> kMean = {0.485f, 0.456f, 0.406f};
constexpr std::array<float, 3> kStd = {0.229f, 0.224f, 0.225f};

// x -> (x * unit_scale - mean) / std, where the first step brings the data to 0..1.
Alternative Normalized(std::string mistake, float unit_scale) {
  Alternative alternative{.mistake = std::move(mistake), .correction = "(x - mean) / std of ImageNet"};
  for (size_t c = 0; c < 3; ++c) {
    alternative.scale[c] = unit_scale / kStd[c];
    alternative.shift[c] = -kMean[c] / kStd[c];
  }
  return alternative;
}

Alternative Affine(std::string mistake, std::string correction, float scale, float shift, bool enlarges = false) {
  return {.mistake = std::move(mistake),
          .correction = std::move(correction),
          .scale = {scale, scale, scale},
          .shift = {shift, shift, shift},
          .enlarges = enlarges};
}

}  // namespace

std::optional<PictureInput> FindPictureInput(const Graph& graph) {
  if (graph.inputs().size() != 1) return std::nullopt;
  const Value& input = graph.value(graph.inputs()[0]);
  if (input.type != ElementType::kFloat32 || !input.shape.has_rank() || input.shape.rank() != 4) return std::nullopt;
  const auto extent = [&](int64_t i) { return input.shape.dim(i).value; };
  if (extent(0) > 1 || extent(1) <= 0 || extent(2) <= 0 || extent(3) <= 0) return std::nullopt;
  const auto colours = [](int64_t channels) { return channels == 1 || channels == 3; };
  if (colours(extent(1)) == colours(extent(3))) return std::nullopt;
  if (colours(extent(1))) return PictureInput{extent(2), extent(3), extent(1), false};
  return PictureInput{extent(1), extent(2), extent(3), true};
}

std::vector<Alternative> PlausibleAlternatives(const PictureInput& input, ValueSpan span) {
  std::vector<Alternative> alternatives;
  if (input.channels == 3) {
    alternatives.push_back({.mistake = "the colour channels are swapped (RGB for BGR or the reverse)",
                            .correction = "with red and blue exchanged",
                            .swap_channels = true});
  }
  constexpr float kRounding = 1e-3f;
  const std::string unscaled = "pixel values were not scaled", mean_kept = "the mean was not removed";
  if (span.min >= 0 && span.max > 2 && span.max <= 255 + kRounding) {
    alternatives.push_back(Affine(unscaled, "x / 255", 1 / 255.0f, 0));
    alternatives.push_back(Affine(unscaled, "x / 127.5 - 1", 1 / 127.5f, -1));
    alternatives.push_back(Normalized(unscaled, 1 / 255.0f));
    alternatives.push_back(Affine(mean_kept, "x - mean", 1, -span.mean));
  } else if (span.min >= 0 && span.max <= 1 + kRounding) {
    alternatives.push_back(Affine(mean_kept, "2 x - 1", 2, -1));
    alternatives.push_back(Normalized(mean_kept, 1));
    alternatives.push_back(
        Affine("pixel values were scaled to 0..1 for a network that takes 0..255", "255 x", 255, 0, true));
  } else if (span.min >= -1 - kRounding && span.min < -0.5f && span.max <= 1 + kRounding) {
    alternatives.push_back(Affine("pixel values were scaled to -1..1 for a network that takes 0..255", "127.5 (x + 1)",
                                  127.5f, 127.5f, true));
  } else if (span.min < -20 && span.min >= -255 && span.max <= 255) {
    alternatives.push_back(
        Affine("pixel values were not divided by their range or standard deviation", "x / 127.5", 1 / 127.5f, 0));
    alternatives.push_back(
        Affine("pixel values were not divided by their range or standard deviation", "x / 57", 1 / 57.0f, 0));
  }
  return alternatives;
}

void Correct(const Alternative& alternative, const PictureInput& input, std::span<const float> picture,
             std::span<float> out) {
  const int64_t pixels = input.height * input.width;
  for (int64_t c = 0; c < input.channels; ++c) {
    const int64_t from = alternative.swap_channels ? input.channels - 1 - c : c;
    const float scale = alternative.scale[static_cast<size_t>(c)], shift = alternative.shift[static_cast<size_t>(c)];
    for (int64_t i = 0; i < pixels; ++i) {
      const auto at = [&](int64_t channel) {
        return static_cast<size_t>(input.channels_last ? i * input.channels + channel : channel * pixels + i);
      };
      out[at(c)] = picture[at(from)] * scale + shift;
    }
  }
}

Roughness MeasureRoughness(const PictureInput& input, std::span<const float> picture) {
  // Neighbours along x and along y lie that far apart in memory.
  const auto measure = [&](int64_t pixel_step) {
    double sum = 0;
    int64_t count = 0;
    const int64_t row_step = input.width * pixel_step;
    for (int64_t i = 0; i + row_step < input.size(); ++i, ++count) {
      const float here = picture[static_cast<size_t>(i)];
      sum += static_cast<double>(std::fabs(picture[static_cast<size_t>(i + pixel_step)] - here) +
                                 std::fabs(picture[static_cast<size_t>(i + row_step)] - here));
    }
    return count > 0 ? sum / static_cast<double>(count) : 0;
  };
  const double planar = measure(1), interleaved = measure(input.channels);
  return input.channels_last ? Roughness{interleaved, planar} : Roughness{planar, interleaved};
}

}  // namespace qlite::calib
