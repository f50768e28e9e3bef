// What a picture fed to a network may have been meant to look like: guesses at mistakes of its preprocessing, each with
// the correction that would undo it.
#ifndef QLITE_CALIB_INPUT_ALTERNATIVES_H_
#define QLITE_CALIB_INPUT_ALTERNATIVES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qlite/graph.h"

namespace qlite::calib {

// An input that holds one picture.
struct PictureInput {
  int64_t height = 0, width = 0, channels = 0;
  bool channels_last = false;
  int64_t size() const { return height * width * channels; }
};

// The graph's only input where it is a float32 picture of batch 1 with one or three channels in either layout.
std::optional<PictureInput> FindPictureInput(const Graph& graph);

// The values over some samples.
struct ValueSpan {
  float min = 0, max = 0, mean = 0;
};

struct Alternative {
  std::string mistake;     // "pixel values were not scaled"
  std::string correction;  // "x / 127.5 - 1"
  bool swap_channels = false;
  // Per channel in the order of the data: corrected = x * scale + shift.
  std::array<float, 3> scale = {1, 1, 1};
  std::array<float, 3> shift = {0, 0, 0};
  // Larger values make any network surer of itself, so that this alone is no evidence.
  bool enlarges = false;
};

// The alternatives that are plausible for data of such values, swapped colours first where there are three channels.
std::vector<Alternative> PlausibleAlternatives(const PictureInput& input, ValueSpan span);

// out = the corrected picture.
void Correct(const Alternative& alternative, const PictureInput& input, std::span<const float> picture,
             std::span<float> out);

// The mean absolute difference of neighbouring pixels, along both axes and all channels, when the values are read in
// one layout or the other: pictures are smooth only in the layout that they have.
struct Roughness {
  double as_declared = 0, as_other_layout = 0;
};
Roughness MeasureRoughness(const PictureInput& input, std::span<const float> picture);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_INPUT_ALTERNATIVES_H_
