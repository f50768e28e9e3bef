// Turns a graph into a Program: what the functions in steps/ build their steps with.
#ifndef QLITE_RUNTIME_LOWERING_H_
#define QLITE_RUNTIME_LOWERING_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/block_pool.h"
#include "kernels/conv_f16.h"
#include "kernels/isa.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "runtime/coded_weights.h"
#include "runtime/fusion_plan.h"
#include "runtime/layout_demand.h"
#include "runtime/program.h"
#include "runtime/row_form.h"

namespace qlite {

// Constants made by lowering, so that two programs of one graph hold packed weights once.
using PackedCache = std::map<std::pair<int32_t, int32_t>, std::shared_ptr<std::byte>>;

struct LoweringOptions {
  kernels::Isa isa = kernels::Isa::kGeneric;
  Limits limits;
  bool fuse = true;      // false: every value of the graph is in memory after its node, densely, and has a TapPoint
  bool float16 = false;  // as in SessionOptions
  // Threads for which steps are joined into strips (strips.h), which taps that need whole values forbid; 0: they stay
  // separate.
  int strip_threads = 0;
  PackedCache* cache = nullptr;
  // Integer weights that products decode themselves, and the threads to pack them on.
  CodedWeights* coded = nullptr;
  Executor* executor = nullptr;
  // The nodes that could decode such weights, whether they do or not; ascending.
  std::vector<NodeId> products_of_integers;
};

// The state of one lowering. Nodes are lowered in topological order; the function of an operator reads its inputs, asks
// for places for its outputs, and emits steps. Memory running out throws std::bad_alloc (Session::Create catches it).
class Lowering {
 public:
  // `graph`: validated, every shape static, no node whose inputs are all constant unless it should run every time.
  // Must outlive the call, not the program.
  static absl::StatusOr<Program> Lower(const Graph& graph, const LoweringOptions& options);

  // --- facts
  const Graph& graph() const { return graph_; }
  kernels::Isa isa() const { return options_.isa; }
  bool fuse() const { return options_.fuse; }
  const Limits& limits() const { return options_.limits; }
  const Extents& Dims(ValueId id) const { return dims_[Index(id)]; }
  ElementType Type(ValueId id) const { return graph_.value(id).type; }
  const Tensor* Constant(ValueId id) const;
  // The parameters of an int8 activation; the caller has checked with RequireQuantized.
  const QuantParams& Quant(ValueId id) const { return *graph_.value(id).quant; }
  // A constant int64 or int32 input as integers; kUnimplemented where it is computed at run time.
  absl::StatusOr<std::vector<int64_t>> Integers(const Node& node, size_t input) const;
  // Errors that name the node.
  absl::Status Unimplemented(const Node& node, std::string_view what) const;
  absl::Status Invalid(const Node& node, std::string_view what) const;
  // The value is int8 with one scale and zero point and at most 8 bits.
  absl::Status RequireQuantized(const Node& node, ValueId id) const;
  // The value is float32.
  absl::Status RequireFloat(const Node& node, ValueId id) const;

  // --- what the step of the current node does
  ValueId Result() const { return fusion_.nodes[Index(current_)].output; }
  const FusedClamp& Clamp() const { return fusion_.nodes[Index(current_)].clamp; }
  ValueId Residual() const { return fusion_.nodes[Index(current_)].residual; }
  const Node& Addition() const { return graph_.node(fusion_.nodes[Index(current_)].addition); }
  // The elementwise nodes of the step, in the order in which they are applied; the current node is the last.
  std::vector<NodeId> Chain() const;
  const NodeFusion& Fusion(NodeId id) const { return fusion_.nodes[Index(id)]; }

  // The kernels for a product with constant weights and so many outputs a group, where those are to be kept in float16;
  // otherwise null. Records their use.
  const kernels::ConvF16Kernels* Float16Kernels(int64_t outputs);

  // The integer weights that a value stands for, which nothing produces; null for any other value.
  CodedWeight* Coded(ValueId id) const;
  // Whether the weights of the current node are integers that it could decode itself.
  bool HasIntegerWeights() const;
  // The weight in the form of the kernels.
  Operand NewCodedConstant(const kernels::ConvCodedKernels& kernels, const kernels::ConvF32Geometry& geometry,
                           const CodedLayout& layout, CodedWeight& weight);

