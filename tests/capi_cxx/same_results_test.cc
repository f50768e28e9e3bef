// What the C interface gives beside what the C++ one gives, in one program.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "capi/capi_test_util.h"
#include "qlite/calibrator.h"
#include "qlite/loss_target.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"
#include "qlite/random_data_set.h"
#include "qlite/report.h"
#include "qlite/sensitivity.h"
#include "qlite/session.h"
#include "qlite/weight_quantizer.h"

namespace qlite::testing {
namespace {

ContextOptions TwoThreads() {
  ContextOptions options;
  options.num_threads = 2;
  return options;
}

// The demo's network and pictures by either way.
struct Both {
  Owned<qlite_context> c_context = testing::MakeContext(2);
  Owned<qlite_graph> c_graph = LoadDemo(c_context.get());
  Owned<qlite_data_set> c_data = DemoPictures(c_graph.get(), 4);
  Context context = *Context::Create(TwoThreads());
  Graph graph = *LoadModel(context, DemoPath("model.onnx"));
  std::unique_ptr<DataSet> data = *OpenImageDataSet(InputSpecs(graph)->front(), DemoPath("calib"), 4,
                                                    {.order = ColorOrder::kRgb,
                                                     .mean = {127.5f, 127.5f, 127.5f},
                                                     .std = {127.5f, 127.5f, 127.5f},
                                                     .resize_width = 48,
                                                     .resize_height = 48});
};

std::string Bytes(const Graph& graph, bool encode = false) {
  ExportOptions options;
  options.encode_weights = encode;
  return *SerializeModel(graph, options);
}

qlite_weight_quantizer_options WeightOptions() {
  qlite_weight_quantizer_options options;
  REQUIRE(qlite_weight_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  return options;
}

void CheckSameWeights(const qlite_quantization_result* c, const std::vector<WeightOutcome>& expected) {
  qlite_quantization_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_quantization_result_get_info(c, &info) == QLITE_OK);
  REQUIRE(info.weight_count == expected.size());
  CHECK(info.weight_count > 0);
  for (size_t i = 0; i < info.weight_count; ++i) {
    qlite_weight_outcome weight = {};
    weight.struct_size = sizeof(weight);
    REQUIRE(qlite_quantization_result_get_weight(c, i, &weight) == QLITE_OK);
    INFO(expected[i].name);
    CHECK(weight.name == expected[i].name);
    CHECK(weight.node == expected[i].node);
    CHECK(weight.op == expected[i].op);
    CHECK(weight.reason == expected[i].reason);
    CHECK(weight.elements == expected[i].elements);
    CHECK(weight.parameters == expected[i].parameters);
    CHECK(weight.error == expected[i].error);
    CHECK(weight.bits == expected[i].bits);
  }
}

// Both ways with options that mean the same: the same bytes and the same account.
void CheckSameQuantization(const Both& both, const qlite_weight_quantizer_options& c, const WeightQuantizerOptions& cxx,
                           bool with_data) {
  const auto result = MakeHandle<qlite_quantization_result>([&](auto** r) {
    return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), &c, with_data ? both.c_data.get() : nullptr,
                                 r);
  });
  const auto expected = WeightQuantize(both.context, both.graph, cxx, with_data ? both.data.get() : nullptr);
  REQUIRE(expected.ok());
  CHECK(Serialized(GraphOf(result.get()).get()) == Bytes(expected->graph));
  CheckSameWeights(result.get(), expected->weights);
  qlite_quantization_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_quantization_result_get_info(result.get(), &info) == QLITE_OK);
  CHECK(info.step_count == expected->steps.size());
}

TEST_CASE("C and C++: weights are quantized the same with every option") {
  const Both both;
  qlite_weight_quantizer_options c = WeightOptions();
  WeightQuantizerOptions cxx;
  bool with_data = false;
  SECTION("defaults") {}
  SECTION("4 bits in blocks, symmetric, of searched ranges, without correction") {
    c.bits = cxx.bits = 4;
    c.block_size = cxx.block_size = 16;
    c.symmetric = 1, cxx.scheme = QuantScheme::kSymmetric;
    c.range_search = 1, cxx.range_search = true;
    c.bias_correction = 0, cxx.bias_correction = false;
  }
  SECTION("3 bits of the weights' own ranges, a scale for each tensor") {
    c.bits = cxx.bits = 3;
    c.range_search = 0, cxx.range_search = false;
    c.per_channel = 0, cxx.per_channel = false;
  }
  SECTION("12 bits, filtered") {
    c.bits = cxx.bits = 12;
    c.min_weight_elements = cxx.min_weight_elements = 500;
    c.min_weight_channels = cxx.min_weight_channels = 16;
  }
  SECTION("a node left out") {
    static std::string name;
    for (const NodeId id : both.graph.TopologicalOrder()) {
      if (both.graph.node(id).op == OpType::kConv) name = both.graph.node(id).name;
    }
    static const char* const skip[] = {name.c_str()};
    c.skip_nodes = skip, c.skip_node_count = 1;
    cxx.skip_nodes = {name};
  }
  SECTION("mixed bits") {
    c.bits = cxx.bits = 0;
    c.mixed_error = cxx.mixed_error = 0.1;
  }
  SECTION("mixed bits for a cosine") {
    c.bits = cxx.bits = 0;
    c.auto_tune = 1, cxx.auto_tune = true;
    c.cosine_target = cxx.cosine_target = 0.98;
    c.max_iterations = cxx.max_iterations = 6;
    with_data = true;
  }
  SECTION("GPTQ") {
    c.bits = cxx.bits = 4;
    c.rounding = QLITE_ROUND_GPTQ, cxx.rounding = WeightRounding::kGptq;
    c.gptq_damping = cxx.gptq_damping = 0.05;
    with_data = true;
  }
  SECTION("each to the nearest") {
    c.bits = cxx.bits = 4;
    c.rounding = QLITE_ROUND_NEAREST, cxx.rounding = WeightRounding::kNearest;
  }
  SECTION("the narrowest widths") {
    c.width_error = cxx.width_error = 0.2;
    with_data = true;
  }
  SECTION("of given input shapes") {
    static const int64_t dims[] = {1, 3, 48, 48};
    static const qlite_input_shape shape = {"input", dims, 4};
    c.shapes = &shape, c.shape_count = 1;
    cxx.input_shapes = {{"input", {1, 3, 48, 48}}};
  }
  CheckSameQuantization(both, c, cxx, with_data);
}

