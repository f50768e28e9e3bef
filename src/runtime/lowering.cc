#include "runtime/lowering.h"

#include <algorithm>

#include "core/aligned_memory.h"
#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/op_rules.h"
#include "core/str_cat.h"
#include "kernels/elementwise_u8.h"
#include "kernels/quantized.h"
#include "kernels/strided_copy.h"
#include "runtime/byte_functions.h"
#include "runtime/constant_bytes.h"
#include "runtime/memory_plan.h"
#include "runtime/steps/byte_table.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/registry.h"
#include "runtime/strips.h"

namespace qlite {
namespace {

bool OverBudget(const Limits& limits, int64_t bytes) {
  return limits.memory_budget_bytes != 0 && static_cast<uint64_t>(bytes) > limits.memory_budget_bytes;
}

// About the bytes of constants that lowering will make: packed ones take what they take now. A later program of the
// graph finds those in the cache and makes few of its own.
size_t ExpectedBytes(const Graph& graph, const PackedCache* cache) {
  if (cache != nullptr && !cache->empty()) return 0;
  size_t bytes = 0;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.value_slots()); ++i) {
    if (!graph.alive(ValueId{i}) || !graph.value(ValueId{i}).is_constant()) continue;
    bytes += graph.value(ValueId{i}).constant->buffer().size;
  }
  return bytes;
}

}  // namespace

std::vector<int64_t> Placement::Strides() const {
  std::vector<int64_t> strides = DenseStrides(dims, layout);
  if (dense()) return strides;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i != 1) strides[i] = strides[i] / dims[1] * pixel_stride;
  }
  return strides;
}

absl::StatusOr<Program> Lowering::Lower(const Graph& graph, const LoweringOptions& options) {
  LoweringOptions beside_constants = options;
  uint64_t& budget = beside_constants.limits.memory_budget_bytes;
  if (budget != 0) {
    const uint64_t constants = ConstantBytes(graph);
    if (constants >= budget) {
      return absl::ResourceExhaustedError(StrCat("graph '", graph.name, "' has constants of ", constants,
                                                 " bytes in memory; the memory budget is ", budget));
    }
    budget -= constants;
  }
  Lowering lowering(graph, beside_constants);
  if (absl::Status status = lowering.Run(); !status.ok()) return status;
  return std::move(lowering.program_);
}

Lowering::Lowering(const Graph& graph, const LoweringOptions& options)
    : graph_(graph), options_(options), constants_(ExpectedBytes(graph, options.cache)) {}

absl::Status Lowering::Run() {
  if (absl::Status status = CollectShapes(); !status.ok()) return status;
  places_.resize(graph_.value_slots());
  lowered_.resize(graph_.node_slots());
  const std::vector<NodeId> order = graph_.TopologicalOrder();
  fusion_ = PlanFusion(graph_, order, options_.fuse);
  demand_ = FindLayoutDemand(graph_);
  AddInputs();
  for (NodeId id : order) {
    if (absl::Status status = LowerNode(id); !status.ok()) return status;
  }
  FinishOutputs();
  if (options_.strip_threads > 0) JoinStrips(program_, options_.strip_threads);
  return FinishMemory();
}

// Extents of every value, checked against the limits before anything is allocated.
absl::Status Lowering::CollectShapes() {
  dims_.resize(graph_.value_slots());
  for (int32_t i = 0; i < static_cast<int32_t>(graph_.value_slots()); ++i) {
    const ValueId id{i};
    if (!graph_.alive(id)) continue;
    const Value& value = graph_.value(id);
    if (value.constant) {
      dims_[Index(id)] = value.constant->dims();
      if (value.constant->dims().size() > kernels::kMaxPlanRank) {
        return AtValue(
            absl::UnimplementedError(StrCat("constant '", value.name, "' has ", value.constant->dims().size(),
                                            " dimensions; at most ", kernels::kMaxPlanRank, " are supported")),
            value.name);
      }
      continue;
    }
    if (!value.shape.IsStatic()) {
      return AtValue(absl::UnimplementedError(StrCat("value '", value.name, "' has the shape ", value.shape.ToString(),
                                                     ", which depends on data; give the shapes of the inputs")),
                     value.name);
    }
    dims_[Index(id)] = value.shape.Extents();
    if (value.shape.rank() > kernels::kMaxPlanRank) {
      return AtValue(absl::UnimplementedError(StrCat("value '", value.name, "' has ", value.shape.rank(),
                                                     " dimensions; at most ", kernels::kMaxPlanRank, " are supported")),
                     value.name);
    }
    auto count = ElementCount(dims_[Index(id)], 8);
    if (!count.ok())
      return AtValue(absl::InvalidArgumentError(StrCat("value '", value.name, "': ", Message(count.status()))),
                     value.name);
    const uint64_t bytes = static_cast<uint64_t>(*count) * ElementSize(value.type);
    if (bytes > options_.limits.max_tensor_bytes) {
      return AtValue(
          absl::ResourceExhaustedError(StrCat("value '", value.name, "' of shape ", value.shape.ToString(), " takes ",
                                              bytes, " bytes, the limit is ", options_.limits.max_tensor_bytes)),
          value.name);
    }
  }
  return absl::OkStatus();
}

