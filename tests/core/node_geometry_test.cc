#include "core/node_geometry.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace qlite {
namespace {

using ::Catch::Contains;

std::vector<Dim> One(int64_t extent) { return {Dim(extent)}; }

// The outputs of a window that moves by `stride` from -pad_begin on: counted one by one, as the definition says.
int64_t CountWindows(int64_t input, int64_t window, int64_t stride, int64_t pad_begin, int64_t pad_end,
                     bool ceil_mode) {
  int64_t count = 0;
  const int64_t end = input + pad_end;
  for (int64_t start = -pad_begin;; start += stride) {
    const bool fits = start + window <= end;
    // A last window that is cut off counts in ceil mode, where the one before it left elements over and it starts
    // inside the input or its leading pad.
    const bool cut = ceil_mode && !fits && start - stride + window < end && start < input;
    if (!fits && !cut) return count;
    ++count;
  }
}

TEST_CASE("pool extents against counting windows") {
  for (int64_t input = 1; input <= 12; ++input) {
    for (int64_t kernel = 1; kernel <= 4; ++kernel) {
      for (int64_t stride = 1; stride <= 5; ++stride) {
        for (int64_t dilation = 1; dilation <= 2; ++dilation) {
          for (int64_t begin = 0; begin < kernel; ++begin) {
            for (int64_t end = 0; end < kernel; ++end) {
              for (const bool ceil_mode : {false, true}) {
                PoolAttrs attrs;
                attrs.kernel_shape = {kernel};
                attrs.strides = {stride};
                attrs.dilations = {dilation};
                attrs.pads = {begin, end};
                attrs.ceil_mode = ceil_mode;
                const int64_t window = (kernel - 1) * dilation + 1;
                const auto geometry = PoolGeometry(attrs, One(input));
                INFO(input << " k" << kernel << " s" << stride << " d" << dilation << " p" << begin << "," << end);
                REQUIRE(geometry.ok() == (window <= input + begin + end));
                if (!geometry.ok()) continue;
                CHECK(geometry->axes[0].output.value == CountWindows(input, window, stride, begin, end, ceil_mode));
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("automatic padding gives as many outputs as strides fit in, with the least padding") {
  for (int64_t input = 1; input <= 20; ++input) {
    for (int64_t kernel = 1; kernel <= 5; ++kernel) {
      for (int64_t stride = 1; stride <= 4; ++stride) {
        for (const AutoPad mode : {AutoPad::kSameUpper, AutoPad::kSameLower}) {
          for (const bool ceil_mode : {false, true}) {
            PoolAttrs attrs;
            attrs.kernel_shape = {kernel};
            attrs.strides = {stride};
            attrs.auto_pad = mode;
            attrs.ceil_mode = ceil_mode;
            const auto automatic = PoolGeometry(attrs, One(input));
            REQUIRE(automatic.ok());
            const WindowAxis& axis = automatic->axes[0];
            const int64_t outputs = (input + stride - 1) / stride;
            const int64_t total = std::max<int64_t>(0, (outputs - 1) * stride + kernel - input);
            CHECK(axis.output.value == outputs);
            CHECK(axis.pad_begin + axis.pad_end == total);
            const int64_t more = mode == AutoPad::kSameUpper ? axis.pad_end : axis.pad_begin;
            CHECK(more == (total + 1) / 2);
            // The pads written out mean the same.
            attrs.auto_pad = AutoPad::kNotSet;
            attrs.pads = automatic->Pads();
            const auto written = PoolGeometry(attrs, One(input));
            REQUIRE(written.ok());
            CHECK(written->axes[0].output.value == outputs);
          }
        }
      }
    }
  }
}

TEST_CASE("transposed convolution is the inverse of convolution's extents") {
  for (int64_t input = 1; input <= 10; ++input) {
    for (int64_t kernel = 1; kernel <= 4; ++kernel) {
      for (int64_t stride = 1; stride <= 3; ++stride) {
        for (int64_t extra = 0; extra < stride; ++extra) {
          ConvTransposeAttrs attrs;
          attrs.strides = {stride};
          attrs.output_padding = {extra};
          const auto up = ConvTransposeGeometry(attrs, One(input), One(kernel));
          REQUIRE(up.ok());
          const int64_t output = up->axes[0].output.value;
          CHECK(output == stride * (input - 1) + kernel + extra);
          ConvAttrs down;
          down.strides = {stride};
          CHECK(ConvGeometry(down, One(output), One(kernel))->axes[0].output.value == input);
        }
      }
    }
  }
}

TEST_CASE("transposed convolution reaches the output that is asked for") {
  for (int64_t input = 1; input <= 6; ++input) {
    for (int64_t kernel = 1; kernel <= 4; ++kernel) {
      for (int64_t stride = 1; stride <= 3; ++stride) {
        for (const AutoPad mode : {AutoPad::kNotSet, AutoPad::kSameUpper, AutoPad::kSameLower}) {
          ConvTransposeAttrs attrs;
          attrs.strides = {stride};
          attrs.auto_pad = mode;
          if (mode == AutoPad::kNotSet) attrs.output_shape = {input * stride + 1};
          const auto geometry = ConvTransposeGeometry(attrs, One(input), One(kernel));
          REQUIRE(geometry.ok());
          const WindowAxis& axis = geometry->axes[0];
          CHECK(axis.output.value == input * stride + (mode == AutoPad::kNotSet ? 1 : 0));
          // Written out, the attributes give the same extent.
          ConvTransposeAttrs written;
          written.strides = {stride};
          written.pads = geometry->Pads();
          written.output_padding = {axis.output_padding};
          CHECK(ConvTransposeGeometry(written, One(input), One(kernel))->axes[0].output.value == axis.output.value);
        }
      }
    }
  }
}

TEST_CASE("unknown extents") {
  ConvAttrs attrs;
  attrs.pads = {1, 1};
  const std::vector<Dim> symbolic = {Dim::Symbolic("W")};
  CHECK(ConvGeometry(attrs, symbolic, One(3))->axes[0].output.symbol == "W");
  CHECK_FALSE(ConvGeometry(attrs, symbolic, One(5))->axes[0].output.known());
  CHECK(ConvGeometry(attrs, symbolic, One(5))->axes[0].output.symbol.empty());
  CHECK_FALSE(ConvGeometry(attrs, One(5), symbolic)->axes[0].output.known());
  attrs.pads = {};
  attrs.auto_pad = AutoPad::kSameUpper;
  const auto same = ConvGeometry(attrs, symbolic, One(4));
  CHECK(same->pads_known());
  CHECK(same->Pads() == std::vector<int64_t>{1, 2});
  attrs.strides = {2};
  CHECK_FALSE(ConvGeometry(attrs, symbolic, One(4))->pads_known());
}

TEST_CASE("attributes that cannot be are refused") {
  const auto message = [](const auto& result) { return std::string(result.status().message()); };
  ConvAttrs attrs;
  attrs.strides = {1, 1};
  CHECK_THAT(message(ConvGeometry(attrs, One(5), One(3))), Contains("strides"));
  attrs = {};
  attrs.strides = {0};
  CHECK_THAT(message(ConvGeometry(attrs, One(5), One(3))), Contains("strides"));
  attrs = {};
  attrs.pads = {-1, 0};
  CHECK_THAT(message(ConvGeometry(attrs, One(5), One(3))), Contains("pads"));
  attrs = {};
  attrs.dilations = {int64_t{1} << 40};
  CHECK_THAT(message(ConvGeometry(attrs, One(5), One(3))), Contains("dilations"));
  attrs = {};
  attrs.kernel_shape = {4};
  CHECK_THAT(message(ConvGeometry(attrs, One(5), One(3))), Contains("kernel_shape"));
  CHECK_THAT(message(ConvGeometry({}, One(2), One(3))), Contains("window"));
  CHECK_FALSE(ConvGeometry({}, One(2), One(0)).ok());
  CHECK_FALSE(ConvGeometry({}, One(5), std::vector<Dim>{3, 3}).ok());
  PoolAttrs pool;
  CHECK_THAT(message(PoolGeometry(pool, One(5))), Contains("kernel_shape"));
  pool.kernel_shape = {2};
  pool.pads = {2, 0};
  CHECK_THAT(message(PoolGeometry(pool, One(5))), Contains("pads"));
  ConvTransposeAttrs transposed;
  transposed.pads = {9, 9};
  CHECK_FALSE(ConvTransposeGeometry(transposed, One(5), One(3)).ok());
  transposed = {};
  transposed.auto_pad = static_cast<AutoPad>(17);
  CHECK_FALSE(ConvTransposeGeometry(transposed, One(5), One(3)).ok());
}

TEST_CASE("the largest attributes overflow nothing") {
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  ConvAttrs attrs;
  attrs.strides = {kMost};
  attrs.dilations = {kMost};
  attrs.pads = {kMost, kMost};
  CHECK(ConvGeometry(attrs, One(int64_t{1} << 62), One(kMost)).ok());
  attrs.pads = {};
  attrs.auto_pad = AutoPad::kSameLower;
  CHECK(ConvGeometry(attrs, One(int64_t{1} << 62), One(kMost)).ok());
  ConvTransposeAttrs transposed;
  transposed.strides = {kMost};
  transposed.dilations = {kMost};
  transposed.output_padding = {kMost};
  CHECK(ConvTransposeGeometry(transposed, One(kMost), One(kMost)).ok());
  CHECK_FALSE(ConvTransposeGeometry(transposed, One(int64_t{1} << 62), One(kMost)).ok());
}

}  // namespace
}  // namespace qlite
