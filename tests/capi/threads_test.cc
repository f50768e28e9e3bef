// Many threads, each with a context of its own, and objects that threads share.
#include <atomic>
#include <thread>

#include "capi/capi_test_util.h"
#include "test_data.h"

namespace qlite::testing {
namespace {

// Checks of Catch are not for several threads, so that the work says itself how it went.
struct Conversion {
  std::string path;    // of a model; empty: a small network that depends on the number
  int64_t number = 0;  // every conversion has another one
  const char* method = "";
  std::string bytes;
  qlite_status status = QLITE_UNKNOWN;
};

#define QLITE_TRY(call) \
  if (conversion.status = (call); conversion.status != QLITE_OK) return conversion.status

// Small networks that differ: products of another width each.
qlite_status BuildGraph(Conversion& conversion, const qlite_context* context, qlite_graph** graph) {
  qlite_graph_builder* builder = nullptr;
  QLITE_TRY(qlite_graph_builder_create(context, nullptr, &builder));
  const Owned<qlite_graph_builder> owned(builder);
  const int64_t width = 8 + conversion.number;
  const int64_t dims[] = {1, width}, weight_dims[] = {width, 5};
  std::vector<float> weights(static_cast<size_t>(5 * width));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) - 3.0f;
  int32_t values[2] = {}, product = -1, output = -1;
  QLITE_TRY(qlite_graph_builder_add_input(builder, "x", QLITE_FLOAT32, dims, 2, &values[0]));
  QLITE_TRY(qlite_graph_builder_add_constant(builder, "w", QLITE_FLOAT32, weight_dims, 2, weights.data(),
                                             weights.size() * sizeof(float), &values[1]));
  const char *product_name = "product", *output_name = "y";
  qlite_new_node node = {};
  node.struct_size = sizeof(node);
  node.op = "MatMul";
  node.inputs = values;
  node.input_count = 2;
  node.output_names = &product_name;
  node.output_count = 1;
  QLITE_TRY(qlite_graph_builder_add_node(builder, &node, &product));
  node.op = "Relu";
  node.inputs = &product;
  node.input_count = 1;
  node.output_names = &output_name;
  QLITE_TRY(qlite_graph_builder_add_node(builder, &node, &output));
  QLITE_TRY(qlite_graph_builder_set_outputs(builder, &output, 1));
  QLITE_TRY(qlite_graph_builder_build(builder, graph));
  return QLITE_OK;
}

// Six samples of numbers that repeat after 101.
qlite_status ReadSample(void*, int64_t index, const qlite_sample_buffer* inputs, size_t count) {
  if (count != 1 || inputs[0].type != QLITE_FLOAT32) return QLITE_INTERNAL;
  auto* const sample = static_cast<float*>(inputs[0].data);
  const size_t elements = inputs[0].size / sizeof(float), first = static_cast<size_t>(index) * elements;
  for (size_t i = 0; i < elements; ++i) sample[i] = static_cast<float>((first + i) * 37 % 101) / 50.0f - 1.0f;
  return QLITE_OK;
}

qlite_status MakeGraph(Conversion& conversion, const qlite_context* context, qlite_graph** graph) {
  if (conversion.path.empty()) return BuildGraph(conversion, context, graph);
  QLITE_TRY(qlite_graph_load(context, conversion.path.c_str(), QLITE_FORMAT_AUTO, graph));
  return QLITE_OK;
}

qlite_status Run(Conversion& conversion) {
  qlite_context* context = nullptr;
  QLITE_TRY(qlite_context_create(QLITE_ABI_VERSION, nullptr, &context, nullptr));
  const Owned<qlite_context> own_context(context);
  qlite_graph *graph = nullptr, *int8 = nullptr;
  QLITE_TRY(MakeGraph(conversion, context, &graph));
  const Owned<qlite_graph> own_graph(graph);
  qlite_sample_source source = {};
  source.struct_size = sizeof(source);
  source.size = conversion.path.empty() ? 6 : 2;
  source.read = ReadSample;
  const qlite_data_target target = TargetOf(graph);
  qlite_data_set* data = nullptr;
  QLITE_TRY(qlite_data_set_from_source(&target, &source, &data));
  const Owned<qlite_data_set> own_data(data);
  qlite_quantizer_options options;
  QLITE_TRY(qlite_quantizer_options_init(&options, sizeof(options)));
  options.activation_method = conversion.method;
  qlite_quantizer* quantizer = nullptr;
  QLITE_TRY(qlite_quantizer_create(context, &options, &quantizer));
  const Owned<qlite_quantizer> own_quantizer(quantizer);
  qlite_quantization_result* result = nullptr;
  QLITE_TRY(qlite_quantizer_run(quantizer, graph, data, nullptr, &result));
  const Owned<qlite_quantization_result> own_result(result);
  QLITE_TRY(qlite_quantization_result_graph(result, &int8));
  const Owned<qlite_graph> own_int8(int8);
  qlite_export_options exporting;
  QLITE_TRY(qlite_export_options_init(&exporting, sizeof(exporting)));
  exporting.format = QLITE_FORMAT_ONNX;
  const auto append = [](void* user, const void* bytes, size_t size) {
    static_cast<std::string*>(user)->assign(static_cast<const char*>(bytes), size);
    return qlite_status{QLITE_OK};
  };
  QLITE_TRY(qlite_graph_save_to(context, int8, append, &conversion.bytes, &exporting));
  return QLITE_OK;
}
#undef QLITE_TRY

// Sixteen, of the models in turn.
std::vector<Conversion> Conversions(const std::vector<std::string>& models) {
  static constexpr const char* kMethods[] = {"MAX_MIN", "KL", "REMOVAL_OUTLIER"};
  std::vector<Conversion> conversions(16);
  for (size_t i = 0; i < conversions.size(); ++i) {
    conversions[i].path = models[i % models.size()];
    conversions[i].number = static_cast<int64_t>(i);
    conversions[i].method = kMethods[i % 3];
  }
  return conversions;
}

void CheckSameAtOnce(const std::vector<std::string>& models) {
  std::vector<Conversion> serial = Conversions(models), parallel = Conversions(models);
  for (Conversion& conversion : serial) REQUIRE(Run(conversion) == QLITE_OK);
  std::vector<std::thread> threads;
  for (Conversion& conversion : parallel) threads.emplace_back([&conversion] { Run(conversion); });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < serial.size(); ++i) {
    INFO("conversion " << i << " " << serial[i].path);
    CHECK(parallel[i].status == QLITE_OK);
    CHECK(parallel[i].bytes == serial[i].bytes);
    CHECK_FALSE(serial[i].bytes.empty());
  }
}