TEST_CASE("C and C++: what weight quantization refuses is refused") {
  const Both both;
  const auto refused = [&](auto&& change) {
    qlite_weight_quantizer_options options = WeightOptions();
    change(options);
    qlite_quantization_result* none = nullptr;
    const qlite_status status =
        qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), &options, nullptr, &none);
    CHECK(none == nullptr);
    return status;
  };
  CHECK(refused([](auto& o) { o.bits = 17; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.bits = -1; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.bits = 1, o.symmetric = 1; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.block_size = 17; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.range_search = 2; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.rounding = 3; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.width_error = 0.1; }) == QLITE_INVALID_ARGUMENT);            // without data
  CHECK(refused([](auto& o) { o.rounding = QLITE_ROUND_GPTQ; }) == QLITE_INVALID_ARGUMENT);  // without data
  CHECK(refused([](auto& o) { o.bits = 0, o.mixed_error = 1; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) { o.skip_node_count = 1; }) == QLITE_INVALID_ARGUMENT);
  CHECK(refused([](auto& o) {
          static const char* const skip[] = {"no such node"};
          o.skip_nodes = skip, o.skip_node_count = 1;
        }) == QLITE_NOT_FOUND);
  CHECK(LastErrorOf(both.c_context.get()).node == "no such node");
}

TEST_CASE("C and C++: floats are stored as half") {
  const Both both;
  Graph stored = both.graph;
  const auto weights = StoreFloatsAsHalf(stored);
  REQUIRE(weights.ok());
  const auto result = MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_graph_store_floats_as_half(both.c_graph.get(), r); });
  CHECK(Serialized(GraphOf(result.get()).get()) == Bytes(stored));
  CheckSameWeights(result.get(), *weights);
  for (const auto& [c, cxx] : {std::pair(qlite_element_type{QLITE_FLOAT16}, ElementType::kFloat16),
                               std::pair(qlite_element_type{QLITE_BFLOAT16}, ElementType::kBFloat16)}) {
    Graph as_type = both.graph;
    const auto outcomes = StoreFloatsAsHalf(as_type, cxx);
    REQUIRE(outcomes.ok());
    const auto c_result = MakeHandle<qlite_quantization_result>(
        [&](auto** r) { return qlite_graph_store_floats_as(both.c_graph.get(), c, r); });
    CHECK(Serialized(GraphOf(c_result.get()).get()) == Bytes(as_type));
    CheckSameWeights(c_result.get(), *outcomes);
    CHECK(qlite_element_type_name(c) == ElementTypeName(cxx));
  }
  qlite_quantization_result* nothing = nullptr;
  CHECK(qlite_graph_store_floats_as(both.c_graph.get(), QLITE_INT8, &nothing) == QLITE_INVALID_ARGUMENT);
  CHECK(qlite_graph_store_floats_as(both.c_graph.get(), QLITE_BFLOAT16 + 1, &nothing) == QLITE_INVALID_ARGUMENT);
  // Nothing was calibrated, and no float graph was kept.
  qlite_calibration_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_calibration_table_get_info(TableOf(result.get()).get(), &info) == QLITE_OK);
  CHECK(info.tensor_count == 0);
  qlite_graph* none = nullptr;
  CHECK(qlite_quantization_result_float_graph(result.get(), &none) == QLITE_FAILED_PRECONDITION);
}

TEST_CASE("C and C++: weights are encoded in files") {
  const Both both;
  const auto int8 = GraphOf(Quantize(both.c_context.get(), both.c_graph.get(), both.c_data.get()).get());
  const auto expected = Quantizer(both.context, {}).FullQuantize(both.graph, *both.data);
  REQUIRE(expected.ok());
  CHECK(Serialized(int8.get()) == Bytes(expected->graph));
  qlite_export_options options = ExportTo(QLITE_FORMAT_QLITE);
  options.encode_weights = 1;
  const auto encoded =
      MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_serialize(int8.get(), &options, b); });
  CHECK(TextOf(encoded.get()) == Bytes(expected->graph, true));
  CHECK(TextOf(encoded.get()).size() < Serialized(int8.get()).size());
}