  // --- where values lie. Reading inserts a conversion where the value is not in memory as asked.
  // The layout that the value is in; row-major for a constant.
  Layout LayoutOf(ValueId id) const;
  // The layout for an operator that works in any: channels-last where a full-size input is, unless matrix products
  // alone read what becomes of it.
  Layout PreferredLayout(const Node& node) const { return PreferredLayout(node.inputs, node.outputs[0]); }
  // The same for a step that makes `result` of `inputs`.
  Layout PreferredLayout(const std::vector<ValueId>& inputs, ValueId result) const;
  Placement Read(ValueId id, Layout layout);
  // As it lies, densely or with a pixel stride.
  Placement ReadAsIs(ValueId id);
  // Channels-last, densely or with a pixel stride. Rank 3 and above.
  Placement ReadPixels(ValueId id);
  // A place for a value that a step of this node makes.
  Placement Write(ValueId id, Layout layout);
  // The same, channels-last, where a pixel stride is welcome: perhaps a slice of a concatenation.
  Placement WritePixels(ValueId id);
  // In the memory of `input` where nobody else needs it, else in memory of its own; dense in `input`'s layout.
  // `id` has the element size and the extents of the input. `others`: what else the step reads.
  Placement WriteOver(ValueId id, const Placement& input, const std::vector<Placement>& others = {});
  // Whether WriteOver would take the memory of `input`.
  bool CanWriteOver(ValueId id, const Placement& input, const std::vector<Placement>& others) const;
  // The value lies at `place`, which already holds it.
  void Alias(ValueId id, const Placement& place);
  // The place that parts of a concatenation were written to, if any were.
  const Placement* Joined(ValueId concat) const;

  // --- memory and steps
  Operand NewBuffer(int64_t bytes);
  // Aligned constant memory of the program, filled in by `fill`; `purpose` tells constants of one node apart.
  Operand NewConstant(int purpose, int64_t bytes, absl::FunctionRef<void(std::byte*)> fill);
  // Keeps memory alive as long as the program and gives its operand.
  Operand Keep(const Tensor& tensor);
  void NeedWorkspace(int64_t bytes);
  // `touched`: every operand that the step reads or writes.
  void Emit(const std::vector<Operand>& touched, RunFunction run);
  // The same for a step that can also work by rows.
  void Emit(const std::vector<Operand>& touched, RunFunction run, RowForm by_rows);
  // Copies between places of equal extents and element size.
  void EmitCopy(const Placement& from, const Placement& to);

 private:
  Lowering(const Graph& graph, const LoweringOptions& options);

  static size_t Index(NodeId id) { return static_cast<size_t>(id.index); }
  static size_t Index(ValueId id) { return static_cast<size_t>(id.index); }
  absl::Status Run();
  absl::Status CollectShapes();
  void AddInputs();
  absl::Status LowerNode(NodeId id);
  absl::Status LowerTable();
  void FinishOutputs();
  absl::Status FinishMemory();
  void AddTaps(const Node& node);
  Placement PlaceConstant(ValueId id);
  Placement NewPlace(ValueId id, Layout layout);
  bool CanOverwrite(const Placement& place) const;
  void Record(ValueId id, const Placement& place);
  void Touch(const Operand& operand, int32_t step);

  const Graph& graph_;
  LoweringOptions options_;
  BlockPool constants_;
  Program program_;
  FusionPlan fusion_;
  std::vector<LayoutDemand> demand_;  // by value
  NodeId current_;
  std::vector<Extents> dims_;                    // by value
  std::vector<std::vector<Placement>> places_;   // by value
  std::vector<std::vector<ValueId>> residents_;  // by buffer: the values that lie in it
  std::vector<char> lowered_;                    // by node
  std::map<int32_t, Placement> joined_;          // by value index of a concatenation
  std::vector<char> output_bound_;               // by session output: a step writes there
};

// The function of an operator: emits steps that compute the node's outputs.
using LowerFunction = absl::Status (*)(Lowering& lowering, const Node& node);

}  // namespace qlite

#endif  // QLITE_RUNTIME_LOWERING_H_
