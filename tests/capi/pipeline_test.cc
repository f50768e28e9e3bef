// From a model to an int8 file and its inference, and what a host may lend on the way.
#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <thread>

#include "capi/capi_test_util.h"

namespace qlite::testing {
namespace {

using ::Catch::Contains;

TEST_CASE("versions agree") {
  CHECK(qlite_abi_version() == QLITE_ABI_VERSION);
  CHECK(qlite_version() == QLITE_VERSION_MAJOR * 1000000 + QLITE_VERSION_MINOR * 1000 + QLITE_VERSION_PATCH);
  CHECK(std::string(qlite_version_string()) == std::to_string(QLITE_VERSION_MAJOR) + "." +
                                                   std::to_string(QLITE_VERSION_MINOR) + "." +
                                                   std::to_string(QLITE_VERSION_PATCH));
  qlite_context* context = nullptr;
  qlite_error* error = nullptr;
  REQUIRE(qlite_context_create(QLITE_ABI_VERSION + 1, nullptr, &context, &error) == QLITE_FAILED_PRECONDITION);
  CHECK(context == nullptr);
  const Owned<qlite_error> owned(error);
  qlite_error_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_error_get(error, &info) == QLITE_OK);
  CHECK_THAT(info.message, Contains("binary interface"));
}

TEST_CASE("failures name their file, node and value") {
  const auto context = MakeContext();
  qlite_error* none = nullptr;
  CHECK(qlite_last_error(context.get(), &none) == QLITE_NOT_FOUND);
  qlite_graph* graph = nullptr;
  const std::string missing = "/no/such/model.onnx";
  REQUIRE(qlite_graph_load(context.get(), missing.c_str(), QLITE_FORMAT_AUTO, &graph) == QLITE_NOT_FOUND);
  const ErrorText error = LastErrorOf(context.get());
  CHECK(error.code == QLITE_NOT_FOUND);
  CHECK(error.file == missing);
  CHECK_THAT(error.message, Contains(missing));

  const auto demo = LoadDemo(context.get());
  qlite_quantizer_options options;
  REQUIRE(qlite_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  const char* const skip[] = {"no such node"};
  options.skip_nodes = skip;
  options.skip_node_count = 1;
  const auto quantizer =
      MakeHandle<qlite_quantizer>([&](auto** q) { return qlite_quantizer_create(context.get(), &options, q); });
  const auto pictures = DemoPictures(demo.get(), 1);
  qlite_quantization_result* result = nullptr;
  REQUIRE(qlite_quantizer_run(quantizer.get(), demo.get(), pictures.get(), nullptr, &result) != QLITE_OK);
  CHECK(result == nullptr);
  CHECK(LastErrorOf(context.get()).node == "no such node");

  float min = 0, max = 0;
  const auto quantized = Quantize(context.get(), demo.get(), pictures.get());
  const auto table = TableOf(quantized.get());
  REQUIRE(qlite_calibration_table_range(table.get(), "nothing", 8, &min, &max) == QLITE_NOT_FOUND);
  CHECK(LastErrorOf(context.get()).value == "nothing");
}

TEST_CASE("errors name the file, the node and the value at fault") {
  const auto context = MakeContext();
  const TemporaryFolder folder;
  qlite_graph* none = nullptr;
  SECTION("a damaged file") {
    const std::string path = folder.File("it's damaged.qlite");
    std::ofstream(path) << "qlite";
    CHECK(qlite_graph_load(context.get(), path.c_str(), QLITE_FORMAT_AUTO, &none) != QLITE_OK);
    CHECK(LastErrorOf(context.get()).file == path);
  }
  SECTION("a file that cannot be written") {
    const std::string path = folder.File("no folder/y.qlite");
    const auto graph = SmallGraph(context.get());
    CHECK(qlite_graph_save(context.get(), graph.get(), path.c_str(), nullptr) == QLITE_NOT_FOUND);
    CHECK(LastErrorOf(context.get()).file == path);
  }
  SECTION("a picture") {
    const std::string path = folder.File("a.png");
    std::ofstream(path) << "no picture";
    const auto graph = LoadDemo(context.get());
    const qlite_data_target target = TargetOf(graph.get());
    const char* const files[] = {path.c_str()};
    const auto pictures = MakeHandle<qlite_data_set>(
        [&](auto** d) { return qlite_data_set_from_image_files(&target, files, 1, nullptr, d); });
    qlite_quantizer* quantizer = nullptr;
    REQUIRE(qlite_quantizer_create(context.get(), nullptr, &quantizer) == QLITE_OK);
    const Owned<qlite_quantizer> owned(quantizer);
    qlite_quantization_result* result = nullptr;
    CHECK(qlite_quantizer_run(quantizer, graph.get(), pictures.get(), nullptr, &result) != QLITE_OK);
    CHECK(LastErrorOf(context.get()).file == path);
  }
  SECTION("a node and what it makes") {
    const auto builder = MakeHandle<qlite_graph_builder>(
        [&](auto** b) { return qlite_graph_builder_create(context.get(), nullptr, b); });
    qlite_new_node node = {};
    node.struct_size = sizeof(node);
    node.name = "the 'sum'";
    node.op = "Add";
    int32_t made = -1;
    CHECK(qlite_graph_builder_add_node(builder.get(), &node, &made) != QLITE_OK);
    CHECK(LastErrorOf(context.get()).node == "the 'sum'");
  }
  SECTION("a value that is not finite") {
    const auto graph = SmallGraph(context.get());
    const float samples[] = {1, 2, 3, HUGE_VALF};
    const void* const inputs[] = {samples};
    const size_t sizes[] = {sizeof(samples)};
    const qlite_data_target target = TargetOf(graph.get());
    const auto data = MakeHandle<qlite_data_set>(
        [&](auto** d) { return qlite_data_set_from_memory(&target, inputs, sizes, 1, nullptr, nullptr, d); });
    const auto calibrator = MakeHandle<qlite_calibrator>(
        [&](auto** c) { return qlite_calibrator_create(context.get(), graph.get(), nullptr, c); });
    qlite_calibration_table* table = nullptr;
    CHECK(qlite_calibrator_run(calibrator.get(), data.get(), nullptr, &table) == QLITE_FAILED_PRECONDITION);
    CHECK(LastErrorOf(context.get()).value == "x");
  }
  SECTION("an input of a session") {
    const auto graph = SmallGraph(context.get());
    const auto session = MakeHandle<qlite_session>(
        [&](auto** s) { return qlite_session_create(context.get(), graph.get(), nullptr, s); });
    CHECK(qlite_session_set_input(session.get(), 0, "", 1) == QLITE_INVALID_ARGUMENT);
    CHECK(LastErrorOf(context.get()).value == "x");
  }
}

TEST_CASE("a graph can be looked at in full") {
  const auto context = MakeContext();
  const auto graph = LoadDemo(context.get());
  qlite_graph_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_graph_get_info(graph.get(), &info) == QLITE_OK);
  REQUIRE(info.input_count == 1);
  REQUIRE(info.output_count == 1);
  qlite_value_info input = {};
  input.struct_size = sizeof(input);
  REQUIRE(qlite_graph_get_value(graph.get(), info.inputs[0], &input) == QLITE_OK);
  CHECK(std::string(input.name) == "input");
  CHECK(input.type == QLITE_FLOAT32);
  REQUIRE(input.rank == 4);
  CHECK(input.dims[1] == 3);
  CHECK(input.producer == -1);
  int32_t convolutions = 0, attributes = 0, constants = 0;
  for (int32_t n = 0; n < info.node_count; ++n) {
    qlite_node_info node = {};
    node.struct_size = sizeof(node);
    REQUIRE(qlite_graph_get_node(graph.get(), n, &node) == QLITE_OK);
    int32_t found = -1;
    CHECK(qlite_graph_find_node(graph.get(), node.name, &found) == QLITE_OK);
    CHECK(found == n);
    convolutions += std::string(node.op) == "Conv";
    for (int32_t a = 0; a < node.attribute_count; ++a) {
      qlite_attribute attribute;
      REQUIRE(qlite_graph_get_attribute(graph.get(), n, a, &attribute) == QLITE_OK);
      attributes += std::string(attribute.name) == "strides" && attribute.kind == QLITE_ATTRIBUTE_INTEGERS;
    }
  }
  CHECK(convolutions > 5);
  CHECK(attributes >= convolutions);
  for (int32_t v = 0; v < info.value_count; ++v) {
    qlite_value_info value = {};
    value.struct_size = sizeof(value);
    REQUIRE(qlite_graph_get_value(graph.get(), v, &value) == QLITE_OK);
    constants += value.is_constant;
    CHECK((value.data != nullptr) == (value.is_constant != 0));
  }
  CHECK(constants > convolutions);
  const auto dump = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(graph.get(), 0, b); });
  CHECK_THAT(TextOf(dump.get()), Contains("= Conv("));
  const auto dot = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(graph.get(), 1, b); });
  CHECK_THAT(TextOf(dot.get()), Contains("digraph"));
}

