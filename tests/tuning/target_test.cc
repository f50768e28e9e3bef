// Sensitivity of layers, and the search for a bound on the loss.
#include <atomic>
#include <cmath>
#include <limits>

#include "qlite/loss_target.h"
#include "qlite/sensitivity.h"
#include "temporary_folder.h"
#include "tuning/tuning_test_util.h"

namespace qlite {
namespace {

using testing::GraphMaker;
using testing::RandomSamples;
using testing::ScaleChannel;
using testing::TemporaryFolder;
using testing::TestContext;

// Four products in a row; one channel of what b makes is so large that eight bits are few for the others.
Graph FourConvolutions() {
  GraphMaker maker;
  ValueId value = maker.Input({1, 8, 6, 6});
  for (const char* name : {"a", "b", "c", "d"}) value = maker.Conv(value, 8, 8, 3, 1, true, name);
  Graph graph = maker.Finish({value});
  Value& weights = graph.mutable_value(*graph.FindValue("b_w"));
  weights.constant = ScaleChannel(*weights.constant, 1, 100);
  Value& undo = graph.mutable_value(*graph.FindValue("c_w"));
  std::vector<float> values(undo.constant->data<float>().begin(), undo.constant->data<float>().end());
  for (size_t i = 0; i < values.size(); ++i) values[i] *= i / 9 % 8 == 1 ? 0.01f : 1.0f;
  undo.constant = Tensor::Of<float>(undo.constant->dims(), std::move(values));
  return graph;
}

QuantizerOptions Plain() {
  QuantizerOptions options;
  options.equalization = false;
  options.check_inputs = false;
  return options;
}

WeightQuantizerOptions Bits(int bits) {
  WeightQuantizerOptions options;
  options.bits = bits;
  options.rounding = WeightRounding::kNearest;  // the loss is the width's alone
  return options;
}

TEST_CASE("outputs that are the same have lost nothing") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 3);
  const auto loss = CompareOutputs(TestContext(), graph, graph, *data);
  REQUIRE(loss.ok());
  CHECK(loss->cosine == 1);
  CHECK(std::isinf(loss->snr_db));
  CHECK(loss->top1 == 1);
  CHECK(CompareOutputs(TestContext(), graph, graph, *RandomSamples(graph, 0)).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the loss of outputs is what the numbers say") {
  const auto constant = [](std::vector<float> bias) {
    GraphMaker maker;
    const ValueId x = maker.Input({1, 2});
    const ValueId zero = maker.Floats({2, 3}, std::vector<float>(6, 0), "w");
    return maker.Finish({maker.Node(OpType::kGemm, {x, zero, maker.Floats({3}, std::move(bias), "b")})});
  };
  const Graph original = constant({3, 4, 0}), changed = constant({4, 3, 0});
  const auto loss = CompareOutputs(TestContext(), original, changed, *RandomSamples(original, 2));
  REQUIRE(loss.ok());
  CHECK(loss->cosine == Approx(24.0 / 25));
  CHECK(loss->snr_db == Approx(10 * std::log10(25.0 / 2)));
  CHECK(loss->top1 == 0);
}

TEST_CASE("the layer that suffers is the most sensitive, for any number of threads") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 6);
  const auto one = MeasureSensitivity(TestContext(1), graph, Plain(), *data);
  const auto three = MeasureSensitivity(TestContext(3), graph, Plain(), *data);
  REQUIRE((one.ok() && three.ok()));
  REQUIRE(one->size() == 4);
  CHECK(one->front().node == "c");  // it reads what b makes
  for (size_t i = 0; i < one->size(); ++i) {
    CHECK((i == 0 || (*one)[i - 1].loss.snr_db <= (*one)[i].loss.snr_db));
    CHECK((*one)[i].bits == 8);
    CHECK((*one)[i].node == (*three)[i].node);
    CHECK((*one)[i].loss.snr_db == (*three)[i].loss.snr_db);
    CHECK((*one)[i].loss.cosine == (*three)[i].loss.cosine);
    CHECK((*one)[i].loss.top1 == (*three)[i].loss.top1);
  }
  QuantizerOptions without_c = Plain();
  without_c.skip_nodes = {"c"};
  const auto rest = MeasureSensitivity(TestContext(), graph, without_c, *data);
  REQUIRE(rest.ok());
  CHECK(rest->size() == 3);
}

TEST_CASE("weights alone have a sensitivity too") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 4);
  const auto coarse = MeasureSensitivity(TestContext(2), graph, Bits(4), *data);
  const auto fine = MeasureSensitivity(TestContext(), graph, Bits(8), *data);
  REQUIRE((coarse.ok() && fine.ok()));
  REQUIRE(coarse->size() == 4);
  CHECK(coarse->front().bits == 4);
  CHECK(coarse->front().loss.snr_db + 6 < fine->front().loss.snr_db);
}

