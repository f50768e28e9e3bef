#include "kernels/conv_u8s8.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

#include "kernels/conv_u8s8_reference.h"

namespace qlite::kernels {
namespace {

// Runs a case on every instruction set; `args` beside what a case says.
void Check(const ConvCase& c, const ConvData& data, const ConvU8S8Args& args = {}) {
  ConvU8S8Weights weights;
  weights.in_c = c.geometry.in_c;
  weights.out_c = c.geometry.out_c;
  weights.kernel_h = c.geometry.kernel_h;
  weights.kernel_w = c.geometry.kernel_w;
  weights.dilation_w = c.geometry.dilation_w;
  weights.groups = c.geometry.groups;
  for (const Isa isa : SupportedIsas()) {
    INFO(IsaName(isa) << " " << Describe(c));
    CHECK(MatchesReference(ConvU8S8(isa), c, data, weights, args));
  }
}

void Check(const ConvCase& c) { Check(c, ConvData(c)); }

// The same with a residual, `gap` elements between its pixels, of whichever side of the sum.
void CheckResidual(const ConvCase& c, const OutputQuantization& quantization, int64_t gap = 0) {
  const ConvGeometry& g = c.geometry;
  const int64_t pixels = g.batch * g.out_h * g.out_w, stride = g.out_c + gap;
  Sequence sequence(static_cast<uint64_t>(g.in_c + g.out_c));
  const Guarded<uint8_t> other = Bytes(sequence, pixels * stride);
  const ConvData product(c);
  for (const bool comes_first : {false, true}) {
    const AddU8Coefficients k = MakeAddU8(0.03f, 117, 0.05f, 140, sequence.Uniform(0.03f, 0.08f), 1);
    ConvData data = product;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (int64_t o = 0; o < g.out_c; ++o) {
        uint8_t& made = data.expected[static_cast<size_t>(pixel * g.out_pixel_stride + o)];
        const auto added = static_cast<float>(other[static_cast<size_t>(pixel * stride + o)]);
        const float a = comes_first ? added : made, b = comes_first ? made : added;
        made = QuantizeOutput(std::fma(a, k.ka, std::fma(b, k.kb, k.kc)), quantization);
      }
    }
    ConvU8S8Args args;
    args.residual = {other.data(), stride, comes_first, k, quantization};
    Check(c, data, args);
  }
}

TEST_CASE("conv_u8s8 is exact for every number of channels") {
  for (const int64_t in_c : {1, 2, 3, 4, 5, 7, 8, 16, 19}) {
    for (const int64_t out_c : {1, 8, 15, 16, 17, 32, 33}) {
      for (const int64_t pad : {0, 1}) Check({MakeGeometry(in_c, 6, 7, out_c, 3, 3, 1, pad)});
    }
  }
}

TEST_CASE("conv_u8s8 is exact for every geometry") {
  for (const int64_t kernel_h : {1, 2, 3, 5}) {
    for (const int64_t kernel_w : {1, 3, 4}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t dilation : {1, 2}) {
          for (const int64_t pad : {0, 1, 2}) {
            for (const int64_t in_c : {3, 8}) {
              Check({MakeGeometry(in_c, 11, 13, 9, kernel_h, kernel_w, stride, pad, dilation)});
            }
          }
        }
      }
    }
  }
}

TEST_CASE("conv_u8s8 is exact where the taps of few channels are gathered") {
  for (const int64_t in_c : {1, 2, 3, 4, 5}) {
    for (const int64_t kernel : {3, 5, 7, 9}) {
      for (const int64_t stride : {1, 2, 3}) {
        for (const int64_t pad : {0, 2}) {
          Check({MakeGeometry(in_c, 15, 17, 21, kernel, kernel, stride, pad)});
          ConvCase c = {MakeGeometry(in_c, 20, 15, 37, kernel, kernel - 1, stride, pad)};
          // Kernel rows that are apart, with taps that are not.
          c.geometry.dilation_h = 2;
          c.geometry.out_h = (20 + 2 * pad - 2 * (kernel - 1) - 1) / stride + 1;
          Check(c);
        }
      }
    }
  }
  // More pixels than are gathered at a time, slices of wider buffers, groups, batches.
  for (const int64_t stride : {1, 2}) {
    for (const int64_t pad : {0, 3}) {
      ConvCase c = {MakeGeometry(3, 61, 67, 70, 7, 7, stride, pad)};
      Check(c);
      c.geometry.batch = 2;
      c.geometry.in_pixel_stride = 5;
      c.geometry.out_pixel_stride = 73;
      c.extremes = Extremes::kAll;
      for (const int64_t piece : {1, 3}) {
        c.piece = piece;
        Check(c);
      }
      c.float_output = true;
      Check(c);
      Check({MakeGeometry(3, 70, 90, 16, 3, 3, stride, pad)});
      Check({MakeGeometry(6, 19, 21, 66, 3, 3, stride, pad, 1, 2)});
    }
  }
}