// --- facts

const Tensor* Lowering::Constant(ValueId id) const {
  const Value& value = graph_.value(id);
  return value.constant ? &*value.constant : nullptr;
}

absl::StatusOr<std::vector<int64_t>> Lowering::Integers(const Node& node, size_t input) const {
  const Tensor* tensor = Constant(node.inputs[input]);
  if (tensor == nullptr) {
    return Unimplemented(node, StrCat("needs input ", input, " ('", graph_.value(node.inputs[input]).name,
                                      "') to be constant, but it is computed from data"));
  }
  if (tensor->type() == ElementType::kInt64) {
    return std::vector<int64_t>(tensor->data<int64_t>().begin(), tensor->data<int64_t>().end());
  }
  if (tensor->type() == ElementType::kInt32) {
    return std::vector<int64_t>(tensor->data<int32_t>().begin(), tensor->data<int32_t>().end());
  }
  return Invalid(node, StrCat("input ", input, " is ", ElementTypeName(tensor->type()), ", expected int64 or int32"));
}

absl::Status Lowering::Unimplemented(const Node& node, std::string_view what) const {
  return AtNode(absl::UnimplementedError(StrCat("node '", node.name, "' (", OpName(node.op), "): ", what)), node.name);
}

absl::Status Lowering::Invalid(const Node& node, std::string_view what) const {
  return AtNode(absl::InvalidArgumentError(StrCat("node '", node.name, "' (", OpName(node.op), "): ", what)),
                node.name);
}

absl::Status Lowering::RequireQuantized(const Node& node, ValueId id) const {
  const Value& value = graph_.value(id);
  if (value.type != ElementType::kInt8) {
    return AtValue(
        Unimplemented(node, StrCat("expected int8 for '", value.name, "', found ", ElementTypeName(value.type))),
        value.name);
  }
  if (!value.quant) {
    return AtValue(Unimplemented(node, StrCat("int8 value '", value.name, "' has no quantization parameters")),
                   value.name);
  }
  if (value.quant->per_axis() || value.quant->scales.size() != 1 || value.quant->bits > 8) {
    return Unimplemented(node, StrCat("'", value.name, "' is quantized as ", value.quant->ToString(),
                                      "; integer steps take one scale for the value and at most 8 bits"));
  }
  return absl::OkStatus();
}

absl::Status Lowering::RequireFloat(const Node& node, ValueId id) const {
  const Value& value = graph_.value(id);
  if (value.type == ElementType::kFloat32) return absl::OkStatus();
  return Unimplemented(node, StrCat("cannot run with '", value.name, "' of type ", ElementTypeName(value.type),
                                    value.type == ElementType::kInt8 ? "; keep the node in float (Dequantize before it)"
                                                                     : "; float32 is needed"));
}

// --- places

Layout Lowering::LayoutOf(ValueId id) const {
  const auto& places = places_[Index(id)];
  return places.empty() ? Layout::kRowMajor : places.front().layout;
}