TEST_CASE("C and C++: corrections of weights are seen and set") {
  const Both both;
  qlite_weight_quantizer_options options = WeightOptions();
  options.bits = 3;
  const auto result = MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), &options, nullptr, r); });
  const auto graph = GraphOf(result.get());
  WeightQuantizerOptions cxx;
  cxx.bits = 3;
  const auto expected = WeightQuantize(both.context, both.graph, cxx);
  REQUIRE(expected.ok());
  size_t corrected = 0;
  for (size_t i = 0; i < expected->graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!expected->graph.alive(id) || !expected->graph.value(id).quant) continue;
    const QuantParams& params = *expected->graph.value(id).quant;
    int32_t number = -1;
    REQUIRE(qlite_graph_find_value(graph.get(), expected->graph.value(id).name.c_str(), &number) == QLITE_OK);
    qlite_quant_params found = {};
    found.struct_size = sizeof(found);
    REQUIRE(qlite_graph_get_quant_params(graph.get(), number, &found) == QLITE_OK);
    REQUIRE(found.count == params.scales.size());
    CHECK((found.variance_ratios == nullptr) == params.variance_ratios.empty());
    if (params.variance_ratios.empty()) continue;
    CHECK(std::equal(params.variance_ratios.begin(), params.variance_ratios.end(), found.variance_ratios));
    CHECK(std::equal(params.mean_shifts.begin(), params.mean_shifts.end(), found.mean_shifts));
    ++corrected;
    // Set on a copy, and taken away again.
    const auto builder = MakeHandle<qlite_graph_builder>(
        [&](auto** b) { return qlite_graph_builder_create(both.c_context.get(), graph.get(), b); });
    int32_t value = -1;
    REQUIRE(qlite_graph_builder_find_value(builder.get(), expected->graph.value(id).name.c_str(), &value) == QLITE_OK);
    REQUIRE(qlite_graph_builder_set_quant_params(builder.get(), value, nullptr) == QLITE_OK);
    REQUIRE(qlite_graph_builder_set_quant_params(builder.get(), value, &found) == QLITE_OK);
    const auto built = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
    CHECK(Serialized(built.get()) == Serialized(graph.get()));
    std::vector<float> wrong(found.count, -1.0f);
    found.variance_ratios = wrong.data();
    CHECK(qlite_graph_builder_set_quant_params(builder.get(), value, &found) == QLITE_INVALID_ARGUMENT);
  }
  CHECK(corrected > 0);
}

TEST_CASE("C and C++: models are loaded with input shapes") {
  const Both both;
  const int64_t dims[] = {2, 3, 48, 48};
  const qlite_input_shape shape = {"input", dims, 4};
  qlite_load_options options;
  REQUIRE(qlite_load_options_init(&options, sizeof(options)) == QLITE_OK);
  options.shapes = &shape;
  options.shape_count = 1;
  LoadOptions cxx;
  cxx.input_shapes = {{"input", {2, 3, 48, 48}}};
  const auto expected = LoadModel(both.context, DemoPath("model.onnx"), cxx);
  REQUIRE(expected.ok());
  const auto dump = [](const qlite_graph* graph) {
    return TextOf(MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(graph, 0, b); }).get());
  };
  const auto from_file = MakeHandle<qlite_graph>([&](auto** g) {
    return qlite_graph_load_with(both.c_context.get(), DemoPath("model.onnx").c_str(), &options, g);
  });
  CHECK(dump(from_file.get()) == expected->Dump());
  CHECK(dump(from_file.get()) != both.graph.Dump());
  const std::string bytes = Contents(DemoPath("model.onnx"));
  const auto from_memory = MakeHandle<qlite_graph>([&](auto** g) {
    return qlite_graph_load_memory_with(both.c_context.get(), bytes.data(), bytes.size(), "memory", &options, nullptr,
                                        nullptr, g);
  });
  CHECK(dump(from_memory.get()) == expected->Dump());
  options.format = 7;
  qlite_graph* none = nullptr;
  CHECK(qlite_graph_load_with(both.c_context.get(), DemoPath("model.onnx").c_str(), &options, &none) ==
        QLITE_INVALID_ARGUMENT);
}

TEST_CASE("C and C++: sessions keep weights in float16") {
  const Both both;
  for (const bool float16 : {false, true}) {
    qlite_session_options options;
    REQUIRE(qlite_session_options_init(&options, sizeof(options)) == QLITE_OK);
    options.float16 = float16;
    const auto session = MakeHandle<qlite_session>(
        [&](auto** s) { return qlite_session_create(both.c_context.get(), both.c_graph.get(), &options, s); });
    SessionOptions cxx;
    cxx.float16 = float16;
    const auto expected = Session::Create(both.context, both.graph, cxx);
    REQUIRE(expected.ok());
    qlite_session_info info = {};
    info.struct_size = sizeof(info);
    REQUIRE(qlite_session_get_info(session.get(), &info) == QLITE_OK);
    CHECK(info.float16 == static_cast<qlite_float16_use>((*expected)->float16()));
    CHECK((info.float16 != QLITE_FLOAT16_NONE) == float16);
    CHECK(info.weights_bytes == (*expected)->memory().weights_bytes);
    qlite_sample_buffer input, output;
    REQUIRE(qlite_session_get_input(session.get(), 0, &input) == QLITE_OK);
    REQUIRE(qlite_data_set_read(both.c_data.get(), 0, &input.data, &input.size, 1) == QLITE_OK);
    std::memcpy((*expected)->input(0).data, input.data, input.size);
    REQUIRE(qlite_session_run(session.get()) == QLITE_OK);
    REQUIRE((*expected)->Run().ok());
    REQUIRE(qlite_session_get_output(session.get(), 0, &output) == QLITE_OK);
    CHECK(std::memcmp((*expected)->output(0).data, output.data, output.size) == 0);
  }
}

