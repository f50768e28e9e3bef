// Graphs that the host builds or changes.
#include <algorithm>
#include <mutex>
#include <optional>

#include "capi/attributes.h"
#include "capi/bodies.h"
#include "capi/quant_params.h"
#include "qlite/nearest_name.h"

namespace qlite::capi {
namespace {

// Values are named by the index of their id, which never changes while a graph is built.
struct BuilderBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kGraphBuilder;
  using Handle = qlite_graph_builder;

  BuilderBody(std::shared_ptr<ContextBody> maker, Graph begun)
      : MadeWithContext(std::move(maker)), graph(std::move(begun)) {}

  Graph graph;
};

ValueId ValueOf(const Graph& graph, int32_t value) {
  const ValueId id{static_cast<int32_t>(Checked(value, graph.value_slots(), "value"))};
  if (!graph.alive(id)) Refuse("value " + std::to_string(value) + " was removed");
  return id;
}

std::vector<ValueId> ValuesOf(const Graph& graph, const int32_t* values, size_t count, bool optional) {
  if (count > 0) Needed(values, "the list of values");
  std::vector<ValueId> ids;
  for (size_t i = 0; i < count; ++i) {
    ids.push_back(optional && values[i] == -1 ? ValueId() : ValueOf(graph, values[i]));
  }
  return ids;
}

std::vector<int64_t> Extents(const int64_t* dims, size_t rank) {
  if (rank > kMostExtents) Refuse("more than 16 extents");
  if (rank > 0) Needed(dims, "dims");
  return {dims, dims + rank};
}

std::vector<std::string> OperatorNames() {
  std::vector<std::string> names;
#define QLITE_CAPI_NAME(op_name, attrs) names.emplace_back(#op_name);
  QLITE_FOR_EACH_OP(QLITE_CAPI_NAME)
#undef QLITE_CAPI_NAME
  return names;
}

OpType OpNamed(const char* name) {
  const std::optional<OpType> op = FindOp(Needed(name, "the operator's name"));
  if (op) return *op;
  throw Failure(
      absl::NotFoundError(std::string("no operator is named '") + name + "'; " + DidYouMean(name, OperatorNames())));
}

Shape ReadShape(const int64_t* dims, size_t rank) {
  if (rank == QLITE_UNKNOWN_RANK) return Shape();
  std::vector<Dim> shape;
  for (const int64_t extent : Extents(dims, rank)) {
    if (extent < Dim::kUnknown) Refuse("the extent " + std::to_string(extent) + " is negative");
    shape.emplace_back(extent);
  }
  return Shape(std::move(shape));
}

// Of several outputs the values are made before the node is checked, so that a copy is changed: on failure they are
// gone.
void AddNodeOfOutputs(Graph& graph, const qlite_new_node& node, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                      int32_t* outputs) {
  Graph changed = graph;
  std::vector<ValueId> made;
  for (size_t i = 0; i < node.output_count; ++i) {
    made.push_back(changed.AddValue(Needed(node.output_names[i], "an output's name")));
  }
  Take(changed.AddNode(Text(node.name), op, std::move(attrs), std::move(inputs), made));
  graph = std::move(changed);
  for (size_t i = 0; i < made.size(); ++i) outputs[i] = made[i].index;
}

void AddNode(Graph& graph, const qlite_new_node& node, int32_t* outputs) {
  const OpType op = OpNamed(node.op);
  OpAttrs attrs = ReadAttributes(op, node.attributes, node.attribute_count);
  std::vector<ValueId> inputs = ValuesOf(graph, node.inputs, node.input_count, /*optional=*/true);
  if (node.output_count > 0) Needed(node.output_names, "output_names");
  if (node.output_count != 1) return AddNodeOfOutputs(graph, node, op, std::move(attrs), std::move(inputs), outputs);
  const char* const name = Needed(node.output_names[0], "the output's name");
  outputs[0] = Take(graph.AddNode(Text(node.name), op, std::move(attrs), std::move(inputs), name)).index;
}

// Runs change(graph) on a copy, so that the graph is as it was where memory runs out on the way.
template <class Change>
void ChangeWhole(Graph& graph, Change&& change) {
  Graph changed = graph;
  change(changed);
  graph = std::move(changed);
}

NodeId ProducerOf(const Graph& graph, ValueId value) {
  const NodeId producer = graph.value(value).producer;
  if (producer.valid()) return producer;
  const std::string& name = graph.value(value).name;
  throw Failure(AtValue(absl::FailedPreconditionError("no node makes value '" + name + "'"), name));
}

void SetProducerInput(Graph& graph, ValueId value, size_t index, int32_t input) {
  const NodeId producer = ProducerOf(graph, value);
  const size_t inputs = graph.node(producer).inputs.size();
  graph.SetInput(producer, Checked(index, inputs + 1, "input"), ValuesOf(graph, &input, 1, /*optional=*/true)[0]);
}

ValueId DetachProducer(Graph& graph, ValueId value, const char* name) {
  const NodeId producer = ProducerOf(graph, value);
  const std::vector<ValueId>& outputs = graph.node(producer).outputs;
  const auto index = static_cast<size_t>(std::find(outputs.begin(), outputs.end(), value) - outputs.begin());
  return graph.DetachOutput(producer, index, name);
}

void SetSymbol(Graph& graph, ValueId value, size_t dim, const char* symbol) {
  Value& input = graph.mutable_value(value);
  const auto i = static_cast<int64_t>(Checked(dim, static_cast<size_t>(input.shape.rank()), "dimension"));
  if (!input.shape.dim(i).known()) {
    input.shape.dim(i).symbol = symbol;
    return;
  }
  throw Failure(AtValue(absl::FailedPreconditionError("dimension " + std::to_string(dim) + " of value '" + input.name +
                                                      "' has an extent, which takes no name"),
                        input.name));
}

void SetProducerOperator(Graph& graph, ValueId value, const char* name, const qlite_attribute* attributes,
                         size_t count) {
  Node& node = graph.mutable_node(ProducerOf(graph, value));
  const OpType op = name == nullptr ? node.op : OpNamed(name);
  node.attrs = ReadAttributes(op, attributes, count);
  node.op = op;
}

void RemoveProducer(Graph& graph, ValueId value) {
  const NodeId producer = ProducerOf(graph, value);
  for (const ValueId output : graph.node(producer).outputs) {
    if (!output.valid() || (graph.Consumers(output).empty() && !graph.IsOutput(output))) continue;
    const std::string &node = graph.node(producer).name, &read = graph.value(output).name;
    absl::Status status =
        absl::FailedPreconditionError("node '" + node + "' cannot be removed: value '" + read + "' is still read");
    throw Failure(AtNode(AtValue(std::move(status), read), node));
  }
  graph.RemoveNode(producer);
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_operator_names(qlite_bytes** names) {
  if (names != nullptr) *names = nullptr;
  return Guard(nullptr, [&] { *Needed(names, "names") = Publish(MakeBytes(Lines(OperatorNames()))); });
}

qlite_status qlite_graph_builder_create(const qlite_context* context, const qlite_graph* base,
                                        qlite_graph_builder** builder) {
  return Make<ContextBody>(context, builder, [&](ContextBody&) {
    const std::shared_ptr<GraphBody> from = Optional<GraphBody>(base, "base");
    return std::make_shared<BuilderBody>(Needed<ContextBody>(context, "context"), from ? from->graph : qlite::Graph());
  });
}

qlite_status qlite_graph_builder_release(qlite_graph_builder* builder) { return Release<BuilderBody>(builder); }

qlite_status qlite_graph_builder_set_name(qlite_graph_builder* builder, const char* name) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) { body.graph.name = Needed(name, "name"); });
}

