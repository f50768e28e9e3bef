// Operators that are read as others give what they stand for.
#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "formats/onnx_model_builder.h"
#include "qlite/session.h"

namespace qlite {
namespace {

using namespace testing;  // NOLINT: the builder
using onnx_schema::TensorProto;

// The output for an input of 1, 2, 3, ...
std::vector<float> Evaluate(const OnnxModel& model) {
  absl::StatusOr<Graph> graph = model.Read();
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  auto context = Context::Create({});
  REQUIRE(context.ok());
  auto session = Session::Create(*context, *std::move(graph));
  INFO(session.status().ToString());
  REQUIRE(session.ok());
  for (size_t i = 0; i < (*session)->input(0).as<float>().size(); ++i) {
    (*session)->input(0).as<float>()[i] = static_cast<float>(i + 1);
  }
  REQUIRE((*session)->Run().ok());
  const TensorView view = (*session)->output(0);
  const auto* data = static_cast<const float*>(view.data);
  return {data, data + view.bytes / sizeof(float)};
}

TEST_CASE("Trilu keeps a triangle on either side of any diagonal") {
  const auto kept = [](int64_t upper, int64_t diagonal) {
    OnnxModel model(14);
    model.Input("x", {2, 3}).Output("y");
    auto& k = model.Constant("k", TensorProto::INT64, {});
    k.add_int64_data(diagonal);
    SetInt(model.Node("Trilu", {"x", "k"}, {"y"}), "upper", upper);
    return Evaluate(model);
  };
  CHECK(kept(1, 0) == std::vector<float>{1, 2, 3, 0, 5, 6});
  CHECK(kept(1, 1) == std::vector<float>{0, 2, 3, 0, 0, 6});
  CHECK(kept(1, -1) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(kept(0, 0) == std::vector<float>{1, 0, 0, 4, 5, 0});
  CHECK(kept(0, -1) == std::vector<float>{0, 0, 0, 4, 0, 0});
  CHECK(kept(0, std::numeric_limits<int64_t>::max()) == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("Not tells false from true") {
  OnnxModel negation(14);
  negation.Input("x", {3}).Output("y");
  negation.Floats("two", {}, {2});
  negation.Node("Less", {"x", "two"}, {"small"});
  negation.Node("Not", {"small"}, {"large"});
  SetInt(negation.Node("Cast", {"large"}, {"y"}), "to", TensorProto::FLOAT);
  CHECK(Evaluate(negation) == std::vector<float>{0, 1, 1});
}

}  // namespace
}  // namespace qlite
