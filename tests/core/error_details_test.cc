#include "qlite/error_details.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/error_site.h"
#include "qlite/graph.h"

namespace qlite {
namespace {

TEST_CASE("a status tells its places") {
  const absl::Status status =
      AtFile(AtValue(AtNode(absl::NotFoundError("gone"), "conv 'a'"), "weights"), "/a folder/model.onnx");
  const ErrorDetails details = DetailsOf(status);
  CHECK(details.file == "/a folder/model.onnx");
  CHECK(details.node == "conv 'a'");
  CHECK(details.value == "weights");
  CHECK(status.code() == absl::StatusCode::kNotFound);
  CHECK(std::string(status.message()) == "gone");
}

TEST_CASE("the innermost place stays, and prefixes keep it") {
  const absl::Status inner = AtFile(absl::DataLossError("cut short"), "weights.bin");
  const absl::Status outer = AtFile(Prefixed(inner, "model.onnx"), "model.onnx");
  CHECK(DetailsOf(outer).file == "weights.bin");
  CHECK(std::string(outer.message()) == "model.onnx: cut short");
  CHECK(outer.code() == absl::StatusCode::kDataLoss);
  CHECK(DetailsOf(AtFileInstead(outer, "other")).file == "other");
}

TEST_CASE("success has no place, and an empty name is none") {
  CHECK(AtNode(absl::OkStatus(), "conv").ok());
  const ErrorDetails none = DetailsOf(AtValue(absl::InternalError("x"), ""));
  CHECK(none.file.empty());
  CHECK(none.node.empty());
  CHECK(none.value.empty());
}

TEST_CASE("a graph's mistakes name node and value") {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape({1, 4}));
  const absl::StatusOr<NodeId> taken = graph.AddNode("relu", OpType::kRelu, NoAttrs{}, {x}, std::vector<ValueId>{x});
  REQUIRE_FALSE(taken.ok());
  CHECK(DetailsOf(taken.status()).node == "relu");
  CHECK(DetailsOf(taken.status()).value == "x");
  const absl::StatusOr<NodeId> lonely =
      graph.AddNode("sum", OpType::kAdd, ElementwiseAttrs{}, {x}, std::vector<ValueId>{});
  REQUIRE_FALSE(lonely.ok());
  CHECK(DetailsOf(lonely.status()).node == "sum");
  const ValueId loose = graph.AddValue("loose");
  graph.SetOutputs({loose});
  CHECK(DetailsOf(graph.Validate()).value == "loose");
}

}  // namespace
}  // namespace qlite