TEST_CASE("C and C++: sessions decode weights on the fly") {
  const Both both;
  const auto result = MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), nullptr, nullptr, r); });
  const auto graph = GraphOf(result.get());
  const auto quantized = WeightQuantize(both.context, both.graph, {});
  REQUIRE(quantized.ok());
  std::vector<std::string> outputs;
  for (const qlite_weight_decoding decoding : {QLITE_DECODE_AT_LOAD, QLITE_DECODE_ON_THE_FLY}) {
    qlite_session_options options;
    REQUIRE(qlite_session_options_init(&options, sizeof(options)) == QLITE_OK);
    CHECK(options.weight_decoding == QLITE_DECODE_AS_MODEL_SAYS);
    options.weight_decoding = decoding;
    const auto session = MakeHandle<qlite_session>(
        [&](auto** s) { return qlite_session_create(both.c_context.get(), graph.get(), &options, s); });
    SessionOptions cxx;
    cxx.weight_decoding = static_cast<WeightDecoding>(decoding);
    const auto expected = Session::Create(both.context, quantized->graph, cxx);
    REQUIRE(expected.ok());
    qlite_session_info info = {};
    info.struct_size = sizeof(info);
    REQUIRE(qlite_session_get_info(session.get(), &info) == QLITE_OK);
    CHECK(info.weights_bytes == (*expected)->memory().weights_bytes);
    CHECK(info.coded_bytes == (*expected)->memory().coded_bytes);
    CHECK((info.coded_bytes > 0) == (decoding == QLITE_DECODE_ON_THE_FLY));
    qlite_sample_buffer input, output;
    REQUIRE(qlite_session_get_input(session.get(), 0, &input) == QLITE_OK);
    REQUIRE(qlite_data_set_read(both.c_data.get(), 0, &input.data, &input.size, 1) == QLITE_OK);
    REQUIRE(qlite_session_run(session.get()) == QLITE_OK);
    REQUIRE(qlite_session_get_output(session.get(), 0, &output) == QLITE_OK);
    outputs.emplace_back(static_cast<const char*>(output.data), output.size);
  }
  CHECK(outputs[0] == outputs[1]);
  qlite_session_options wrong;
  REQUIRE(qlite_session_options_init(&wrong, sizeof(wrong)) == QLITE_OK);
  wrong.weight_decoding = QLITE_DECODE_ON_THE_FLY + 1;
  qlite_session* none = nullptr;
  CHECK(qlite_session_create(both.c_context.get(), graph.get(), &wrong, &none) == QLITE_INVALID_ARGUMENT);
}

TEST_CASE("C and C++: random samples are the same") {
  const Both both;
  const qlite_data_target target = TargetOf(both.c_graph.get());
  const auto random = MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_make_random(&target, 3, d); });
  const auto expected = MakeRandomDataSet(*InputSpecs(both.graph), 3);
  int64_t size = 0;
  REQUIRE(qlite_data_set_size(random.get(), &size) == QLITE_OK);
  CHECK(size == 3);
  uint64_t fingerprint = 0;
  REQUIRE(qlite_data_set_fingerprint(random.get(), &fingerprint) == QLITE_OK);
  CHECK(fingerprint == *expected->Fingerprint());
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_make_random(&target, -1, &none) == QLITE_INVALID_ARGUMENT);
}

void CheckSame(const qlite_output_loss& c, const OutputLoss& cxx) {
  CHECK(c.cosine == cxx.cosine);
  CHECK(c.snr_db == cxx.snr_db);
  CHECK(c.top1 == cxx.top1);
}

void CheckSame(const qlite_sensitivity* c, const std::vector<LayerSensitivity>& cxx) {
  size_t count = 0;
  REQUIRE(qlite_sensitivity_count(c, &count) == QLITE_OK);
  REQUIRE(count == cxx.size());
  for (size_t i = 0; i < count; ++i) {
    qlite_layer_sensitivity layer = {};
    layer.struct_size = sizeof(layer);
    REQUIRE(qlite_sensitivity_get(c, i, &layer) == QLITE_OK);
    CHECK(layer.node == cxx[i].node);
    CHECK(layer.op == cxx[i].op);
    CHECK(layer.bits == cxx[i].bits);
    CheckSame(layer.loss, cxx[i].loss);
  }
}

Owned<qlite_quantizer> DefaultQuantizer(const qlite_context* context) {
  return MakeHandle<qlite_quantizer>([&](auto** q) { return qlite_quantizer_create(context, nullptr, q); });
}

TEST_CASE("C and C++: outputs are compared and layers ranked the same") {
  const Both both;
  const auto weights = WeightOptions();
  const auto quantized = MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), &weights, nullptr, r); });
  const auto cxx_quantized = WeightQuantize(both.context, both.graph, {});
  REQUIRE(cxx_quantized.ok());
  qlite_output_loss loss = {};
  REQUIRE(qlite_compare_outputs(both.c_context.get(), both.c_graph.get(), GraphOf(quantized.get()).get(),
                                both.c_data.get(), 3, &loss) == QLITE_OK);
  CheckSame(loss, *CompareOutputs(both.context, both.graph, cxx_quantized->graph, *both.data, 3));
  CHECK(loss.snr_db > 0);
  CHECK(qlite_compare_outputs(both.c_context.get(), both.c_graph.get(), both.c_graph.get(), both.c_data.get(), -1,
                              &loss) == QLITE_INVALID_ARGUMENT);

  const auto quantizer = DefaultQuantizer(both.c_context.get());
  const auto full = MakeHandle<qlite_sensitivity>([&](auto** s) {
    return qlite_quantizer_measure_sensitivity(quantizer.get(), both.c_graph.get(), both.c_data.get(), 2, s);
  });
  const auto expected = MeasureSensitivity(both.context, both.graph, QuantizerOptions(), *both.data, {.samples = 2});
  REQUIRE(expected.ok());
  CHECK_FALSE(expected->empty());
  CheckSame(full.get(), *expected);

  qlite_weight_quantizer_options four = WeightOptions();
  four.bits = 4;
  WeightQuantizerOptions cxx_four;
  cxx_four.bits = 4;
  const auto alone = MakeHandle<qlite_sensitivity>([&](auto** s) {
    return qlite_measure_weight_sensitivity(both.c_context.get(), both.c_graph.get(), &four, both.c_data.get(), 2, s);
  });
  const auto alone_expected = MeasureSensitivity(both.context, both.graph, cxx_four, *both.data, {.samples = 2});
  REQUIRE(alone_expected.ok());
  CHECK_FALSE(alone_expected->empty());
  CheckSame(alone.get(), *alone_expected);
}

