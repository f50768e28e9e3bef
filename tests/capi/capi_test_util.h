// What the tests of the C interface share: they know qlite.h alone.
#ifndef QLITE_TESTS_CAPI_CAPI_TEST_UTIL_H_
#define QLITE_TESTS_CAPI_CAPI_TEST_UTIL_H_

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "qlite.h"
#include "temporary_folder.h"

namespace qlite::testing {

// The release function of a handle, by its type.
inline qlite_status ReleaseHandle(qlite_bytes* h) { return qlite_bytes_release(h); }
inline qlite_status ReleaseHandle(qlite_error* h) { return qlite_error_release(h); }
inline qlite_status ReleaseHandle(qlite_thread_pool* h) { return qlite_thread_pool_release(h); }
inline qlite_status ReleaseHandle(qlite_context* h) { return qlite_context_release(h); }
inline qlite_status ReleaseHandle(qlite_graph* h) { return qlite_graph_release(h); }
inline qlite_status ReleaseHandle(qlite_graph_builder* h) { return qlite_graph_builder_release(h); }
inline qlite_status ReleaseHandle(qlite_data_set* h) { return qlite_data_set_release(h); }
inline qlite_status ReleaseHandle(qlite_labels* h) { return qlite_labels_release(h); }
inline qlite_status ReleaseHandle(qlite_calibrator* h) { return qlite_calibrator_release(h); }
inline qlite_status ReleaseHandle(qlite_calibration_table* h) { return qlite_calibration_table_release(h); }
inline qlite_status ReleaseHandle(qlite_quantizer* h) { return qlite_quantizer_release(h); }
inline qlite_status ReleaseHandle(qlite_quantization_result* h) { return qlite_quantization_result_release(h); }
inline qlite_status ReleaseHandle(qlite_session* h) { return qlite_session_release(h); }
inline qlite_status ReleaseHandle(qlite_observer* h) { return qlite_observer_release(h); }
inline qlite_status ReleaseHandle(qlite_report* h) { return qlite_report_release(h); }
inline qlite_status ReleaseHandle(qlite_sensitivity* h) { return qlite_sensitivity_release(h); }

template <class H>
struct Releaser {
  void operator()(H* handle) const { ReleaseHandle(handle); }
};
template <class H>
using Owned = std::unique_ptr<H, Releaser<H>>;

// Calls make(..., &handle) and takes the handle over.
template <class H, class Make>
Owned<H> MakeHandle(Make&& make) {
  H* handle = nullptr;
  const qlite_status status = make(&handle);
  INFO(qlite_status_name(status));
  REQUIRE(status == QLITE_OK);
  REQUIRE(handle != nullptr);
  return Owned<H>(handle);
}

inline std::string TextOf(const qlite_bytes* bytes) {
  const void* data = nullptr;
  size_t size = 0;
  REQUIRE(qlite_bytes_get(bytes, &data, &size) == QLITE_OK);
  return {static_cast<const char*>(data), size};
}

struct ErrorText {
  qlite_status code = QLITE_OK;
  std::string message, file, node, value;
};

inline ErrorText LastErrorOf(const qlite_context* context) {
  const auto error = MakeHandle<qlite_error>([&](qlite_error** e) { return qlite_last_error(context, e); });
  qlite_error_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_error_get(error.get(), &info) == QLITE_OK);
  return {info.code, info.message, info.file, info.node, info.value};
}

inline Owned<qlite_context> MakeContext(int32_t threads = 1) {
  qlite_context_options options;
  REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
  options.num_threads = threads;
  return MakeHandle<qlite_context>(
      [&](qlite_context** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
}

inline std::string DemoPath(const std::string& name) {
  return std::string(QLITE_SOURCE_DIR) + "/examples/demo/" + name;
}

inline Owned<qlite_graph> LoadDemo(const qlite_context* context) {
  return MakeHandle<qlite_graph>(
      [&](qlite_graph** g) { return qlite_graph_load(context, DemoPath("model.onnx").c_str(), QLITE_FORMAT_AUTO, g); });
}

inline qlite_data_target TargetOf(const qlite_graph* graph) {
  qlite_data_target target = {};
  target.struct_size = sizeof(target);
  target.graph = graph;
  return target;
}

// The first `count` pictures of the demo as its model wants them.
inline Owned<qlite_data_set> DemoPictures(const qlite_graph* graph, int64_t count) {
  static const float kPixels[] = {127.5f, 127.5f, 127.5f};
  qlite_image_options options;
  REQUIRE(qlite_image_options_init(&options, sizeof(options)) == QLITE_OK);
  options.order = QLITE_RGB;
  options.mean = options.std = kPixels;
  options.channels = 3;
  options.resize_width = options.resize_height = 48;
  const qlite_data_target target = TargetOf(graph);
  return MakeHandle<qlite_data_set>([&](qlite_data_set** d) {
    return qlite_data_set_open_images(&target, DemoPath("calib").c_str(), count, &options, d);
  });
}

inline Owned<qlite_quantization_result> Quantize(const qlite_context* context, const qlite_graph* graph,
                                                 const qlite_data_set* data, const char* method = "MAX_MIN") {
  qlite_quantizer_options options;
  REQUIRE(qlite_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  options.activation_method = method;
  const auto quantizer =
      MakeHandle<qlite_quantizer>([&](qlite_quantizer** q) { return qlite_quantizer_create(context, &options, q); });
  return MakeHandle<qlite_quantization_result>(
      [&](qlite_quantization_result** r) { return qlite_quantizer_run(quantizer.get(), graph, data, nullptr, r); });
}

inline Owned<qlite_graph> GraphOf(const qlite_quantization_result* result) {
  return MakeHandle<qlite_graph>([&](qlite_graph** g) { return qlite_quantization_result_graph(result, g); });
}

inline Owned<qlite_calibration_table> TableOf(const qlite_quantization_result* result) {
  return MakeHandle<qlite_calibration_table>(
      [&](qlite_calibration_table** t) { return qlite_quantization_result_table(result, t); });
}

inline qlite_export_options ExportTo(qlite_model_format format) {
  qlite_export_options options;
  REQUIRE(qlite_export_options_init(&options, sizeof(options)) == QLITE_OK);
  options.format = format;
  return options;
}

inline std::string Serialized(const qlite_graph* graph, qlite_model_format format = QLITE_FORMAT_QLITE) {
  const qlite_export_options options = ExportTo(format);
  return TextOf(
      MakeHandle<qlite_bytes>([&](qlite_bytes** b) { return qlite_graph_serialize(graph, &options, b); }).get());
}

// x[1,4] -> Relu -> y, by the builder.
inline Owned<qlite_graph> SmallGraph(const qlite_context* context) {
  const auto builder = MakeHandle<qlite_graph_builder>(
      [&](qlite_graph_builder** b) { return qlite_graph_builder_create(context, nullptr, b); });
  const int64_t dims[] = {1, 4};
  int32_t x = -1, y = -1;
  REQUIRE(qlite_graph_builder_add_input(builder.get(), "x", QLITE_FLOAT32, dims, 2, &x) == QLITE_OK);
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
  return MakeHandle<qlite_graph>([&](qlite_graph** g) { return qlite_graph_builder_build(builder.get(), g); });
}

inline std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_CAPI_CAPI_TEST_UTIL_H_
