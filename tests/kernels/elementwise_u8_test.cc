#include "kernels/elementwise_u8.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/u8_test_util.h"

namespace qlite::kernels {
namespace {

constexpr int64_t kCounts[] = {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 130, 257};

// Runs [0, count) in pieces of seven and at once, and compares.
template <class Run>
void CheckRange(int64_t count, Run run) {
  for (const int64_t piece : {int64_t{7}, std::max<int64_t>(count, 1)}) {
    for (int64_t begin = 0; begin < count; begin += piece) run(begin, std::min(count, begin + piece));
  }
}

struct Binary {
  int64_t rows, cols;
  BroadcastU8 broadcast;
  int64_t gap;  // between rows
  OutputQuantization quantization{111, 0, 255};
};

std::vector<Binary> Binaries() {
  std::vector<Binary> all;
  for (const int64_t cols : kCounts) {
    for (const BroadcastU8 broadcast : {BroadcastU8::kNone, BroadcastU8::kScalar, BroadcastU8::kRow}) {
      for (const int64_t gap : {0, 3}) all.push_back({3, cols, broadcast, gap, {111, 0, 255}});
    }
  }
  for (const int64_t cols : {1, 16, 45, 116, 600}) all.push_back({75, cols, BroadcastU8::kRow, 0, {111, 0, 255}});
  all.push_back({2, 300, BroadcastU8::kNone, 0, {0, 0, 255}});
  all.push_back({2, 300, BroadcastU8::kNone, 0, {255, 100, 131}});
  return all;
}

// `expect(a, b)` is the output before it is quantized; `run` calls the kernel.
template <class Expect, class Run>
void CheckBinary(const Binary& shape, Expect expect, Run run) {
  Sequence sequence(static_cast<uint64_t>(shape.cols));
  const int64_t stride = shape.cols + shape.gap;
  const Guarded<uint8_t> a = Bytes(sequence, shape.rows * stride);
  const Guarded<uint8_t> b = Bytes(sequence, shape.rows * stride);
  Guarded<uint8_t> expected(a.size(), 77);
  for (int64_t r = 0; r < shape.rows; ++r) {
    for (int64_t c = 0; c < shape.cols; ++c) {
      const int64_t from = shape.broadcast == BroadcastU8::kScalar ? 0
                           : shape.broadcast == BroadcastU8::kRow  ? c
                                                                   : r * stride + c;
      const auto at = static_cast<size_t>(r * stride + c);
      expected[at] = QuantizeOutput(expect(a[at], b[static_cast<size_t>(from)]), shape.quantization);
    }
  }
  for (const Isa isa : SupportedIsas()) {
    INFO(IsaName(isa) << " cols " << shape.cols << " broadcast " << static_cast<int>(shape.broadcast));
    Guarded<uint8_t> output(a.size(), 77);
    BinaryU8Args args = {shape.rows, shape.cols,      a.data(),      stride, b.data(),
                         stride,     shape.broadcast, output.data(), stride, shape.quantization};
    CheckRange(shape.rows, [&](int64_t begin, int64_t end) { run(ElementwiseU8(isa), args, begin, end); });
    CHECK(output == expected);
    output = a;
    args.a = output.data();
    run(ElementwiseU8(isa), args, 0, shape.rows);
    for (int64_t r = 0; r < shape.rows; ++r) {
      CHECK(std::equal(output.begin() + r * stride, output.begin() + r * stride + shape.cols,
                       expected.begin() + r * stride));
    }
  }
}

TEST_CASE("elementwise_u8 add follows its formula") {
  for (const AddU8Coefficients k :
       {MakeAddU8(0.02f, 120, 0.013f, 9, 0.031f, 1), MakeAddU8(0.5f, 0, 3.0f, 255, 1e-9f, 1),
        MakeAddU8(0.02f, 120, 0.013f, 9, 0.031f, -1), AddU8Coefficients{0.5f, 0.5f, 0.0f}}) {
    for (const Binary& shape : Binaries()) {
      CheckBinary(
          shape,
          [&](uint8_t a, uint8_t b) {
            return std::fma(static_cast<float>(a), k.ka, std::fma(static_cast<float>(b), k.kb, k.kc));
          },
          [&](const ElementwiseU8Kernels& kernels, const BinaryU8Args& args, int64_t begin, int64_t end) {
            kernels.add(args, k, begin, end);
          });
    }
  }
}

TEST_CASE("elementwise_u8 add of equal scales is the sum of the values") {
  const AddU8Coefficients k = MakeAddU8(0.25f, 100, 0.25f, 50, 0.25f, 1);
  CHECK(k.ka == 1.0f);
  CHECK(k.kb == 1.0f);
  CHECK(k.kc == -150.0f);
  CHECK(MakeAddU8(0.25f, 100, 0.25f, 50, 0.25f, -1).kc == -50.0f);
}

TEST_CASE("elementwise_u8 mul follows its formula") {
  for (const float multiplier : {0.004f, 1e-5f, 0.5f, 1e30f}) {
    for (const Binary& shape : Binaries()) {
      CheckBinary(
          shape, [&](uint8_t a, uint8_t b) { return static_cast<float>((a - 131) * (b - 3)) * multiplier; },
          [&](const ElementwiseU8Kernels& kernels, const BinaryU8Args& args, int64_t begin, int64_t end) {
            kernels.mul(args, 131, 3, multiplier, begin, end);
          });
    }
  }
}

TEST_CASE("elementwise_u8 lookup and flip_sign take every byte of a range and no other") {
  Sequence sequence(1);
  const Guarded<uint8_t> table = Bytes(sequence, 256, Extremes::kNone);
  for (const int64_t count : kCounts) {
    const Guarded<uint8_t> input = Bytes(sequence, count);
    Guarded<uint8_t> looked_up(input.size(), 77);
    Guarded<uint8_t> flipped(input.size(), 77);
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      looked_up[i] = table[input[i]];
      flipped[i] = static_cast<uint8_t>(static_cast<int8_t>(input[i] - 128));
    }
    for (const Isa isa : SupportedIsas()) {
      INFO(IsaName(isa) << " count " << count);
      Guarded<uint8_t> output(input.size(), 77);
      CheckRange(count, [&](int64_t begin, int64_t end) {
        ElementwiseU8(isa).lookup(input.data(), table.data(), output.data(), begin, end);
      });
      CHECK(output == looked_up);
      output.assign(input.size(), 77);
      CheckRange(count, [&](int64_t begin, int64_t end) {
        ElementwiseU8(isa).flip_sign(input.data(), output.data(), begin, end);
      });
      CHECK(output == flipped);
    }
  }
}

TEST_CASE("elementwise_u8 requantization tables follow their formula") {
  for (const float multiplier : {0.5f, 1.0f, 0.37f, 1e-9f, 1e9f}) {
    for (const OutputQuantization q : {OutputQuantization{128, 0, 255}, {0, 10, 20}, {255, 0, 255}}) {
      uint8_t table[256];
      MakeRequantizeTable(77, multiplier, q, table);
      for (int u = 0; u < 256; ++u) {
        CHECK(table[u] == QuantizeOutput(static_cast<float>(u - 77) * multiplier, q));
      }
    }
  }
  uint8_t identity[256];
  MakeRequantizeTable(93, 1.0f, {93, 0, 255}, identity);
  for (int u = 0; u < 256; ++u) CHECK(identity[u] == u);
}

// Halves, so that ties occur, and everything that is not an ordinary number.
std::vector<float> FloatsToQuantize(Sequence& sequence, int64_t count) {
  const float special[] = {kNan, -kNan, kInf, -kInf, -0.0f, 1e-45f, 3e38f, -3e38f, 2147483648.0f, -2147483904.0f};
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) {
    const uint32_t kind = sequence.Next() % 4;
    v = kind == 0   ? special[sequence.Next() % 10]
        : kind == 1 ? static_cast<float>(static_cast<int>(sequence.Next() % 1200) - 600) * 0.5f
                    : sequence.Uniform(-40.0f, 40.0f);
  }
  return values;
}

