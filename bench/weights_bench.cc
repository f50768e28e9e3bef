// The forms in which .qlite files store integer weights: speed of encoding and decoding on one thread, in bytes of int8
// (int16) elements, and size beside the elements' zeroth-order entropy.
//
//   bench_weights [Google Benchmark's flags]
//
// Counters: ratio = encoded bytes / elements' bytes; over_entropy = encoded bytes / entropy - 1, tables included. The
// weights are rounded normal numbers, `sigma` steps wide.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/str_cat.h"
#include "formats/qlite/encoding/weight_encoding.h"

namespace {

using qlite::EncodedWeights;
using qlite::Tensor;
using qlite::WeightForm;

constexpr int64_t kElements = 1 << 22;

template <class T>
Tensor NormalWeights(int bits, double sigma) {
  std::mt19937 generator(1);
  std::normal_distribution<double> normal(0, sigma);
  const double limit = std::ldexp(1.0, bits - 1) - 1;
  std::vector<T> values(kElements);
  for (T& value : values) value = static_cast<T>(std::clamp(std::nearbyint(normal(generator)), -limit, limit));
  return Tensor::Of<T>({kElements}, std::move(values));
}

template <class T>
double EntropyBytes(const Tensor& weights) {
  std::map<T, double> counts;
  for (const T value : weights.data<T>()) ++counts[value];
  double bits = 0;
  for (const auto& [value, count] : counts) bits += count * std::log2(kElements / count);
  return bits / 8;
}

const qlite::QuantParams kParams = qlite::QuantParams::PerTensor(1.0f, 0);

template <class T>
void Encode(benchmark::State& state, WeightForm form, int bits, double sigma) {
  const Tensor weights = NormalWeights<T>(bits, sigma);
  EncodedWeights encoded;
  for (auto _ : state) encoded = EncodeWeightsAs(form, weights, kParams);
  const auto bytes = static_cast<double>(weights.buffer().size), size = static_cast<double>(encoded.bytes.size());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * weights.buffer().size));
  state.counters["ratio"] = size / bytes;
  state.counters["over_entropy"] = size / EntropyBytes<T>(weights) - 1;
}

template <class T>
void Decode(benchmark::State& state, WeightForm form, int bits, double sigma, qlite::kernels::Isa isa) {
  const Tensor weights = NormalWeights<T>(bits, sigma);
  const EncodedWeights encoded = EncodeWeightsAs(form, weights, kParams);
  for (auto _ : state) {
    const auto decoded = DecodeWeights(encoded.encoding, encoded.bytes, weights.type(), kElements, nullptr, isa);
    if (!decoded.ok()) state.SkipWithError("the weights cannot be decoded");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * weights.buffer().size));
}

template <class T>
void Register(const std::string& name, WeightForm form, int bits, double sigma) {
  const std::string what = qlite::StrCat(name, "/bits:", bits, "/sigma:", sigma);
  benchmark::RegisterBenchmark(qlite::StrCat("encode_", what).c_str(), Encode<T>, form, bits, sigma);
  for (const qlite::kernels::Isa isa : qlite::kernels::SupportedIsas()) {
    const bool has_kernels = form == WeightForm::kEntropy;
    if (!has_kernels && isa != qlite::kernels::Isa::kGeneric) continue;
    const std::string suffix = has_kernels ? qlite::StrCat("/", qlite::kernels::IsaName(isa)) : "";
    benchmark::RegisterBenchmark(qlite::StrCat("decode_", what, suffix).c_str(), Decode<T>, form, bits, sigma, isa);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Register<int8_t>("packed", WeightForm::kPacked, 4, 2);
  Register<int8_t>("packed", WeightForm::kPacked, 7, 10);
  Register<int8_t>("entropy", WeightForm::kEntropy, 4, 2);
  Register<int8_t>("entropy", WeightForm::kEntropy, 8, 10);
  Register<int8_t>("entropy", WeightForm::kEntropy, 8, 25);
  Register<int16_t>("packed", WeightForm::kPacked, 12, 400);
  Register<int16_t>("entropy", WeightForm::kEntropy, 12, 400);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
