#include "kernels/normalize_f32.h"

#include <catch2/catch.hpp>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

using Floats = std::vector<float>;

Floats Line(const Floats& in, int64_t length, int64_t inner, int64_t line) {
  Floats values;
  for (int64_t k = 0; k < length; ++k) {
    values.push_back(in[static_cast<size_t>(line / inner * length * inner + k * inner + line % inner)]);
  }
  return values;
}

// Mean and variance as the header defines them.
void TreeMoments(const Floats& line, float* mean, float* variance) {
  const float count = static_cast<float>(line.size());
  *mean = TreeSum(line) / count;
  float lanes[16] = {};
  for (size_t i = 0; i < line.size(); ++i) {
    const float d = line[i] - *mean;
    lanes[i % 16] = std::fma(d, d, lanes[i % 16]);
  }
  *variance = TreeSum(Floats(lanes, lanes + 16)) / count;
}

TEST_CASE("Scale and shift by channel, channels last and channels first") {
  Sequence sequence(41);
  for (const int64_t channels : {1, 3, 8, 16, 17, 35}) {
    const int64_t pixels = 6;
    const Floats in = sequence.Floats(pixels * channels), scale = sequence.Floats(channels);
    const Floats shift = sequence.Floats(channels);
    Floats last(in.size()), first(in.size());
    for (size_t i = 0; i < in.size(); ++i) {
      const size_t c_last = i % static_cast<size_t>(channels);
      const size_t c_first = i / 3 % static_cast<size_t>(channels);  // two images of planes of 3
      last[i] = std::fma(in[i], scale[c_last], shift[c_last]);
      first[i] = std::fma(in[i], scale[c_first], shift[c_first]);
    }
    for (const Isa isa : SupportedIsas()) {
      const NormalizeF32Kernels& kernels = NormalizeF32(isa);
      Floats out(in.size());
      kernels.scale_shift(in.data(), out.data(), scale.data(), shift.data(), channels, 0, 2);
      kernels.scale_shift(in.data(), out.data(), scale.data(), shift.data(), channels, 2, pixels);
      CHECK(SameFloats(out, last));
      kernels.scale_shift_planes(in.data(), out.data(), scale.data(), shift.data(), channels, 3, 0, 1);
      kernels.scale_shift_planes(in.data(), out.data(), scale.data(), shift.data(), channels, 3, 1, 2 * channels);
      CHECK(SameFloats(out, first));
    }
  }
}

TEST_CASE("Batch normalisation coefficients") {
  const Floats gamma = {2.0f, 1.0f}, beta = {1.0f, 0.0f}, mean = {3.0f, -1.0f}, variance = {3.0f, 0.0f};
  Floats scale(2), shift(2);
  BatchNormCoefficients(gamma.data(), beta.data(), mean.data(), variance.data(), 1.0f, 2, scale.data(), shift.data());
  CHECK(scale == Floats{1.0f, 1.0f});
  CHECK(shift == Floats{-2.0f, 1.0f});
}

TEST_CASE("Instance normalisation is the definition, bit for bit, in both memory orders") {
  Sequence sequence(42);
  const float epsilon = 1e-3f;
  for (const int64_t length : {1, 5, 16, 49}) {
    for (const int64_t channels : {1, 3, 8, 17, 40}) {
      for (const bool channels_last : {true, false}) {
        const int64_t images = 2, lines = images * channels;
        const int64_t inner = channels_last ? channels : 1;
        const Floats in = sequence.Floats(lines * length), gamma = sequence.Floats(channels);
        const Floats beta = sequence.Floats(channels);
        Floats expected(in.size());
        for (int64_t l = 0; l < lines; ++l) {
          float mean = 0, variance = 0;
          TreeMoments(Line(in, length, inner, l), &mean, &variance);
          const float scale = gamma[static_cast<size_t>(l % channels)] / std::sqrt(variance + epsilon);
          for (int64_t k = 0; k < length; ++k) {
            const size_t at = static_cast<size_t>(l / inner * length * inner + k * inner + l % inner);
            expected[at] = std::fma(in[at] - mean, scale, beta[static_cast<size_t>(l % channels)]);
          }
        }
        const LineNorm norm{length, inner, channels, epsilon};
        for (const Isa isa : SupportedIsas()) {
          Floats out(in.size());
          NormalizeF32(isa).instance_norm(in.data(), out.data(), gamma.data(), beta.data(), norm, 0, lines / 3);
          NormalizeF32(isa).instance_norm(in.data(), out.data(), gamma.data(), beta.data(), norm, lines / 3, lines);
          INFO(IsaName(isa) << " length " << length << " channels " << channels << " last " << channels_last);
          CHECK(SameFloats(out, expected));
        }
      }
    }
  }
}

TEST_CASE("Layer normalisation is the definition, bit for bit, with and without a shift") {
  Sequence sequence(43);
  for (const int64_t length : {1, 7, 16, 33, 768}) {
    const Floats in = sequence.Floats(3 * length), gamma = sequence.Floats(length), beta = sequence.Floats(length);
    for (const bool with_beta : {true, false}) {
      Floats expected(in.size());
      for (int64_t row = 0; row < 3; ++row) {
        float mean = 0, variance = 0;
        TreeMoments(Line(in, length, 1, row), &mean, &variance);
        const float scale = 1.0f / std::sqrt(variance + 1e-5f);
        for (int64_t k = 0; k < length; ++k) {
          const size_t at = static_cast<size_t>(row * length + k);
          const float g = gamma[static_cast<size_t>(k)], normalized = (in[at] - mean) * scale;
          expected[at] = with_beta ? std::fma(normalized, g, beta[static_cast<size_t>(k)]) : normalized * g;
        }
      }
      for (const Isa isa : SupportedIsas()) {
        Floats out = in;  // in place
        NormalizeF32(isa).layer_norm(out.data(), out.data(), gamma.data(), with_beta ? beta.data() : nullptr, length,
                                     1e-5f, 0, 3);
        CHECK(SameFloats(out, expected));
      }
    }
  }
}

TEST_CASE("Local response normalisation sums the neighbours that exist, for any window size") {
  Sequence sequence(44);
  for (const int64_t channels : {1, 5, 8, 17, 50}) {
    for (const int64_t size : {1, 2, 5, 11, 1000000}) {
      const Floats in = sequence.Floats(3 * channels);
      const float alpha = 0.5f, beta = 0.75f, bias = 1.5f;
      Floats reference;
      for (const Isa isa : SupportedIsas()) {
        Floats out(in.size());
        NormalizeF32(isa).lrn(in.data(), out.data(), channels, size, alpha, beta, bias, 0, 3);
        if (reference.empty()) reference = out;
        CHECK(SameFloats(out, reference));
      }
      for (int64_t i = 0; i < 3 * channels; ++i) {
        const int64_t c = i % channels;
        double sum = 0;
        for (int64_t d = 0; d < channels; ++d) {
          if (d < c - (size - 1) / 2 || d > c + size / 2) continue;
          const double x = in[static_cast<size_t>(i - c + d)];
          sum += x * x;
        }
        const double exact =
            in[static_cast<size_t>(i)] / std::pow(bias + alpha / static_cast<double>(size) * sum, beta);
        CHECK(std::fabs(reference[static_cast<size_t>(i)] - exact) <= 1e-6 * std::fabs(exact) + 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
