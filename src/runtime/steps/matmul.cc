// MatMul with numpy's rules for vectors and for broadcasting of the leading dimensions, float and int8.
#include "core/shape_util.h"
#include "core/status_macros.h"
#include "runtime/lowering.h"
#include "runtime/steps/product.h"

namespace qlite {
namespace {

// The operands as stacks of matrices: a vector is a row on the left and a column on the right.
struct Stacks {
  Extents a_batch, b_batch, batch;
  int64_t m = 1, k = 1, n = 1;
};

Stacks StacksOf(const Extents& a, const Extents& b) {
  Stacks stacks;
  stacks.k = a.back();
  if (a.size() > 1) {
    stacks.m = a[a.size() - 2];
    stacks.a_batch.assign(a.begin(), a.end() - 2);
  }
  if (b.size() > 1) {
    stacks.n = b.back();
    stacks.b_batch.assign(b.begin(), b.end() - 2);
  }
  auto batch = BroadcastExtents(stacks.a_batch, stacks.b_batch);
  if (batch.ok()) stacks.batch = *batch;
  return stacks;
}

// Where each matrix of the broadcast stack starts in an operand of matrices of `size` elements.
std::vector<int64_t> Offsets(const Extents& own, const Extents& batch, int64_t size) {
  std::vector<int64_t> offsets;
  const int64_t count = ElementsOf(batch);
  const std::vector<int64_t> strides = DenseStrides(own, Layout::kRowMajor);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, offset = 0;
    for (size_t d = batch.size(); d-- > 0;) {
      const int64_t index = rest % batch[d];
      rest /= batch[d];
      const size_t missing = batch.size() - own.size();
      if (d >= missing && own[d - missing] != 1) offset += index * strides[d - missing];
    }
    offsets.push_back(offset * size);
  }
  return offsets;
}

absl::Status IntegerMatMul(Lowering& lowering, const Node& node, const Stacks& stacks) {
  if (!stacks.b_batch.empty() || lowering.Dims(node.inputs[1]).size() != 2) {
    return lowering.Unimplemented(node, "the integer product takes a matrix of two dimensions on the right");
  }
  return LowerIntegerProduct(
      lowering, node, {.m = stacks.m * ElementsOf(stacks.a_batch), .n = stacks.n, .k = stacks.k, .transposed = false});
}

}  // namespace

namespace steps {

absl::Status MatMul(Lowering& lowering, const Node& node) {
  Stacks stacks = StacksOf(lowering.Dims(node.inputs[0]), lowering.Dims(node.inputs[1]));
  if (lowering.Type(node.inputs[0]) == ElementType::kInt8) return IntegerMatMul(lowering, node, stacks);
  for (ValueId input : node.inputs) QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  if (ElementsOf(lowering.Dims(lowering.Result())) == 0) {
    lowering.Write(lowering.Result(), Layout::kRowMajor);
    return absl::OkStatus();
  }
  const bool one_matrix = ElementsOf(stacks.b_batch) == 1;
  if (one_matrix) {  // all rows of A meet one B
    stacks.m *= ElementsOf(stacks.a_batch);
    stacks.a_batch = stacks.b_batch = stacks.batch = {};
  }
  FloatProducts products;
  products.m = stacks.m, products.n = stacks.n, products.k = stacks.k;
  products.b_k_stride = stacks.n, products.b_n_stride = 1;
  products.a_offsets = Offsets(stacks.a_batch, stacks.batch, stacks.m * stacks.k);
  products.b_offsets = Offsets(stacks.b_batch, stacks.batch, stacks.k * stacks.n);
  products.a = lowering.Read(node.inputs[0], Layout::kRowMajor).at;
  products.coded = lowering.Coded(node.inputs[1]);
  if (products.coded == nullptr) products.b = lowering.Read(node.inputs[1], Layout::kRowMajor).at;
  if (node.has_input(2)) products.bias = lowering.Read(node.inputs[2], Layout::kRowMajor).at;
  products.clamp = lowering.Clamp();
  products.c = lowering.Write(lowering.Result(), Layout::kRowMajor).at;
  EmitFloatProducts(lowering, products);
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
