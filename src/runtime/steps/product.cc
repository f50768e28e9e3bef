#include "runtime/steps/product.h"

#include <algorithm>

#include "kernels/gemm_f32.h"
#include "kernels/gemm_u8s8.h"
#include "runtime/requantization.h"
#include "runtime/steps/coded.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/float16.h"

namespace qlite {
namespace {

// Rough nanoseconds of a product on one thread: its multiplications, and the reading of B, of which there is more to do
// where A has few rows.
double ProductCost(int64_t m, int64_t n, int64_t k, double multiplication, double reading) {
  return static_cast<double>(n) * static_cast<double>(k) * (static_cast<double>(m) * multiplication + reading);
}

double FloatProductCost(int64_t m, int64_t n, int64_t k) { return ProductCost(m, n, k, 0.025, 0.1); }

struct PackedMatrices {
  Operand at;
  int64_t each = 0;                // floats of one
  std::vector<int64_t> positions;  // by product: which packed matrix
};

// One panel for every distinct offset of B.
PackedMatrices PackB(Lowering& lowering, const FloatProducts& products) {
  const auto& kernels = kernels::GemmF32(lowering.isa());
  PackedMatrices packed;
  packed.each = (kernels.packed_floats(products.k, products.n) + 15) / 16 * 16;
  std::vector<int64_t> distinct = products.b_offsets;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int64_t offset : products.b_offsets) {
    packed.positions.push_back(std::lower_bound(distinct.begin(), distinct.end(), offset) - distinct.begin());
  }
  const int64_t matrices = static_cast<int64_t>(distinct.size());
  const int64_t bytes = matrices * packed.each * static_cast<int64_t>(sizeof(float));
  const auto pack_one = [pack = kernels.pack, k = products.k, n = products.n, ks = products.b_k_stride,
                         ns = products.b_n_stride](const float* b, float* to) { pack(b, k, n, ks, ns, to); };
  if (products.b.constant != nullptr) {
    packed.at = lowering.NewConstant(0, bytes, [&](std::byte* memory) {
      const auto* b = reinterpret_cast<const float*>(products.b.constant + products.b.offset);
      std::vector<float> scaled;
      if (products.b_factor != 1.0f) {
        const int64_t extent =
            distinct.back() + (products.k - 1) * products.b_k_stride + (products.n - 1) * products.b_n_stride + 1;
        for (int64_t i = 0; i < extent; ++i) scaled.push_back(b[i] * products.b_factor);
        b = scaled.data();
      }
      for (int64_t i = 0; i < matrices; ++i) {
        pack_one(b + distinct[static_cast<size_t>(i)], reinterpret_cast<float*>(memory) + i * packed.each);
      }
    });
    return packed;
  }
  packed.at = lowering.NewBuffer(bytes);
  const double cost = static_cast<double>(matrices * packed.each) * 0.4;
  lowering.Emit(
      {products.b, packed.at}, [=, from = products.b, to = packed.at, each = packed.each](const Frame& frame) {
        frame.ParallelFor(matrices, cost, [&](int64_t begin, int64_t end, int) {
          for (int64_t i = begin; i < end; ++i) {
            pack_one(frame.In<float>(from) + distinct[static_cast<size_t>(i)], frame.Out<float>(to) + i * each);
          }
        });
        return absl::OkStatus();
      });
  return packed;
}

// One product as a convolution with kernels of one tap over an image of one row.
struct ProductConv {
  explicit ProductConv(const FloatProducts& product) {
    args.geometry.in_h = args.geometry.out_h = 1;
    args.geometry.in_w = args.geometry.out_w = product.m;
    args.geometry.in_channels = args.geometry.in_pixel_stride = product.k;
    args.geometry.out_channels = args.geometry.out_pixel_stride = product.n;
    args.geometry.residual_pixel_stride = product.n;
    args.act_min = product.clamp.min, args.act_max = product.clamp.max;
    operands.input = product.a.Plus(product.a_offsets[0] * static_cast<int64_t>(sizeof(float)));
    operands.bias = product.bias, operands.residual = product.residual;
    operands.output = product.c;
    cost = FloatProductCost(product.m, product.n, product.k);
  }
  kernels::ConvF32Args args;
  ConvOperands operands;
  double cost;
};

void EmitFloat16Product(Lowering& lowering, const kernels::ConvF16Kernels& kernels, const FloatProducts& product) {
  const ProductConv conv(product);
  const auto* b = reinterpret_cast<const float*>(product.b.constant + product.b.offset) + product.b_offsets[0];
  EmitFloat16Conv(lowering, kernels, conv.args,
                  {.data = b,
                   .out_stride = product.b_n_stride,
                   .in_stride = product.b_k_stride,
                   .tap_stride = 0,
                   .factor = product.b_factor},
                  conv.operands, conv.cost);
}

void EmitCodedProduct(Lowering& lowering, const FloatProducts& product) {
  const ProductConv conv(product);
  const CodedLayout layout = {.outputs_first = product.b_k_stride == 1 && product.b_n_stride == product.k,
                              .out_stride = product.b_n_stride,
                              .in_stride = product.b_k_stride};
  EmitCodedConv(lowering, conv.args, layout, *product.coded, conv.operands, conv.cost);
}

}  // namespace