TEST_CASE("a graph from memory is the one from the file, whoever owns the bytes") {
  const auto context = MakeContext();
  const auto from_file = LoadDemo(context.get());
  std::string bytes = Contents(DemoPath("model.onnx"));
  const auto load = [&](qlite_release_function release, void* user) {
    return MakeHandle<qlite_graph>([&](auto** g) {
      return qlite_graph_load_memory(context.get(), bytes.data(), bytes.size(), "memory.onnx", QLITE_FORMAT_AUTO,
                                     release, user, g);
    });
  };
  int released = 0;
  const auto count = [](void* user) { ++*static_cast<int*>(user); };
  {
    const auto lent = load(count, &released);
    CHECK(Serialized(lent.get()) == Serialized(from_file.get()));
    CHECK(released <= 1);  // small constants are copied, and nothing may need the bytes any more
  }
  CHECK(released == 1);
  const auto copied = load(nullptr, nullptr);
  std::fill(bytes.begin(), bytes.end(), '\0');
  CHECK(Serialized(copied.get()) == Serialized(from_file.get()));
  // The host gets its loan back when loading fails, too, even for want of a context.
  qlite_graph* none = nullptr;
  CHECK(qlite_graph_load_memory(context.get(), bytes.data(), bytes.size(), "zeros.onnx", QLITE_FORMAT_AUTO, count,
                                &released, &none) != QLITE_OK);
  CHECK(released == 2);
  CHECK(LastErrorOf(context.get()).file == "zeros.onnx");
  CHECK(qlite_graph_load_memory(nullptr, nullptr, 0, nullptr, QLITE_FORMAT_AUTO, count, &released, &none) ==
        QLITE_INVALID_ARGUMENT);
  CHECK(released == 3);
}