TEST_CASE("conv_u8s8 is exact around the sizes of a matrix unit's tiles") {
  for (const int64_t in_c : {16, 65}) {
    for (const int64_t width : {7, 17, 33}) {
      for (const int64_t stride : {1, 2}) {
        Check({MakeGeometry(in_c, 5, width, 33, 3, 3, stride, 1)});
        Check({MakeGeometry(in_c, 5, width, 48, 1, 1, stride, 0)});
        Check({MakeGeometry(in_c, 5, width, 20, 2, 3, stride, 0)});
      }
      Check({MakeGeometry(2 * in_c, 5, width, 36, 3, 3, 1, 1, 1, 2)});
      Check({MakeGeometry(in_c, 5, width, 17, 3, 3, 1, 2, 2)});
      ConvCase c = {MakeGeometry(in_c, 6, width, 40, 1, 3, 1, 0)};
      c.geometry.in_pixel_stride = in_c + 3;
      c.geometry.out_pixel_stride = 50;
      Check(c);
      c.float_output = true;
      c.piece = 1;
      Check(c);
    }
  }
}

TEST_CASE("conv_u8s8 is exact for narrow images of many channels, in one strip and in several") {
  for (const int64_t width : {5, 7, 8, 9, 15, 20, 56}) {
    for (const int64_t lines : {1, 2, 3, 8, 11}) {
      for (const int64_t out_c : {9, 40}) {
        ConvCase c = {MakeGeometry(64, lines, width, out_c, 3, 3, 1, 1)};
        Check(c);
        c.geometry.out_pixel_stride = out_c + 5;
        c.float_output = true;
        Check(c);
      }
      // Many of the rows between two lines, or none.
      Check({MakeGeometry(32, lines + 6, width + 6, 40, 7, 7)});
      Check({MakeGeometry(64, lines + 2, width, 40, 3, 1)});
    }
  }
  // Few channels make short products.
  Check({MakeGeometry(22, 9, 7, 40, 3, 3, 1, 1)});
}

TEST_CASE("conv_u8s8 is exact where taps lie outside the image") {
  for (const int64_t kernel : {3, 5}) {
    for (const int64_t pad : {1, 2, 4}) {
      for (const int64_t dilation : {1, 2}) {
        for (const int64_t stride : {1, 2}) {
          for (const int64_t out_c : {9, 40}) Check({MakeGeometry(64, 7, 9, out_c, kernel, 3, stride, pad, dilation)});
          Check({MakeGeometry(64, 9, 7, 40, 3, kernel, stride, pad, dilation)});
          // A tap ends within a step.
          Check({MakeGeometry(30, 9, 7, 40, 3, kernel, stride, pad, dilation)});
        }
      }
    }
  }
  Check({MakeGeometry(128, 4, 9, 80, 3, 3, 1, 1, 1, 2)});
  Check({MakeGeometry(128, 9, 4, 80, 3, 3, 1, 1, 1, 2)});
  // Of strips, those at the top and the bottom alone have rows outside, and the last one may have some in part.
  for (const int64_t lines : {29, 30, 31}) {
    for (const int64_t stride : {1, 2}) Check({MakeGeometry(64, lines, 24, 40, 3, 3, stride, 1)});
  }
  // Pixels that lie beyond all taps.
  for (const int64_t out_c : {9, 40}) {
    for (const int64_t pad : {1, 5}) {
      ConvCase c = {MakeGeometry(64, 9, 11, out_c, 1, 1, 1, pad)};
      Check(c);
      c.float_output = true;
      Check(c);
    }
  }
  for (const int64_t kernel_w : {1, 7}) {
    ConvCase c = {MakeGeometry(32, 17, 17, 40, 8 - kernel_w, kernel_w)};
    c.geometry.pad_top = (7 - kernel_w) / 2;
    c.geometry.pad_left = kernel_w / 2;
    c.geometry.out_h = c.geometry.out_w = 17;
    c.geometry.out_pixel_stride = 43;
    c.geometry.batch = 2;
    for (const int64_t piece : {1, 3}) {
      c.piece = piece;
      Check(c);
    }
    c.float_output = true;
    Check(c);
  }
}