Layout Lowering::PreferredLayout(const std::vector<ValueId>& inputs, ValueId result) const {
  const LayoutDemand& demand = demand_[Index(result)];
  if (demand.row_major && !demand.channels_last) return Layout::kRowMajor;
  int64_t most = -1;
  Layout layout = Layout::kRowMajor;
  for (ValueId input : inputs) {
    if (!input.valid() || graph_.value(input).is_constant()) continue;
    const int64_t elements = ElementsOf(Dims(input));
    const bool last = LayoutOf(input) == Layout::kChannelsLast && !LayoutsAgree(Dims(input));
    if (elements > most || (elements == most && last)) {
      most = elements;
      layout = last ? Layout::kChannelsLast : Layout::kRowMajor;
    }
  }
  return layout;
}

void Lowering::Record(ValueId id, const Placement& place) {
  places_[Index(id)].push_back(place);
  if (place.at.buffer >= 0) residents_[static_cast<size_t>(place.at.buffer)].push_back(id);
}

Placement Lowering::NewPlace(ValueId id, Layout layout) {
  Placement place;
  place.type = Type(id);
  place.dims = Dims(id);
  place.layout = place.dims.size() < 3 ? Layout::kRowMajor : layout;
  place.pixel_stride = place.layout == Layout::kChannelsLast ? place.dims[1] : 0;
  return place;
}

Placement Lowering::PlaceConstant(ValueId id) {
  Placement place = NewPlace(id, Layout::kRowMajor);
  const Tensor& tensor = *Constant(id);
  if (tensor.type() != ElementType::kInt8) {
    place.at = Keep(tensor);
    return place;
  }
  const auto bytes = tensor.data<int8_t>();
  auto memory = constants_.Allocate(bytes.size() + kernels::kReadSlackBytes);
  for (size_t i = 0; i < bytes.size(); ++i) memory.get()[i] = static_cast<std::byte>(bytes[i] ^ 0x80);
  place.at.constant = memory.get();
  program_.weights_bytes += static_cast<int64_t>(bytes.size());
  program_.kept.push_back(memory);
  return place;
}

Placement Lowering::ReadAsIs(ValueId id) {
  auto& places = places_[Index(id)];
  if (places.empty()) Record(id, PlaceConstant(id));
  return places.front();
}

Placement Lowering::Read(ValueId id, Layout layout) {
  if (Dims(id).size() < 3) layout = Layout::kRowMajor;
  ReadAsIs(id);
  for (const Placement& place : places_[Index(id)]) {
    if (!place.dense() || (place.layout != layout && !LayoutsAgree(place.dims))) continue;
    Placement found = place;
    found.layout = layout;
    found.pixel_stride = layout == Layout::kChannelsLast ? found.dims[1] : 0;
    return found;
  }
  Placement converted = NewPlace(id, layout);
  const Placement from = places_[Index(id)].front();
  if (from.at.buffer >= 0) {
    converted.at = NewBuffer(converted.bytes());
    EmitCopy(from, converted);
  } else {
    auto memory = constants_.Allocate(static_cast<size_t>(converted.bytes()) + kernels::kReadSlackBytes);
    kernels::CopyPlan plan;
    const Extents shape = PhysicalExtents(converted.dims, layout);
    const std::vector<int64_t> strides = from.Strides();
    Extents in, out = DenseStrides(shape, Layout::kRowMajor);
    for (int axis : PhysicalOrder(converted.dims.size(), layout)) in.push_back(strides[static_cast<size_t>(axis)]);
    if (kernels::PlanCopy(shape, in, out, &plan)) {
      kernels::RunCopy(plan, static_cast<int>(ElementSize(converted.type)), from.at.constant + from.at.offset,
                       memory.get(), 0, plan.work_units);
    }
    converted.at.constant = memory.get();
    program_.weights_bytes += converted.bytes();
    program_.kept.push_back(memory);
  }
  Record(id, converted);
  return converted;
}

Placement Lowering::ReadPixels(ValueId id) {
  ReadAsIs(id);
  for (const Placement& place : places_[Index(id)]) {
    if (place.layout == Layout::kChannelsLast) return place;
  }
  return Read(id, Layout::kChannelsLast);
}

Placement Lowering::Write(ValueId id, Layout layout) {
  Placement place = NewPlace(id, layout);
  const auto outputs = graph_.outputs();
  const auto found = std::find(outputs.begin(), outputs.end(), id);
  const bool as_host_sees_it = place.layout == Layout::kRowMajor || LayoutsAgree(place.dims);
  if (found != outputs.end() && as_host_sees_it && place.type != ElementType::kInt8) {
    const auto index = static_cast<size_t>(found - outputs.begin());
    place.at.buffer = static_cast<int32_t>(program_.inputs.size() + index);
    output_bound_[index] = 1;
  } else {
    place.at = NewBuffer(place.bytes());
  }
  Record(id, place);
  return place;
}