qlite_status qlite_graph_builder_set_metadata(qlite_graph_builder* builder, const char* key, const char* value) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(key, "key");
    if (value == nullptr) {
      body.graph.metadata.erase(key);
    } else {
      body.graph.metadata[key] = value;
    }
  });
}

qlite_status qlite_graph_builder_add_input(qlite_graph_builder* builder, const char* name, qlite_element_type type,
                                           const int64_t* dims, size_t rank, int32_t* value) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(value, "value");
    *value = body.graph.AddInput(Needed(name, "name"), ReadElementType(type), ReadShape(dims, rank)).index;
  });
}

qlite_status qlite_graph_builder_add_constant(qlite_graph_builder* builder, const char* name, qlite_element_type type,
                                              const int64_t* dims, size_t rank, const void* data, size_t size,
                                              int32_t* value) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(value, "value");
    Needed(name, "name");
    if (size > 0) Needed(data, "data");
    *value = body.graph
                 .AddConstant(name, Take(qlite::Tensor::Create(ReadElementType(type), Extents(dims, rank),
                                                               qlite::Buffer::Copy(data, size))))
                 .index;
  });
}

qlite_status qlite_graph_builder_add_node(qlite_graph_builder* builder, const qlite_new_node* node, int32_t* outputs) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    AddNode(body.graph, ReadStruct(node, qlite_new_node{}, "the node"), Needed(outputs, "outputs"));
  });
}