TEST_CASE("sensitivity stops where the host asks") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 4);
  std::atomic<int> calls = 0;
  ContextOptions options;
  options.progress = [&](const Progress& progress) { return progress.stage != "sensitivity" || ++calls < 3; };
  const Context context = *Context::Create(options);
  CHECK(MeasureSensitivity(context, graph, Plain(), *data).status().code() == absl::StatusCode::kCancelled);
}

TEST_CASE("bounds are read and checked") {
  CHECK(ParseLossTarget("cosine:0.995")->bound == 0.995);
  CHECK(ParseLossTarget("snr:30")->measure == LossMeasure::kSnr);
  CHECK(ParseLossTarget("top1:0.5")->measure == LossMeasure::kTop1);
  for (const char* wrong : {"", "cosine", "cosine:", "cosine:x", "cosine:0", "cosine:1.1", "snr:inf", "top1:100",
                            "top1:-1", "psnr:30", "snr:30 "}) {
    INFO(wrong);
    CHECK(ParseLossTarget(wrong).status().code() == absl::StatusCode::kInvalidArgument);
  }
  OutputLoss loss;
  loss.cosine = 0.99, loss.snr_db = 20, loss.top1 = 0.99;
  CHECK(Meets(loss, {LossMeasure::kCosine, 0.99}));
  CHECK_FALSE(Meets(loss, {LossMeasure::kCosine, 0.995}));
  CHECK(Meets(loss, {LossMeasure::kSnr, 19}));
  CHECK(Meets(loss, {LossMeasure::kTop1, 1.5}));
  CHECK_FALSE(Meets(loss, {LossMeasure::kTop1, 0.5}));
}

TEST_CASE("an equalised network whose constants are equal keeps its calibration through the search") {
  Graph graph = FourConvolutions();
  for (const char* bias : {"a_b", "b_b", "c_b", "d_b"}) {
    graph.mutable_value(*graph.FindValue(bias)).constant = Tensor::Of<float>({8}, std::vector<float>(8, 0));
  }
  QuantizerOptions options = Plain();
  options.equalization = true;  // gives each of the biases, one constant by then, its own again
  const auto data = RandomSamples(graph, 6);
  const auto tuned = QuantizeToTarget(TestContext(), graph, options, *data, {LossMeasure::kSnr, 60});
  INFO(tuned.status().ToString());
  CHECK(tuned.ok());
}

TEST_CASE("a target is met by leaving the layer float that needs it, and no other") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 6);
  const auto loose = QuantizeToTarget(TestContext(), graph, Plain(), *data, {LossMeasure::kSnr, 0});
  REQUIRE(loose.ok());
  CHECK((loose->met && loose->raised.empty() && loose->sensitivity.empty()));
  const double before = loose->loss.snr_db;
  const auto tuned = QuantizeToTarget(TestContext(), graph, Plain(), *data, {LossMeasure::kSnr, before + 3});
  INFO(tuned.status().ToString());
  REQUIRE(tuned.ok());
  CHECK(tuned->met);
  CHECK(tuned->first_loss.snr_db == before);
  CHECK(tuned->loss.snr_db >= before + 3);
  REQUIRE(tuned->raised.size() == 1);
  CHECK((tuned->raised[0].node == "c" && tuned->raised[0].bits == 32));
  for (const NodeOutcome& node : tuned->quantization.nodes) {
    CHECK(node.integer == (node.name != "c"));
    CHECK((node.integer || node.reason == "quantizing it costs too much at the outputs"));
  }
  // What is measured is what is given back.
  const auto again = CompareOutputs(TestContext(), tuned->quantization.float_graph, tuned->quantization.graph, *data);
  CHECK(again->snr_db == tuned->loss.snr_db);
  CHECK(QuantizeToTarget(TestContext(), graph, Plain(), *data, {LossMeasure::kCosine, 2}).status().code() ==
        absl::StatusCode::kInvalidArgument);
  const auto whole = QuantizeToTarget(TestContext(), graph, Plain(), *data, {LossMeasure::kCosine, 1});
  REQUIRE(whole.ok());
  CHECK((whole->met && whole->raised.size() == 4));
}