Placement Lowering::WritePixels(ValueId id) {
  const auto& slice = fusion_.slices[Index(id)];
  if (!slice) return Write(id, Layout::kChannelsLast);
  if (!joined_.contains(slice->concat.index)) {
    joined_[slice->concat.index] = Write(slice->concat, Layout::kChannelsLast);
  }
  const Placement& whole = joined_[slice->concat.index];
  Placement place = NewPlace(id, Layout::kChannelsLast);
  place.at = whole.at.Plus(slice->first_channel * static_cast<int64_t>(ElementSize(place.type)));
  place.pixel_stride = whole.dims[1];
  Record(id, place);
  return place;
}

const Placement* Lowering::Joined(ValueId concat) const {
  const auto found = joined_.find(concat.index);
  return found == joined_.end() ? nullptr : &found->second;
}

// No value in the buffer has a reader left besides the current node.
bool Lowering::CanOverwrite(const Placement& place) const {
  if (place.at.buffer < 0 || !place.dense() || place.at.offset != 0) return false;
  const auto buffer = static_cast<size_t>(place.at.buffer);
  if (program_.buffers[buffer].home != BufferHome::kArena) return false;
  for (ValueId resident : residents_[buffer]) {
    if (graph_.IsOutput(resident)) return false;
    for (NodeId reader : graph_.Consumers(resident)) {
      if (reader != current_ && !lowered_[Index(reader)]) return false;
    }
  }
  return true;
}

bool Lowering::CanWriteOver(ValueId id, const Placement& input, const std::vector<Placement>& others) const {
  bool alone = CanOverwrite(input) && ElementSize(input.type) == ElementSize(Type(id)) && input.dims == Dims(id);
  for (const Placement& other : others) {
    alone = alone && (other.at.buffer != input.at.buffer || (other.at.offset == 0 && other.dims == input.dims &&
                                                             other.layout == input.layout && other.dense()));
  }
  const bool is_output = graph_.IsOutput(id) && Type(id) != ElementType::kInt8;
  return alone && !(is_output && LayoutsAgree(input.dims));
}

Placement Lowering::WriteOver(ValueId id, const Placement& input, const std::vector<Placement>& others) {
  if (!CanWriteOver(id, input, others)) return Write(id, input.layout);
  Placement place = NewPlace(id, input.layout);
  place.at = input.at;
  Record(id, place);
  return place;
}

void Lowering::Alias(ValueId id, const Placement& place) { Record(id, place); }

std::vector<NodeId> Lowering::Chain() const {
  std::vector<NodeId> chain = fusion_.nodes[Index(current_)].chain;
  chain.push_back(current_);
  return chain;
}

const kernels::ConvF16Kernels* Lowering::Float16Kernels(int64_t outputs) {
  constexpr int64_t kWorthAVector = 16;
  if (!options_.float16 || outputs < kWorthAVector) return nullptr;
  const kernels::ConvF16Kernels& kernels = kernels::ConvF16(options_.isa);
  program_.float16 = kernels.float16_arithmetic ? Float16Use::kArithmetic : Float16Use::kStorage;
  return &kernels;
}

CodedWeight* Lowering::Coded(ValueId id) const {
  if (options_.coded == nullptr) return nullptr;
  const auto found = options_.coded->find(id);
  return found == options_.coded->end() ? nullptr : &found->second;
}

bool Lowering::HasIntegerWeights() const {
  return std::binary_search(options_.products_of_integers.begin(), options_.products_of_integers.end(), current_);
}

// --- memory and steps

Operand Lowering::NewBuffer(int64_t bytes) {
  PlannedBuffer buffer;
  buffer.bytes = bytes + static_cast<int64_t>(kernels::kReadSlackBytes);
  program_.buffers.push_back(buffer);
  residents_.emplace_back();
  Operand operand;
  operand.buffer = static_cast<int32_t>(program_.buffers.size()) - 1;
  return operand;
}

