#include "kernels/softmax_f32.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/kernel_test_util.h"

namespace qlite::kernels {
namespace {

std::vector<float> Run(Isa isa, bool log, const std::vector<float>& in, int64_t length, int64_t inner, int64_t pieces) {
  std::vector<float> out(in.size());
  const int64_t lines = length == 0 ? 0 : static_cast<int64_t>(in.size()) / length;
  const SoftmaxF32Function run = log ? SoftmaxF32(isa).log_softmax : SoftmaxF32(isa).softmax;
  for (int64_t p = 0; p < pieces; ++p) {
    run(in.data(), out.data(), length, inner, lines * p / pieces, lines * (p + 1) / pieces);
  }
  return out;
}

// (outer, length, inner) with the last two exchanged.
std::vector<float> SwapInner(const std::vector<float>& in, int64_t outer, int64_t length, int64_t inner) {
  std::vector<float> out(in.size());
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k = 0; k < length; ++k) {
      for (int64_t i = 0; i < inner; ++i) {
        out[static_cast<size_t>((o * inner + i) * length + k)] = in[static_cast<size_t>((o * length + k) * inner + i)];
      }
    }
  }
  return out;
}

TEST_CASE("Softmax has the same bits on every instruction set, split and memory order") {
  Sequence sequence(21);
  for (const int64_t length : {1, 2, 7, 15, 16, 17, 31, 33, 100}) {
    for (const int64_t inner : {1, 2, 5, 8, 17, 37}) {
      const int64_t outer = 3;
      const std::vector<float> in = sequence.Floats(outer * length * inner, -9.0f, 9.0f);
      for (const bool log : {false, true}) {
        const std::vector<float> expected = Run(Isa::kGeneric, log, in, length, inner, 1);
        const std::vector<float> swapped = Run(Isa::kGeneric, log, SwapInner(in, outer, length, inner), length, 1, 1);
        CHECK(SameFloats(SwapInner(expected, outer, length, inner), swapped));
        for (const Isa isa : SupportedIsas()) {
          INFO(IsaName(isa) << " length " << length << " inner " << inner << " log " << log);
          CHECK(SameFloats(Run(isa, log, in, length, inner, 1), expected));
          CHECK(SameFloats(Run(isa, log, in, length, inner, 4), expected));
        }
      }
    }
  }
}

TEST_CASE("Softmax is close to the same computation in double") {
  Sequence sequence(22);
  const std::vector<float> in = sequence.Floats(1000, -20.0f, 20.0f);
  const std::vector<float> softmax = Run(BestIsa(), false, in, 1000, 1, 1);
  const std::vector<float> log_softmax = Run(BestIsa(), true, in, 1000, 1, 1);
  const double largest = *std::max_element(in.begin(), in.end());
  double sum = 0;
  for (const float x : in) sum += std::exp(x - largest);
  for (size_t i = 0; i < in.size(); ++i) {
    const double exact = std::exp(in[i] - largest) / sum;
    CHECK(std::fabs(softmax[i] - exact) <= 3e-6 * exact);  // x - m is rounded before its exponential
    CHECK(std::fabs(log_softmax[i] - std::log(exact)) <= 4e-7 * (1 + std::fabs(std::log(exact))));
  }
}

TEST_CASE("Softmax has no subnormal results") {
  // A mask of -100 beside values of which some are large: exp(-100) alone would be subnormal.
  std::vector<float> line;
  for (int i = 0; i < 200; ++i) line.push_back(i % 3 == 0 ? 0.0f : -60.0f - 0.25f * static_cast<float>(i));
  for (const Isa isa : SupportedIsas()) {
    for (const int64_t inner : {1, 4}) {
      for (const float y : Run(isa, false, line, static_cast<int64_t>(line.size()) / inner, inner, 1)) {
        CHECK((y == 0.0f || std::isnormal(y)));
      }
    }
  }
}

TEST_CASE("Softmax works in place, and of extreme lines") {
  for (const Isa isa : SupportedIsas()) {
    std::vector<float> values = {1000.0f, 1000.0f, -1000.0f, -kInf};
    SoftmaxF32(isa).softmax(values.data(), values.data(), 4, 1, 0, 1);
    CHECK(values == std::vector<float>{0.5f, 0.5f, 0.0f, 0.0f});
    for (const std::vector<float>& line : {std::vector<float>{1.0f, kNan, 2.0f}, std::vector<float>{kInf, 0.0f, 1.0f},
                                           std::vector<float>{-kInf, -kInf, -kInf}}) {
      for (const float y : Run(isa, false, line, 3, 1, 1)) CHECK(std::isnan(y));
    }
    CHECK(Run(isa, false, {}, 0, 1, 1).empty());
  }
}

}  // namespace
}  // namespace qlite::kernels
