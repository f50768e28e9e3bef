// Integer weights. The forms in which .qlite files store them: speed of encoding and decoding on one thread, in bytes
// of int8 (int16) elements, and size beside the elements' zeroth-order entropy. Products of a single row with weights
// that are decoded inside them, beside the float product, on one thread.
//
//   bench_weights [Google Benchmark's flags]
//
// Counters: ratio = encoded bytes / elements' bytes; over_entropy = encoded bytes / entropy - 1, tables included. The
// weights are rounded normal numbers, `sigma` steps wide. Of products: weights a second, and bytes of packed weights.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/str_cat.h"
#include "formats/qlite/encoding/weight_encoding.h"
#include "kernels/conv_coded.h"
#include "kernels/gemm_f32.h"

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

// A matrix that no cache keeps, against one row.
constexpr int64_t kInputs = 8192, kOutputs = 8192;

struct RowOfInputs {
  std::vector<float> x = std::vector<float>(kInputs, 0.5f), y = std::vector<float>(kOutputs);
};

void CountWeights(benchmark::State& state, double packed_bytes) {
  state.counters["weights"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kInputs * kOutputs), benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<double>(state.iterations()) * packed_bytes));
}

void FloatRow(benchmark::State& state, qlite::kernels::Isa isa) {
  const auto& kernels = qlite::kernels::GemmF32(isa);
  std::vector<float> packed(static_cast<size_t>(kernels.packed_floats(kInputs, kOutputs)), 0.25f);
  RowOfInputs row;
  qlite::kernels::GemmF32Args args;
  args.m = 1, args.n = args.ldc = kOutputs, args.k = args.lda = kInputs;
  args.a = row.x.data(), args.packed_b = packed.data(), args.c = row.y.data();
  for (auto _ : state) kernels.run(args, 0, kernels.units(args.m, args.n, args.k));
  CountWeights(state, static_cast<double>(packed.size() * sizeof(float)));
}

void CodedRow(benchmark::State& state, qlite::kernels::CodedForm form, qlite::kernels::Isa isa) {
  const auto& kernels = qlite::kernels::ConvCoded(isa);
  qlite::kernels::ConvCodedArgs args;
  qlite::kernels::ConvF32Geometry& geometry = args.conv.geometry;
  geometry.in_h = geometry.in_w = geometry.out_h = geometry.out_w = 1;
  geometry.in_channels = geometry.in_pixel_stride = kInputs;
  geometry.out_channels = geometry.out_pixel_stride = kOutputs;
  // Any bytes are weights; those of small floats as parameters.
  std::vector<char> packed(static_cast<size_t>(kernels.packed_bytes(geometry, form)), 0x11);
  struct alignas(64) Line {
    char bytes[64];
  };
  std::vector<Line> workspace(static_cast<size_t>(kernels.workspace_bytes(geometry)) / sizeof(Line) + 1);
  RowOfInputs row;
  args.form = form, args.packed = packed.data();
  args.conv.input = row.x.data(), args.conv.output = row.y.data();
  for (auto _ : state) kernels.run(args, workspace.data(), 0, kernels.units(geometry));
  CountWeights(state, static_cast<double>(packed.size()));
}

void RegisterRows() {
  for (const qlite::kernels::Isa isa : qlite::kernels::SupportedIsas()) {
    const std::string suffix = qlite::StrCat("/", qlite::kernels::IsaName(isa));
    benchmark::RegisterBenchmark(("row_float" + suffix).c_str(), FloatRow, isa);
    for (const qlite::kernels::CodedForm form :
         {qlite::kernels::CodedForm{8, 0, false}, qlite::kernels::CodedForm{8, 0, true},
          qlite::kernels::CodedForm{4, 32, false}, qlite::kernels::CodedForm{2, 32, false}}) {
      const std::string name = qlite::StrCat("row_coded/bits:", form.bits, "/block:", form.block_size,
                                             form.shifted ? "/shifted" : "", suffix);
      benchmark::RegisterBenchmark(name.c_str(), CodedRow, form, isa);
    }
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
  RegisterRows();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