void CheckSame(const qlite_quantization_result* c, const TargetedQuantization& cxx) {
  CHECK(Serialized(GraphOf(c).get()) == Bytes(cxx.quantization.graph));
  qlite_target_outcome outcome = {};
  outcome.struct_size = sizeof(outcome);
  REQUIRE(qlite_quantization_result_get_target(c, &outcome) == QLITE_OK);
  CheckSame(outcome.first_loss, cxx.first_loss);
  CheckSame(outcome.loss, cxx.loss);
  CHECK((outcome.met != 0) == cxx.met);
  REQUIRE(outcome.fix_count == cxx.applied.size());
  REQUIRE(outcome.raised_count == cxx.raised.size());
  for (size_t i = 0; i < outcome.fix_count; ++i) {
    const char* fix = nullptr;
    REQUIRE(qlite_quantization_result_get_fix(c, i, &fix) == QLITE_OK);
    CHECK(fix == cxx.applied[i].change);
    double expected = 0, before = 0, after = 0;
    REQUIRE(qlite_quantization_result_get_fix_gain(c, i, &expected, &before, &after) == QLITE_OK);
    CHECK(expected == cxx.applied[i].expected_db);
    CHECK(before == cxx.applied[i].before_db);
    CHECK(after == cxx.applied[i].after_db);
  }
  const char *node = nullptr, *op = nullptr;
  int32_t bits = 0;
  for (size_t i = 0; i < outcome.raised_count; ++i) {
    REQUIRE(qlite_quantization_result_get_raised(c, i, &node, &op, &bits) == QLITE_OK);
    CHECK(node == cxx.raised[i].node);
    CHECK(op == cxx.raised[i].op);
    CHECK(bits == cxx.raised[i].bits);
  }
  CHECK(qlite_quantization_result_get_raised(c, outcome.raised_count, &node, &op, &bits) == QLITE_OUT_OF_RANGE);
  const auto sensitivity =
      MakeHandle<qlite_sensitivity>([&](auto** s) { return qlite_quantization_result_sensitivity(c, s); });
  CheckSame(sensitivity.get(), cxx.sensitivity);
  MakeHandle<qlite_graph>([&](auto** g) { return qlite_quantization_result_float_graph(c, g); });
}

TEST_CASE("C and C++: quantization keeps to the same bound on the loss") {
  const Both both;
  qlite_loss_target target;
  REQUIRE(qlite_loss_target_init(&target, sizeof(target)) == QLITE_OK);
  CHECK(target.measure == static_cast<qlite_loss_measure>(LossTarget().measure));
  CHECK(target.bound == LossTarget().bound);
  CHECK(target.samples == TargetOptions().samples);
  CHECK(target.sensitivity_samples == TargetOptions().sensitivity_samples);
  CHECK((target.fix != 0) == TargetOptions().fix);
  CHECK(target.resume == nullptr);
  target.sensitivity_samples = 1;
  target.samples = 2;
  TargetOptions options = {.samples = 2, .sensitivity_samples = 1};
  SECTION("full quantization") {
    target.measure = QLITE_LOSS_SNR;
    target.bound = 35;
    const auto quantizer = DefaultQuantizer(both.c_context.get());
    const auto result = MakeHandle<qlite_quantization_result>([&](auto** r) {
      return qlite_quantizer_run_to_target(quantizer.get(), both.c_graph.get(), both.c_data.get(), &target, r);
    });
    const auto expected =
        QuantizeToTarget(both.context, both.graph, QuantizerOptions(), *both.data, {LossMeasure::kSnr, 35}, options);
    REQUIRE(expected.ok());
    CHECK(expected->met);
    CHECK_FALSE(expected->raised.empty());
    CheckSame(result.get(), *expected);
    // Its calibration takes the place of another one.
    const auto table =
        MakeHandle<qlite_calibration_table>([&](auto** t) { return qlite_quantization_result_table(result.get(), t); });
    target.resume = table.get();
    const auto resumed = MakeHandle<qlite_quantization_result>([&](auto** r) {
      return qlite_quantizer_run_to_target(quantizer.get(), both.c_graph.get(), both.c_data.get(), &target, r);
    });
    CheckSame(resumed.get(), *expected);
    target.resume = reinterpret_cast<const qlite_calibration_table*>(quantizer.get());
    qlite_quantization_result* none = nullptr;
    CHECK(qlite_quantizer_run_to_target(quantizer.get(), both.c_graph.get(), both.c_data.get(), &target, &none) ==
          QLITE_INVALID_ARGUMENT);
  }
  SECTION("weight quantization, with other options tried first") {
    target.measure = QLITE_LOSS_COSINE;
    target.bound = 0.999;
    target.fix = 1;
    options.fix = true;
    qlite_weight_quantizer_options c = WeightOptions();
    WeightQuantizerOptions cxx;
    c.bits = cxx.bits = 2;
    c.per_channel = 0, cxx.per_channel = false;
    const auto result = MakeHandle<qlite_quantization_result>([&](auto** r) {
      return qlite_weight_quantize_to_target(both.c_context.get(), both.c_graph.get(), &c, both.c_data.get(), &target,
                                             r);
    });
    const auto expected =
        QuantizeToTarget(both.context, both.graph, cxx, *both.data, {LossMeasure::kCosine, 0.999}, options);
    REQUIRE(expected.ok());
    CHECK_FALSE(expected->applied.empty());
    CheckSame(result.get(), *expected);
  }
  SECTION("what is no target") {
    qlite_quantization_result* none = nullptr;
    const auto refused = [&] {
      return qlite_weight_quantize_to_target(both.c_context.get(), both.c_graph.get(), nullptr, both.c_data.get(),
                                             &target, &none);
    };
    target.bound = 2;
    CHECK(refused() == QLITE_INVALID_ARGUMENT);
    target.measure = QLITE_LOSS_TOP1 + 1;
    CHECK(refused() == QLITE_INVALID_ARGUMENT);
    const auto plain = MakeHandle<qlite_quantization_result>(
        [&](auto** r) { return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), nullptr, nullptr, r); });
    qlite_target_outcome outcome = {};
    outcome.struct_size = sizeof(outcome);
    CHECK(qlite_quantization_result_get_target(plain.get(), &outcome) == QLITE_NOT_FOUND);
    qlite_sensitivity* nothing = nullptr;
    CHECK(qlite_quantization_result_sensitivity(plain.get(), &nothing) == QLITE_NOT_FOUND);
  }
}

