#include "core/dequantize.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "core/quant_runs.h"

namespace qlite {
namespace {

// The number of the pair that element `index` has, from its position alone.
int64_t PairOf(int64_t index, const std::vector<int64_t>& dims, int64_t axis, int64_t block_size) {
  if (axis < 0) return 0;
  int64_t inner = 1, blocks = dims[static_cast<size_t>(axis)];
  for (size_t i = static_cast<size_t>(axis) + 1; i < dims.size(); ++i) inner *= dims[i];
  const int64_t position = index / inner % dims[static_cast<size_t>(axis)];
  if (block_size == 0) return position;
  blocks = (blocks + block_size - 1) / block_size;
  const int64_t outer = index / inner / dims[static_cast<size_t>(axis)];
  return (outer * blocks + position / block_size) * inner + index % inner;
}

struct Case {
  std::vector<int64_t> dims;
  int64_t axis = -1, block_size = 0;
};

Case RandomCase(std::mt19937& random) {
  const auto number = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  Case c;
  c.dims.resize(static_cast<size_t>(number(1, 4)));
  for (int64_t& dim : c.dims) dim = number(0, 20) == 0 ? 0 : number(1, 6);
  c.axis = number(-1, static_cast<int64_t>(c.dims.size()) - 1);
  if (c.axis >= 0) c.block_size = number(0, 4);
  return c;
}

int64_t CountOf(const std::vector<int64_t>& dims) { return *ElementCount(dims); }

TEST_CASE("runs meet every element of a range of pairs once, with its pair") {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    const Case c = RandomCase(random);
    INFO(c.dims.size() << " dims, axis " << c.axis << ", blocks of " << c.block_size);
    const QuantRuns runs(c.dims, c.axis, c.block_size);
    const int64_t count = CountOf(c.dims);
    std::vector<int64_t> found(static_cast<size_t>(count), -1);
    const int64_t cut = runs.params() / 3;
    for (const auto& [first, last] : {std::pair<int64_t, int64_t>{0, cut}, {cut, runs.params()}}) {
      runs.ForEach(first, last, [&](const QuantRun& run) {
        for (int64_t i = 0; i < run.count; ++i) {
          int64_t& pair = found[static_cast<size_t>(run.begin + i)];
          REQUIRE(pair == -1);
          pair = run.param + (run.shared ? 0 : i);
          REQUIRE(pair >= first);
          REQUIRE(pair < last);
        }
      });
    }
    for (int64_t i = 0; i < count; ++i) {
      REQUIRE(found[static_cast<size_t>(i)] == PairOf(i, c.dims, c.axis, c.block_size));
    }
  }
}

template <class T>
void CheckDecoded(std::mt19937& random, int bits) {
  const auto number = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  const Case c = RandomCase(random);
  QuantParams params;
  params.bits = bits;
  params.axis = c.axis, params.block_size = c.block_size;
  const auto pairs = static_cast<size_t>(QuantRuns(c.dims, c.axis, c.block_size).params());
  const int64_t corrected = number(0, 3);
  for (size_t p = 0; p < pairs; ++p) {
    params.scales.push_back(static_cast<float>(number(1, 9999)) * 1e-4f);
    params.zero_points.push_back(static_cast<int32_t>(number(params.qmin(), params.qmax())));
    if (corrected % 2 == 1) params.variance_ratios.push_back(static_cast<float>(number(1, 999)) * 1e-2f);
    if (corrected / 2 == 1) params.mean_shifts.push_back(static_cast<float>(number(-999, 999)) * 1e-2f);
  }
  std::vector<T> integers(static_cast<size_t>(CountOf(c.dims)));
  for (T& q : integers) q = static_cast<T>(number(params.qmin(), params.qmax()));
  const absl::StatusOr<Tensor> decoded = Dequantize(Tensor::Of<T>(c.dims, integers), params);
  REQUIRE(decoded.ok());
  REQUIRE(decoded->dims() == c.dims);
  const auto real = decoded->template data<float>();
  for (size_t i = 0; i < integers.size(); ++i) {
    const auto p = static_cast<size_t>(PairOf(static_cast<int64_t>(i), c.dims, c.axis, c.block_size));
    const auto steps = static_cast<float>(int64_t{integers[i]} - params.zero_points[p]);
    float expected = params.variance_ratios.empty() ? steps * params.scales[p]
                                                    : steps * (params.scales[p] * params.variance_ratios[p]);
    if (!params.mean_shifts.empty()) expected += params.mean_shifts[p];
    REQUIRE(real[i] == expected);
  }
}

TEST_CASE("decoding is (q - zero) * factor + shift") {
  std::mt19937 random(6);
  for (int round = 0; round < 100; ++round) {
    CheckDecoded<int8_t>(random, 1 + round % 8);
    CheckDecoded<int16_t>(random, 9 + round % 8);
    CheckDecoded<int32_t>(random, 32);
  }
}

TEST_CASE("what holds no integers is not decoded") {
  CHECK(Dequantize(Tensor::Of<float>({1}, {1.0f}), QuantParams::PerTensor(1, 0)).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace qlite