TEST_CASE("the quantized file is the same from path, writer and memory") {
  const auto context = MakeContext();
  const auto graph = LoadDemo(context.get());
  const auto data = DemoPictures(graph.get(), 8);
  const auto result = Quantize(context.get(), graph.get(), data.get());
  const auto int8 = GraphOf(result.get());
  const TemporaryFolder folder;
  for (const qlite_model_format format : {QLITE_FORMAT_QLITE, QLITE_FORMAT_ONNX}) {
    const std::string path = folder.File("int8." + std::string(qlite_model_format_name(format)));
    REQUIRE(qlite_graph_save(context.get(), int8.get(), path.c_str(), nullptr) == QLITE_OK);
    std::string written;
    const qlite_export_options options = ExportTo(format);
    const auto append = [](void* user, const void* bytes, size_t size) {
      static_cast<std::string*>(user)->append(static_cast<const char*>(bytes), size);
      return qlite_status{QLITE_OK};
    };
    REQUIRE(qlite_graph_save_to(context.get(), int8.get(), append, &written, &options) == QLITE_OK);
    CHECK(written == Contents(path));
    CHECK(written == Serialized(int8.get(), format));
  }
  const auto refuse = [](void*, const void*, size_t) { return qlite_status{QLITE_UNAVAILABLE}; };
  const qlite_export_options options = ExportTo(QLITE_FORMAT_QLITE);
  CHECK(qlite_graph_save_to(context.get(), int8.get(), refuse, nullptr, &options) == QLITE_UNAVAILABLE);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("writer"));
}

TEST_CASE("the account tells what became of every node") {
  const auto context = MakeContext();
  const auto graph = LoadDemo(context.get());
  const auto data = DemoPictures(graph.get(), 4);
  const auto result = Quantize(context.get(), graph.get(), data.get());
  qlite_quantization_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_quantization_result_get_info(result.get(), &info) == QLITE_OK);
  CHECK(info.node_count > 10);
  CHECK(info.step_count > 1);
  CHECK(info.stage_count > 1);
  for (size_t i = 0; i < info.node_count; ++i) {
    qlite_node_outcome node = {};
    node.struct_size = sizeof(node);
    REQUIRE(qlite_quantization_result_get_node(result.get(), i, &node) == QLITE_OK);
    CHECK((node.integer != 0) == std::string(node.reason).empty());
  }
  const char* text = nullptr;
  double seconds = -1;
  REQUIRE(qlite_quantization_result_get_step(result.get(), 0, &text) == QLITE_OK);
  REQUIRE(qlite_quantization_result_get_stage(result.get(), 0, &text, &seconds) == QLITE_OK);
  CHECK(seconds >= 0);
  CHECK(qlite_quantization_result_get_step(result.get(), info.step_count, &text) == QLITE_OUT_OF_RANGE);
}

// Quantizes and returns the bytes.
std::string Converted(const qlite_context* context, const qlite_data_set* data, const qlite_graph* graph) {
  const auto result = Quantize(context, graph, data);
  return Serialized(GraphOf(result.get()).get());
}

