// Gemm: Y = clamp(alpha * A' * B' + beta * C), float and int8.
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/binary_f32.h"
#include "runtime/lowering.h"
#include "runtime/steps/blocks.h"
#include "runtime/steps/broadcast.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/product.h"

namespace qlite {
namespace {

// values = op(values, factor) in place.
void EmitScale(Lowering& lowering, const Operand& in, const Operand& out, float factor, int64_t elements) {
  const auto run = kernels::BinaryF32(lowering.isa())[kernels::BinaryOp::kMul];
  const Extents shape = {elements};
  kernels::StridedPlan plan;
  const std::vector<int64_t> dense = {1}, repeated = {0};
  const std::vector<std::span<const int64_t>> strides = {dense, dense, repeated};
  kernels::PlanStrided(shape, strides, &plan);
  lowering.Emit({in, out}, [=](const Frame& frame) {
    ForBlocks(frame, elements, 0.15, [&](int64_t begin, int64_t end) {
      run(plan, frame.In<float>(in), &factor, frame.Out<float>(out), begin, end);
    });
    return absl::OkStatus();
  });
}

// y = y + c, broadcast.
void EmitAddTo(Lowering& lowering, const Placement& y, const Placement& c) {
  const auto run = kernels::BinaryF32(lowering.isa())[kernels::BinaryOp::kAdd];
  const kernels::StridedPlan plan = PlanOperands(y, {y, c});
  lowering.Emit({y.at, c.at}, [=, y_at = y.at, c_at = c.at](const Frame& frame) {
    ForBlocks(frame, plan.elements, 0.15, [&](int64_t begin, int64_t end) {
      run(plan, frame.In<float>(y_at), frame.In<float>(c_at), frame.Out<float>(y_at), begin, end);
    });
    return absl::OkStatus();
  });
}

Operand TransposedA(Lowering& lowering, const Placement& a) {
  const Operand transposed = lowering.NewBuffer(a.bytes());
  const Extents shape = {a.dims[1], a.dims[0]};
  const std::vector<int64_t> in = {1, a.dims[1]}, out = {a.dims[0], 1};
  EmitStridedCopy(lowering, shape, a.at, in, transposed, out, sizeof(float));
  return transposed;
}

// beta * C, or C itself.
Placement ScaledAddend(Lowering& lowering, const Placement& c, float beta) {
  if (beta == 1.0f) return c;
  Placement scaled = c;
  scaled.at = lowering.NewBuffer(c.bytes());
  EmitScale(lowering, c.at, scaled.at, beta, c.elements());
  return scaled;
}

absl::Status FloatGemm(Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<GemmAttrs>();
  for (ValueId input : node.inputs) {
    if (input.valid()) QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  }
  const Placement a = lowering.Read(node.inputs[0], Layout::kRowMajor);
  CodedWeight* const coded = lowering.Coded(node.inputs[1]);
  const Placement b = coded == nullptr ? lowering.Read(node.inputs[1], Layout::kRowMajor) : Placement();
  const Extents& out_dims = lowering.Dims(lowering.Result());
  FloatProducts product;
  product.m = out_dims[0], product.n = out_dims[1];
  product.k = a.dims[attrs.trans_a ? 0 : 1];
  product.b_k_stride = attrs.trans_b ? 1 : product.n;
  product.b_n_stride = attrs.trans_b ? product.k : 1;
  product.a_offsets = product.b_offsets = {0};
  product.a = attrs.trans_a ? TransposedA(lowering, a) : a.at;
  product.b = b.at;
  product.coded = coded;
  const bool packed_alpha = b.at.constant != nullptr;
  if (packed_alpha) product.b_factor = attrs.alpha;
  const bool scaled_later = attrs.alpha != 1.0f && !packed_alpha;

  Placement addend;
  const bool has_c = node.has_input(2) && attrs.beta != 0.0f;
  if (has_c) addend = ScaledAddend(lowering, lowering.Read(node.inputs[2], Layout::kRowMajor), attrs.beta);
  const bool as_bias = has_c && !scaled_later && addend.elements() == product.n &&
                       (addend.dims.empty() || addend.dims.back() == product.n);
  const bool as_residual = has_c && !as_bias && !scaled_later && addend.dims == out_dims;
  if (as_bias) product.bias = addend.at;
  if (as_residual) product.residual = addend.at;
  const bool added_later = has_c && !as_bias && !as_residual;
  if (!scaled_later && !added_later) product.clamp = lowering.Clamp();

  const Placement out = lowering.Write(lowering.Result(), Layout::kRowMajor);
  product.c = out.at;
  EmitFloatProducts(lowering, product);
  if (scaled_later) EmitScale(lowering, out.at, out.at, attrs.alpha, out.elements());
  if (added_later) EmitAddTo(lowering, out, addend);
  if (scaled_later || added_later) EmitClamp(lowering, out.at, lowering.Clamp(), out.elements());
  return absl::OkStatus();
}

absl::Status IntegerGemm(Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<GemmAttrs>();
  if (attrs.trans_a || attrs.alpha != 1.0f || attrs.beta != 1.0f) {
    return lowering.Unimplemented(node, "the integer product takes alpha = beta = 1 and A as it is");
  }
  const Extents& out_dims = lowering.Dims(lowering.Result());
  return LowerIntegerProduct(
      lowering, node,
      {.m = out_dims[0], .n = out_dims[1], .k = lowering.Dims(node.inputs[0])[1], .transposed = attrs.trans_b});
}

}  // namespace

namespace steps {

absl::Status Gemm(Lowering& lowering, const Node& node) {
  return lowering.Type(node.inputs[0]) == ElementType::kInt8 ? IntegerGemm(lowering, node) : FloatGemm(lowering, node);
}

}  // namespace steps
}  // namespace qlite
