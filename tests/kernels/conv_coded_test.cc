#include "kernels/conv_coded.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/f32_product_reference.h"
#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

using testing::Complete;
using testing::ConvCase;
using testing::kSplits;

// Random integers of a convolution with random parameters, for the signatures of ConvF32Kernels.
class Coded {
 public:
  Coded(const ConvF32Geometry& g, const CodedForm& form, uint32_t seed) : form_(form) {
    Sequence random(seed);
    channels_ = g.in_channels / g.groups, taps_ = g.kernel_h * g.kernel_w;
    blocks_ = form.block_size > 0 ? (channels_ + form.block_size - 1) / form.block_size : 1;
    const int64_t count = g.out_channels * channels_ * taps_;
    const int half = 1 << (form.bits - 1);
    for (int64_t i = 0; i < count; ++i) {
      integers_.push_back(
          static_cast<int8_t>(static_cast<int>(random.Next() % (2u * static_cast<uint32_t>(half))) - half));
    }
    const int64_t pairs = g.out_channels * (form.block_size > 0 ? blocks_ * taps_ : 1);
    scales_ = random.Floats(pairs, 0.001f, 0.1f), ratios_ = random.Floats(pairs, 0.9f, 1.1f);
    shifts_ = random.Floats(pairs, -0.01f, 0.01f);
    for (int64_t i = 0; i < pairs; ++i) {
      zeros_.push_back(
          static_cast<int8_t>(static_cast<int32_t>(random.Next() % (2u * static_cast<uint32_t>(half))) - half));
    }
  }

  // OIHW, as docs of the header have it.
  std::vector<float> Weights() const {
    std::vector<float> weights(integers_.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      const auto index = static_cast<int64_t>(i);
      const int64_t tap = index % taps_, channel = index / taps_ % channels_, output = index / taps_ / channels_;
      const auto p = static_cast<size_t>(
          form_.block_size > 0 ? (output * blocks_ + channel / form_.block_size) * taps_ + tap : output);
      const float factor = scales_[p] * ratios_[p];
      const float scaled = static_cast<float>(integers_[i] - zeros_[p]) * factor;
      weights[i] = form_.shifted ? scaled + shifts_[p] : scaled;
    }
    return weights;
  }

  // Packs ranges of outputs, or all of them in pieces of channels where the kernel has one tap, over what was there.
  void Pack(const ConvCodedKernels& kernels, const ConvF32Geometry& g, bool by_channel, void* packed) const {
    std::fill_n(static_cast<char*>(packed), kernels.packed_bytes(g, form_), '\x5a');
    const int64_t outputs = by_channel ? std::max<int64_t>(g.out_channels, 1) : 7;
    for (int64_t first = 0; first < g.out_channels; first += outputs) {
      const int64_t end = std::min(g.out_channels, first + outputs);
      PlaceParams(kernels, g, first, end, packed);
      const int64_t step = by_channel ? PackingUnit(form_) : std::max<int64_t>(channels_, 1);
      for (int64_t begin = (std::max<int64_t>(channels_, 1) - 1) / step * step; begin >= 0; begin -= step) {
        kernels.place_weights(g, form_,
                              {.data = integers_.data() + first * channels_ * taps_ + begin * taps_,
                               .out_stride = channels_ * taps_,
                               .in_stride = taps_,
                               .tap_stride = 1,
                               .first_output = first,
                               .end_output = end,
                               .first_channel = begin,
                               .end_channel = std::min(channels_, begin + step)},
                              packed);
      }
    }
  }

  const CodedForm& form() const { return form_; }

 private:
  void PlaceParams(const ConvCodedKernels& kernels, const ConvF32Geometry& g, int64_t first, int64_t end,
                   void* packed) const {
    CodedParams params = {
        .out_stride = form_.block_size > 0 ? blocks_ * taps_ : 1, .first_output = first, .end_output = end};
    if (form_.block_size > 0) params.block_stride = taps_, params.tap_stride = 1;
    const auto at = first * params.out_stride;
    params.scales = scales_.data() + at;
    params.ratios = ratios_.data() + at;
    params.shifts = form_.shifted ? shifts_.data() + at : nullptr;
    params.zero_points = zeros_.data() + at;
    kernels.place_params(g, form_, params, packed);
  }

  CodedForm form_;
  int64_t channels_ = 0, taps_ = 0, blocks_ = 0;
  std::vector<int8_t> integers_;
  std::vector<float> scales_, ratios_, shifts_;
  std::vector<int8_t> zeros_;
};