qlite_status qlite_graph_builder_find_value(const qlite_graph_builder* builder, const char* name, int32_t* value) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(value, "value");
    const std::optional<qlite::ValueId> found = body.graph.FindValue(Needed(name, "name"));
    if (!found)
      throw Failure(qlite::AtValue(absl::NotFoundError(std::string("no value is named '") + name + "'"), name));
    *value = found->index;
  });
}

qlite_status qlite_graph_builder_set_quant_params(qlite_graph_builder* builder, int32_t value,
                                                  const qlite_quant_params* params) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    std::optional<qlite::QuantParams>& quant = body.graph.mutable_value(ValueOf(body.graph, value)).quant;
    if (params == nullptr) {
      quant.reset();
    } else {
      quant = ReadQuantParams(params);
    }
  });
}

qlite_status qlite_graph_builder_replace_uses(qlite_graph_builder* builder, int32_t from, int32_t to) {
  return Call<BuilderBody>(
      builder, [&](BuilderBody& body) { body.graph.ReplaceUses(ValueOf(body.graph, from), ValueOf(body.graph, to)); });
}

qlite_status qlite_graph_builder_set_producer_input(qlite_graph_builder* builder, int32_t value, size_t index,
                                                    int32_t input) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    ChangeWhole(body.graph, [&](qlite::Graph& graph) { SetProducerInput(graph, ValueOf(graph, value), index, input); });
  });
}

qlite_status qlite_graph_builder_detach_producer(qlite_graph_builder* builder, int32_t value, const char* name,
                                                 int32_t* detached) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(detached, "detached"), Needed(name, "name");
    ChangeWhole(body.graph,
                [&](qlite::Graph& graph) { *detached = DetachProducer(graph, ValueOf(graph, value), name).index; });
  });
}

qlite_status qlite_graph_builder_rename_value(qlite_graph_builder* builder, int32_t value, const char* name) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(name, "name");
    ChangeWhole(body.graph, [&](qlite::Graph& graph) { graph.RenameValue(ValueOf(graph, value), name); });
  });
}

qlite_status qlite_graph_builder_rename_producer(qlite_graph_builder* builder, int32_t value, const char* name) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    Needed(name, "name");
    ChangeWhole(body.graph,
                [&](qlite::Graph& graph) { graph.RenameNode(ProducerOf(graph, ValueOf(graph, value)), name); });
  });
}

qlite_status qlite_graph_builder_set_symbol(qlite_graph_builder* builder, int32_t value, size_t dim,
                                            const char* symbol) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    SetSymbol(body.graph, ValueOf(body.graph, value), dim, Needed(symbol, "symbol"));
  });
}

qlite_status qlite_graph_builder_set_producer_operator(qlite_graph_builder* builder, int32_t value, const char* op,
                                                       const qlite_attribute* attributes, size_t attribute_count) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    SetProducerOperator(body.graph, ValueOf(body.graph, value), op, attributes, attribute_count);
  });
}

qlite_status qlite_graph_builder_remove_producer(qlite_graph_builder* builder, int32_t value) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) { RemoveProducer(body.graph, ValueOf(body.graph, value)); });
}

qlite_status qlite_graph_builder_set_outputs(qlite_graph_builder* builder, const int32_t* values, size_t count) {
  return Call<BuilderBody>(builder, [&](BuilderBody& body) {
    body.graph.SetOutputs(ValuesOf(body.graph, values, count, /*optional=*/false));
  });
}

qlite_status qlite_graph_builder_build(const qlite_graph_builder* builder, qlite_graph** graph) {
  return Make<BuilderBody>(builder, graph, [&](BuilderBody& body) {
    qlite::Graph built = body.graph;
    built.RemoveUnusedValues();
    Check(built.InferShapes());
    return std::make_shared<GraphBody>(body.context, std::move(built));
  });
}
