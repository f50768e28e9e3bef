#include "runtime/steps/float_chain.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/infinity.h"
#include "core/status_macros.h"
#include "runtime/steps/blocks.h"
#include "runtime/steps/broadcast.h"
#include "runtime/steps/float_functions.h"

namespace qlite {
namespace {

using kernels::BinaryOp;
using kernels::UnaryOp;

// What a link of a chain reads or writes.
struct Port {
  enum Kind : uint8_t { kNone, kOperand, kSlot, kResult };
  Kind kind = kNone;
  size_t index = 0;  // of the operand of the chain, or of the block in the worker's scratch memory
};

// out = function(a), or function(a, b) where b is there.
struct Link {
  kernels::UnaryF32Function unary = nullptr;
  kernels::UnaryParams params;
  kernels::BinaryF32Function binary = nullptr;
  BinaryOp op = BinaryOp::kAdd;
  kernels::StridedPlan plan;  // of `binary`
  Port a, b, out;
  double cost = 0;  // nanoseconds an element
};

double CostOf(UnaryOp op) {
  return op == UnaryOp::kRelu || op == UnaryOp::kClip || op == UnaryOp::kLeakyRelu ? 0.1 : 0.8;
}

double CostOf(BinaryOp op, const kernels::StridedPlan& plan) {
  return op == BinaryOp::kPow ? 5 : plan.rank > 2 ? 0.5 : 0.15;
}

// A constant exponent of 2: a product gives the same bits for less.
bool IsSquare(const Lowering& lowering, const Node& node) {
  const Tensor* exponent = node.op == OpType::kPow ? lowering.Constant(node.inputs[1]) : nullptr;
  if (exponent == nullptr) return false;
  const auto values = exponent->data<float>();
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 2.0f; });
}

class ChainBuilder {
 public:
  explicit ChainBuilder(Lowering& lowering) : lowering_(lowering) {}

  absl::Status Build() {
    for (NodeId id : lowering_.Chain()) {
      const Node& node = lowering_.graph().node(id);
      for (ValueId input : node.inputs) QLITE_RETURN_IF_ERROR(lowering_.RequireFloat(node, input));
      Append(node, lowering_.Fusion(id));
    }
    PlaceOperands();
    return absl::OkStatus();
  }

  void Emit() {
    const auto block_bytes = kBlockElements * static_cast<int64_t>(sizeof(float));
    lowering_.NeedWorkspace(block_bytes * static_cast<int64_t>(slots_));
    std::vector<Operand> operands;
    for (const Placement& place : places_) operands.push_back(place.at);
    std::vector<Operand> touched = operands;
    touched.push_back(result_.at);
    double cost = 0;
    for (const Link& link : links_) cost += link.cost;
    const auto run = [=, links = std::move(links_), result = result_.at](const Frame& frame, int64_t begin, int64_t end,
                                                                         int worker) {
      for (int64_t from = begin; from < end; from += kBlockElements) {
        RunBlock(links, operands, result, frame, worker, from, std::min(end, from + kBlockElements));
      }
    };
    const auto whole = [=, elements = result_.elements()](const Frame& frame) {
      ForBlocks(frame, elements, cost, [&](int64_t begin, int64_t end, int worker) { run(frame, begin, end, worker); });
      return absl::OkStatus();
    };
    if (!HasRows(result_)) return lowering_.Emit(touched, whole);
    RowForm form;
    form.output = RowsOf(result_);
    for (const Placement& place : places_) {
      if (HasRows(place) && place.dims == result_.dims) form.inputs.push_back(RowsOf(place));
    }
    form.cost = cost * static_cast<double>(result_.elements());
    form.workspace_bytes = [bytes = block_bytes * static_cast<int64_t>(slots_)](int64_t) { return bytes; };
    const int64_t rows = result_.dims[2], row = result_.dims[3] * result_.dims[1];
    form.run = [=](const Frame& frame, const RowRange& range, int worker) {
      const int64_t image = range.image * rows;
      run(frame, (image + range.first) * row, (image + range.end) * row, worker);
    };
    lowering_.Emit(touched, whole, std::move(form));
  }

 private:
  // Whether the value is images whose rows follow each other in memory.
  static bool HasRows(const Placement& place) {
    return place.dims.size() == 4 && place.layout == Layout::kChannelsLast && place.dense() && place.at.buffer >= 0;
  }

  static RowImages RowsOf(const Placement& place) {
    return {place.at, place.dims[0], place.dims[2],
            place.dims[3] * place.dims[1] * static_cast<int64_t>(sizeof(float))};
  }

  static size_t Index(ValueId id) { return static_cast<size_t>(id.index); }

  // Memory of the port, of which the elements of the block that begins at `from` are used.
  static float* At(const Port& port, const std::vector<Operand>& operands, const Operand& result, const Frame& frame,
                   int worker, int64_t from) {
    switch (port.kind) {
      case Port::kOperand:
        return const_cast<float*>(frame.In<float>(operands[port.index]));
      case Port::kSlot: {
        // The kernels count from the beginning of the whole value, which has no memory.
        const auto block = reinterpret_cast<uintptr_t>(frame.Workspace(worker)) +
                           port.index * static_cast<size_t>(kBlockElements) * sizeof(float);
        return reinterpret_cast<float*>(block - static_cast<uintptr_t>(from) * sizeof(float));
      }
      case Port::kResult:
        return frame.Out<float>(result);
      case Port::kNone:
        break;
    }
    return nullptr;
  }