struct AsFloat {
  const ConvCodedKernels& kernels;
  const Coded& coded;
  bool by_channel;
  int64_t packed_floats(const ConvF32Geometry& g) const {
    return kernels.packed_bytes(g, coded.form()) / static_cast<int64_t>(sizeof(float));
  }
  void pack(const ConvF32Geometry& g, const float*, float* packed) const { coded.Pack(kernels, g, by_channel, packed); }
  int64_t workspace_bytes(const ConvF32Geometry& g) const { return kernels.workspace_bytes(g); }
  int64_t units(const ConvF32Geometry& g) const { return kernels.units(g); }
  void run(const ConvF32Args& args, void* workspace, int64_t begin, int64_t end) const {
    kernels.run({args, coded.form(), args.packed_weights}, workspace, begin, end);
  }
};

// The bits of the float convolution with decoded weights, on every instruction set and cut.
void Check(const ConvF32Geometry& g, const CodedForm& form, int features) {
  const Coded coded(g, form, 3);
  ConvCase conv(g, features, 11);
  conv.weights() = coded.Weights();
  const std::vector<float> expected = conv.Reference();
  for (const Isa isa : SupportedIsas()) {
    for (int split = 0; split < kSplits; ++split) {
      INFO(std::string(IsaName(isa)) << " " << g.in_h << "x" << g.in_w << "x" << g.in_channels << " -> "
                                     << g.out_channels << " kernel " << g.kernel_h << "x" << g.kernel_w << " groups "
                                     << g.groups << " bits " << form.bits << " block " << form.block_size << " shifted "
                                     << form.shifted << " features " << features << " split " << split);
      const bool by_channel = split == 1 && g.groups == 1 && g.kernel_h * g.kernel_w == 1;
      CHECK(testing::SameBits(conv.Run(AsFloat{ConvCoded(isa), coded, by_channel}, split), expected));
    }
  }
}

TEST_CASE("conv_coded gives the bits of decoded weights for single rows and for many") {
  int features = 0;
  for (const int bits : {2, 4, 8}) {
    for (const int64_t block : {0, 1, 16, 20}) {
      for (const int64_t outputs : {1, 16, 35, 70, 131}) {
        for (const int64_t rows : {1, 5}) {
          const ConvF32Geometry g = {.in_h = 1, .in_w = rows, .in_channels = 43, .out_channels = outputs};
          Check(Complete(g, 0, 0), {bits, block, features % 3 == 0}, features % 8);
          ++features;
        }
      }
    }
  }
}

TEST_CASE("conv_coded gives the bits of decoded weights for kernels, strides, padding and groups") {
  int features = 0;
  for (const int64_t groups : {1, 2}) {
    for (const int64_t channels : {3, 17, 50}) {
      for (const int64_t block : {0, 16}) {
        for (const int64_t size : {1, 5}) {  // a single output pixel, or several
          const ConvF32Geometry g = {.batch = 1,
                                     .in_h = size,
                                     .in_w = size,
                                     .in_channels = groups * channels,
                                     .out_channels = groups * 19,
                                     .groups = groups,
                                     .kernel_h = 3,
                                     .kernel_w = 3,
                                     .stride_h = 1 + features % 2,
                                     .pad_top = 1,
                                     .pad_left = 1};
          Check(Complete(g, 2, 2), {features % 2 == 0 ? 4 : 8, block, features % 3 == 0}, features % 8);
          ++features;
        }
      }
    }
  }
}

TEST_CASE("conv_coded reads and writes slices, divides many rows into blocks, and takes nothing for nothing") {
  const ConvF32Geometry slice = {
      .in_h = 15, .in_w = 19, .in_channels = 24, .in_pixel_stride = 31, .out_channels = 40, .out_pixel_stride = 47};
  Check(Complete(slice, 0, 0), {4, 0, false}, 3);
  const ConvF32Geometry empty = {.in_h = 0, .in_w = 5, .in_channels = 8, .out_channels = 16};
  Check(Complete(empty, 0, 0), {8, 0, false}, 1);
  const ConvF32Geometry no_outputs = {.in_h = 1, .in_w = 1, .in_channels = 8, .out_channels = 0};
  CHECK(ConvCoded(Isa::kGeneric).packed_bytes(Complete(no_outputs, 0, 0), {}) == 0);
}

TEST_CASE("coded weights take their bits and a set of parameters a block") {
  const ConvF32Geometry g = Complete({.in_h = 1, .in_w = 1, .in_channels = 1024, .out_channels = 1024}, 0, 0);
  constexpr int64_t kWeights = 1024 * 1024;
  for (const Isa isa : SupportedIsas()) {
    const ConvCodedKernels& kernels = ConvCoded(isa);
    // Parameters of an output, and its share of what aligns a panel.
    constexpr int64_t kParams = 1024 * 32;
    for (const int bits : {2, 4, 8}) CHECK(kernels.packed_bytes(g, {bits, 0, false}) <= kWeights / 8 * bits + kParams);
    // A float and a byte (two where vectors have one lane) for each 32 weights.
    CHECK(kernels.packed_bytes(g, {4, 32, false}) <= kWeights / 2 + kWeights / 32 * 6);
  }
}

}  // namespace
}  // namespace qlite::kernels
