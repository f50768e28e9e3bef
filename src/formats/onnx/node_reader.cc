#include "formats/onnx/node_reader.h"

#include <utility>

#include "core/error_site.h"
#include "core/str_cat.h"
#include "formats/onnx/node_order.h"
#include "formats/onnx/onnx_tensor.h"

namespace qlite::onnx {
namespace {

using onnx_schema::AttributeProto;

// The type of an attribute; the oldest files leave it out, and the field in use tells.
int32_t TypeOf(const AttributeProto& attribute) {
  if (attribute.type() != AttributeProto::UNDEFINED) return attribute.type();
  if (attribute.has_f()) return AttributeProto::FLOAT;
  if (attribute.has_i()) return AttributeProto::INT;
  if (attribute.has_s()) return AttributeProto::STRING;
  if (attribute.has_t()) return AttributeProto::TENSOR;
  if (attribute.has_g()) return AttributeProto::GRAPH;
  if (attribute.floats_size() > 0) return AttributeProto::FLOATS;
  if (attribute.ints_size() > 0) return AttributeProto::INTS;
  return AttributeProto::UNDEFINED;
}

constexpr int64_t kMaxListedInts = int64_t{1} << 20;

}  // namespace

const AttributeProto* NodeReader::Find(std::string_view name) const {
  for (const AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

AttributeProto* NodeReader::Take(std::string_view name, AttributeProto::AttributeType type) {
  seen_.insert(name);
  if (!ok()) return nullptr;
  for (AttributeProto& attribute : *proto_.mutable_attribute()) {
    if (attribute.name() != name) continue;
    const int32_t found = TypeOf(attribute);
    // An empty list in a file without attribute types shows no field at all.
    const bool list = type == AttributeProto::INTS || type == AttributeProto::FLOATS;
    if (found == type || (found == AttributeProto::UNDEFINED && list)) return &attribute;
    Invalid(StrCat("attribute '", name, "' has type ", found, " where ", static_cast<int>(type), " belongs"));
    return nullptr;
  }
  return nullptr;
}

int64_t NodeReader::Int(std::string_view name, int64_t fallback) {
  const AttributeProto* found = Take(name, AttributeProto::INT);
  return found != nullptr ? found->i() : fallback;
}

float NodeReader::Float(std::string_view name, float fallback) {
  const AttributeProto* found = Take(name, AttributeProto::FLOAT);
  return found != nullptr ? found->f() : fallback;
}

std::string NodeReader::String(std::string_view name, std::string_view fallback) {
  const AttributeProto* found = Take(name, AttributeProto::STRING);
  return found != nullptr ? found->s() : std::string(fallback);
}

std::vector<int64_t> NodeReader::Ints(std::string_view name) {
  const AttributeProto* found = Take(name, AttributeProto::INTS);
  if (found == nullptr) return {};
  return {found->ints().begin(), found->ints().end()};
}

std::vector<float> NodeReader::Floats(std::string_view name) {
  const AttributeProto* found = Take(name, AttributeProto::FLOATS);
  if (found == nullptr) return {};
  return {found->floats().begin(), found->floats().end()};
}

std::vector<std::string> NodeReader::Strings(std::string_view name) {
  const AttributeProto* found = Take(name, AttributeProto::STRINGS);
  if (found == nullptr) return {};
  return {found->strings().begin(), found->strings().end()};
}

std::optional<Tensor> NodeReader::TensorAttribute(std::string_view name) {
  AttributeProto* found = Take(name, AttributeProto::TENSOR);
  if (found == nullptr) return std::nullopt;
  absl::StatusOr<Tensor> tensor = ReadTensor(*found->mutable_t(), state_.external, state_.options.limits);
  if (!tensor.ok()) {
    Fail(Prefixed(tensor.status(), StrCat("attribute '", name, "'")));
    return std::nullopt;
  }
  return *std::move(tensor);
}

onnx_schema::GraphProto* NodeReader::GraphAttribute(std::string_view name) {
  AttributeProto* found = Take(name, AttributeProto::GRAPH);
  if (found == nullptr) Invalid(StrCat("attribute '", name, "' is missing"));
  return ok() ? found->mutable_g() : nullptr;
}

ValueId NodeReader::Input(int i) {
  if (!ok() || !HasInput(i)) return {};
  absl::StatusOr<ValueId> id = state_.PlainValue(proto_.input(i));
  if (id.ok()) return *id;
  Fail(id.status());
  return {};
}

std::vector<ValueId> NodeReader::Inputs() {
  std::vector<ValueId> ids;
  for (int i = 0; i < input_count(); ++i) ids.push_back(Input(i));
  return ids;
}

ValueId NodeReader::InputAsHeld(int i, bool& shifted) {
  shifted = false;
  if (!ok() || !HasInput(i)) return {};
  const Binding& binding = InputBinding(i);
  if (!binding.shifted) return Input(i);
  shifted = true;
  return binding.id;
}

const Tensor* NodeReader::Constant(int i) {
  if (!ok() || !HasInput(i)) return nullptr;
  const Binding& binding = InputBinding(i);
  return binding.tensor.has_value() ? &*binding.tensor : nullptr;
}

std::optional<std::vector<int64_t>> NodeReader::ConstantInts(int i, std::string_view what) {
  if (!ok() || !HasInput(i)) return std::nullopt;
  const Tensor* tensor = Constant(i);
  if (tensor == nullptr) return KnownInts(InputBinding(i), what);
  if (tensor->dims().size() > 1 || tensor->element_count() > kMaxListedInts) {
    Invalid(StrCat(what, " must be a list of integers"));
    return std::nullopt;
  }
  if (tensor->type() == ElementType::kInt64) {
    const auto data = tensor->data<int64_t>();
    return std::vector<int64_t>(data.begin(), data.end());
  }
  if (tensor->type() == ElementType::kInt32) {
    const auto data = tensor->data<int32_t>();
    return std::vector<int64_t>(data.begin(), data.end());
  }
  Invalid(StrCat(what, " have element type ", ElementTypeName(tensor->type()), " where int64 belongs"));
  return std::nullopt;
}

std::optional<std::vector<int64_t>> NodeReader::KnownInts(const Binding& binding, std::string_view what) {
  if (!ok()) return std::nullopt;
  absl::StatusOr<std::optional<std::vector<int64_t>>> known = state_.KnownIntegers(binding);
  if (known.ok() && known->has_value()) return *std::move(known);
  if (!known.ok()) {
    Fail(known.status());
  } else {
    Unsupported(StrCat(what, " that depend on the data or on unknown extents of the model's inputs (fixed input ",
                       "shapes may help) are"));
  }
  return std::nullopt;
}

std::optional<int64_t> NodeReader::KnownInt(const Binding& binding, std::string_view what) {
  const std::optional<std::vector<int64_t>> values = KnownInts(binding, what);
  if (values && values->size() == 1) return values->front();
  if (values) Invalid(StrCat(what, " must be one element, found ", values->size()));
  return std::nullopt;
}

std::optional<int64_t> NodeReader::ConstantInt(int i, std::string_view what) {
  return ok() && HasInput(i) ? KnownInt(InputBinding(i), what) : std::nullopt;
}

const std::vector<ValueId>& NodeReader::Sequence(int i) {
  static const std::vector<ValueId> empty;
  if (!ok()) return empty;
  if (HasInput(i) && InputBinding(i).sequence != nullptr) return *InputBinding(i).sequence;
  Invalid(StrCat("its input ", i, " is not a sequence"));
  return empty;
}

std::optional<int64_t> NodeReader::Rank(int i) {
  if (!ok() || !HasInput(i)) return std::nullopt;
  const Binding& binding = InputBinding(i);
  if (binding.tensor.has_value()) return static_cast<int64_t>(binding.tensor->dims().size());
  if (binding.rank >= 0) return binding.rank;
  if (!binding.id.valid()) return std::nullopt;
  const absl::StatusOr<Shape> shape = state_.KnownShape(binding.id);
  if (!shape.ok()) Fail(shape.status());
  return shape.ok() && shape->has_rank() ? std::optional<int64_t>(shape->rank()) : std::nullopt;
}

bool NodeReader::OutputUsed(int i) const {
  return i < proto_.output_size() && !proto_.output(i).empty() && state_.At(proto_.output(i)).uses > 0;
}

void NodeReader::KeepOutputs(int count, std::string_view what) {
  for (int i = count; i < output_count(); ++i) {
    if (OutputUsed(i)) Unsupported(StrCat("the output '", OutputName(i), "' (", what, ")"));
  }
  while (proto_.output_size() > count) proto_.mutable_output()->RemoveLast();
}

void NodeReader::EmitMovement(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, bool shifted) {
  const ValueId moved = inputs.empty() ? ValueId() : inputs[0];
  Emit(op, std::move(attrs), std::move(inputs), shifted);
  if (!ok() || !moved.valid()) return;
  // Moved integers stand for the same numbers. Where the axis of the scales has gone only DequantizeLinear knows.
  const std::optional<QuantParams> quant = state_.graph.value(moved).quant;
  if (!quant.has_value() || quant->per_axis()) return;
  for (int i = 0; i < output_count(); ++i) {
    if (!OutputName(i).empty()) state_.graph.mutable_value(OutputBinding(i).id).quant = quant;
  }
}

void NodeReader::Emit(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, bool shifted) {
  if (!ok()) return;
  while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
  std::vector<ValueId> outputs;
  for (int i = 0; i < output_count(); ++i) {
    if (proto_.output(i).empty()) {
      outputs.push_back({});
      continue;
    }
    Binding& binding = OutputBinding(i);
    // The name of a graph output belongs to the form that the file means.
    const bool rename = shifted && binding.is_output;
    binding.id = state_.graph.AddValue(state_.Label(rename ? StrCat(proto_.output(i), "/int8") : proto_.output(i)));
    binding.shifted = shifted;
    outputs.push_back(binding.id);
  }
  const std::string& name = proto_.name().empty() && output_count() > 0 ? proto_.output(0) : proto_.name();
  const absl::StatusOr<NodeId> node =
      state_.graph.AddNode(state_.Label(name), op, std::move(attrs), std::move(inputs), std::move(outputs));
  if (!node.ok()) Fail(node.status());
}

ValueId NodeReader::Add(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, std::string_view suffix) {
  if (!ok()) return {};
  while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
  const std::string name = state_.Label(StrCat(proto_.output(0), "/", suffix));
  const absl::StatusOr<ValueId> value = state_.graph.AddNode(name, op, std::move(attrs), std::move(inputs), name);
  if (value.ok()) return *value;
  Fail(value.status());
  return {};
}

ValueId NodeReader::AddConstant(Tensor tensor, std::string_view suffix) {
  if (!ok()) return {};
  return state_.graph.AddConstant(state_.Label(StrCat(proto_.output(0), "/", suffix)), std::move(tensor));
}

void NodeReader::BindConstant(Tensor tensor) {
  if (!ok()) return;
  Binding& binding = OutputBinding(0);
  binding.type = tensor.type();
  binding.tensor = std::move(tensor);
}

void NodeReader::BindSequence(std::vector<ValueId> elements) {
  if (!ok()) return;
  if (absl::Status status = state_.ChargeSequence(elements.size() + 1); !status.ok()) return Fail(status);
  OutputBinding(0).sequence = std::make_shared<const std::vector<ValueId>>(std::move(elements));
}

void NodeReader::BindOutput(int i, Binding source) {
  if (!ok() || i >= output_count() || OutputName(i).empty()) return;
  Binding& output = OutputBinding(i);
  if (output.is_output && source.sequence == nullptr) {
    // The graph's output has this name, whatever its value was called inside.
    const absl::StatusOr<ValueId> value = state_.PlainValue(source, OutputName(i));
    if (!value.ok()) return Fail(value.status());
    const absl::StatusOr<ValueId> copy =
        state_.graph.AddNode(StrCat(OutputName(i), "/copy"), OpType::kIdentity, NoAttrs{}, {*value}, OutputName(i));
    if (!copy.ok()) return Fail(copy.status());
    source = Binding();
    source.id = *copy;
  }
  source.uses = output.uses;
  source.is_output = output.is_output;
  output = std::move(source);
}

void NodeReader::Fail(absl::Status status) {
  if (ok()) status_ = AtNode(Prefixed(status, DescribeNode(proto_)), NodeName(proto_));
}

void NodeReader::Unsupported(std::string_view message) {
  Fail(absl::UnimplementedError(StrCat(message, " not supported")));
}

absl::Status NodeReader::Finish() {
  std::set<std::string_view> names;
  for (const AttributeProto& attribute : proto_.attribute()) {
    if (!names.insert(attribute.name()).second) {
      Invalid(StrCat("attribute '", attribute.name(), "' is given twice"));
    }
    if (seen_.count(attribute.name()) == 0) {
      Invalid(StrCat("attribute '", attribute.name(), "' does not belong to this operator at opset ", opset()));
    }
  }
  return status_;
}

}  // namespace qlite::onnx