void EmitFloatProducts(Lowering& lowering, const FloatProducts& products) {
  const int64_t count = static_cast<int64_t>(products.a_offsets.size());
  if (count == 0 || products.m == 0 || products.n == 0) return;
  if (products.coded != nullptr) return EmitCodedProduct(lowering, products);
  if (count == 1 && products.b.constant != nullptr) {
    const auto* float16 = lowering.Float16Kernels(products.n);
    if (float16 != nullptr) return EmitFloat16Product(lowering, *float16, products);
  }
  const PackedMatrices packed = PackB(lowering, products);
  const auto& kernels = kernels::GemmF32(lowering.isa());
  kernels::GemmF32Args args;
  args.m = products.m, args.n = products.n, args.k = products.k;
  args.lda = products.k, args.ldc = products.n, args.ldr = products.n;
  args.act_min = products.clamp.min, args.act_max = products.clamp.max;
  const int64_t units = kernels.units(args.m, args.n, args.k);
  const double cost = static_cast<double>(count) * FloatProductCost(args.m, args.n, args.k);
  lowering.Emit({products.a, packed.at, products.bias, products.residual, products.c},
                [=, run = kernels.run, a = products.a, bias = products.bias, residual = products.residual,
                 c = products.c, a_offsets = products.a_offsets](const Frame& frame) {
                  frame.ParallelFor(count * units, cost, [&](int64_t begin, int64_t end, int) {
                    kernels::GemmF32Args now = args;
                    now.bias = frame.In<float>(bias);
                    for (int64_t unit = begin; unit < end;) {
                      const int64_t i = unit / units, stop = std::min(end, (i + 1) * units);
                      now.a = frame.In<float>(a) + a_offsets[static_cast<size_t>(i)];
                      now.packed_b =
                          frame.In<float>(packed.at) + packed.positions[static_cast<size_t>(i)] * packed.each;
                      now.residual = residual.present() ? frame.In<float>(residual) + i * now.m * now.n : nullptr;
                      now.c = frame.Out<float>(c) + i * now.m * now.n;
                      run(now, unit - i * units, stop - i * units);
                      unit = stop;
                    }
                  });
                  return absl::OkStatus();
                });
}

absl::Status LowerIntegerProduct(Lowering& lowering, const Node& node, const IntegerProduct& product) {
  auto read = ReadIntegerWeights(lowering, node, product.transposed ? 0 : 1, product.n);
  if (!read.ok()) return read.status();
  const IntegerWeights& weights = *read;
  const Operand a = lowering.Read(node.inputs[0], Layout::kRowMajor).at;
  const Operand c = lowering.Write(lowering.Result(), Layout::kRowMajor).at;
  if (product.m == 0 || product.n == 0) return absl::OkStatus();
  const auto& kernels = kernels::GemmU8S8(lowering.isa());
  kernels::GemmU8S8Weights packing;
  packing.k = product.k, packing.n = product.n;
  packing.data = weights.data.data();
  packing.stride_k = product.transposed ? 1 : product.n, packing.stride_n = product.transposed ? product.k : 1;
  packing.bias = weights.bias.empty() ? nullptr : weights.bias.data();
  packing.multipliers = weights.multipliers.data();
  packing.input_zero_point = weights.input_zero_point;
  const Operand packed = lowering.NewConstant(0, static_cast<int64_t>(kernels.packed_bytes(product.k, product.n)),
                                              [&](std::byte* memory) { kernels.pack(packing, memory); });
  kernels::GemmU8S8Args args;
  args.m = product.m, args.k = product.k, args.n = product.n;
  args.lda = product.k, args.ldc = product.n;
  const bool float_output = weights.float_output;
  if (!float_output) args.output = OutputQuantizationOf(lowering.Quant(lowering.Result()), lowering.Clamp());
  lowering.NeedWorkspace(static_cast<int64_t>(kernels.workspace_bytes(args)));
  const int64_t units = kernels.units(args);
  const double cost = ProductCost(args.m, args.n, args.k, 0.01, 0.025);
  lowering.Emit({a, packed, c}, [=, run = kernels.run](const Frame& frame) {
    kernels::GemmU8S8Args now = args;
    now.a = frame.In<uint8_t>(a);
    now.packed = frame.In<std::byte>(packed);
    if (float_output) {
      now.c_float = frame.Out<float>(c);
    } else {
      now.c = frame.Out<uint8_t>(c);
    }
    frame.ParallelFor(units, cost,
                      [&](int64_t begin, int64_t end, int worker) { run(now, begin, end, frame.Workspace(worker)); });
    return absl::OkStatus();
  });
  if (float_output) EmitClamp(lowering, c, lowering.Clamp(), product.m * product.n);
  return absl::OkStatus();
}

}  // namespace qlite