TEST_CASE("the bytes are the same whatever threads the host lends") {
  const auto reference = MakeContext();
  const auto graph = LoadDemo(reference.get());
  const auto data = DemoPictures(graph.get(), 6);
  const std::string expected = Converted(reference.get(), data.get(), graph.get());

  SECTION("a pool shared by two contexts") {
    const auto pool = MakeHandle<qlite_thread_pool>([](auto** p) { return qlite_thread_pool_create(3, p); });
    const auto other =
        MakeHandle<qlite_context>([&](auto** c) { return qlite_context_with_pool(reference.get(), pool.get(), c); });
    CHECK(Converted(other.get(), data.get(), graph.get()) == expected);
  }
  SECTION("an executor of the host") {
    struct Host {
      std::atomic<int> calls{0}, released{0};
    } host;
    qlite_executor executor = {};
    executor.struct_size = sizeof(executor);
    executor.user = &host;
    executor.concurrency = 2;
    executor.parallel_for = [](void* user, int64_t units, qlite_work_function work, void* state) {
      ++static_cast<Host*>(user)->calls;
      std::thread other([&] { work(state, 0, units / 2, 1); });
      work(state, units / 2, units, 0);
      other.join();
    };
    executor.release = [](void* user) { ++static_cast<Host*>(user)->released; };
    qlite_context_options options;
    REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
    options.executor = &executor;
    {
      const auto context = MakeHandle<qlite_context>(
          [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
      CHECK(Converted(context.get(), data.get(), graph.get()) == expected);
      CHECK(host.calls > 0);
      CHECK(host.released == 0);
    }
    CHECK(host.released == 1);
    options.isa = "no such instruction set";
    qlite_context* none = nullptr;
    CHECK(qlite_context_create(QLITE_ABI_VERSION, &options, &none, nullptr) == QLITE_INVALID_ARGUMENT);
    CHECK(host.released == 2);
  }
  SECTION("the generic instruction set") {
    qlite_context_options options;
    REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
    options.isa = "generic";
    const auto context = MakeHandle<qlite_context>(
        [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
    const char* isa = nullptr;
    REQUIRE(qlite_context_isa(context.get(), &isa) == QLITE_OK);
    CHECK(std::string(isa) == "generic");
    CHECK(Converted(context.get(), data.get(), graph.get()) == expected);
  }
}

TEST_CASE("progress is reported and may cancel; messages go to the host") {
  struct Host {
    int64_t reports = 0, allowed = INT64_MAX;
    std::vector<std::string> messages;
  } host;
  qlite_context_options options;
  REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
  options.progress = [](void* user, const char* stage, int64_t, int64_t) -> int32_t {
    Host& h = *static_cast<Host*>(user);
    return *stage != '\0' && ++h.reports <= h.allowed;
  };
  options.progress_user = &host;
  options.log = [](void* user, qlite_log_level, const char* message) {
    static_cast<Host*>(user)->messages.emplace_back(message);
  };
  options.log_user = &host;
  const auto context = MakeHandle<qlite_context>(
      [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
  const auto graph = LoadDemo(context.get());
  const auto data = DemoPictures(graph.get(), 4);
  const auto result = Quantize(context.get(), graph.get(), data.get());
  CHECK(host.reports >= 4);

  // Pictures that were not scaled are pointed out.
  qlite_image_options raw;
  REQUIRE(qlite_image_options_init(&raw, sizeof(raw)) == QLITE_OK);
  raw.resize_width = raw.resize_height = 48;
  const qlite_data_target target = TargetOf(graph.get());
  const auto unscaled = MakeHandle<qlite_data_set>(
      [&](auto** d) { return qlite_data_set_open_images(&target, DemoPath("calib").c_str(), 8, &raw, d); });
  const auto calibrator = MakeHandle<qlite_calibrator>(
      [&](auto** c) { return qlite_calibrator_create(context.get(), graph.get(), nullptr, c); });
  const auto warnings = MakeHandle<qlite_bytes>(
      [&](auto** b) { return qlite_calibrator_check_inputs(calibrator.get(), unscaled.get(), graph.get(), b); });
  CHECK_FALSE(TextOf(warnings.get()).empty());
  const auto table = MakeHandle<qlite_calibration_table>(
      [&](auto** t) { return qlite_calibrator_run(calibrator.get(), unscaled.get(), nullptr, t); });
  CHECK_FALSE(host.messages.empty());

  host.allowed = host.reports + 2;
  qlite_calibration_table* cancelled = nullptr;
  CHECK(qlite_calibrator_run(calibrator.get(), data.get(), nullptr, &cancelled) == QLITE_CANCELLED);
  CHECK(cancelled == nullptr);
}

TEST_CASE("limits of the context are kept") {
  qlite_context_options options;
  REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
  const auto loads = [&] {
    const auto context = MakeHandle<qlite_context>(
        [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
    qlite_graph* graph = nullptr;
    const qlite_status status =
        qlite_graph_load(context.get(), DemoPath("model.onnx").c_str(), QLITE_FORMAT_AUTO, &graph);
    const Owned<qlite_graph> owned(graph);
    return status;
  };
  CHECK(loads() == QLITE_OK);
  SECTION("file size") { options.max_file_bytes = 1000; }
  SECTION("tensor size") { options.max_tensor_bytes = 16; }
  SECTION("nodes") { options.max_nodes = 3; }
  SECTION("tensors") { options.max_tensors = 5; }
  CHECK(loads() == QLITE_RESOURCE_EXHAUSTED);
}

TEST_CASE("a session plans no more memory than the context allows") {
  qlite_context_options options;
  REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
  options.memory_budget_bytes = 1000;
  const auto context = MakeHandle<qlite_context>(
      [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
  const auto graph = LoadDemo(context.get());
  qlite_session* session = nullptr;
  CHECK(qlite_session_create(context.get(), graph.get(), nullptr, &session) == QLITE_RESOURCE_EXHAUSTED);
}

TEST_CASE("sessions run, fork, measure and show what they compute") {
  const auto context = MakeContext();
  const auto graph = LoadDemo(context.get());
  const auto data = DemoPictures(graph.get(), 1);
  qlite_session_options options;
  REQUIRE(qlite_session_options_init(&options, sizeof(options)) == QLITE_OK);
  options.profile = 1;
  const auto session = MakeHandle<qlite_session>(
      [&](auto** s) { return qlite_session_create(context.get(), graph.get(), &options, s); });
  qlite_sample_buffer input, output;
  REQUIRE(qlite_session_get_input(session.get(), 0, &input) == QLITE_OK);
  CHECK(std::string(input.name) == "input");
  REQUIRE(input.size == 3 * 48 * 48 * sizeof(float));
  std::vector<float> picture(3 * 48 * 48), scores(10), of_fork(10);
  void* const memory[] = {picture.data()};
  REQUIRE(qlite_data_set_read(data.get(), 0, memory, &input.size, 1) == QLITE_OK);
  REQUIRE(qlite_session_set_input(session.get(), 0, picture.data(), input.size) == QLITE_OK);
  REQUIRE(qlite_session_run(session.get()) == QLITE_OK);
  REQUIRE(qlite_session_get_output(session.get(), 0, &output) == QLITE_OK);
  REQUIRE(output.size == scores.size() * sizeof(float));
  REQUIRE(qlite_session_copy_output(session.get(), 0, scores.data(), output.size) == QLITE_OK);
  CHECK(std::memcmp(scores.data(), output.data, output.size) == 0);

  const auto fork =
      MakeHandle<qlite_session>([&](auto** s) { return qlite_session_fork(session.get(), context.get(), s); });
  REQUIRE(qlite_session_set_input(fork.get(), 0, picture.data(), input.size) == QLITE_OK);
  REQUIRE(qlite_session_run(fork.get()) == QLITE_OK);
  REQUIRE(qlite_session_copy_output(fork.get(), 0, of_fork.data(), output.size) == QLITE_OK);
  CHECK(of_fork == scores);

  qlite_session_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_session_get_info(session.get(), &info) == QLITE_OK);
  CHECK(info.weights_bytes > 0);
  REQUIRE(info.profile_count > 0);
  const char *name = nullptr, *op = nullptr;
  int64_t calls = 0;
  double milliseconds = -1;
  REQUIRE(qlite_session_get_profile(session.get(), 0, &name, &op, &calls, &milliseconds) == QLITE_OK);
  CHECK(calls == 1);

  struct Seen {
    const qlite_graph* graph;
    int values = 0;
    std::vector<float> input;
  } seen{graph.get(), 0, {}};
  const auto tap = [](void* user, const qlite_tapped_value* value) -> qlite_status {
    Seen& s = *static_cast<Seen*>(user);
    qlite_value_info known = {};
    known.struct_size = sizeof(known);
    if (qlite_graph_get_value(s.graph, value->value, &known) != QLITE_OK) return QLITE_INTERNAL;
    std::vector<float> copy(static_cast<size_t>(value->elements));
    if (qlite_tapped_value_copy(value, nullptr, copy.data(), value->elements) != QLITE_OK) return QLITE_INTERNAL;
    if (std::string(known.name) == "input") s.input = copy;
    ++s.values;
    return QLITE_OK;
  };
  REQUIRE(qlite_session_run_tapped(session.get(), tap, &seen) == QLITE_OK);
  CHECK(seen.values > 5);
  CHECK(seen.input == picture);
  const auto stop = [](void*, const qlite_tapped_value*) { return qlite_status{QLITE_ABORTED}; };
  CHECK(qlite_session_run_tapped(session.get(), stop, nullptr) == QLITE_ABORTED);
}

TEST_CASE("int8 values are shown as the numbers that they stand for") {
  const int8_t stored[] = {-128, 0, 127};
  const int64_t dims[] = {3};
  const float scale = 0.5f;
  const int32_t zero_point = -1;
  qlite_tapped_value value = {};
  value.struct_size = sizeof(value);
  value.dims = dims;
  value.rank = 1;
  value.data = stored;
  value.elements = 3;
  value.type = QLITE_INT8;
  qlite_quant_params params = {};
  params.struct_size = sizeof(params);
  params.scales = &scale;
  params.zero_points = &zero_point;
  params.count = 1;
  params.axis = -1;
  params.bits = 8;
  float out[3] = {};
  REQUIRE(qlite_tapped_value_copy(&value, &params, out, 3) == QLITE_OK);
  CHECK(out[0] == -63.5f);
  CHECK(out[1] == 0.5f);
  CHECK(out[2] == 64.0f);
  CHECK(qlite_tapped_value_copy(&value, &params, out, 2) == QLITE_INVALID_ARGUMENT);
  params.axis = 0;
  CHECK(qlite_tapped_value_copy(&value, &params, out, 3) == QLITE_INVALID_ARGUMENT);
}

TEST_CASE("a graph can be built and changed") {
  const auto context = MakeContext();
  const auto small = SmallGraph(context.get());
  const auto session =
      MakeHandle<qlite_session>([&](auto** s) { return qlite_session_create(context.get(), small.get(), nullptr, s); });
  const float x[] = {-1, 2, -3, 4};
  float y[4] = {};
  REQUIRE(qlite_session_set_input(session.get(), 0, x, sizeof(x)) == QLITE_OK);
  REQUIRE(qlite_session_run(session.get()) == QLITE_OK);
  REQUIRE(qlite_session_copy_output(session.get(), 0, y, sizeof(y)) == QLITE_OK);
  CHECK(y[0] == 0);
  CHECK(y[3] == 4);

  // y = Softmax(x) in place of Relu(x).
  const auto builder = MakeHandle<qlite_graph_builder>(
      [&](auto** b) { return qlite_graph_builder_create(context.get(), small.get(), b); });
  int32_t in = -1, out = -1, old = -1;
  REQUIRE(qlite_graph_builder_find_value(builder.get(), "x", &in) == QLITE_OK);
  REQUIRE(qlite_graph_builder_find_value(builder.get(), "y", &old) == QLITE_OK);
  const char* const names[] = {"softmax"};
  qlite_attribute axis = {};
  axis.name = "axis";
  axis.integer = 1;
  qlite_new_node node = {};
  node.struct_size = sizeof(node);
  node.op = "Softmax";
  node.inputs = &in;
  node.input_count = 1;
  node.output_names = names;
  node.output_count = 1;
  node.attributes = &axis;
  node.attribute_count = 1;
  REQUIRE(qlite_graph_builder_add_node(builder.get(), &node, &out) == QLITE_OK);
  CHECK(qlite_graph_builder_remove_producer(builder.get(), old) == QLITE_FAILED_PRECONDITION);
  REQUIRE(qlite_graph_builder_replace_uses(builder.get(), old, out) == QLITE_OK);
  REQUIRE(qlite_graph_builder_remove_producer(builder.get(), old) == QLITE_OK);
  CHECK(qlite_graph_builder_remove_producer(builder.get(), old) == QLITE_INVALID_ARGUMENT);
  REQUIRE(qlite_graph_builder_set_name(builder.get(), "changed") == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_metadata(builder.get(), "key", "text") == QLITE_OK);
  const auto changed = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  const auto dump = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(changed.get(), 0, b); });
  CHECK_THAT(TextOf(dump.get()), Contains("Softmax(%x)") && !Contains("Relu"));
  const char *key = nullptr, *value = nullptr;
  REQUIRE(qlite_graph_get_metadata(changed.get(), 0, &key, &value) == QLITE_OK);
  CHECK(std::string(value) == "text");

  // Relu behind the Softmax, under other names, and an input of open size.
  int32_t detached = -1;
  REQUIRE(qlite_graph_builder_detach_producer(builder.get(), out, "inner", &detached) == QLITE_OK);
  REQUIRE(qlite_graph_builder_rename_producer(builder.get(), detached, "first") == QLITE_OK);
  REQUIRE(qlite_graph_builder_rename_value(builder.get(), out, "before") == QLITE_OK);
  CHECK(qlite_graph_builder_rename_producer(builder.get(), out, "x") == QLITE_FAILED_PRECONDITION);
  qlite_new_node behind = {};
  behind.struct_size = sizeof(behind);
  behind.op = "Relu";
  behind.inputs = &in;
  behind.input_count = 1;
  const char* const last[] = {"last"};
  behind.output_names = last;
  behind.output_count = 1;
  int32_t relu = -1;
  REQUIRE(qlite_graph_builder_add_node(builder.get(), &behind, &relu) == QLITE_OK);
  CHECK(qlite_graph_builder_set_producer_input(builder.get(), relu, 2, detached) == QLITE_OUT_OF_RANGE);
  REQUIRE(qlite_graph_builder_set_producer_input(builder.get(), relu, 0, detached) == QLITE_OK);
  REQUIRE(qlite_graph_builder_replace_uses(builder.get(), out, relu) == QLITE_OK);
  CHECK(qlite_graph_builder_set_symbol(builder.get(), in, 0, "N") == QLITE_FAILED_PRECONDITION);
  CHECK(qlite_graph_builder_set_symbol(builder.get(), in, 2, "N") == QLITE_OUT_OF_RANGE);
  const auto longer = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  const auto both = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(longer.get(), 0, b); });
  CHECK_THAT(TextOf(both.get()), Contains("%inner: float32[1,4] = Softmax(%x)") && Contains("# first"));
  CHECK_THAT(TextOf(both.get()), Contains("%last: float32[1,4] = Relu(%inner)"));

  // The Softmax becomes a LogSoftmax over the other axis, the Relu an Elu of its default alpha; the text goes.
  axis.integer = 0;
  REQUIRE(qlite_graph_builder_set_producer_operator(builder.get(), detached, "LogSoftmax", &axis, 1) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_producer_operator(builder.get(), relu, "Elu", nullptr, 0) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_metadata(builder.get(), "key", nullptr) == QLITE_OK);
  const auto others = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  const auto text = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(others.get(), 0, b); });
  CHECK_THAT(TextOf(text.get()), Contains("LogSoftmax(%x) {axis=0}") && Contains("Elu(%inner)"));
  CHECK(qlite_graph_get_metadata(others.get(), 0, &key, &value) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_graph_builder_set_producer_operator(builder.get(), in, "Relu", nullptr, 0) == QLITE_FAILED_PRECONDITION);
  CHECK(qlite_graph_builder_set_producer_operator(builder.get(), relu, "Reluu", nullptr, 0) == QLITE_NOT_FOUND);
  CHECK(qlite_graph_builder_set_producer_operator(builder.get(), relu, nullptr, &axis, 1) == QLITE_NOT_FOUND);
  // An operator of other inputs is found out when the graph is built.
  REQUIRE(qlite_graph_builder_set_producer_operator(builder.get(), relu, "Add", nullptr, 0) == QLITE_OK);
  qlite_graph* none = nullptr;
  CHECK(qlite_graph_builder_build(builder.get(), &none) == QLITE_INVALID_ARGUMENT);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("Add"));
  REQUIRE(qlite_graph_builder_set_producer_operator(builder.get(), relu, "Relu", nullptr, 0) == QLITE_OK);

  axis.name = "axes";
  CHECK(qlite_graph_builder_add_node(builder.get(), &node, &out) == QLITE_NOT_FOUND);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("'axis'"));
  axis.name = "axis";
  axis.kind = QLITE_ATTRIBUTE_REAL;
  CHECK(qlite_graph_builder_add_node(builder.get(), &node, &out) == QLITE_INVALID_ARGUMENT);
  node.op = "Softmaxx";
  CHECK(qlite_graph_builder_add_node(builder.get(), &node, &out) == QLITE_NOT_FOUND);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("'Softmax'"));
}