  static void RunBlock(const std::vector<Link>& links, const std::vector<Operand>& operands, const Operand& result,
                       const Frame& frame, int worker, int64_t from, int64_t to) {
    for (const Link& link : links) {
      const float* a = At(link.a, operands, result, frame, worker, from);
      float* out = At(link.out, operands, result, frame, worker, from);
      if (link.unary != nullptr) {
        link.unary(a + from, out + from, to - from, link.params);
      } else {
        link.binary(link.plan, a, At(link.b, operands, result, frame, worker, from), out, from, to);
      }
    }
  }

  // Where an input of a node is: in the slot that an earlier link wrote, or among the operands of the chain.
  Port Find(ValueId id) {
    for (const auto& [value, slot] : made_) {
      if (value == id) return {Port::kSlot, slot};
    }
    const auto found = std::find(operands_.begin(), operands_.end(), id);
    const auto index = static_cast<size_t>(found - operands_.begin());
    if (found == operands_.end()) {
      operands_.push_back(id);
      read_whole_.push_back(0);
    }
    return {Port::kOperand, index};
  }

  // The slots of inputs that were made by the chain are free again: nothing else reads them.
  void Release(const Node& node) {
    for (ValueId input : node.inputs) {
      const auto found =
          std::find_if(made_.begin(), made_.end(), [&](const auto& made) { return made.first == input; });
      if (found == made_.end()) continue;
      free_.push_back(found->second);
      made_.erase(found);
    }
  }

  size_t TakeSlot() {
    if (free_.empty()) return slots_++;
    const size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void AppendUnary(const UnaryFunction& function, const Port& from, const Port& to) {
    Link link;
    link.unary = kernels::UnaryF32(lowering_.isa())[function.op];
    link.params = function.params;
    link.a = from;
    link.out = to;
    link.cost = CostOf(function.op);
    if (from.kind == Port::kOperand) read_whole_[from.index] = 1;
    links_.push_back(link);
  }

  void Append(const Node& node, const NodeFusion& fusion) {
    std::vector<Port> inputs;
    for (ValueId input : node.inputs) inputs.push_back(Find(input));
    // A block may be overwritten by the link that reads it.
    if (inputs.size() <= 2) Release(node);
    const Port out = {Port::kSlot, TakeSlot()};
    if (const auto function = UnaryFunctionOf(node)) {
      AppendUnary(*function, inputs[0], out);
    } else if (inputs.size() == 1) {  // the least or greatest of one
      AppendUnary({UnaryOp::kClip, {-kInfinity, kInfinity}}, inputs[0], out);
    } else {
      layout_matters_ = true;
      const bool square = IsSquare(lowering_, node);
      const BinaryOp op = square ? BinaryOp::kMul : *BinaryFunctionOf(node.op);
      for (size_t i = 1; i < inputs.size(); ++i) {
        Link link;
        link.binary = kernels::BinaryF32(lowering_.isa())[op];
        link.op = op;
        link.a = i == 1 ? inputs[0] : out;
        link.b = square ? inputs[0] : inputs[i];
        link.out = out;
        links_.push_back(link);
      }
    }
    if (inputs.size() > 2) Release(node);
    if (fusion.clamp.active()) AppendUnary({UnaryOp::kClip, {fusion.clamp.min, fusion.clamp.max}}, out, out);
    made_.emplace_back(fusion.output, out.index);
  }

  // Reads the operands, chooses the memory of the result, and plans the walks.
  void PlaceOperands() {
    const ValueId result = lowering_.Result();
    const Extents& extents = lowering_.Dims(result);
    const Layout layout =
        layout_matters_ ? lowering_.PreferredLayout(operands_, result) : lowering_.LayoutOf(operands_[0]);
    for (size_t i = 0; i < operands_.size(); ++i) {
      places_.push_back(read_whole_[i] ? lowering_.Read(operands_[i], layout)
                                       : ReadOperand(lowering_, operands_[i], extents, layout));
    }
    const auto reused = std::find_if(places_.begin(), places_.end(), [&](const Placement& place) {
      return place.layout == layout && lowering_.CanWriteOver(result, place, places_);
    });
    result_ = reused != places_.end() ? lowering_.WriteOver(result, *reused, places_) : lowering_.Write(result, layout);
    links_.back().out = {Port::kResult, 0};
    const auto place_of = [&](const Port& port) { return port.kind == Port::kOperand ? places_[port.index] : result_; };
    for (Link& link : links_) {
      if (link.binary == nullptr) continue;
      link.plan = PlanOperands(result_, {place_of(link.a), place_of(link.b)});
      link.cost = CostOf(link.op, link.plan);
    }
  }

  Lowering& lowering_;
  std::vector<Link> links_;
  std::vector<ValueId> operands_;
  std::vector<char> read_whole_;   // by operand: a function of one element reads it, densely
  std::vector<Placement> places_;  // by operand
  Placement result_;
  bool layout_matters_ = false;                   // some link has two operands
  std::vector<std::pair<ValueId, size_t>> made_;  // results between links, and their slots
  std::vector<size_t> free_;
  size_t slots_ = 0;
};

}  // namespace

absl::Status EmitFloatChain(Lowering& lowering) {
  ChainBuilder chain(lowering);
  QLITE_RETURN_IF_ERROR(chain.Build());
  chain.Emit();
  return absl::OkStatus();
}

}  // namespace qlite
