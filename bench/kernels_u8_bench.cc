// Speed of the int8 kernels, one thread, on layers of the usual classifiers, for every instruction set that this
// processor executes. OPS counts a multiply-add as two operations.
//
//   bench_kernels_u8 --benchmark_filter='avx512vnni/.*mobilenet'
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "kernels/conv_u8s8.h"
#include "kernels/depthwise_u8s8.h"
#include "kernels/gemm_u8s8.h"

namespace qlite::kernels {
namespace {

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<void, Free>;

Buffer AlignedBuffer(size_t bytes) {
  return Buffer(std::aligned_alloc(kPackedAlignment, (bytes / kPackedAlignment + 1) * kPackedAlignment));
}

std::vector<uint8_t> Activations(int64_t count) {
  std::vector<uint8_t> values(static_cast<size_t>(count) + kReadSlackBytes);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(i * 37);
  return values;
}

std::vector<int8_t> Weights(int64_t count) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int8_t>(i * 91);
  return values;
}

void CountProducts(benchmark::State& state, int64_t products) {
  state.counters["OPS"] =
      benchmark::Counter(2.0 * static_cast<double>(products), benchmark::Counter::kIsIterationInvariantRate);
}

struct ProductShape {
  const char* name;
  int64_t m, n, k;
};

constexpr ProductShape kProducts[] = {
    {"square_1024", 1024, 1024, 1024},
    {"square_1000", 1000, 1000, 1000},
    {"deep", 512, 512, 4608},
    {"classifier", 1, 1000, 1280},
    {"vector_4096", 1, 4096, 4096},
    {"mobilenet_expand_16_96", 12544, 96, 16},
    {"mobilenet_project_96_24", 3136, 24, 96},
    {"mobilenet_expand_24_144", 3136, 144, 24},
    {"mobilenet_project_384_64", 196, 64, 384},
    {"mobilenet_expand_64_384", 196, 384, 64},
    {"mobilenet_project_960_160", 49, 160, 960},
    {"mobilenet_last", 49, 1280, 320},
};

void RunProduct(benchmark::State& state, Isa isa, const ProductShape& shape) {
  const GemmU8S8Kernels& kernels = GemmU8S8(isa);
  const std::vector<uint8_t> a = Activations(shape.m * shape.k);
  const std::vector<int8_t> b = Weights(shape.n * shape.k);
  const std::vector<float> multipliers(static_cast<size_t>(shape.n), 1e-4f);
  std::vector<uint8_t> c(static_cast<size_t>(shape.m * shape.n));
  GemmU8S8Weights weights;
  weights.k = shape.k;
  weights.n = shape.n;
  weights.data = b.data();
  weights.stride_k = 1;
  weights.stride_n = shape.k;
  weights.multipliers = multipliers.data();
  weights.input_zero_point = 128;
  const Buffer packed = AlignedBuffer(kernels.packed_bytes(shape.k, shape.n));
  kernels.pack(weights, packed.get());
  GemmU8S8Args args;
  args.m = shape.m;
  args.n = shape.n;
  args.k = shape.k;
  args.a = a.data();
  args.lda = shape.k;
  args.packed = packed.get();
  args.c = c.data();
  args.ldc = shape.n;
  args.output.zero_point = 128;
  const Buffer workspace = AlignedBuffer(kernels.workspace_bytes(args));
  for (auto _ : state) {
    kernels.run(args, 0, kernels.units(args), workspace.get());
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  CountProducts(state, shape.m * shape.n * shape.k);
}

struct ImageShape {
  const char* name;
  int64_t in_c, size, out_c, kernel, stride;
};

constexpr ImageShape kConvolutions[] = {
    {"mobilenet_first", 3, 224, 32, 3, 2},
    {"resnet50_first", 3, 224, 64, 7, 2},
    {"squeezenet_first", 3, 227, 64, 3, 2},
    {"squeezenet_expand_16_64", 16, 55, 64, 3, 1},
    {"squeezenet_expand_64_256", 64, 13, 256, 3, 1},
    {"resnet20_16", 16, 32, 16, 3, 1},
    {"resnet20_16_32", 16, 32, 32, 3, 2},
    {"resnet20_32", 32, 16, 32, 3, 1},
    {"resnet20_64", 64, 8, 64, 3, 1},
    {"resnet50_64", 64, 56, 64, 3, 1},
    {"resnet50_512", 512, 7, 512, 3, 1},
};

constexpr ImageShape kDepthwise[] = {
    {"mobilenet_32_112", 32, 112, 32, 3, 1},     {"mobilenet_96_112_s2", 96, 112, 96, 3, 2},
    {"mobilenet_144_56", 144, 56, 144, 3, 1},    {"mobilenet_384_14", 384, 14, 384, 3, 1},
    {"mobilenet_576_14_s2", 576, 14, 576, 3, 2}, {"mobilenet_960_7", 960, 7, 960, 3, 1},
    {"k5_240_14", 240, 14, 240, 5, 1},           {"k5_240_28_s2", 240, 28, 240, 5, 2},
};

ConvGeometry Geometry(const ImageShape& shape) {
  ConvGeometry g;
  g.in_h = g.in_w = shape.size;
  g.in_c = g.in_pixel_stride = shape.in_c;
  g.out_c = g.out_pixel_stride = shape.out_c;
  g.kernel_h = g.kernel_w = shape.kernel;
  g.stride_h = g.stride_w = shape.stride;
  g.pad_top = g.pad_left = shape.kernel / 2;
  g.out_h = g.out_w = (shape.size + 2 * (shape.kernel / 2) - shape.kernel) / shape.stride + 1;
  return g;
}

// Runs `args` of a convolution or a depthwise convolution with whatever `weights` says about its weights.
template <class Kernels, class PackWeights, class Args>
void RunImage(benchmark::State& state, const Kernels& kernels, PackWeights weights, Args args, int64_t products) {
  const ConvGeometry& g = args.geometry;
  const std::vector<uint8_t> input = Activations(g.in_h * g.in_w * g.in_c);
  const std::vector<int8_t> data = Weights(g.out_c * g.in_c * g.kernel_h * g.kernel_w);
  const std::vector<float> multipliers(static_cast<size_t>(g.out_c), 1e-3f);
  std::vector<uint8_t> output(static_cast<size_t>(g.out_h * g.out_w * g.out_c));
  weights.data = data.data();
  weights.multipliers = multipliers.data();
  weights.input_zero_point = args.input_zero_point = 128;
  const Buffer packed = AlignedBuffer(kernels.packed_bytes(weights));
  kernels.pack(weights, packed.get());
  args.input = input.data();
  args.packed = packed.get();
  args.output = output.data();
  args.quantization.zero_point = 128;
  const Buffer workspace = AlignedBuffer(kernels.workspace_bytes(args));
  for (auto _ : state) {
    kernels.run(args, 0, kernels.units(args), workspace.get());
    benchmark::DoNotOptimize(output.data());
    benchmark::ClobberMemory();
  }
  CountProducts(state, products);
}

void RunConvolution(benchmark::State& state, Isa isa, const ImageShape& shape) {
  ConvU8S8Args args;
  args.geometry = Geometry(shape);
  ConvU8S8Weights weights;
  weights.in_c = shape.in_c;
  weights.out_c = shape.out_c;
  weights.kernel_h = weights.kernel_w = shape.kernel;
  const int64_t pixels = args.geometry.out_h * args.geometry.out_w;
  RunImage(state, ConvU8S8(isa), weights, args, pixels * shape.out_c * shape.in_c * shape.kernel * shape.kernel);
}

void RunDepthwise(benchmark::State& state, Isa isa, const ImageShape& shape) {
  DepthwiseU8S8Args args;
  args.geometry = Geometry(shape);
  args.geometry.groups = shape.in_c;
  DepthwiseU8S8Weights weights;
  weights.channels = shape.in_c;
  weights.kernel_h = weights.kernel_w = shape.kernel;
  const int64_t pixels = args.geometry.out_h * args.geometry.out_w;
  RunImage(state, DepthwiseU8S8(isa), weights, args, pixels * shape.out_c * shape.kernel * shape.kernel);
}

void RegisterAll() {
  for (const Isa isa : SupportedIsas()) {
    const std::string prefix = std::string(IsaName(isa)) + "/";
    for (const ProductShape& shape : kProducts) {
      benchmark::RegisterBenchmark((prefix + "gemm/" + shape.name).c_str(), RunProduct, isa, shape);
    }
    for (const ImageShape& shape : kConvolutions) {
      benchmark::RegisterBenchmark((prefix + "conv/" + shape.name).c_str(), RunConvolution, isa, shape);
    }
    for (const ImageShape& shape : kDepthwise) {
      benchmark::RegisterBenchmark((prefix + "depthwise/" + shape.name).c_str(), RunDepthwise, isa, shape);
    }
  }
}

}  // namespace
}  // namespace qlite::kernels

int main(int argc, char** argv) {
  qlite::kernels::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