TEST_CASE("extents of a built graph may be open and have names") {
  const auto context = MakeContext();
  const auto builder =
      MakeHandle<qlite_graph_builder>([&](auto** b) { return qlite_graph_builder_create(context.get(), nullptr, b); });
  const int64_t dims[] = {-1, 4};
  int32_t x = -1, y = -1;
  REQUIRE(qlite_graph_builder_add_input(builder.get(), "x", QLITE_FLOAT32, dims, 2, &x) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_symbol(builder.get(), x, 0, "N") == QLITE_OK);
  const char* const names[] = {"y"};
  qlite_new_node node = {};
  node.struct_size = sizeof(node);
  node.op = "Relu";
  node.inputs = &x;
  node.input_count = 1;
  node.output_names = names;
  node.output_count = 1;
  REQUIRE(qlite_graph_builder_add_node(builder.get(), &node, &y) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_outputs(builder.get(), &y, 1) == QLITE_OK);
  const auto graph = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  const auto dump = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_graph_dump(graph.get(), 0, b); });
  CHECK_THAT(TextOf(dump.get()), Contains("%y: float32[N,4] = Relu(%x)"));
}

TEST_CASE("the rank of an input may be unknown") {
  const auto context = MakeContext();
  const auto builder =
      MakeHandle<qlite_graph_builder>([&](auto** b) { return qlite_graph_builder_create(context.get(), nullptr, b); });
  int32_t x = -1;
  REQUIRE(qlite_graph_builder_add_input(builder.get(), "x", QLITE_FLOAT32, nullptr, QLITE_UNKNOWN_RANK, &x) ==
          QLITE_OK);
  REQUIRE(qlite_graph_builder_set_outputs(builder.get(), &x, 1) == QLITE_OK);
  const auto graph = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  qlite_value_info value = {};
  value.struct_size = sizeof(value);
  REQUIRE(qlite_graph_get_value(graph.get(), 0, &value) == QLITE_OK);
  CHECK(value.rank == -1);
}