TEST_CASE("conv_u8s8 is exact for groups") {
  for (const int64_t groups : {2, 3, 5}) {
    for (const int64_t group_in : {1, 3, 4}) {
      for (const int64_t group_out : {1, 2, 18}) {
        for (const int64_t pad : {0, 1}) {
          Check({MakeGeometry(groups * group_in, 5, 6, groups * group_out, 3, 3, 1, pad, 1, groups)});
        }
      }
    }
  }
  Check({MakeGeometry(8, 5, 6, 10, 1, 1, 1, 0, 1, 2)});
}

TEST_CASE("conv_u8s8 is exact where several groups are computed together") {
  for (const int64_t width : {1, 2, 3, 4, 7, 8, 16, 24, 32}) {
    for (const int64_t groups : {2, 3, 6, 7, 8, 13}) {
      for (const int64_t stride : {1, 2})
        Check({MakeGeometry(groups * width, 5, 9, groups * width, 3, 3, stride, 1, 1, groups)});
      Check({MakeGeometry(groups * width, 4, 7, groups * 2, 1, 1, 1, 0, 1, groups)});
    }
    // Without padding, dilated, in slices of wider buffers, as floats, in pieces, on a matrix unit.
    Check({MakeGeometry(6 * width, 5, 9, 6 * width, 3, 3, 1, 0, 1, 6)});
    Check({MakeGeometry(6 * width, 6, 9, 6 * width, 3, 3, 1, 2, 2, 6)});
    ConvCase c = {MakeGeometry(8 * width, 5, 18, 8 * width, 3, 3, 1, 1, 1, 8)};
    Check(c);
    c.geometry.batch = 2;
    c.geometry.in_pixel_stride += 5;
    c.geometry.out_pixel_stride += 3;
    c.extremes = Extremes::kAll;
    c.piece = 1;
    Check(c);
    c.float_output = true;
    Check(c);
    // The last block has fewer groups.
    c = {MakeGeometry(13 * width, 5, 18, 13 * width, 3, 3, 1, 1, 1, 13)};
    c.geometry.batch = 2;
    c.geometry.out_pixel_stride += 3;
    c.piece = 1;
    Check(c);
    Check({MakeGeometry(7 * width, 5, 9, 7 * width, 3, 3, 2, 0, 1, 7)});
  }
}

TEST_CASE("conv_u8s8 adds a residual to its rounded result") {
  const OutputQuantization whole = {120, 0, 255}, bounded = {33, 33, 201};
  for (const int64_t out_c : {1, 8, 16, 17, 40, 130}) {
    for (const int64_t kernel : {1, 3}) {
      for (const int64_t gap : {0, 7}) {
        ConvCase c = {MakeGeometry(24, 9, 7, out_c, kernel, kernel, 1, kernel / 2)};
        CheckResidual(c, whole, gap);
        CheckResidual(c, bounded, gap);
        c.output = {90, 90, 230};
        c.geometry.out_pixel_stride = out_c + 3;
        c.geometry.batch = 2;
        for (const int64_t piece : {1, 3}) {
          c.piece = piece;
          CheckResidual(c, bounded, gap);
        }
      }
    }
  }
  // Strided; in groups that are computed together, and one by one; in strips; of large weights, a few columns at a
  // time; on a matrix unit; of many rows, some at a time.
  for (const int64_t piece : {1, 3, 1000}) {
    for (const ConvGeometry& geometry :
         {MakeGeometry(24, 9, 8, 20, 1, 1, 2), MakeGeometry(39, 5, 18, 39, 3, 3, 1, 1, 1, 13),
          MakeGeometry(128, 4, 9, 80, 3, 3, 1, 1, 1, 2), MakeGeometry(8, 40, 17, 40, 3, 3, 1, 1),
          MakeGeometry(384, 3, 3, 384, 3, 3, 1, 1), MakeGeometry(65, 5, 33, 48, 3, 3, 1, 1),
          MakeGeometry(8, 40, 40, 136, 1, 1)}) {
      ConvCase c = {geometry};
      c.piece = piece;
      CheckResidual(c, whole);
      CheckResidual(c, bounded, 5);
    }
  }
}