Operand Lowering::NewConstant(int purpose, int64_t bytes, absl::FunctionRef<void(std::byte*)> fill) {
  const std::pair<int32_t, int32_t> key{current_.index, purpose};
  std::shared_ptr<std::byte> memory;
  if (options_.cache != nullptr) memory = (*options_.cache)[key];
  if (memory == nullptr) {
    memory = constants_.Allocate(static_cast<size_t>(bytes));
    // A plan that will be refused packs nothing more: memory that is never written costs nothing.
    if (!OverBudget(options_.limits, program_.weights_bytes + bytes)) {
      fill(memory.get());
      if (options_.cache != nullptr) (*options_.cache)[key] = memory;
    }
  }
  program_.weights_bytes += bytes;
  program_.kept.push_back(memory);
  Operand operand;
  operand.constant = memory.get();
  return operand;
}

Operand Lowering::NewCodedConstant(const kernels::ConvCodedKernels& kernels, const kernels::ConvF32Geometry& geometry,
                                   const CodedLayout& layout, CodedWeight& weight) {
  const int64_t bytes = kernels.packed_bytes(geometry, weight.form);
  program_.coded_bytes += bytes;
  return NewConstant(0, bytes, [&](std::byte* memory) {
    PackCodedWeight(kernels, geometry, layout, *options_.executor, weight, memory);
  });
}

Operand Lowering::Keep(const Tensor& tensor) {
  program_.kept.push_back(std::make_shared<const Tensor>(tensor));
  Operand operand;
  operand.constant = tensor.buffer().data;
  return operand;
}

void Lowering::NeedWorkspace(int64_t bytes) {
  program_.workspace_bytes =
      std::max(program_.workspace_bytes, static_cast<int64_t>(RoundUpToAlignment(static_cast<size_t>(bytes))));
}

void Lowering::Touch(const Operand& operand, int32_t step) {
  if (operand.buffer < 0) return;
  PlannedBuffer& buffer = program_.buffers[static_cast<size_t>(operand.buffer)];
  if (buffer.first_step < 0) buffer.first_step = step;
  buffer.last_step = step;
}

void Lowering::Emit(const std::vector<Operand>& touched, RunFunction run) {
  const auto step = static_cast<int32_t>(program_.steps.size());
  for (const Operand& operand : touched) Touch(operand, step);
  Step& made = program_.steps.emplace_back();
  made.node = current_;
  made.run = std::move(run);
  for (const Operand& operand : touched) {
    if (operand.buffer >= 0) made.touched.push_back(operand.buffer);
  }
}

void Lowering::Emit(const std::vector<Operand>& touched, RunFunction run, RowForm by_rows) {
  Emit(touched, std::move(run));
  program_.steps.back().by_rows = std::make_shared<const RowForm>(std::move(by_rows));
}

void Lowering::EmitCopy(const Placement& from, const Placement& to) {
  const Extents shape = PhysicalExtents(to.dims, to.layout);
  const std::vector<int64_t> from_strides = from.Strides(), to_strides = to.Strides();
  std::vector<int64_t> in, out;
  for (int axis : PhysicalOrder(to.dims.size(), to.layout)) {
    in.push_back(from_strides[static_cast<size_t>(axis)]);
    out.push_back(to_strides[static_cast<size_t>(axis)]);
  }
  EmitStridedCopy(*this, shape, from.at, in, to.at, out, ElementSize(to.type));
}

// --- the whole

void Lowering::AddInputs() {
  const auto add = [this](ValueId id, BufferHome home, size_t index) {
    SessionValue seen{graph_.value(id).name, Type(id), Dims(id)};
    PlannedBuffer buffer;
    buffer.home = home;
    buffer.index = index;
    buffer.bytes = seen.bytes() + static_cast<int64_t>(kernels::kReadSlackBytes);
    (home == BufferHome::kSessionInput ? program_.inputs : program_.outputs).push_back(std::move(seen));
    program_.buffers.push_back(buffer);
    residents_.emplace_back();
  };
  for (size_t i = 0; i < graph_.inputs().size(); ++i) add(graph_.inputs()[i], BufferHome::kSessionInput, i);
  for (size_t i = 0; i < graph_.outputs().size(); ++i) add(graph_.outputs()[i], BufferHome::kSessionOutput, i);
  output_bound_.assign(graph_.outputs().size(), 0);

  for (size_t i = 0; i < graph_.inputs().size(); ++i) {
    const ValueId id = graph_.inputs()[i];
    Placement place = NewPlace(id, Layout::kRowMajor);
    place.at.buffer = static_cast<int32_t>(i);
    if (place.type == ElementType::kInt8) {
      Placement bytes = place;
      bytes.at = NewBuffer(place.bytes());
      EmitFlipSign(*this, place.at, bytes.at, place.elements());
      place = bytes;
    }
    Record(id, place);
    if (!options_.fuse) program_.taps.push_back({program_.steps.size(), id, place});
  }
}