void CheckSame(const qlite_tensor_statistics& c, const TensorStatistics& cxx) {
  CHECK(c.min == cxx.min);
  CHECK(c.quartile1 == cxx.quartile1);
  CHECK(c.median == cxx.median);
  CHECK(c.quartile3 == cxx.quartile3);
  CHECK(c.max == cxx.max);
  CHECK(c.mean == cxx.mean);
  CHECK(c.variance == cxx.variance);
  CHECK(c.sparsity == cxx.sparsity);
}

void CheckSame(const qlite_tensor_report& c, const TensorReport& cxx) {
  INFO(cxx.node << " " << cxx.tensor);
  CHECK(c.node == cxx.node);
  CHECK(c.op == cxx.op);
  CHECK(c.tensor == cxx.tensor);
  CHECK((c.is_output != 0) == cxx.is_output);
  CHECK((c.is_weight != 0) == cxx.is_weight);
  CheckSame(c.original, cxx.original);
  REQUIRE((c.compared != 0) == cxx.comparison.has_value());
  if (!cxx.comparison) return;
  CheckSame(c.quantized, cxx.comparison->quantized);
  CHECK(c.clip == cxx.comparison->clip);
  CHECK(c.cosine == cxx.comparison->cosine);
  CHECK(c.snr_db == cxx.comparison->snr_db);
}

void CheckSame(const qlite_parameter_report& c, const ParameterReport& cxx) {
  CHECK(c.node == cxx.node);
  CHECK(c.op == cxx.op);
  CHECK(c.tensor == cxx.tensor);
  CHECK(c.elements == cxx.elements);
  CHECK(std::vector<int64_t>(c.dims, c.dims + c.rank) == cxx.dims);
  CHECK(c.scale == cxx.scale);
  CHECK(c.zero_point == cxx.zero_point);
  CHECK(c.bits == cxx.bits);
  CHECK(c.correction_variance == cxx.correction_variance);
  CHECK(c.correction_mean == cxx.correction_mean);
}

void CheckSameRound(const qlite_report* report, size_t round, const ReportRound& expected) {
  size_t tensors = 0, outputs = 0;
  REQUIRE(qlite_report_get_round(report, round, &tensors, &outputs) == QLITE_OK);
  REQUIRE(tensors == expected.tensors.size());
  REQUIRE(outputs == expected.outputs.size());
  for (size_t i = 0; i < tensors; ++i) {
    qlite_tensor_report tensor = {};
    tensor.struct_size = sizeof(tensor);
    REQUIRE(qlite_report_get_tensor(report, round, i, &tensor) == QLITE_OK);
    CheckSame(tensor, expected.tensors[i]);
  }
  for (size_t i = 0; i < outputs; ++i) {
    const char* name = nullptr;
    double cosine = 0;
    REQUIRE(qlite_report_get_output(report, round, i, &name, &cosine) == QLITE_OK);
    CHECK(name == expected.outputs[i].tensor);
    CHECK(cosine == expected.outputs[i].cosine);
  }
}

TEST_CASE("C and C++: reports hold the same and are written the same") {
  const Both both;
  qlite_quantizer_options options;
  REQUIRE(qlite_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  options.keep_float_graph = 1;
  const auto quantizer =
      MakeHandle<qlite_quantizer>([&](auto** q) { return qlite_quantizer_create(both.c_context.get(), &options, q); });
  const auto result = MakeHandle<qlite_quantization_result>([&](auto** r) {
    return qlite_quantizer_run(quantizer.get(), both.c_graph.get(), both.c_data.get(), nullptr, r);
  });
  const auto before =
      MakeHandle<qlite_graph>([&](auto** g) { return qlite_quantization_result_float_graph(result.get(), g); });
  const auto after = GraphOf(result.get());
  qlite_report_options two;
  REQUIRE(qlite_report_options_init(&two, sizeof(two)) == QLITE_OK);
  two.rounds = 2;
  const auto make = [&](const qlite_report_options* o) {
    return MakeHandle<qlite_report>([&](auto** r) {
      return qlite_report_create(both.c_context.get(), before.get(), after.get(), both.c_data.get(), o, r);
    });
  };
  const auto report = make(&two);

  QuantizerOptions kept;
  kept.keep_float_graph = true;
  const auto quantized = Quantizer(both.context, kept).FullQuantize(both.graph, *both.data);
  REQUIRE(quantized.ok());
  CHECK(Serialized(before.get()) == Bytes(quantized->float_graph));
  const auto expected = MakeReport(both.context, quantized->float_graph, quantized->graph, *both.data, {.rounds = 2});
  REQUIRE(expected.ok());

  qlite_report_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_report_get_info(report.get(), &info) == QLITE_OK);
  REQUIRE(info.round_count == 2);
  REQUIRE(info.parameter_count == expected->parameters.size());
  CHECK(info.parameter_count > 0);
  for (size_t round = 0; round < 2; ++round) CheckSameRound(report.get(), round, expected->rounds[round]);
  for (size_t i = 0; i < info.parameter_count; ++i) {
    qlite_parameter_report parameter = {};
    parameter.struct_size = sizeof(parameter);
    REQUIRE(qlite_report_get_parameter(report.get(), i, &parameter) == QLITE_OK);
    CheckSame(parameter, expected->parameters[i]);
  }

  const TemporaryFolder c_folder, cxx_folder;
  REQUIRE(qlite_report_write_csv(report.get(), c_folder.path().c_str()) == QLITE_OK);
  REQUIRE(WriteReportCsv(*expected, cxx_folder.path()).ok());
  CHECK(c_folder.entries() == cxx_folder.entries());
  for (const char* name : {"output_summary.csv", "round_0.csv", "round_1.csv", "quant_param.csv"}) {
    CHECK(Contents(c_folder.File(name)) == Contents(cxx_folder.File(name)));
    CHECK_FALSE(Contents(c_folder.File(name)).empty());
  }
  const std::string missing = c_folder.File("missing");
  CHECK(qlite_report_write_csv(report.get(), missing.c_str()) == QLITE_NOT_FOUND);
  REQUIRE(qlite_report_get_info(make(nullptr).get(), &info) == QLITE_OK);
  CHECK(info.round_count == 4);
}

