#include "kernels/gemm_f32.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/f32_product_reference.h"

namespace qlite::kernels {
namespace {

using testing::ForEachSplit;
using testing::kSplits;
using testing::kUntouched;
using testing::RandomFloats;
using testing::ReferenceClamp;
using testing::SameBits;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Product {
  GemmF32Args args;
  std::vector<float> a;
  std::vector<float> b;  // [k, n], dense
  std::vector<float> bias;
  std::vector<float> residual;
};

// `features`: bit 0 gives a bias, bit 1 a residual, bit 2 a clamp, bit 3 gaps between the rows.
Product MakeProduct(int64_t m, int64_t n, int64_t k, int features) {
  const int64_t gap = features & 8 ? 5 : 0;
  Product product;
  product.a = RandomFloats(m * (k + gap), 1);
  product.b = RandomFloats(k * n, 2);
  product.bias = RandomFloats(n, 3);
  product.residual = RandomFloats(m * (n + gap), 4);
  GemmF32Args& args = product.args;
  args.m = m;
  args.n = n;
  args.k = k;
  args.a = product.a.data();
  args.lda = k + gap;
  args.ldc = n + gap;
  args.ldr = n + gap;
  if (features & 1) args.bias = product.bias.data();
  if (features & 2) args.residual = product.residual.data();
  if (features & 4) {
    args.act_min = 0.0f;
    args.act_max = 0.75f;
  }
  return product;
}

std::vector<float> Reference(const Product& product) {
  const GemmF32Args& args = product.args;
  std::vector<float> c(static_cast<size_t>(args.m * args.ldc), kUntouched);
  for (int64_t i = 0; i < args.m; ++i) {
    for (int64_t j = 0; j < args.n; ++j) {
      float sum = args.bias ? args.bias[j] : 0.0f;
      for (int64_t l = 0; l < args.k; ++l) sum = std::fma(args.a[i * args.lda + l], product.b[l * args.n + j], sum);
      if (args.residual) sum += args.residual[i * args.ldr + j];
      c[static_cast<size_t>(i * args.ldc + j)] = ReferenceClamp(sum, args.act_min, args.act_max);
    }
  }
  return c;
}

std::vector<float> Packed(Isa isa, const Product& product) {
  const GemmF32Args& args = product.args;
  std::vector<float> packed(static_cast<size_t>(GemmF32(isa).packed_floats(args.k, args.n)));
  GemmF32(isa).pack(product.b.data(), args.k, args.n, args.n, 1, packed.data());
  return packed;
}

std::vector<float> Compute(Isa isa, const Product& product, int split) {
  const std::vector<float> packed = Packed(isa, product);
  GemmF32Args args = product.args;
  std::vector<float> c(static_cast<size_t>(args.m * args.ldc), kUntouched);
  args.packed_b = packed.data();
  args.c = c.data();
  ForEachSplit(GemmF32(isa).units(args.m, args.n, args.k), split,
               [&](int64_t begin, int64_t end) { GemmF32(isa).run(args, begin, end); });
  return c;
}

void Check(int64_t m, int64_t n, int64_t k, int features) {
  const Product product = MakeProduct(m, n, k, features);
  const std::vector<float> expected = Reference(product);
  for (const Isa isa : SupportedIsas()) {
    for (int split = 0; split < kSplits; ++split) {
      INFO(std::string(IsaName(isa)) << " " << m << "x" << n << "x" << k << " features " << features << " split "
                                     << split);
      CHECK(SameBits(Compute(isa, product, split), expected));
    }
  }
}

TEST_CASE("gemm_f32 gives the bits of the ordered fused sum around every tile size") {
  int features = 0;
  for (const int64_t m : {0, 1, 2, 5, 6, 7, 11, 12, 13, 25}) {
    for (const int64_t n : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 67}) {
      for (const int64_t k : {0, 1, 2, 19}) Check(m, n, k, features++ % 16);
    }
  }
}

// A product and a sum that are rounded apart, or through double, miss some of these: ties that the smallest summand
// breaks, subnormal results, cancellation, overflow, infinities.
TEST_CASE("gemm_f32 gives the same bits where half of the last vector is empty") {
  int features = 0;
  for (const int64_t m : {6, 9, 11, 14, 27}) {
    for (const int64_t n : {17, 24, 25, 36, 40, 49, 56, 88, 104}) {
      for (const int64_t k : {3, 20, 401, 801}) Check(m, n, k, features++ % 16);
    }
  }
}

TEST_CASE("gemm_f32 rounds once where it is hardest") {
  const std::vector<float> factors = {
      0.0f,      -0.0f,    1.0f,       -3.0f,     0x1.001p+0f, 0x1.000002p+0f,   0x1.fffffep-1f,
      0x1p-149f, 0x1p-75f, 0x1.8p-74f, -0x1p-63f, 0x1p+64f,    0x1.fffffep+127f, kInfinity};
  const std::vector<float> summands = {
      0.0f,     -0.0f,     0x1p-149f,    -0x1p-149f, 0x1p-126f,         -0x1.fffffcp-127f, 0x1p-80f,  -1.0f,
      0x1p-24f, -0x1p-25f, -0x1.002p+0f, 0x1p+24f,   -0x1.fffffep+127f, 0x1p+103f,         -kInfinity};
  Product product;
  product.a = factors;
  for (const float b : factors) {
    for (const float c : summands) {
      product.b.push_back(b);
      product.bias.push_back(c);
    }
  }
  GemmF32Args& args = product.args;
  args.m = static_cast<int64_t>(factors.size());
  args.n = args.ldc = static_cast<int64_t>(product.b.size());
  args.k = args.lda = 1;
  args.a = product.a.data();
  args.bias = product.bias.data();
  const std::vector<float> expected = Reference(product);
  for (const Isa isa : SupportedIsas()) {
    INFO(std::string(IsaName(isa)));
    CHECK(SameBits(Compute(isa, product, 0), expected));
  }
}

TEST_CASE("gemm_f32 passes the sums of a depth block on exactly") {
  int features = 0;
  for (const int64_t k : {255, 256, 257, 513, 1031}) {
    for (const int64_t m : {1, 13, 97}) {
      for (const int64_t n : {16, 37}) Check(m, n, k, features++ % 16);
    }
  }
  // So many rows that panels take turns with the blocks.
  Check(97, 70, 1400, 7);
}

TEST_CASE("gemm_f32 computes a single row over many panels") {
  for (const int64_t n : {127, 128, 129, 131, 256, 521}) {
    for (int features = 0; features < 16; ++features) Check(1, n, 300, features);
  }
}

TEST_CASE("gemm_f32 divides large products into many units") {
  for (const Isa isa : SupportedIsas()) {
    CHECK(GemmF32(isa).units(0, 5, 5) == 0);
    CHECK(GemmF32(isa).units(5, 0, 5) == 0);
    CHECK(GemmF32(isa).units(5, 5, 0) == 1);
    CHECK(GemmF32(isa).units(1, 4096, 4096) >= 16);
    CHECK(GemmF32(isa).units(1 << 16, 16, 144) >= 16);
    CHECK(GemmF32(isa).units(49, 64, 4608) >= 8);
  }
  Check(300, 70, 200, 15);
  Check(49, 320, 96, 15);
  Check(1000, 9, 40, 15);
}

TEST_CASE("gemm_f32 packs a transposed matrix to the same floats") {
  const Product product = MakeProduct(1, 37, 21, 0);
  std::vector<float> transposed(37 * 21);
  for (size_t i = 0; i < 21; ++i) {
    for (size_t j = 0; j < 37; ++j) transposed[j * 21 + i] = product.b[i * 37 + j];
  }
  for (const Isa isa : SupportedIsas()) {
    const std::vector<float> expected = Packed(isa, product);
    std::vector<float> packed(expected.size());
    GemmF32(isa).pack(transposed.data(), 21, 37, 1, 21, packed.data());
    CHECK(SameBits(packed, expected));
  }
}

TEST_CASE("gemm_f32 clamps on either side alone") {
  Product product = MakeProduct(14, 35, 6, 1);
  product.a[0] = std::numeric_limits<float>::quiet_NaN();
  for (const auto& [low, high] : {std::pair(-kInfinity, 0.25f), std::pair(0.25f, kInfinity)}) {
    product.args.act_min = low;
    product.args.act_max = high;
    const std::vector<float> expected = Reference(product);
    for (const Isa isa : SupportedIsas()) CHECK(SameBits(Compute(isa, product, 0), expected));
  }
}

TEST_CASE("gemm_f32 keeps NaN, infinities and the sign of zero alike everywhere") {
  Product product = MakeProduct(14, 35, 6, 4);
  product.a[0] = std::numeric_limits<float>::quiet_NaN();
  product.a[6] = kInfinity;
  product.a[12] = -kInfinity;
  for (size_t l = 18; l < 24; ++l) product.a[l] = -0.0f;
  for (size_t j = 0; j < 35; ++j) product.bias[j] = -0.0f;
  product.args.bias = product.bias.data();
  const std::vector<float> expected = Reference(product);
  REQUIRE(std::isnan(expected[0]));
  for (const Isa isa : SupportedIsas()) CHECK(SameBits(Compute(isa, product, 0), expected));
}

}  // namespace
}  // namespace qlite::kernels