absl::Status Lowering::LowerNode(NodeId id) {
  current_ = id;
  if (!fusion_.nodes[Index(id)].absorbed) {
    const Node& node = graph_.node(id);
    for (NodeId link : fusion_.nodes[Index(id)].chain) lowered_[Index(link)] = 1;
    const bool table = fusion_.nodes[Index(id)].byte.valid();
    const absl::Status status = table ? LowerTable() : FindStep(node.op).lower(*this, node);
    if (!status.ok()) return status;
    // What a file holds of weights that a product has packed is not read again.
    if (KindOf(node.op) == OpKind::kProduct && Constant(node.inputs[1]) != nullptr) {
      ReleasePages(*Constant(node.inputs[1]));
    }
    if (!options_.fuse) AddTaps(node);
  }
  // A node of a chain still reads its inputs where the chain's last node stands.
  if (!fusion_.nodes[Index(id)].waits) lowered_[Index(id)] = 1;
  current_ = NodeId{};
  return absl::OkStatus();
}

absl::Status Lowering::LowerTable() {
  const ValueId byte = fusion_.nodes[Index(current_)].byte;
  const auto table = TableOf(graph_, {byte, Chain()}, options_.isa, options_.limits);
  if (table.ok()) EmitByteTable(*this, byte, *table);
  return table.status();
}

// Values made by the node are tapped behind its last step, and stay in memory until then.
void Lowering::AddTaps(const Node& node) {
  for (ValueId output : node.outputs) {
    if (!output.valid() || places_[Index(output)].empty()) continue;
    const Placement& place = places_[Index(output)].front();
    program_.taps.push_back({program_.steps.size(), output, place});
    if (!program_.steps.empty()) Touch(place.at, static_cast<int32_t>(program_.steps.size()) - 1);
  }
}

void Lowering::FinishOutputs() {
  for (size_t i = 0; i < graph_.outputs().size(); ++i) {
    if (output_bound_[i]) continue;
    const ValueId id = graph_.outputs()[i];
    Placement to = NewPlace(id, Layout::kRowMajor);
    to.at.buffer = static_cast<int32_t>(program_.inputs.size() + i);
    if (to.type == ElementType::kInt8) {
      const Placement from = Read(id, Layout::kRowMajor);
      EmitFlipSign(*this, from.at, to.at, to.elements());
    } else {
      EmitCopy(ReadAsIs(id), to);
    }
  }
}

absl::Status Lowering::FinishMemory() {
  std::vector<BufferLife> lives;
  std::vector<size_t> planned;
  for (size_t i = 0; i < program_.buffers.size(); ++i) {
    const PlannedBuffer& buffer = program_.buffers[i];
    if (buffer.home != BufferHome::kArena || buffer.first_step < 0) continue;
    lives.push_back({buffer.bytes, buffer.first_step, buffer.last_step});
    planned.push_back(i);
  }
  const MemoryPlan plan = PlanMemory(lives);
  for (size_t i = 0; i < planned.size(); ++i) program_.buffers[planned[i]].offset = plan.offsets[i];
  program_.arena_bytes = plan.bytes;

  if (OverBudget(options_.limits, program_.arena_bytes + program_.workspace_bytes + program_.weights_bytes)) {
    const uint64_t constants = ConstantBytes(graph_);
    return absl::ResourceExhaustedError(
        StrCat("graph '", graph_.name, "' needs ", program_.arena_bytes + program_.workspace_bytes,
               " bytes for activations, ", program_.weights_bytes, " for packed weights and ", constants,
               " for constants in memory; the memory budget is ", options_.limits.memory_budget_bytes + constants));
  }
  return absl::OkStatus();
}

}  // namespace qlite
