#include "formats/onnx/node_order.h"

#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>

#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

using onnx_schema::GraphProto;
using onnx_schema::NodeProto;
using Producers = std::unordered_map<std::string_view, int>;

absl::StatusOr<Producers> FindProducers(const GraphProto& graph, const std::unordered_set<std::string_view>& given) {
  Producers producers;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      if (output.empty()) continue;
      if (given.count(output) > 0 || !producers.emplace(output, i).second) {
        return AtNode(AtValue(absl::InvalidArgumentError(StrCat(DescribeNode(graph.node(i)), ": its output '", output,
                                                                "' has the name of another value")),
                              output),
                      NodeName(graph.node(i)));
      }
    }
  }
  return producers;
}

struct Dependencies {
  std::vector<std::vector<int>> readers;  // of each node's outputs, once for every input that reads one
  std::vector<int> waiting_for;           // how many such inputs a node has
};

absl::StatusOr<Dependencies> FindDependencies(const GraphProto& graph, const Producers& producers,
                                              const std::unordered_set<std::string_view>& given) {
  const size_t count = static_cast<size_t>(graph.node_size());
  Dependencies result{std::vector<std::vector<int>>(count), std::vector<int>(count)};
  for (int i = 0; i < graph.node_size(); ++i) {
    std::optional<std::string> missing;
    ForEachRead(graph.node(i), [&](std::string_view input) {
      if (given.count(input) > 0) return;
      const auto found = producers.find(input);
      if (found == producers.end()) {
        if (!missing) missing = input;
        return;
      }
      result.readers[static_cast<size_t>(found->second)].push_back(i);
      ++result.waiting_for[static_cast<size_t>(i)];
    });
    if (missing) {
      const std::string what =
          StrCat(DescribeNode(graph.node(i)), ": its input '", *missing, "' is produced by nothing");
      return AtNode(AtValue(absl::InvalidArgumentError(what), *missing), NodeName(graph.node(i)));
    }
  }
  return result;
}

// The names that a graph defines itself.
std::unordered_set<std::string_view> OwnNames(const GraphProto& graph) {
  std::unordered_set<std::string_view> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& initializer : graph.initializer()) names.insert(initializer.name());
  for (const NodeProto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  return names;
}

void ForEachCapture(const GraphProto& graph, absl::FunctionRef<void(std::string_view)> read) {
  const std::unordered_set<std::string_view> own = OwnNames(graph);
  const auto outer = [&](std::string_view name) {
    if (own.count(name) == 0) read(name);
  };
  for (const NodeProto& node : graph.node()) ForEachRead(node, outer);
  for (const auto& output : graph.output()) outer(output.name());
}

}  // namespace

void ForEachRead(const NodeProto& node, absl::FunctionRef<void(std::string_view)> read) {
  for (const std::string& input : node.input()) {
    if (!input.empty()) read(input);
  }
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) ForEachCapture(attribute.g(), read);
  }
}

const std::string& NodeName(const NodeProto& node) {
  return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
}

std::string DescribeNode(const NodeProto& node) { return StrCat("node '", NodeName(node), "' (", node.op_type(), ")"); }

absl::StatusOr<std::vector<int>> OrderNodes(const GraphProto& graph,
                                            const std::unordered_set<std::string_view>& given) {
  const absl::StatusOr<Producers> producers = FindProducers(graph, given);
  if (!producers.ok()) return producers.status();
  absl::StatusOr<Dependencies> dependencies = FindDependencies(graph, *producers, given);
  if (!dependencies.ok()) return dependencies.status();

  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (int i = 0; i < graph.node_size(); ++i) {
    if (dependencies->waiting_for[static_cast<size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const int reader : dependencies->readers[static_cast<size_t>(node)]) {
      if (--dependencies->waiting_for[static_cast<size_t>(reader)] == 0) ready.push(reader);
    }
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    if (dependencies->waiting_for[static_cast<size_t>(i)] > 0) {
      return AtNode(
          absl::InvalidArgumentError(StrCat(DescribeNode(graph.node(i)), ": it lies on a cycle, or reads from one")),
          NodeName(graph.node(i)));
    }
  }
  return order;
}

}  // namespace qlite::onnx