void CheckSame(const qlite_tensor_summary& c, const TensorSummary& cxx) {
  INFO(cxx.tensor);
  CHECK(c.tensor == cxx.tensor);
  CHECK(c.elements == cxx.elements);
  CHECK(c.scales == cxx.scales);
  CHECK(c.bits == cxx.bits);
  CHECK(c.grid_min == cxx.grid_min);
  CHECK(c.grid_max == cxx.grid_max);
  CHECK(c.min == cxx.min);
  CHECK(c.max == cxx.max);
  CHECK(c.clip == cxx.clip);
  REQUIRE((c.compared != 0) == cxx.snr_db.has_value());
  REQUIRE(cxx.snr_db.has_value() == cxx.cosine.has_value());
  if (cxx.snr_db) CHECK(c.snr_db == *cxx.snr_db);
  if (cxx.cosine) CHECK(c.cosine == *cxx.cosine);
  CHECK(c.histogram_min == cxx.histogram.min);
  CHECK(c.histogram_max == cxx.histogram.max);
  CHECK(std::vector<uint64_t>(c.original_histogram, c.original_histogram + c.original_parts) == cxx.histogram.original);
  CHECK(std::vector<uint64_t>(c.quantized_histogram, c.quantized_histogram + c.quantized_parts) ==
        cxx.histogram.quantized);
}

void CheckSameLayer(const qlite_report* report, size_t index, const LayerReport& cxx) {
  INFO(cxx.node);
  qlite_layer_report layer = {};
  layer.struct_size = sizeof(layer);
  REQUIRE(qlite_report_get_layer(report, index, &layer) == QLITE_OK);
  CHECK(layer.node == cxx.node);
  CHECK(layer.op == cxx.op);
  CHECK(layer.reason == cxx.reason);
  CHECK((layer.integer != 0) == cxx.integer);
  CHECK(layer.original_bytes == cxx.original_bytes);
  CHECK(layer.quantized_bytes == cxx.quantized_bytes);
  CHECK((layer.original_ms >= 0) == cxx.original_ms.has_value());
  CHECK((layer.quantized_ms >= 0) == cxx.quantized_ms.has_value());
  REQUIRE(layer.weight_count == cxx.weights.size());
  REQUIRE(layer.activation_count == cxx.activations.size());
  qlite_tensor_summary summary = {};
  summary.struct_size = sizeof(summary);
  for (size_t i = 0; i < layer.weight_count; ++i) {
    REQUIRE(qlite_report_get_layer_weight(report, index, i, &summary) == QLITE_OK);
    CheckSame(summary, cxx.weights[i]);
  }
  for (size_t i = 0; i < layer.activation_count; ++i) {
    REQUIRE(qlite_report_get_layer_activation(report, index, i, &summary) == QLITE_OK);
    CheckSame(summary, cxx.activations[i]);
  }
}

void CheckSameFinding(const qlite_report* report, size_t index, const Finding& cxx) {
  qlite_finding finding = {};
  finding.struct_size = sizeof(finding);
  REQUIRE(qlite_report_get_finding(report, index, &finding) == QLITE_OK);
  CHECK(finding.node == cxx.node);
  CHECK(finding.op == cxx.op);
  CHECK(finding.tensor == cxx.tensor);
  CHECK(finding.evidence == cxx.evidence);
  CHECK(finding.gain_db == cxx.gain_db);
  CHECK(qlite_loss_cause_name(finding.cause) == LossCauseName(cxx.cause));
  CHECK(qlite_remedy_text(finding.remedy) == RemedyText(cxx.remedy));
  REQUIRE(finding.number_count == cxx.numbers.size());
  for (size_t i = 0; i < finding.number_count; ++i) {
    const char* name = nullptr;
    double value = 0;
    REQUIRE(qlite_report_get_finding_number(report, index, i, &name, &value) == QLITE_OK);
    CHECK(name == cxx.numbers[i].first);
    CHECK(value == cxx.numbers[i].second);
  }
}

