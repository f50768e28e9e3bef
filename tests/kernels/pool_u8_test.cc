#include "kernels/pool_u8.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/u8_test_util.h"

namespace qlite::kernels {
namespace {

PoolU8Args MakePool(int64_t channels, int64_t in_h, int64_t in_w, int64_t kernel, int64_t stride, int64_t pad,
                    int64_t dilation = 1) {
  PoolU8Args args;
  args.channels = args.in_pixel_stride = args.out_pixel_stride = channels;
  args.in_h = in_h;
  args.in_w = in_w;
  args.kernel_h = args.kernel_w = kernel;
  args.stride_h = args.stride_w = stride;
  args.dilation_h = args.dilation_w = dilation;
  args.pad_top = args.pad_left = args.pad_bottom = args.pad_right = pad;
  args.out_h = (in_h + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  args.out_w = (in_w + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
  return args;
}

// What the window of one output element holds.
struct Found {
  int64_t max = 0, sum = 0, inside = 0, padded = 0;
};

Found Look(const PoolU8Args& a, const Guarded<uint8_t>& input, int64_t image, int64_t out_y, int64_t out_x,
           int64_t channel) {
  Found found;
  for (int64_t ky = 0; ky < a.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < a.kernel_w; ++kx) {
      const int64_t y = out_y * a.stride_h - a.pad_top + ky * a.dilation_h;
      const int64_t x = out_x * a.stride_w - a.pad_left + kx * a.dilation_w;
      found.padded += y < a.in_h + a.pad_bottom && x < a.in_w + a.pad_right ? 1 : 0;
      if (y < 0 || y >= a.in_h || x < 0 || x >= a.in_w) continue;
      const int64_t u = input[static_cast<size_t>(((image * a.in_h + y) * a.in_w + x) * a.in_pixel_stride + channel)];
      found.max = std::max(found.max, u);
      found.sum += u;
      ++found.inside;
    }
  }
  return found;
}

uint8_t Mean(const Found& found, const AverageU8& average) {
  const int64_t n = average.count_include_pad ? found.padded : found.inside;
  const float multiplier = n == 0 ? 0.0f : average.ratio / static_cast<float>(n);
  return Requantize(found.sum - found.inside * average.zero_in, multiplier, average.quantization);
}

void Check(PoolU8Args args, AverageU8 average) {
  Sequence sequence(static_cast<uint64_t>(args.channels * 100 + args.in_w));
  const Guarded<uint8_t> input = Bytes(sequence, args.batch * args.in_h * args.in_w * args.in_pixel_stride);
  const auto elements = static_cast<size_t>(args.batch * args.out_h * args.out_w * args.out_pixel_stride);
  Guarded<uint8_t> maxima(elements, 77);
  Guarded<uint8_t> means(elements, 77);
  for (int64_t pixel = 0; pixel < args.batch * args.out_h * args.out_w; ++pixel) {
    for (int64_t c = 0; c < args.channels; ++c) {
      const Found found =
          Look(args, input, pixel / args.out_w / args.out_h, pixel / args.out_w % args.out_h, pixel % args.out_w, c);
      const auto at = static_cast<size_t>(pixel * args.out_pixel_stride + c);
      maxima[at] = static_cast<uint8_t>(found.max);
      means[at] = Mean(found, average);
    }
  }
  args.input = input.data();
  for (const Isa isa : SupportedIsas()) {
    for (const int64_t piece : {1, 3, 1000}) {
      INFO(IsaName(isa) << " channels " << args.channels << " in " << args.in_h << "x" << args.in_w << " kernel "
                        << args.kernel_h << " stride " << args.stride_h << " pad " << args.pad_top << " piece "
                        << piece);
      Guarded<uint8_t> output(elements, 77);
      args.output = output.data();
      RunInPieces(args.batch * args.out_h, piece, 0,
                  [&](int64_t begin, int64_t end, void*) { PoolU8(isa).max(args, begin, end); });
      CHECK(output == maxima);
      output.assign(elements, 77);
      RunInPieces(args.batch * args.out_h, piece, 0,
                  [&](int64_t begin, int64_t end, void*) { PoolU8(isa).average(args, average, begin, end); });
      CHECK(output == means);
    }
  }
}

void Check(const PoolU8Args& args) {
  for (const bool count_include_pad : {false, true}) Check(args, {130, 0.83f, count_include_pad, {110, 0, 255}});
}

TEST_CASE("pool_u8 is exact for every number of channels") {
  for (const int64_t channels : {1, 3, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129}) {
    Check(MakePool(channels, 5, 6, 3, 2, 1));
  }
}

TEST_CASE("pool_u8 is exact for every geometry") {
  for (const int64_t kernel : {1, 2, 3, 5}) {
    for (const int64_t stride : {1, 2, 3}) {
      for (const int64_t pad : {0, 1, 2}) {
        for (const int64_t dilation : {1, 2}) Check(MakePool(18, 9, 10, kernel, stride, pad, dilation));
      }
    }
  }
}

TEST_CASE("pool_u8 takes windows that lie beyond the padded image or wholly in the padding") {
  PoolU8Args args = MakePool(5, 6, 6, 3, 2, 0);
  args.out_h = args.out_w = 3;
  Check(args);
  args = MakePool(5, 2, 2, 2, 1, 3);
  Check(args);
  Check(args, {130, 0.83f, false, {110, 120, 200}});
}

TEST_CASE("pool_u8 takes batches and slices of the channels of wider buffers") {
  PoolU8Args args = MakePool(20, 7, 8, 3, 2, 1);
  args.batch = 3;
  args.in_pixel_stride = 29;
  args.out_pixel_stride = 23;
  Check(args);
}

TEST_CASE("pool_u8 averages whole images") {
  for (const int64_t channels : {1, 64, 77}) {
    Check(GlobalPoolU8(2, 7, 7, channels));
    Check(GlobalPoolU8(1, 40, 61, channels));
  }
}

TEST_CASE("pool_u8 averages extreme values") {
  for (const int32_t zero_point : {0, 255}) {
    Check(MakePool(64, 4, 4, 2, 2, 0), {zero_point, 1e30f, false, {zero_point, 0, 255}});
    Check(MakePool(64, 4, 4, 2, 2, 0), {zero_point, 1.0f, false, {zero_point, 20, 30}});
  }
}

}  // namespace
}  // namespace qlite::kernels