TEST_CASE("elementwise_u8 quantize divides as ONNX does") {
  Sequence sequence(2);
  for (const float scale : {1.0f, 0.1f, 0.0073f, 1e-30f, 1e30f}) {
    for (const OutputQuantization q : {OutputQuantization{128, 0, 255}, {0, 0, 255}, {255, 3, 200}}) {
      for (const int64_t count : kCounts) {
        const std::vector<float> input = FloatsToQuantize(sequence, count);
        Guarded<uint8_t> expected;
        for (const float x : input) expected.push_back(QuantizeOutput(x / scale, q));
        for (const Isa isa : SupportedIsas()) {
          INFO(IsaName(isa) << " count " << count << " scale " << scale);
          Guarded<uint8_t> output(input.size(), 77);
          CheckRange(count, [&](int64_t begin, int64_t end) {
            ElementwiseU8(isa).quantize(input.data(), scale, q, output.data(), begin, end);
          });
          CHECK(output == expected);
        }
      }
    }
  }
}

TEST_CASE("elementwise_u8 dequantize multiplies by the scale") {
  Sequence sequence(3);
  for (const int32_t zero_point : {0, 128, 255}) {
    for (const int64_t count : kCounts) {
      const Guarded<uint8_t> input = Bytes(sequence, count);
      std::vector<float> expected;
      for (int64_t i = 0; i < count; ++i) {
        expected.push_back(static_cast<float>(input[static_cast<size_t>(i)] - zero_point) * 0.0371f);
      }
      for (const Isa isa : SupportedIsas()) {
        INFO(IsaName(isa) << " count " << count);
        std::vector<float> output(expected.size(), 77.0f);
        CheckRange(count, [&](int64_t begin, int64_t end) {
          ElementwiseU8(isa).dequantize(input.data(), zero_point, 0.0371f, output.data(), begin, end);
        });
        CHECK(SameFloats(output, expected));
      }
    }
  }
}

