// Speed of the float32 product and convolution kernels, one thread, on layers of the usual classifiers, for every
// instruction set that this processor executes. FLOPS counts a fused multiply-add as two operations.
//
//   bench_kernels_f32 --benchmark_filter='avx512/.*mobilenet'
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "kernels/conv_f32.h"
#include "kernels/depthwise_f32.h"
#include "kernels/gemm_f32.h"

namespace qlite::kernels {
namespace {

constexpr size_t kAlignment = 64;

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<void, Free>;

Buffer AlignedBuffer(int64_t bytes) {
  return Buffer(std::aligned_alloc(kAlignment, (static_cast<size_t>(bytes) / kAlignment + 1) * kAlignment));
}

void CountProducts(benchmark::State& state, int64_t products) {
  state.counters["FLOPS"] =
      benchmark::Counter(2.0 * static_cast<double>(products), benchmark::Counter::kIsIterationInvariantRate);
}

struct ProductShape {
  const char* name;
  int64_t m;
  int64_t n;
  int64_t k;
};

constexpr ProductShape kProducts[] = {
    {"square_1024", 1024, 1024, 1024}, {"square_1000", 1000, 1000, 1000},    {"deep", 512, 512, 4608},
    {"classifier", 1, 1000, 1280},     {"classifier_batch4", 4, 1000, 1280}, {"vector_4096", 1, 4096, 4096},
};

void RunProduct(benchmark::State& state, Isa isa, const ProductShape& shape) {
  const GemmF32Kernels& kernels = GemmF32(isa);
  const std::vector<float> a(static_cast<size_t>(shape.m * shape.k), 0.5f);
  const std::vector<float> b(static_cast<size_t>(shape.k * shape.n), 0.25f);
  std::vector<float> c(static_cast<size_t>(shape.m * shape.n));
  const Buffer packed = AlignedBuffer(kernels.packed_floats(shape.k, shape.n) * static_cast<int64_t>(sizeof(float)));
  kernels.pack(b.data(), shape.k, shape.n, shape.n, 1, static_cast<float*>(packed.get()));
  GemmF32Args args;
  args.m = shape.m;
  args.n = shape.n;
  args.k = shape.k;
  args.a = a.data();
  args.lda = shape.k;
  args.packed_b = static_cast<float*>(packed.get());
  args.c = c.data();
  args.ldc = shape.n;
  const int64_t units = kernels.units(shape.m, shape.n, shape.k);
  for (auto _ : state) kernels.run(args, 0, units);
  CountProducts(state, shape.m * shape.n * shape.k);
}

// A layer on a square image, padded to keep its size at stride 1.
struct Layer {
  const char* name;
  int64_t size;
  int64_t in_channels;
  int64_t out_channels;
  int64_t kernel;
  int64_t stride;
  int64_t groups;
};

constexpr Layer kLayers[] = {
    {"mobilenet_v2_first", 224, 3, 32, 3, 2, 1},
    {"mobilenet_v2_depthwise_112", 112, 32, 32, 3, 1, 32},
    {"mobilenet_v2_expand_112", 112, 16, 96, 1, 1, 1},
    {"mobilenet_v2_depthwise_112_stride_2", 112, 96, 96, 3, 2, 96},
    {"mobilenet_v2_project_56", 56, 144, 24, 1, 1, 1},
    {"mobilenet_v2_depthwise_14", 14, 384, 384, 3, 1, 384},
    {"mobilenet_v2_expand_14", 14, 96, 576, 1, 1, 1},
    {"mobilenet_v2_project_7", 7, 960, 160, 1, 1, 1},
    {"squeezenet_first", 224, 3, 64, 3, 2, 1},
    {"squeezenet_expand3_55", 55, 16, 64, 3, 1, 1},
    {"squeezenet_expand3_13", 13, 64, 256, 3, 1, 1},
    {"resnet20_first", 32, 3, 16, 3, 1, 1},
    {"resnet20_32", 32, 16, 16, 3, 1, 1},
    {"resnet20_16", 16, 32, 32, 3, 1, 1},
    {"resnet20_8", 8, 64, 64, 3, 1, 1},
    {"resnet50_first", 224, 3, 64, 7, 2, 1},
    {"resnet50_56", 56, 64, 64, 3, 1, 1},
    {"resnet50_7", 7, 512, 512, 3, 1, 1},
    {"resnext50_28", 28, 256, 256, 3, 1, 32},
    {"mnasnet_depthwise5_28", 28, 240, 240, 5, 1, 240},
};

ConvF32Geometry Geometry(const Layer& layer) {
  ConvF32Geometry g;
  const int64_t pad = (layer.kernel - 1) / 2;
  g.in_h = g.in_w = layer.size;
  g.in_channels = g.in_pixel_stride = layer.in_channels;
  g.out_channels = g.out_pixel_stride = layer.out_channels;
  g.out_h = g.out_w = (layer.size + 2 * pad - layer.kernel) / layer.stride + 1;
  g.groups = layer.groups;
  g.kernel_h = g.kernel_w = layer.kernel;
  g.stride_h = g.stride_w = layer.stride;
  g.pad_top = g.pad_left = pad;
  return g;
}

template <typename Kernels>
void RunLayer(benchmark::State& state, const Kernels& kernels, const Layer& layer) {
  const ConvF32Geometry g = Geometry(layer);
  const int64_t depth = g.in_channels / g.groups * g.kernel_h * g.kernel_w;
  const std::vector<float> weights(static_cast<size_t>(g.out_channels * depth), 0.01f);
  const std::vector<float> bias(static_cast<size_t>(g.out_channels), 1.0f);
  const std::vector<float> input(static_cast<size_t>(g.in_h * g.in_w * g.in_pixel_stride), 0.5f);
  std::vector<float> output(static_cast<size_t>(g.out_h * g.out_w * g.out_pixel_stride));
  const Buffer packed = AlignedBuffer(kernels.packed_floats(g) * static_cast<int64_t>(sizeof(float)));
  const Buffer workspace = AlignedBuffer(kernels.workspace_bytes(g));
  kernels.pack(g, weights.data(), static_cast<float*>(packed.get()));
  ConvF32Args args;
  args.geometry = g;
  args.input = input.data();
  args.packed_weights = static_cast<float*>(packed.get());
  args.bias = bias.data();
  args.output = output.data();
  args.act_min = 0.0f;
  const int64_t units = kernels.units(g);
  for (auto _ : state) kernels.run(args, workspace.get(), 0, units);
  CountProducts(state, g.out_h * g.out_w * g.out_channels * depth);
}

void RegisterAll() {
  for (const Isa isa : SupportedIsas()) {
    const std::string prefix = std::string(IsaName(isa)) + "/";
    for (const ProductShape& shape : kProducts) {
      benchmark::RegisterBenchmark((prefix + "gemm/" + shape.name).c_str(),
                                   [isa, &shape](benchmark::State& state) { RunProduct(state, isa, shape); });
    }
    for (const Layer& layer : kLayers) {
      benchmark::RegisterBenchmark((prefix + "conv/" + layer.name).c_str(), [isa, &layer](benchmark::State& state) {
        if (IsDepthwise(Geometry(layer))) {
          RunLayer(state, DepthwiseF32(isa), layer);
        } else {
          RunLayer(state, ConvF32(isa), layer);
        }
      });
    }
  }
}

}  // namespace
}  // namespace qlite::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  qlite::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
