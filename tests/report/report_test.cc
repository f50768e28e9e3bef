#include "qlite/report.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "report/real_values.h"
#include "temporary_folder.h"

namespace qlite {
namespace {

namespace fs = std::filesystem;

// y = x * w, of float weights.
Graph FloatGraph() {
  Graph graph;
  const ValueId x = graph.AddInput("x", ElementType::kFloat32, Shape::Of({1, 2}));
  const ValueId w = graph.AddConstant("w", Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6.4f}));
  const ValueId y = *graph.AddNode("product", OpType::kMatMul, MatMulAttrs{}, {x, w}, "y");
  const ValueId z = *graph.AddNode("the, \"end\"", OpType::kRelu, NoAttrs{}, {y}, "z");
  graph.SetOutputs({z});
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

// The same with integer weights behind a Dequantize node, a scale for each column.
Graph WeightQuantized() {
  Graph graph = FloatGraph();
  const ValueId w = graph.AddConstant("w_quantized", Tensor::Of<int8_t>({2, 3}, {1, 2, 2, 4, 5, 3}));
  QuantParams params;
  params.axis = 1;
  params.scales = {1, 1, 2};
  params.zero_points = {0, 0, 0};
  params.scheme = QuantScheme::kSymmetric;
  graph.mutable_value(w).quant = params;
  const ValueId real = *graph.AddNode("decode", OpType::kDequantize, QuantizeAttrs{}, {w}, "w_real");
  graph.SetInput(*graph.FindNode("product"), 1, real);
  graph.RemoveUnusedValues();
  REQUIRE(graph.InferShapes().ok());
  return graph;
}

// Pairs of numbers as samples of x.
class Samples : public DataSet {
 public:
  explicit Samples(std::vector<float> values) : values_(std::move(values)) {}

  int64_t size() const override { return static_cast<int64_t>(values_.size() / 2); }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    std::copy_n(values_.begin() + 2 * index, 2, inputs[0].as<float>().begin());
    return absl::OkStatus();
  }
  std::string Describe(int64_t) const override { return "a pair"; }
  absl::StatusOr<uint64_t> Fingerprint() const override { return uint64_t{0}; }

 private:
  std::vector<float> values_;
};

std::string ReadText(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_CASE("a report sets every tensor beside its original") {
  const Context context = *Context::Create();
  const Graph original = FloatGraph(), quantized = WeightQuantized();
  const Samples data({1, 1, 1, -1});
  const absl::StatusOr<Report> report = MakeReport(context, original, quantized, data, {});
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  REQUIRE(report->rounds.size() == 2);
  const std::vector<TensorReport>& tensors = report->rounds[0].tensors;
  REQUIRE(tensors.size() >= 4);
  CHECK((tensors[0].tensor == "x" && !tensors[0].is_weight && !tensors[0].is_output));
  CHECK((tensors[1].tensor == "w" && tensors[1].is_weight));
  REQUIRE(tensors[1].comparison.has_value());
  CHECK(tensors[1].comparison->quantized.max == 6);  // 6.4 and 3 became 3 and 2 steps of 2
  CHECK(tensors[1].comparison->clip == Approx(1.0 / 6));
  CHECK(tensors[1].comparison->cosine < 1);
  REQUIRE(report->parameters.size() == 3);
  CHECK((report->parameters[2].scale == 2 && report->parameters[2].tensor == "w_quantized"));
  REQUIRE(report->rounds[0].outputs.size() == 1);
  CHECK(report->rounds[0].outputs[0].cosine == Approx(1).margin(0.01));
  CHECK(report->rounds[0].outputs[0].cosine < 1);

  CHECK(MakeReport(context, original, quantized, data, {.rounds = 1})->rounds.size() == 1);
  CHECK(MakeReport(context, original, quantized, data, {.rounds = 3}).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a network beside itself has lost nothing and has no parameters") {
  const testing::TemporaryFolder folder;
  const Graph graph = FloatGraph();
  const auto report = MakeReport(*Context::Create(), graph, graph, Samples({1, 2}), {});
  REQUIRE(report.ok());
  CHECK(report->parameters.empty());
  for (const TensorReport& tensor : report->rounds[0].tensors) {
    REQUIRE(tensor.comparison.has_value());
    CHECK(tensor.comparison->cosine == Approx(1));
    CHECK(tensor.comparison->clip == 0);
  }
  REQUIRE(WriteReportCsv(*report, folder.path()).ok());
  CHECK_FALSE(fs::exists(fs::path(folder.path()) / "quant_param.csv"));
}

TEST_CASE("tables have the documented columns, and the same bytes each time") {
  const testing::TemporaryFolder folder;
  const Samples data({1, 1});
  std::string before;
  for (int run = 0; run < 2; ++run) {
    const auto report = MakeReport(*Context::Create(), FloatGraph(), WeightQuantized(), data, {});
    REQUIRE(report.ok());
    REQUIRE(WriteReportCsv(*report, folder.path()).ok());
    const std::string round = ReadText(fs::path(folder.path()) / "round_0.csv");
    CHECK((run == 0 || round == before));
    before = round;
  }
  CHECK_THAT(before,
             Catch::StartsWith(",NodeName,NodeType,TensorName,InOutFlag,DataTypeFlag,TensorTypeFlag,Min,Q1,Median,"
                               "Q3,Max,Mean,Var,Sparsity,Clip,CosineSimilarity,\n"
                               "0,product,MatMul,x,Input,Origin,Activation,1,1,1,1,1,1,0,0,0,1,\n"));
  CHECK_THAT(before, Catch::Contains("\"the, \"\"end\"\"\",Relu,z,Output,Origin,Activation,"));
  CHECK(ReadText(fs::path(folder.path()) / "quant_param.csv") ==
        "NodeName,NodeType,TensorName,ElementsNum,Dims,Scale,ZeroPoint,Bits,CorrectionVar,CorrectionMean,\n"
        "decode,Dequantize,w_quantized,6,2 3 ,1,0,8,1,0,\n"
        "decode,Dequantize,w_quantized,6,2 3 ,1,0,8,1,0,\n"
        "decode,Dequantize,w_quantized,6,2 3 ,2,0,8,1,0,\n");
  CHECK_THAT(ReadText(fs::path(folder.path()) / "output_summary.csv"),
             Catch::StartsWith("Round,TensorName,CosineSimilarity,\n0,z,0.9"));
  CHECK(WriteReportCsv({}, (fs::path(folder.path()) / "none").string()).code() == absl::StatusCode::kNotFound);
}

TEST_CASE("integers with a pair for each block of an axis are read back") {
  Graph graph;
  const ValueId w = graph.AddConstant("w", Tensor::Of<int8_t>({3, 2}, {1, 1, 1, 1, 1, 1}));
  QuantParams params;
  params.axis = 0;
  params.block_size = 2;
  params.scales = {1, 2, 3, 4};
  params.zero_points = {0, 0, 0, -1};
  graph.mutable_value(w).quant = params;
  CHECK(*report::RealValues(graph, w) == std::vector<float>{1, 2, 1, 2, 3, 8});
  graph.mutable_value(w).quant->mean_shifts = {1, 0, 0, 0};
  CHECK(*report::RealValues(graph, w) == std::vector<float>{2, 2, 2, 2, 3, 8});
  CHECK_FALSE(report::RealValues(graph, ValueId()).has_value());
}

}  // namespace
}  // namespace qlite