TEST_CASE("weights get more bits before they stay float") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 4);
  const auto first = QuantizeToTarget(TestContext(), graph, Bits(3), *data, {LossMeasure::kSnr, -100});
  REQUIRE(first.ok());
  const double before = first->loss.snr_db;
  for (const int threads : {1, 3}) {
    const auto tuned = QuantizeToTarget(TestContext(threads), graph, Bits(3), *data, {LossMeasure::kSnr, before + 2});
    REQUIRE(tuned.ok());
    CHECK(tuned->met);
    REQUIRE_FALSE(tuned->raised.empty());
    CHECK(tuned->raised.size() < 4);
    for (const RaisedLayer& layer : tuned->raised) CHECK(layer.bits == 4);
    const auto loss = CompareOutputs(TestContext(), graph, tuned->quantization.graph, *data);
    CHECK(loss->snr_db == tuned->loss.snr_db);
  }
  const auto fine = QuantizeToTarget(TestContext(), graph, Bits(3), *data, {LossMeasure::kSnr, 90});
  REQUIRE(fine.ok());
  CHECK(fine->met);
  for (const RaisedLayer& layer : fine->raised) CHECK(layer.bits >= 16);
}

TEST_CASE("remedies are tried before layers stay float") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 6);
  QuantizerOptions bad = Plain();
  bad.per_channel = false;
  const auto start = QuantizeToTarget(TestContext(), graph, bad, *data, {LossMeasure::kSnr, -100});
  REQUIRE(start.ok());
  TargetOptions options;
  options.fix = true;
  const auto fixed =
      QuantizeToTarget(TestContext(), graph, bad, *data, {LossMeasure::kSnr, start->loss.snr_db + 6}, options);
  INFO(fixed.status().ToString());
  REQUIRE(fixed.ok());
  CHECK(fixed->met);
  REQUIRE_FALSE(fixed->applied.empty());
  CHECK(fixed->raised.empty());
  // Each with what was expected and what was measured: the steps lead from the first loss to the last.
  double now = fixed->first_loss.snr_db;
  for (const AppliedRemedy& remedy : fixed->applied) {
    CHECK_FALSE(remedy.change.empty());
    CHECK(remedy.before_db == now);
    CHECK(remedy.after_db > now);
    now = remedy.after_db;
  }
  CHECK(now == fixed->loss.snr_db);
  CHECK(fixed->applied[0].expected_db > 0);
}

TEST_CASE("a calibration that is there gives the ranges, and the samples the loss") {
  const TemporaryFolder folder;
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 6);
  QuantizerOptions options = Plain();
  options.checkpoint_path = folder.File("table");
  const LossTarget target = {LossMeasure::kSnr, 0};
  const auto first = QuantizeToTarget(TestContext(), graph, options, *data, target);
  REQUIRE(first.ok());
  const absl::StatusOr<CalibrationTable> saved =
      CalibrationTable::LoadFile(options.checkpoint_path, ObserverRegistry::Default());
  REQUIRE(saved.ok());
  CHECK(saved->samples_done == 6);
  int calibrated = 0;
  ContextOptions counting;
  counting.progress = [&](const Progress& progress) {
    calibrated += progress.stage == "calibrate" && progress.done < progress.total;
    return true;
  };
  TargetOptions resuming;
  resuming.resume = &*saved;
  const auto again = QuantizeToTarget(*Context::Create(counting), graph, Plain(), *data, target, resuming);
  INFO(again.status().ToString());
  REQUIRE(again.ok());
  CHECK(again->loss.snr_db == first->loss.snr_db);
  CHECK(calibrated == 0);
  const auto others = RandomSamples(graph, 5);
  const absl::Status status = QuantizeToTarget(TestContext(), graph, Plain(), *others, target, resuming).status();
  CHECK(std::string(status.message()).find("samples") != std::string::npos);
  const auto weights = QuantizeToTarget(TestContext(), graph, WeightQuantizerOptions(), *data, target, resuming);
  CHECK(weights.status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the best result so far is given back where the host asks to stop") {
  const Graph graph = FourConvolutions();
  const auto data = RandomSamples(graph, 6);
  // The second settings, the second layer, the first search for fewer layers.
  for (const auto& [stage, last] :
       {std::pair("try settings", 2), std::pair("sensitivity", 2), std::pair("reach target", 1)}) {
    INFO(stage);
    int calls = 0;
    ContextOptions context_options;
    context_options.progress = [&, name = stage, last = last](const Progress& progress) {
      return progress.stage != name || ++calls < last;
    };
    const Context context = *Context::Create(context_options);
    TargetOptions options;
    options.fix = true;
    const auto tuned = QuantizeToTarget(context, graph, Plain(), *data, {LossMeasure::kCosine, 1}, options);
    INFO(tuned.status().ToString());
    REQUIRE(tuned.ok());
    CHECK_FALSE(tuned->met);
    CHECK(tuned->loss.snr_db >= tuned->first_loss.snr_db);
    const auto loss = CompareOutputs(TestContext(), tuned->quantization.float_graph, tuned->quantization.graph, *data);
    CHECK(loss->snr_db == tuned->loss.snr_db);
  }
  ContextOptions never;
  never.progress = [](const Progress&) { return false; };
  CHECK(QuantizeToTarget(*Context::Create(never), graph, Plain(), *data, {}).status().code() ==
        absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace qlite