TEST_CASE("a node of several outputs is added whole or not at all") {
  const auto context = MakeContext();
  const auto builder =
      MakeHandle<qlite_graph_builder>([&](auto** b) { return qlite_graph_builder_create(context.get(), nullptr, b); });
  const int64_t dims[] = {1, 4}, halves[] = {1, 3};
  int32_t x = -1, outputs[2] = {-1, -1};
  REQUIRE(qlite_graph_builder_add_input(builder.get(), "x", QLITE_FLOAT32, dims, 2, &x) == QLITE_OK);
  const char* const names[] = {"left", "right"};
  qlite_attribute attributes[2] = {};
  attributes[0].name = "axis";
  attributes[0].integer = 1;
  attributes[1].name = "sizes";
  attributes[1].kind = QLITE_ATTRIBUTE_INTEGERS;
  attributes[1].integers = halves;
  attributes[1].count = 2;
  qlite_new_node node = {};
  node.struct_size = sizeof(node);
  node.op = "Split";
  node.output_names = names;
  node.output_count = 2;
  node.attributes = attributes;
  node.attribute_count = 2;
  CHECK(qlite_graph_builder_add_node(builder.get(), &node, outputs) == QLITE_INVALID_ARGUMENT);  // it reads nothing
  CHECK(qlite_graph_builder_find_value(builder.get(), "left", &outputs[0]) == QLITE_NOT_FOUND);
  node.inputs = &x;
  node.input_count = 1;
  REQUIRE(qlite_graph_builder_add_node(builder.get(), &node, outputs) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_outputs(builder.get(), outputs, 2) == QLITE_OK);
  const auto graph = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  int32_t right = -1;
  REQUIRE(qlite_graph_find_value(graph.get(), "right", &right) == QLITE_OK);
  qlite_value_info value = {};
  value.struct_size = sizeof(value);
  REQUIRE(qlite_graph_get_value(graph.get(), right, &value) == QLITE_OK);
  CHECK(value.dims[1] == 3);
}

