#include "passes/made_up_pictures.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "core/str_cat.h"

namespace qlite {
namespace {

// A colour is made of what all channels have in common and of what is the channel's own, as shares of the amplitude:
// together one in squares.
constexpr float kShared = 0.9f, kOwn = 0.435f;
// Brings uniform numbers in [-1, 1] to a deviation of 1.
constexpr float kUniformDeviation = 0.577f;
// Every pixel is covered so many times on average, by discs from this radius to half of the picture.
constexpr int kLayers = 8;
constexpr float kLeastRadius = 2;

constexpr int kMostColours = 4;
// Of larger inputs, real ones are worth the while.
constexpr double kMostElements = 1 << 22;

bool IsColours(const Dim& dim) { return dim.known() && (dim.value == 1 || dim.value == 3 || dim.value == 4); }

// Uniform in [-1, 1).
float Uniform(std::mt19937& random) { return static_cast<float>(random() >> 8) * 0x1p-23f - 1.0f; }

// One picture in memory: where its pixels and channels lie.
struct Canvas {
  float* pixels = nullptr;
  int64_t rows = 0, columns = 0, channels = 0, pixel_step = 1, channel_step = 1;

  void Paint(int64_t row, int64_t begin, int64_t end, const float* colour) const {
    for (int64_t c = 0; c < channels; ++c) {
      float* to = pixels + c * channel_step + row * columns * pixel_step;
      for (int64_t column = begin; column < end; ++column) to[column * pixel_step] = colour[c];
    }
  }
};

// Discs over a ground; their areas add up to kLayers times the picture's.
void PaintDiscs(std::mt19937& random, const Canvas& canvas) {
  const auto rows = static_cast<float>(canvas.rows), columns = static_cast<float>(canvas.columns);
  const float most = std::max(kLeastRadius, std::min(rows, columns) / 2), share = kLeastRadius / most;
  float colour[kMostColours];
  const auto choose_colour = [&] {
    const float brightness = Uniform(random);
    for (float& channel : colour) channel = (kShared * brightness + kOwn * Uniform(random)) / kUniformDeviation;
  };
  choose_colour();
  for (int64_t row = 0; row < canvas.rows; ++row) canvas.Paint(row, 0, canvas.columns, colour);
  for (auto to_cover = static_cast<double>(kLayers * rows * columns); to_cover > 0;) {
    choose_colour();
    // The density of radii falls with their cube.
    const float u = (Uniform(random) + 1) / 2, radius = kLeastRadius / std::sqrt(u + (1 - u) * share * share);
    const float y = (Uniform(random) + 1) / 2 * rows, x = (Uniform(random) + 1) / 2 * columns;
    const auto last = static_cast<int64_t>(std::min(rows, y + radius));
    for (auto row = static_cast<int64_t>(std::max(0.0f, y - radius)); row < last; ++row) {
      const float down = static_cast<float>(row) - y, half = std::sqrt(std::max(0.0f, radius * radius - down * down));
      const auto begin = static_cast<int64_t>(std::max(0.0f, x - half));
      canvas.Paint(row, begin, static_cast<int64_t>(std::min(columns, x + half)), colour);
    }
    to_cover -= static_cast<double>(3 * radius * radius);
  }
}

}  // namespace

std::optional<MadeUpPictures> MadeUpPictures::For(const Graph& graph, int64_t count) {
  if (graph.inputs().size() != 1) return std::nullopt;
  const Value& input = graph.value(graph.inputs()[0]);
  if (input.type != ElementType::kFloat32 || !input.shape.has_rank() || input.shape.rank() != 4) return std::nullopt;
  const std::vector<Dim>& dims = input.shape.dims();
  double elements = 1;
  for (const Dim& dim : dims) elements *= dim.known() ? static_cast<double>(dim.value) : 1;
  if (elements > kMostElements) return std::nullopt;
  if (IsColours(dims[1]) && dims[2].known() && dims[3].known()) return MadeUpPictures(count, false);
  if (IsColours(dims[3]) && dims[1].known() && dims[2].known()) return MadeUpPictures(count, true);
  return std::nullopt;
}

absl::Status MadeUpPictures::Read(int64_t index, std::span<const MutableTensorView> inputs) const {
  if (inputs.size() != 1 || inputs[0].type != ElementType::kFloat32 || inputs[0].dims.size() != 4 ||
      inputs[0].dims[channels_last_ ? 3 : 1] > kMostColours) {
    return absl::InvalidArgumentError("made-up pictures: expected one float32 input of rank 4 with up to 4 channels");
  }
  const auto& dims = inputs[0].dims;
  Canvas canvas{inputs[0].as<float>().data()};
  canvas.channels = dims[channels_last_ ? 3 : 1];
  canvas.rows = dims[channels_last_ ? 1 : 2], canvas.columns = dims[channels_last_ ? 2 : 3];
  const int64_t area = canvas.rows * canvas.columns;
  canvas.pixel_step = channels_last_ ? canvas.channels : 1, canvas.channel_step = channels_last_ ? 1 : area;
  std::mt19937 random(static_cast<uint32_t>(index));
  for (int64_t picture = 0; picture < dims[0]; ++picture) {
    PaintDiscs(random, canvas);
    canvas.pixels += canvas.channels * area;
  }
  return absl::OkStatus();
}

std::string MadeUpPictures::Describe(int64_t index) const { return StrCat("made-up picture ", index); }

}  // namespace qlite