TEST_CASE("conv_u8s8 reads and writes slices of the channels of wider buffers") {
  for (const int64_t kernel : {1, 3}) {
    for (const int64_t in_c : {3, 8}) {
      for (const int64_t pad : {0, 1}) {
        for (const int64_t stride : {1, 2}) {
          ConvCase c = {MakeGeometry(in_c, 7, 9, 20, kernel, kernel, stride, pad)};
          c.geometry.in_pixel_stride = in_c + 5;
          c.geometry.out_pixel_stride = 31;
          Check(c);
        }
      }
    }
  }
}

TEST_CASE("conv_u8s8 takes pads that differ from side to side, and windows beyond the image") {
  ConvCase c = {MakeGeometry(4, 6, 6, 8, 3, 3)};
  c.geometry.pad_top = 2;
  c.geometry.pad_left = 0;
  c.geometry.out_h = 7;
  c.geometry.out_w = 6;
  Check(c);
  c.geometry.pad_top = 0;
  c.geometry.pad_left = 5;
  c.geometry.out_h = 4;
  c.geometry.out_w = 12;
  Check(c);
  Check({MakeGeometry(2, 1, 1, 3, 3, 3, 1, 4)});
  Check({MakeGeometry(3, 1, 40, 5, 1, 9, 2, 0)});
}

TEST_CASE("conv_u8s8 takes batches, and gives the same bytes however its units are split") {
  for (const int64_t piece : {1, 2, 5, 1000}) {
    for (const int64_t batch : {1, 3}) {
      ConvCase c = {MakeGeometry(8, 20, 17, 40, 3, 3, 1, 1)};
      c.geometry.batch = batch;
      c.piece = piece;
      Check(c);
      c.geometry = MakeGeometry(12, 9, 9, 34, 1, 1);
      c.geometry.batch = batch;
      Check(c);
      c.geometry = MakeGeometry(6, 4, 4, 140, 3, 3, 1, 1, 1, 2);
      c.geometry.batch = batch;
      Check(c);
    }
  }
}

TEST_CASE("conv_u8s8 handles images too wide for one strip, and large weights") {
  Check({MakeGeometry(3, 4, 30000, 4, 3, 3, 2, 1)});
  Check({MakeGeometry(384, 3, 3, 384, 3, 3, 1, 1)});
}

TEST_CASE("conv_u8s8 is exact for extreme values, bounds and floats") {
  ConvCase c = {MakeGeometry(64, 6, 6, 24, 3, 3, 1, 1)};
  c.extremes = Extremes::kAll;
  for (const int32_t zero_point : {0, 255}) {
    c.input_zero_point = zero_point;
    c.output = {zero_point, 0, 255};
    Check(c);
  }
  c.output = {20, 20, 141};
  Check(c);
  c.with_bias = false;
  c.float_output = true;
  Check(c);
}

TEST_CASE("conv_u8s8 does nothing for an empty batch or output") {
  ConvCase c = {MakeGeometry(4, 5, 5, 8, 3, 3)};
  c.geometry.batch = 0;
  Check(c);
  c = {MakeGeometry(4, 5, 5, 8, 3, 3)};
  c.geometry.out_h = 0;
  Check(c);
}

}  // namespace
}  // namespace qlite::kernels
