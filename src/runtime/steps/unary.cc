// Functions of one element: activations and mathematics.
#include <array>
#include <cmath>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/byte_table.h"
#include "runtime/steps/float_chain.h"
#include "runtime/steps/float_functions.h"

namespace qlite {
namespace {

// What the function makes of every byte. A result that is not a number becomes the byte of 0.
std::array<uint8_t, 256> MakeTable(kernels::Isa isa, const UnaryFunction& function, const QuantParams& in,
                                   const QuantParams& out) {
  std::array<float, 256> real;
  for (int32_t byte = 0; byte < 256; ++byte) {
    real[static_cast<size_t>(byte)] = static_cast<float>(byte - ByteZeroPoint(in)) * in.scales[0];
  }
  kernels::UnaryF32(isa)[function.op](real.data(), real.data(), 256, function.params);
  std::array<uint8_t, 256> table;
  for (size_t i = 0; i < 256; ++i) table[i] = QuantizeToByte(std::isnan(real[i]) ? 0.0f : real[i], out);
  return table;
}

absl::Status IntegerUnary(Lowering& lowering, const Node& node) {
  const ValueId result = lowering.Result();
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, node.inputs[0]));
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, result));
  const auto table =
      MakeTable(lowering.isa(), *UnaryFunctionOf(node), lowering.Quant(node.inputs[0]), lowering.Quant(result));
  EmitByteTable(lowering, node.inputs[0], table);
  return absl::OkStatus();
}

// Negation and absolute value of integers, wrapping.
template <class T>
absl::Status WholeNumberUnary(Lowering& lowering, const Node& node) {
  if (node.op != OpType::kNeg && node.op != OpType::kAbs) {
    return lowering.Unimplemented(node, StrCat("cannot run on ", ElementTypeName(lowering.Type(node.inputs[0]))));
  }
  const bool absolute = node.op == OpType::kAbs;
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  const Placement out = lowering.WriteOver(lowering.Result(), in);
  const int64_t elements = out.elements();
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    const T* x = frame.In<T>(from);
    T* y = frame.Out<T>(to);
    for (int64_t i = 0; i < elements; ++i) {
      const T negated = static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x[i]));
      y[i] = absolute && x[i] >= 0 ? x[i] : negated;
    }
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status Unary(Lowering& lowering, const Node& node) {
  switch (lowering.Type(node.inputs[0])) {
    case ElementType::kInt8:
      return IntegerUnary(lowering, node);
    case ElementType::kInt32:
      return WholeNumberUnary<int32_t>(lowering, node);
    case ElementType::kInt64:
      return WholeNumberUnary<int64_t>(lowering, node);
    default:
      break;
  }
  return EmitFloatChain(lowering);
}

}  // namespace steps
}  // namespace qlite
