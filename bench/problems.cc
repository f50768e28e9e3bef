#include "problems.h"

#include <cstddef>
#include <memory>

#include "core/aligned_memory.h"
#include "kernels/conv_f32.h"
#include "kernels/conv_u8s8.h"
#include "kernels/depthwise_f32.h"
#include "kernels/depthwise_u8s8.h"
#include "kernels/gemm_f32.h"
#include "kernels/gemm_u8s8.h"
#include "kernels/winograd_f32.h"

namespace qlite::kernels {
namespace {

constexpr Product kProducts[] = {
    {"square_1024", 1024, 1024, 1024},       {"square_256", 256, 256, 256},
    {"square_1000", 1000, 1000, 1000},       {"im2col_56", 3136, 64, 576},
    {"im2col_14", 196, 256, 2304},           {"deep", 512, 512, 4608},
    {"vector_2048", 1, 1000, 2048},          {"vector_4096", 1, 4096, 4096},
    {"vector_1280_batch4", 4, 1000, 1280},   {"mobilenet_expand_112", 12544, 96, 16},
    {"mobilenet_project_56", 3136, 24, 144}, {"mobilenet_expand_14", 196, 576, 96},
    {"mobilenet_project_7", 49, 160, 960},   {"mobilenet_last", 49, 1280, 320},
};

constexpr Layer kLayers[] = {
    {"resnet50_first", 224, 3, 64, 7, 2, 1},
    {"resnet50_56", 56, 64, 64, 3, 1, 1},
    {"resnet50_14", 14, 256, 256, 3, 1, 1},
    {"resnet50_7", 7, 512, 512, 3, 1, 1},
    {"resnet50_project_56", 56, 256, 64, 1, 1, 1},
    {"resnet50_expand_56", 56, 64, 256, 1, 1, 1},
    {"resnet50_expand_7", 7, 512, 2048, 1, 1, 1},
    {"resnext50_28", 28, 256, 256, 3, 1, 32},
    {"mobilenet_first", 224, 3, 32, 3, 2, 1},
    {"squeezenet_expand_55", 55, 16, 64, 3, 1, 1},
    {"squeezenet_expand_13", 13, 64, 256, 3, 1, 1},
    {"resnet20_32", 32, 16, 16, 3, 1, 1},
    {"resnet20_8", 8, 64, 64, 3, 1, 1},
    {"depthwise_112", 112, 64, 64, 3, 1, 64},
    {"depthwise_112_stride_2", 112, 64, 64, 3, 2, 64},
    {"depthwise_14", 14, 512, 512, 3, 1, 512},
    {"depthwise_14_stride_2", 14, 512, 512, 3, 2, 512},
    {"depthwise_56_144", 56, 144, 144, 3, 1, 144},
    {"depthwise_7_960", 7, 960, 960, 3, 1, 960},
    {"depthwise5_28_240", 28, 240, 240, 5, 1, 240},
};

// Memory of the kind that sessions take; shared so that the functions which hold it can be copied.
template <class T>
std::shared_ptr<T> Buffer(int64_t count) {
  const std::shared_ptr<std::byte> bytes = AllocateAligned(static_cast<size_t>(count) * sizeof(T) + kReadSlackBytes);
  return {bytes, reinterpret_cast<T*>(bytes.get())};
}

std::shared_ptr<float> Floats(int64_t count) {
  std::shared_ptr<float> values = Buffer<float>(count);
  for (int64_t i = 0; i < count; ++i) values.get()[i] = static_cast<float>(i * 37 % 255 - 127) * 0x1p-7f;
  return values;
}

template <class T>
std::shared_ptr<T> Integers(int64_t count) {
  std::shared_ptr<T> values = Buffer<T>(count);
  for (int64_t i = 0; i < count; ++i) values.get()[i] = static_cast<T>(i * 37);
  return values;
}

// Products of random bytes grow with the square root of the depth: most outputs stay inside the range.
std::shared_ptr<float> Multipliers(int64_t count) {
  std::shared_ptr<float> values = Buffer<float>(count);
  for (int64_t i = 0; i < count; ++i) values.get()[i] = 1e-4f;
  return values;
}

ConvF32Geometry FloatGeometry(const Layer& layer) {
  ConvF32Geometry g;
  g.in_h = g.in_w = layer.size;
  g.in_channels = g.in_pixel_stride = layer.in_c;
  g.out_channels = g.out_pixel_stride = layer.out_c;
  g.out_h = g.out_w = layer.OutSize();
  g.groups = layer.groups;
  g.kernel_h = g.kernel_w = layer.kernel;
  g.stride_h = g.stride_w = layer.stride;
  g.pad_top = g.pad_left = layer.Pad();
  return g;
}

ConvGeometry ByteGeometry(const Layer& layer) {
  ConvGeometry g;
  g.in_h = g.in_w = layer.size;
  g.in_c = g.in_pixel_stride = layer.in_c;
  g.out_c = g.out_pixel_stride = layer.out_c;
  g.out_h = g.out_w = layer.OutSize();
  g.groups = layer.groups;
  g.kernel_h = g.kernel_w = layer.kernel;
  g.stride_h = g.stride_w = layer.stride;
  g.pad_top = g.pad_left = layer.Pad();
  return g;
}

int64_t Inputs(const Layer& layer) { return layer.size * layer.size * layer.in_c; }
int64_t Outputs(const Layer& layer) { return layer.OutSize() * layer.OutSize() * layer.out_c; }
int64_t Weights(const Layer& layer) { return layer.out_c * (layer.in_c / layer.groups) * layer.kernel * layer.kernel; }
double Operations(const Layer& layer) {
  return 2.0 * static_cast<double>(layer.OutSize() * layer.OutSize() * Weights(layer));
}

template <class Kernels>
Problem RunFloatLayer(const Kernels& kernels, const Layer& layer) {
  const ConvF32Geometry g = FloatGeometry(layer);
  const auto input = Floats(Inputs(layer));
  const auto weights = Floats(Weights(layer));
  const auto bias = Floats(layer.out_c);
  const auto output = Buffer<float>(Outputs(layer));
  const auto packed = Buffer<float>(kernels.packed_floats(g));
  kernels.pack(g, weights.get(), packed.get());
  std::shared_ptr<uint8_t> workspaces[kMaxThreads];
  for (auto& workspace : workspaces) workspace = Buffer<uint8_t>(kernels.workspace_bytes(g));
  ConvF32Args args;
  args.geometry = g;
  args.input = input.get();
  args.packed_weights = packed.get();
  args.bias = bias.get();
  args.output = output.get();
  args.act_min = 0.0f;
  return {.operations = Operations(layer),
          .bytes = 4 * (Inputs(layer) + Weights(layer) + Outputs(layer)),
          .units = kernels.units(g),
          .run = [&kernels, args, workspaces](int64_t begin, int64_t end,
                                              int thread) { kernels.run(args, workspaces[thread].get(), begin, end); },
          .operands = {input, bias, output, packed}};
}

template <class Kernels, class PackWeights, class Args>
Problem RunByteLayer(const Kernels& kernels, const Layer& layer, PackWeights pack, Args args) {
  const auto input = Integers<uint8_t>(Inputs(layer));
  const auto weights = Integers<int8_t>(Weights(layer));
  const auto multipliers = Multipliers(layer.out_c);
  const auto output = Buffer<uint8_t>(Outputs(layer));
  pack.data = weights.get();
  pack.multipliers = multipliers.get();
  pack.input_zero_point = args.input_zero_point = 128;
  const auto packed = Buffer<uint8_t>(static_cast<int64_t>(kernels.packed_bytes(pack)));
  kernels.pack(pack, packed.get());
  args.geometry = ByteGeometry(layer);
  args.input = input.get();
  args.packed = packed.get();
  args.output = output.get();
  args.quantization.zero_point = 128;
  std::shared_ptr<uint8_t> workspaces[kMaxThreads];
  for (auto& workspace : workspaces) workspace = Buffer<uint8_t>(static_cast<int64_t>(kernels.workspace_bytes(args)));
  return {.operations = Operations(layer),
          .bytes = Inputs(layer) + Weights(layer) + Outputs(layer),
          .units = kernels.units(args),
          .run = [&kernels, args, workspaces](int64_t begin, int64_t end,
                                              int thread) { kernels.run(args, begin, end, workspaces[thread].get()); },
          .operands = {input, multipliers, output, packed}};
}

}  // namespace

std::span<const Product> Products() { return kProducts; }
std::span<const Layer> Layers() { return kLayers; }

Problem FloatProduct(Isa isa, const Product& product) {
  const GemmF32Kernels& kernels = GemmF32(isa);
  const auto a = Floats(product.m * product.k);
  const auto b = Floats(product.k * product.n);
  const auto bias = Floats(product.n);
  const auto c = Buffer<float>(product.m * product.n);
  const auto packed = Buffer<float>(kernels.packed_floats(product.k, product.n));
  kernels.pack(b.get(), product.k, product.n, product.n, 1, packed.get());
  GemmF32Args args;
  args.m = product.m;
  args.n = product.n;
  args.k = product.k;
  args.a = a.get();
  args.lda = product.k;
  args.packed_b = packed.get();
  args.bias = bias.get();
  args.c = c.get();
  args.ldc = product.n;
  return {.operations = 2.0 * static_cast<double>(product.m * product.n * product.k),
          .bytes = 4 * (product.m * product.k + product.k * product.n + product.m * product.n),
          .units = kernels.units(product.m, product.n, product.k),
          .run = [&kernels, args](int64_t begin, int64_t end, int) { kernels.run(args, begin, end); },
          .operands = {a, bias, c, packed}};
}

Problem FloatLayer(Isa isa, const Layer& layer) {
  if (layer.IsDepthwise()) return RunFloatLayer(DepthwiseF32(isa), layer);
  if (PaysWinograd(FloatGeometry(layer))) return RunFloatLayer(WinogradF32(isa), layer);
  return RunFloatLayer(ConvF32(isa), layer);
}

Problem ByteProduct(Isa isa, const Product& product) {
  const GemmU8S8Kernels& kernels = GemmU8S8(isa);
  const auto a = Integers<uint8_t>(product.m * product.k);
  const auto b = Integers<int8_t>(product.k * product.n);
  const auto multipliers = Multipliers(product.n);
  const auto c = Buffer<uint8_t>(product.m * product.n);
  GemmU8S8Weights weights;
  weights.k = product.k;
  weights.n = product.n;
  weights.data = b.get();
  weights.stride_k = 1;
  weights.stride_n = product.k;
  weights.multipliers = multipliers.get();
  weights.input_zero_point = 128;
  const auto packed = Buffer<uint8_t>(static_cast<int64_t>(kernels.packed_bytes(product.k, product.n)));
  kernels.pack(weights, packed.get());
  GemmU8S8Args args;
  args.m = product.m;
  args.n = product.n;
  args.k = product.k;
  args.a = a.get();
  args.lda = product.k;
  args.packed = packed.get();
  args.c = c.get();
  args.ldc = product.n;
  args.output.zero_point = 128;
  std::shared_ptr<uint8_t> workspaces[kMaxThreads];
  for (auto& workspace : workspaces) workspace = Buffer<uint8_t>(static_cast<int64_t>(kernels.workspace_bytes(args)));
  return {.operations = 2.0 * static_cast<double>(product.m * product.n * product.k),
          .bytes = product.m * product.k + product.k * product.n + product.m * product.n,
          .units = kernels.units(args),
          .run = [&kernels, args, workspaces](int64_t begin, int64_t end,
                                              int thread) { kernels.run(args, begin, end, workspaces[thread].get()); },
          .operands = {a, multipliers, c, packed}};
}

Problem ByteLayer(Isa isa, const Layer& layer) {
  if (layer.IsDepthwise()) {
    DepthwiseU8S8Weights weights;
    weights.channels = layer.in_c;
    weights.kernel_h = weights.kernel_w = layer.kernel;
    return RunByteLayer(DepthwiseU8S8(isa), layer, weights, DepthwiseU8S8Args());
  }
  ConvU8S8Weights weights;
  weights.in_c = layer.in_c;
  weights.out_c = layer.out_c;
  weights.kernel_h = weights.kernel_w = layer.kernel;
  weights.groups = layer.groups;
  return RunByteLayer(ConvU8S8(isa), layer, weights, ConvU8S8Args());
}

}  // namespace qlite::kernels