TEST_CASE("C and C++: reports tell the same of layers and causes, and write the same page") {
  const Both both;
  const bool times = GENERATE(false, true);
  qlite_weight_quantizer_options c = WeightOptions();
  WeightQuantizerOptions cxx;
  c.bits = cxx.bits = 2;
  c.per_channel = 0, cxx.per_channel = false;
  c.min_weight_elements = cxx.min_weight_elements = 500;  // so that something stays float, for a reason
  const auto result = MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(both.c_context.get(), both.c_graph.get(), &c, nullptr, r); });
  const auto before =
      MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_simplify(both.c_graph.get(), g, nullptr); });
  const auto after = GraphOf(result.get());
  const auto sensitivity = MakeHandle<qlite_sensitivity>([&](auto** s) {
    return qlite_measure_weight_sensitivity(both.c_context.get(), both.c_graph.get(), &c, both.c_data.get(), 1, s);
  });
  qlite_report_options options;
  REQUIRE(qlite_report_options_init(&options, sizeof(options)) == QLITE_OK);
  options.rounds = 2;
  options.times = times;
  options.reasons = result.get();
  options.sensitivity = sensitivity.get();
  const auto report = MakeHandle<qlite_report>([&](auto** r) {
    return qlite_report_create(both.c_context.get(), before.get(), after.get(), both.c_data.get(), &options, r);
  });

  const auto quantized = WeightQuantize(both.context, both.graph, cxx);
  REQUIRE(quantized.ok());
  Graph simplified = both.graph;
  REQUIRE(SimplifyGraph(both.context, simplified).ok());
  auto expected = MakeReport(both.context, simplified, quantized->graph, *both.data,
                             {.rounds = 2, .times = times, .reasons = ReasonsToStayFloat(*quantized)});
  REQUIRE(expected.ok());
  expected->sensitivity = *MeasureSensitivity(both.context, both.graph, cxx, *both.data, {.samples = 1});

  qlite_report_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_report_get_info(report.get(), &info) == QLITE_OK);
  REQUIRE(info.layer_count == expected->layers.size());
  REQUIRE(info.finding_count == expected->findings.size());
  CHECK(info.finding_count > 0);
  CHECK(std::any_of(expected->layers.begin(), expected->layers.end(),
                    [](const LayerReport& layer) { return !layer.reason.empty(); }));
  for (size_t i = 0; i < info.layer_count; ++i) CheckSameLayer(report.get(), i, expected->layers[i]);
  for (size_t i = 0; i < info.finding_count; ++i) CheckSameFinding(report.get(), i, expected->findings[i]);
  if (times) return;  // which differ from run to run

  const TemporaryFolder c_folder, cxx_folder;
  REQUIRE(qlite_report_write_html(report.get(), c_folder.path().c_str()) == QLITE_OK);
  REQUIRE(qlite_report_write_csv(report.get(), c_folder.path().c_str()) == QLITE_OK);
  REQUIRE(WriteReportHtml(*expected, cxx_folder.path()).ok());
  REQUIRE(WriteReportCsv(*expected, cxx_folder.path()).ok());
  for (const char* name : {"report.html", "sensitivity.csv", "causes.csv"}) {
    CHECK(Contents(c_folder.File(name)) == Contents(cxx_folder.File(name)));
    CHECK_FALSE(Contents(c_folder.File(name)).empty());
  }
  const std::string missing = c_folder.File("missing");
  CHECK(qlite_report_write_html(report.get(), missing.c_str()) == QLITE_NOT_FOUND);
}

TEST_CASE("C and C++: elements of channels are counted") {
  const Both both;
  const auto table = TableOf(Quantize(both.c_context.get(), both.c_graph.get(), both.c_data.get()).get());
  const auto expected = Quantizer(both.context, {}).FullQuantize(both.graph, *both.data);
  REQUIRE(expected.ok());
  size_t index = 0;
  for (const auto& [name, tensor] : expected->table.tensors) {
    qlite_tensor_calibration found = {};
    found.struct_size = sizeof(found);
    REQUIRE(qlite_calibration_table_get(table.get(), index++, 8, &found) == QLITE_OK);
    CHECK(found.name == name);
    CHECK(found.channel_elements == tensor.channels.count);
    CHECK(found.channel_elements * found.channel_count == found.elements);
  }
}

TEST_CASE("C and C++: options have the same defaults") {
  const qlite_weight_quantizer_options c = WeightOptions();
  const WeightQuantizerOptions cxx;
  CHECK(c.bits == cxx.bits);
  CHECK((c.symmetric != 0) == (cxx.scheme == QuantScheme::kSymmetric));
  CHECK((c.per_channel != 0) == cxx.per_channel);
  CHECK(c.mixed_error == cxx.mixed_error);
  CHECK((c.auto_tune != 0) == cxx.auto_tune);
  CHECK(c.cosine_target == cxx.cosine_target);
  CHECK(c.max_iterations == cxx.max_iterations);
  CHECK(c.block_size == cxx.block_size);
  CHECK(c.range_search == -1);
  CHECK_FALSE(cxx.range_search.has_value());
  CHECK(c.width_error == cxx.width_error);
  CHECK(c.rounding == static_cast<qlite_weight_rounding>(cxx.rounding));
  CHECK(c.gptq_damping == cxx.gptq_damping);
  CHECK((c.bias_correction != 0) == cxx.bias_correction);
  CHECK(c.min_weight_elements == cxx.min_weight_elements);
  CHECK(c.min_weight_channels == cxx.min_weight_channels);
  qlite_quantizer_options quantizer;
  REQUIRE(qlite_quantizer_options_init(&quantizer, sizeof(quantizer)) == QLITE_OK);
  CHECK(quantizer.activation_method == QuantizerOptions().activation_method);
  CHECK((quantizer.keep_float_graph != 0) == QuantizerOptions().keep_float_graph);
  qlite_calibrator_options calibrator;
  REQUIRE(qlite_calibrator_options_init(&calibrator, sizeof(calibrator)) == QLITE_OK);
  CHECK(calibrator.method == CalibratorOptions().method);
  CHECK((calibrator.check_inputs != 0) == CalibratorOptions().check_inputs);
  CHECK(calibrator.checkpoint_every == CalibratorOptions().checkpoint_every);
}

}  // namespace
}  // namespace qlite::testing