TEST_CASE("shapes can be fixed, graphs simplified") {
  const auto context = MakeContext();
  const auto graph = LoadDemo(context.get());
  const int64_t dims[] = {2, 3, 48, 48};
  const qlite_input_shape shape = {"input", dims, 4};
  const auto fixed =
      MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_infer_shapes(graph.get(), &shape, 1, g); });
  qlite_graph_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_graph_get_info(fixed.get(), &info) == QLITE_OK);
  qlite_value_info output = {};
  output.struct_size = sizeof(output);
  REQUIRE(qlite_graph_get_value(fixed.get(), info.outputs[0], &output) == QLITE_OK);
  CHECK(output.dims[0] == 2);
  CHECK(output.dims[1] == 10);
  qlite_bytes* steps = nullptr;
  const auto simple = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_simplify(graph.get(), g, &steps); });
  const Owned<qlite_bytes> owned(steps);
  CHECK_THAT(TextOf(steps), Contains("BatchNormalization"));
  const qlite_input_shape wrong = {"inptu", dims, 4};
  qlite_graph* none = nullptr;
  CHECK(qlite_graph_infer_shapes(graph.get(), &wrong, 1, &none) != QLITE_OK);
}

TEST_CASE("small services") {
  qlite_model_format format = QLITE_FORMAT_AUTO;
  CHECK(qlite_model_format_parse("ONNX", &format) == QLITE_OK);
  CHECK(format == QLITE_FORMAT_ONNX);
  CHECK(qlite_model_format_of_path("a/b.qlite", &format) == QLITE_OK);
  CHECK(format == QLITE_FORMAT_QLITE);
  CHECK(qlite_model_format_of_path("a/b.txt", &format) == QLITE_NOT_FOUND);
  CHECK(qlite_element_size(QLITE_FLOAT16) == 2);
  CHECK(qlite_element_size(99) == 0);
  CHECK(std::string(qlite_element_type_name(QLITE_INT8)) == "int8");
  float scale = 0;
  int32_t zero_point = 0;
  CHECK(qlite_asymmetric_params(-1, 1, 8, &scale, &zero_point) == QLITE_OK);
  CHECK(scale == Approx(2.0 / 255).epsilon(0.01));
  CHECK(std::abs(zero_point) <= 1);
  CHECK(qlite_symmetric_params(127, 8, &scale) == QLITE_OK);
  CHECK(scale == 1);
  CHECK(qlite_symmetric_params(127, 1, &scale) == QLITE_INVALID_ARGUMENT);
  const auto operators = MakeHandle<qlite_bytes>([](auto** b) { return qlite_operator_names(b); });
  CHECK_THAT(TextOf(operators.get()), Contains("Conv\n") && Contains("\nDequantize\n"));
  const char* const known[] = {"strides", "dilations"};
  int64_t index = 0;
  CHECK(qlite_nearest_name("stride", known, 2, &index) == QLITE_OK);
  CHECK(index == 0);
  CHECK(qlite_nearest_name("zzz", known, 2, &index) == QLITE_OK);
  CHECK(index == -1);
  CHECK(std::string(qlite_status_name(QLITE_OUT_OF_MEMORY)) == "QLITE_OUT_OF_MEMORY");
  CHECK(std::string(qlite_status_name(-1)) == "unknown status");
}

TEST_CASE("labels are read") {
  const auto context = MakeContext();
  const auto labels = MakeHandle<qlite_labels>([&](auto** l) {
    return qlite_labels_read(context.get(), DemoPath("eval/labels.txt").c_str(), DemoPath("eval").c_str(), 1, l);
  });
  size_t count = 0;
  REQUIRE(qlite_labels_count(labels.get(), &count) == QLITE_OK);
  CHECK(count == 400);
  const char* file = nullptr;
  int64_t label = -1;
  REQUIRE(qlite_labels_get(labels.get(), 0, &file, &label) == QLITE_OK);
  CHECK(std::filesystem::exists(file));
  CHECK(label >= 1);
  CHECK(qlite_labels_get(labels.get(), count, &file, &label) == QLITE_OUT_OF_RANGE);
}

}  // namespace
}  // namespace qlite::testing