TEST_CASE("elementwise_u8 quantizes and dequantizes with a scale for each column") {
  Sequence sequence(4);
  for (const int64_t cols : {1, 5, 16, 33}) {
    constexpr int64_t kRows = 4;
    const std::vector<float> scales = sequence.Floats(cols, 0.01f, 0.5f);
    std::vector<int32_t> zero_points;
    for (int64_t c = 0; c < cols; ++c) zero_points.push_back(static_cast<int32_t>(sequence.Next() % 256));
    const std::vector<float> input = FloatsToQuantize(sequence, kRows * cols);
    Guarded<uint8_t> bytes;
    std::vector<float> floats;
    for (size_t i = 0; i < input.size(); ++i) {
      const size_t c = i % static_cast<size_t>(cols);
      bytes.push_back(QuantizeOutput(input[i] / scales[c], {zero_points[c], 0, 255}));
      floats.push_back(static_cast<float>(bytes[i] - zero_points[c]) * scales[c]);
    }
    for (const Isa isa : SupportedIsas()) {
      INFO(IsaName(isa) << " cols " << cols);
      Guarded<uint8_t> quantized(input.size(), 77);
      std::vector<float> restored(input.size(), 77.0f);
      CheckRange(kRows, [&](int64_t begin, int64_t end) {
        ElementwiseU8(isa).quantize_per_column(input.data(), cols, scales.data(), zero_points.data(), quantized.data(),
                                               begin, end);
        ElementwiseU8(isa).dequantize_per_column(bytes.data(), cols, scales.data(), zero_points.data(), restored.data(),
                                                 begin, end);
      });
      CHECK(quantized == bytes);
      CHECK(SameFloats(restored, floats));
    }
  }
}

}  // namespace
}  // namespace qlite::kernels