TEST_CASE("threads: sixteen contexts at once give what one after the other gives") { CheckSameAtOnce({""}); }

TEST_CASE("threads: sixteen contexts quantize trained networks at once") {
  // The small ones more often: the test runs under the thread sanitizer.
  const std::string demo = DemoPath("model.onnx");
  std::vector<std::string> models = {demo, demo, demo};
  for (const char* name :
       {"models/mnist_8/model.onnx", "models/mnist_8/model.onnx", "models/mnist_8/model.onnx",
        "models/resnet20_cifar10/resnet20_cifar10.onnx", "models/resnet20_cifar10/resnet20_cifar10_bn.onnx"}) {
    if (const std::optional<std::string> path = TestData(name)) {
      models.push_back(*path);
    } else {
      WARN("skipped: no " << name);
    }
  }
  CheckSameAtOnce(models);
}

TEST_CASE("threads: objects are shared, looked at and failed with from all of them") {
  const auto context = MakeContext(2);
  const auto graph = SmallGraph(context.get());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        qlite_graph_info info = {};
        info.struct_size = sizeof(info);
        wrong += qlite_graph_get_info(graph.get(), &info) != QLITE_OK;
        qlite_value_info value = {};
        value.struct_size = sizeof(value);
        wrong += qlite_graph_get_value(graph.get(), 99, &value) != QLITE_OUT_OF_RANGE;
        qlite_error* error = nullptr;
        wrong += qlite_last_error(context.get(), &error) != QLITE_OK;
        wrong += qlite_error_release(error) != QLITE_OK;
        qlite_session* session = nullptr;
        wrong += qlite_session_create(context.get(), graph.get(), nullptr, &session) != QLITE_OK;
        wrong += qlite_session_run(session) != QLITE_OK;
        wrong += qlite_session_release(session) != QLITE_OK;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("threads: an object may be released while others use it") {
  const auto context = MakeContext();
  for (int round = 0; round < 20; ++round) {
    qlite_graph* const graph = SmallGraph(context.get()).release();
    std::atomic<int> wrong{0};
    std::atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        while (!go) std::this_thread::yield();
        for (int i = 0; i < 20; ++i) {
          qlite_bytes* text = nullptr;
          const qlite_status status = qlite_graph_dump(graph, 0, &text);
          wrong += status != QLITE_OK && status != QLITE_INVALID_ARGUMENT;
          qlite_bytes_release(text);
        }
      });
    }
    go = true;
    CHECK(qlite_graph_release(graph) == QLITE_OK);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace qlite::testing
