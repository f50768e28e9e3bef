#include <charconv>
#include <string>
#include <type_traits>

#include "absl/strings/str_join.h"
#include "core/enum_names.h"
#include "core/op_rules.h"
#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite {
namespace {

template <class E>
requires std::is_enum_v<E> std::string_view Text(E value) { return WordOf(value); }
std::string_view Text(ElementType type) { return ElementTypeName(type); }
std::string_view Text(bool value) { return value ? "true" : "false"; }
std::string Text(int64_t value) { return StrCat(value); }

// The shortest text that reads back as the same number.
std::string Text(float value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return error == std::errc() ? std::string(buffer, end) : "?";
}

template <class T>
std::string Text(const std::vector<T>& values) {
  return StrCat("[", absl::StrJoin(values, ",", [](std::string* out, const T& value) { StrAppend(out, Text(value)); }),
                "]");
}

// "{group=32, pads=[1,1,1,1]}", or nothing where every attribute has its default.
std::string AttrsText(const Node& node) {
  const auto fields_of = [](OpAttrs attrs) {
    std::vector<std::pair<std::string, std::string>> fields;
    std::visit(
        [&](auto& attr) {
          attr.VisitFields([&](const char* name, auto& field) { fields.emplace_back(name, Text(field)); });
        },
        attrs);
    return fields;
  };
  const auto fields = fields_of(node.attrs);
  const auto defaults = AttrsMatch(node.op, node.attrs) ? fields_of(DefaultAttrs(node.op)) : decltype(fields)();
  std::vector<std::string> shown;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i < defaults.size() && fields[i] == defaults[i]) continue;
    shown.push_back(StrCat(fields[i].first, "=", fields[i].second));
  }
  return shown.empty() ? "" : StrCat("{", absl::StrJoin(shown, ", "), "}");
}

std::string TypeText(const Value& value) {
  std::string text = StrCat(ElementTypeName(value.type), value.shape.ToString());
  if (value.quant) StrAppend(&text, " <", value.quant->ToString(), ">");
  return text;
}

std::string DeclarationText(const Graph& graph, ValueId id) {
  if (!id.valid()) return "_";
  return StrCat("%", graph.value(id).name, ": ", TypeText(graph.value(id)));
}

std::string UseText(const Graph& graph, ValueId id) { return id.valid() ? StrCat("%", graph.value(id).name) : "_"; }

// What a node's line shows, also for nodes on a cycle, which have no place in the order.
std::vector<NodeId> AllNodes(const Graph& graph) {
  std::vector<NodeId> nodes = graph.TopologicalOrder();
  std::vector<char> listed(graph.node_slots(), false);
  for (const NodeId id : nodes) listed[static_cast<size_t>(id.index)] = true;
  for (size_t i = 0; i < graph.node_slots(); ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    if (graph.alive(id) && !listed[i]) nodes.push_back(id);
  }
  return nodes;
}

std::vector<ValueId> Constants(const Graph& graph) {
  std::vector<ValueId> constants;
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (graph.alive(id) && graph.value(id).is_constant()) constants.push_back(id);
  }
  return constants;
}

std::string DotEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return escaped;
}

std::string DotValueId(ValueId id) { return StrCat("v", id.index); }
std::string DotNodeId(NodeId id) { return StrCat("n", id.index); }

std::string DotEdge(const Graph& graph, ValueId value, std::string_view target) {
  const NodeId producer = graph.value(value).producer;
  return StrCat("  ", producer.valid() ? DotNodeId(producer) : DotValueId(value), " -> ", target, " [label=\"",
                DotEscaped(producer.valid() ? TypeText(graph.value(value)) : ""), "\"];\n");
}

std::string DotNode(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const std::string attrs = AttrsText(node);
  std::string label = StrCat(DotEscaped(OpName(node.op)), "\\n", DotEscaped(node.name));
  if (!attrs.empty()) StrAppend(&label, "\\n", DotEscaped(attrs));
  // Constants are listed in the node: as nodes of their own they hide the network.
  for (const ValueId input : node.inputs) {
    if (!input.valid() || !graph.value(input).is_constant()) continue;
    const Value& constant = graph.value(input);
    StrAppend(&label, "\\n", DotEscaped(StrCat(constant.name, " ", TypeText(constant))));
  }
  std::string text = StrCat("  ", DotNodeId(id), " [shape=box, label=\"", label, "\"];\n");
  for (const ValueId input : node.inputs) {
    if (input.valid() && !graph.value(input).is_constant()) text += DotEdge(graph, input, DotNodeId(id));
  }
  return text;
}

}  // namespace

std::string Graph::Dump() const {
  std::string text = StrCat("graph ", name, "\n");
  for (const auto& [key, entry] : metadata) StrAppend(&text, "metadata ", key, " = ", entry, "\n");
  for (const ValueId id : inputs_) StrAppend(&text, "input ", DeclarationText(*this, id), "\n");
  for (const ValueId id : Constants(*this)) StrAppend(&text, "constant ", DeclarationText(*this, id), "\n");
  for (const NodeId id : AllNodes(*this)) {
    const Node& node = this->node(id);
    const auto uses = [this](std::string* out, ValueId value) { out->append(UseText(*this, value)); };
    const auto declarations = [this](std::string* out, ValueId value) { out->append(DeclarationText(*this, value)); };
    const std::string attrs = AttrsText(node);
    StrAppend(&text, absl::StrJoin(node.outputs, ", ", declarations), " = ", OpName(node.op), "(",
              absl::StrJoin(node.inputs, ", ", uses), ")", attrs.empty() ? "" : " ", attrs, "  # ", node.name, "\n");
  }
  for (const ValueId id : outputs_) StrAppend(&text, "output ", UseText(*this, id), "\n");
  return text;
}

std::string Graph::DumpDot() const {
  std::string text = StrCat("digraph \"", DotEscaped(name), "\" {\n");
  for (const ValueId id : inputs_) {
    StrAppend(&text, "  ", DotValueId(id), " [shape=ellipse, label=\"", DotEscaped(value(id).name), "\\n",
              DotEscaped(TypeText(value(id))), "\"];\n");
  }
  for (const NodeId id : AllNodes(*this)) text += DotNode(*this, id);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const std::string target = StrCat("out", i);
    StrAppend(&text, "  ", target, " [shape=ellipse, label=\"", DotEscaped(value(outputs_[i]).name), "\"];\n",
              DotEdge(*this, outputs_[i], target));
  }
  return text + "}\n";
}

}  // namespace qlite
