#include "kernels/gemm_u8s8.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/u8_test_util.h"

namespace qlite::kernels {
namespace {

struct Product {
  int64_t m, n, k;
  int64_t lda, ldc;
  bool n_major = false;
  bool with_bias = true;
  bool float_output = false;
  int64_t piece = 1 << 30;
  Extremes extremes = Extremes::kSome;
  OutputQuantization output{121, 0, 255};
  int32_t input_zero_point = 131;
};

// Everything that one product reads, and what it must give.
struct Case {
  explicit Case(const Product& p) : product(p) {
    Sequence sequence(static_cast<uint64_t>(p.m * 10007 + p.n * 101 + p.k));
    a = Bytes(sequence, p.m * p.lda, p.extremes);
    b = Weights(sequence, p.n * p.k, p.extremes);
    bias = Biases(sequence, p.n);
    multipliers = Multipliers(sequence, p.n, p.k);
    expected.assign(static_cast<size_t>(p.m * p.ldc), 77);
    expected_float.assign(static_cast<size_t>(p.m * p.ldc), 77.0f);
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        int64_t sum = p.with_bias ? bias[static_cast<size_t>(j)] : 0;
        for (int64_t l = 0; l < p.k; ++l) {
          sum += (a[static_cast<size_t>(i * p.lda + l)] - p.input_zero_point) * b[static_cast<size_t>(Index(j, l))];
        }
        const float m = multipliers[static_cast<size_t>(j)];
        expected[static_cast<size_t>(i * p.ldc + j)] = Requantize(sum, m, p.output);
        expected_float[static_cast<size_t>(i * p.ldc + j)] = static_cast<float>(static_cast<int32_t>(sum)) * m;
      }
    }
  }
  int64_t Index(int64_t n, int64_t k) const { return product.n_major ? n * product.k + k : k * product.n + n; }

  Product product;
  Guarded<uint8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> bias;
  std::vector<float> multipliers;
  Guarded<uint8_t> expected;
  Guarded<float> expected_float;
};

AlignedBytes Pack(const GemmU8S8Kernels& kernels, const Case& c) {
  const Product& p = c.product;
  GemmU8S8Weights weights;
  weights.k = p.k;
  weights.n = p.n;
  weights.data = c.b.data();
  weights.stride_k = p.n_major ? 1 : p.n;
  weights.stride_n = p.n_major ? p.k : 1;
  weights.bias = p.with_bias ? c.bias.data() : nullptr;
  weights.multipliers = c.multipliers.data();
  weights.input_zero_point = p.input_zero_point;
  AlignedBytes packed(kernels.packed_bytes(p.k, p.n));
  kernels.pack(weights, packed.get());
  return packed;
}

void Check(const Product& p) {
  const Case c(p);
  for (const Isa isa : SupportedIsas()) {
    INFO(IsaName(isa) << " m " << p.m << " n " << p.n << " k " << p.k << " piece " << p.piece);
    const GemmU8S8Kernels& kernels = GemmU8S8(isa);
    AlignedBytes packed = Pack(kernels, c);
    Guarded<uint8_t> output(c.expected.size(), 77);
    Guarded<float> output_float(c.expected.size(), 77.0f);
    GemmU8S8Args args;
    args.m = p.m;
    args.n = p.n;
    args.k = p.k;
    args.a = c.a.data();
    args.lda = p.lda;
    args.packed = packed.get();
    if (p.float_output) {
      args.c_float = output_float.data();
    } else {
      args.c = output.data();
    }
    args.ldc = p.ldc;
    args.output = p.output;
    RunInPieces(kernels.units(args), p.piece, kernels.workspace_bytes(args),
                [&](int64_t begin, int64_t end, void* workspace) { kernels.run(args, begin, end, workspace); });
    if (p.float_output) {
      CHECK(SameFloats(output_float, c.expected_float));
    } else {
      CHECK(output == c.expected);
    }
  }
}

Product Dense(int64_t m, int64_t n, int64_t k) { return {m, n, k, k, n}; }

TEST_CASE("gemm_u8s8 is exact around the sizes of its tiles") {
  for (const int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 29, 57}) {
    for (const int64_t n : {0, 1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 61}) {
      for (const int64_t k : {0, 1, 2, 3, 4, 5, 17}) Check(Dense(m, n, k));
    }
  }
}

TEST_CASE("gemm_u8s8 is exact around the sizes of a matrix unit's tiles") {
  for (const int64_t m : {13, 16, 31, 32, 33, 48, 49, 65, 95}) {
    for (const int64_t n : {1, 16, 17, 32, 33, 65}) {
      for (const int64_t k : {31, 64, 65, 129, 260}) Check(Dense(m, n, k));
    }
  }
  Product p = {50, 40, 70, 100, 90};
  for (const bool float_output : {false, true}) {
    for (const int64_t piece : {1, 2, 1000}) {
      p.float_output = float_output;
      p.piece = piece;
      Check(p);
    }
  }
}

TEST_CASE("gemm_u8s8 is exact for long reductions of extreme values") {
  for (const Extremes extremes : {Extremes::kNone, Extremes::kAll}) {
    for (const int64_t k : {63, 64, 257, 4099}) {
      Product p = Dense(15, 33, k);
      p.extremes = extremes;
      Check(p);
    }
  }
}

TEST_CASE("gemm_u8s8 keeps to rows, strides and orders") {
  Product p = {23, 37, 19, 50, 64};
  Check(p);
  p.n_major = true;
  Check(p);
  p.with_bias = false;
  Check(p);
  p.float_output = true;
  Check(p);
}

TEST_CASE("gemm_u8s8 gives floats") {
  for (const int64_t m : {5, 57}) {
    for (const int64_t n : {1, 8, 16, 17, 32, 40}) {
      Product p = Dense(m, n, 30);
      p.float_output = true;
      Check(p);
    }
  }
}

TEST_CASE("gemm_u8s8 does not depend on how its units are split") {
  for (const int64_t piece : {1, 2, 3, 7, 1000}) {
    Product p = Dense(301, 70, 66);
    p.piece = piece;
    Check(p);
    p = Dense(1, 700, 131);
    p.piece = piece;
    Check(p);
  }
}

TEST_CASE("gemm_u8s8 blocks large products") {
  Check(Dense(130, 40, 1100));
  Check(Dense(9, 50, 20000));
}

TEST_CASE("gemm_u8s8 clamps to the bounds of an activation") {
  for (const int32_t zero_point : {0, 1, 128, 255}) {
    Product p = Dense(14, 32, 40);
    p.output = {zero_point, 30, 200};
    Check(p);
    p.output = {zero_point, 128, 128};
    Check(p);
    p.output = {zero_point, 0, 255};
    p.input_zero_point = zero_point;
    Check(p);
  }
}

}  // namespace
}  // namespace qlite::kernels
