// Calls of every function with nothing, with handles of other kinds and with closed ones, and structures of wrong
// sizes.
#include <cstddef>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <tuple>
#include <type_traits>

#include "capi/all_functions.h"
#include "capi/capi_test_util.h"

namespace qlite::testing {
namespace {

Owned<qlite_error> SomeError(const qlite_context* context) {
  qlite_graph* none = nullptr;
  CHECK(qlite_graph_load(context, "/no/such/file", QLITE_FORMAT_AUTO, &none) == QLITE_NOT_FOUND);
  return MakeHandle<qlite_error>([&](auto** e) { return qlite_last_error(context, e); });
}

// One live handle of every kind.
struct Handles {
  Owned<qlite_context> context = MakeContext();
  Owned<qlite_graph> graph = SmallGraph(context.get());
  Owned<qlite_thread_pool> pool =
      MakeHandle<qlite_thread_pool>([](auto** p) { return qlite_thread_pool_create(1, p); });
  Owned<qlite_graph_builder> builder = MakeHandle<qlite_graph_builder>(
      [this](auto** b) { return qlite_graph_builder_create(context.get(), graph.get(), b); });
  Owned<qlite_data_set> data = MakeHandle<qlite_data_set>([this](auto** d) {
    static const float kSamples[8] = {1, -2, 3, -4, 5, 6, -7, 8};
    const void* const inputs[] = {kSamples};
    const size_t sizes[] = {sizeof(kSamples)};
    const qlite_data_target target = TargetOf(graph.get());
    return qlite_data_set_from_memory(&target, inputs, sizes, 1, nullptr, nullptr, d);
  });
  Owned<qlite_labels> labels = MakeHandle<qlite_labels>([this](auto** l) {
    return qlite_labels_read(context.get(), DemoPath("eval/labels.txt").c_str(), DemoPath("eval").c_str(), 0, l);
  });
  Owned<qlite_calibrator> calibrator = MakeHandle<qlite_calibrator>(
      [this](auto** c) { return qlite_calibrator_create(context.get(), graph.get(), nullptr, c); });
  Owned<qlite_calibration_table> table = MakeHandle<qlite_calibration_table>(
      [this](auto** t) { return qlite_calibrator_run(calibrator.get(), data.get(), nullptr, t); });
  Owned<qlite_quantizer> quantizer =
      MakeHandle<qlite_quantizer>([this](auto** q) { return qlite_quantizer_create(context.get(), nullptr, q); });
  Owned<qlite_quantization_result> result = MakeHandle<qlite_quantization_result>(
      [this](auto** r) { return qlite_quantizer_run(quantizer.get(), graph.get(), data.get(), nullptr, r); });
  Owned<qlite_session> session = MakeHandle<qlite_session>(
      [this](auto** s) { return qlite_session_create(context.get(), graph.get(), nullptr, s); });
  Owned<qlite_observer> observer =
      MakeHandle<qlite_observer>([this](auto** o) { return qlite_observer_create(context.get(), "MAX_MIN", o); });
  Owned<qlite_report> report = MakeHandle<qlite_report>([this](auto** r) {
    return qlite_report_create(context.get(), graph.get(), graph.get(), data.get(), nullptr, r);
  });
  Owned<qlite_sensitivity> sensitivity = MakeHandle<qlite_sensitivity>([this](auto** s) {
    return qlite_measure_weight_sensitivity(context.get(), graph.get(), nullptr, data.get(), 0, s);
  });
  Owned<qlite_bytes> bytes = MakeHandle<qlite_bytes>([this](auto** b) { return qlite_graph_dump(graph.get(), 0, b); });
  Owned<qlite_error> error = SomeError(context.get());

  std::vector<void*> All() const {
    return {context.get(),    graph.get(),       pool.get(),      builder.get(), data.get(),    labels.get(),
            calibrator.get(), table.get(),       quantizer.get(), result.get(),  session.get(), observer.get(),
            report.get(),     sensitivity.get(), bytes.get(),     error.get()};
  }
};

template <class T>
constexpr bool kIsHandle = std::is_pointer_v<T>&& std::is_class_v<std::remove_pointer_t<T>> && !requires {
  sizeof(std::remove_pointer_t<T>);
};

// Arguments that a call could have: handles that live, texts, zeros, and memory for results.
class Plausible {
 public:
  explicit Plausible(const Handles& handles) : handles_(handles) {}

  template <class T>
  T Make() {
    using Pointee = std::remove_cv_t<std::remove_pointer_t<T>>;
    if constexpr (kIsHandle<T>) {
      return const_cast<T>(Handle(static_cast<Pointee*>(nullptr)));
    } else if constexpr (std::is_same_v<T, const char*>) {
      return "x";
    } else if constexpr (std::is_same_v<T, qlite_release_function> || std::is_same_v<T, qlite_write_function> ||
                         std::is_same_v<T, qlite_tap_function> || std::is_same_v<T, qlite_work_function>) {
      return nullptr;
    } else if constexpr (requires(T t) { t->struct_size; } && std::is_const_v<std::remove_pointer_t<T>>) {
      return nullptr;  // where they are options, defaults
    } else if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<T>(memory_);
    } else {
      return T{};
    }
  }

 private:
  qlite_context* Handle(qlite_context*) { return handles_.context.get(); }
  qlite_graph* Handle(qlite_graph*) { return handles_.graph.get(); }
  qlite_thread_pool* Handle(qlite_thread_pool*) { return handles_.pool.get(); }
  qlite_graph_builder* Handle(qlite_graph_builder*) { return handles_.builder.get(); }
  qlite_data_set* Handle(qlite_data_set*) { return handles_.data.get(); }
  qlite_labels* Handle(qlite_labels*) { return handles_.labels.get(); }
  qlite_calibrator* Handle(qlite_calibrator*) { return handles_.calibrator.get(); }
  qlite_calibration_table* Handle(qlite_calibration_table*) { return handles_.table.get(); }
  qlite_quantizer* Handle(qlite_quantizer*) { return handles_.quantizer.get(); }
  qlite_quantization_result* Handle(qlite_quantization_result*) { return handles_.result.get(); }
  qlite_session* Handle(qlite_session*) { return handles_.session.get(); }
  qlite_observer* Handle(qlite_observer*) { return handles_.observer.get(); }
  qlite_report* Handle(qlite_report*) { return handles_.report.get(); }
  qlite_sensitivity* Handle(qlite_sensitivity*) { return handles_.sensitivity.get(); }
  qlite_bytes* Handle(qlite_bytes*) { return handles_.bytes.get(); }
  qlite_error* Handle(qlite_error*) { return handles_.error.get(); }

  const Handles& handles_;
  alignas(16) char memory_[4096] = {};  // as a structure its struct_size is 0
};

template <class R>
constexpr bool kFails = std::is_same_v<R, qlite_status>;

// All arguments zero.
template <class R, class... A>
void CallWithNothing(const char* name, R (*function)(A...)) {
  if constexpr (sizeof...(A) > 0) {
    INFO(name);
    const R result = function(A{}...);
    constexpr bool kTakesPointers = (std::is_pointer_v<A> || ...);
    if constexpr (kFails<R> && kTakesPointers) CHECK(result == QLITE_INVALID_ARGUMENT);
  }
}

// Whether that argument, a handle, is optional.
bool MayBeNull(std::string_view function, size_t argument) {
  if (function == "qlite_graph_builder_create") return argument == 1;
  if (function == "qlite_calibrator_run") return argument == 2;
  return (function == "qlite_quantizer_run" || function == "qlite_weight_quantize") && argument == 3;
}

// Each handle argument in turn replaced by `wrong`, the others plausible.
template <class R, class... A, size_t... I>
void CallWithHandle(const char* name, R (*function)(A...), const Handles& handles, void* wrong,
                    std::index_sequence<I...>) {
  INFO(name);
  [[maybe_unused]] const auto call = [&](auto replaced) {
    constexpr size_t kReplaced = decltype(replaced)::value;
    using Replaced = std::tuple_element_t<kReplaced, std::tuple<A..., void*>>;
    if constexpr (kFails<R> && kIsHandle<Replaced>) {
      Plausible plausible(handles);
      std::tuple<A...> arguments{plausible.template Make<A>()...};
      if (wrong == nullptr && MayBeNull(name, kReplaced)) return;
      // A handle of the right kind is no mistake.
      if (static_cast<const void*>(std::get<kReplaced>(arguments)) == wrong) return;
      std::get<kReplaced>(arguments) = reinterpret_cast<Replaced>(wrong);
      CHECK(std::apply(function, arguments) != QLITE_OK);
    }
  };
  (call(std::integral_constant<size_t, I>{}), ...);
}

template <class R, class... A>
void CallWithHandles(const char* name, R (*function)(A...), const Handles& handles, const std::vector<void*>& wrong) {
  for (void* handle : wrong) CallWithHandle(name, function, handles, handle, std::index_sequence_for<A...>());
}

// Each pointer argument in turn null, the others plausible. Whatever comes out, nothing crashes.
template <class R, class... A, size_t... I>
void CallWithOneNull(const char* name, R (*function)(A...), const Handles& handles, std::index_sequence<I...>) {
  INFO(name);
  [[maybe_unused]] const auto call = [&](auto cleared) {
    constexpr size_t kCleared = decltype(cleared)::value;
    if constexpr (std::is_pointer_v<std::tuple_element_t<kCleared, std::tuple<A..., void*>>>) {
      Plausible plausible(handles);
      std::tuple<A...> arguments{plausible.template Make<A>()...};
      std::get<kCleared>(arguments) = nullptr;
      static_cast<void>(std::apply(function, arguments));
    }
  };
  (call(std::integral_constant<size_t, I>{}), ...);
}

bool Releases(std::string_view name) { return name.ends_with("_release"); }

TEST_CASE("the list of functions is that of the header") {
  std::ifstream file(std::string(QLITE_SOURCE_DIR) + "/capi/qlite.h");
  const std::string header{std::istreambuf_iterator<char>(file), {}};
  size_t declared = 0;
  for (size_t at = header.find("\nQLITE_API "); at != std::string::npos; at = header.find("\nQLITE_API ", at + 1))
    ++declared;
  size_t listed = 0;
#define QLITE_COUNT(name) ++listed;
  QLITE_FOR_EACH_C_FUNCTION(QLITE_COUNT)
#undef QLITE_COUNT
  CHECK(listed == declared);
  CHECK(listed > 100);
}

TEST_CASE("every function refuses to work on nothing") {
#define QLITE_CALL(name) CallWithNothing(#name, &name);
  QLITE_FOR_EACH_C_FUNCTION(QLITE_CALL)
#undef QLITE_CALL
}

TEST_CASE("every function refuses handles of another kind, closed ones and any other pointer") {
  const Handles handles;
  std::vector<void*> wrong = handles.All();
  {
    const Handles closed;
    for (void* handle : closed.All()) wrong.push_back(handle);
  }
  int local = 0;
  wrong.push_back(&local);
  wrong.push_back(reinterpret_cast<void*>(uintptr_t{1} << 40));
  wrong.push_back(nullptr);
#define QLITE_CALL(name) \
  if (!Releases(#name)) CallWithHandles(#name, &name, handles, wrong);
  QLITE_FOR_EACH_C_FUNCTION(QLITE_CALL)
#undef QLITE_CALL
}

TEST_CASE("every function survives a null in the place of each pointer") {
  const Handles handles;
#define QLITE_CALL(name) \
  if (!Releases(#name)) CallWithOneNull(#name, &name, handles, MakeIndices(&name));
  const auto MakeIndices = []<class R, class... A>(R (*)(A...)) { return std::index_sequence_for<A...>(); };
  QLITE_FOR_EACH_C_FUNCTION(QLITE_CALL)
#undef QLITE_CALL
  for (const void* handle : handles.All()) CHECK(handle != nullptr);
}

template <class H>
void CheckReleasedOnce(Owned<H> owned, const std::vector<void*>& others) {
  H* const handle = owned.release();
  for (void* other : others) {
    if (other != handle)
      CHECK(ReleaseHandle(reinterpret_cast<H*>(reinterpret_cast<uintptr_t>(other))) == QLITE_INVALID_ARGUMENT);
  }
  CHECK(ReleaseHandle(handle) == QLITE_OK);
  CHECK(ReleaseHandle(handle) == QLITE_INVALID_ARGUMENT);
  CHECK(ReleaseHandle(static_cast<H*>(nullptr)) == QLITE_INVALID_ARGUMENT);
}

TEST_CASE("a handle is released once, by its own function") {
  Handles h;
  const std::vector<void*> all = h.All();
  CheckReleasedOnce(std::move(h.context), all);
  CheckReleasedOnce(std::move(h.graph), all);
  CheckReleasedOnce(std::move(h.pool), all);
  CheckReleasedOnce(std::move(h.builder), all);
  CheckReleasedOnce(std::move(h.data), all);
  CheckReleasedOnce(std::move(h.labels), all);
  CheckReleasedOnce(std::move(h.calibrator), all);
  CheckReleasedOnce(std::move(h.table), all);
  CheckReleasedOnce(std::move(h.quantizer), all);
  CheckReleasedOnce(std::move(h.result), all);
  CheckReleasedOnce(std::move(h.session), all);
  CheckReleasedOnce(std::move(h.observer), all);
  CheckReleasedOnce(std::move(h.report), all);
  CheckReleasedOnce(std::move(h.sensitivity), all);
  CheckReleasedOnce(std::move(h.bytes), all);
  CheckReleasedOnce(std::move(h.error), all);
}

TEST_CASE("handles are never used again") {
  std::set<void*> seen;
  for (int i = 0; i < 100; ++i) {
    qlite_thread_pool* pool = nullptr;
    REQUIRE(qlite_thread_pool_create(1, &pool) == QLITE_OK);
    CHECK(seen.insert(pool).second);
    REQUIRE(qlite_thread_pool_release(pool) == QLITE_OK);
  }
}

// A structure that the host may know less or more of than the library: the sizes that are right and those that are not.
// `first` is the size that the structure had first.
template <class S, class Call>
void CheckSizes(Call&& call, const S& good, bool reads, size_t first = sizeof(S)) {
  struct Larger {
    S first;
    char more[64];
  } larger = {good, {}};
  S* const s = &larger.first;
  for (const size_t size : {size_t{0}, size_t{1}, sizeof(size_t), first - 1, size_t{5000}, SIZE_MAX}) {
    s->struct_size = size;
    CHECK(call(s) == QLITE_INVALID_ARGUMENT);
  }
  for (const size_t size : {first, sizeof(S)}) {
    s->struct_size = size;
    CHECK(call(s) == QLITE_OK);
  }
  s->struct_size = sizeof(Larger);
  CHECK(call(s) == QLITE_OK);
  if (reads) {
    s->struct_size = sizeof(Larger);
    larger.more[40] = 1;
    CHECK(call(s) == QLITE_UNIMPLEMENTED);
  } else {
    CHECK(s->struct_size == sizeof(Larger));
    CHECK(larger.more[40] == 0);
  }
}

template <class S>
S Initialised(qlite_status (*init)(S*, size_t), size_t first = sizeof(S)) {
  S s;
  for (const size_t size : {size_t{0}, first - 1, size_t{5000}}) CHECK(init(&s, size) == QLITE_INVALID_ARGUMENT);
  CHECK(init(&s, sizeof(S)) == QLITE_OK);
  CHECK(s.struct_size == sizeof(S));
  return s;
}

Owned<qlite_quantization_result> WeightQuantized(const qlite_context* context, const qlite_graph* graph) {
  return MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(context, graph, nullptr, nullptr, r); });
}

// To 2 bits with one scale for a tensor, for which a report finds causes of loss.
Owned<qlite_quantization_result> CoarselyQuantized(const qlite_context* context, const qlite_graph* graph) {
  qlite_weight_quantizer_options options;
  REQUIRE(qlite_weight_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  options.bits = 2;
  options.per_channel = 0;
  return MakeHandle<qlite_quantization_result>(
      [&](auto** r) { return qlite_weight_quantize(context, graph, &options, nullptr, r); });
}

// Of the first value that is quantized.
qlite_status ParamsOfFirst(const qlite_graph* graph, qlite_quant_params* params) {
  qlite_status status = QLITE_NOT_FOUND;
  for (int32_t value = 0; status == QLITE_NOT_FOUND; ++value)
    status = qlite_graph_get_quant_params(graph, value, params);
  return status;
}

TEST_CASE("structures of wrong sizes are refused, larger ones taken as far as they are known") {
  const Handles h;
  const auto discard = [](qlite_status status, auto* handle) {
    if (status == QLITE_OK) ReleaseHandle(handle);
    return status;
  };
  SECTION("options") {
    constexpr size_t kFirstContextOptions = offsetof(qlite_context_options, max_tensors);
    constexpr size_t kFirstQuantizerOptions = offsetof(qlite_quantizer_options, keep_float_graph);
    constexpr size_t kFirstExportOptions = offsetof(qlite_export_options, encode_weights);
    constexpr size_t kFirstSessionOptions = offsetof(qlite_session_options, float16);
    constexpr size_t kFirstWeightOptions = offsetof(qlite_weight_quantizer_options, width_error);
    constexpr size_t kFirstReportOptions = offsetof(qlite_report_options, reasons);
    CheckSizes<qlite_context_options>(
        [&](const auto* o) {
          qlite_context* made = nullptr;
          return discard(qlite_context_create(QLITE_ABI_VERSION, o, &made, nullptr), made);
        },
        Initialised(qlite_context_options_init, kFirstContextOptions), true, kFirstContextOptions);
    CheckSizes<qlite_calibrator_options>(
        [&](const auto* o) {
          qlite_calibrator* made = nullptr;
          return discard(qlite_calibrator_create(h.context.get(), h.graph.get(), o, &made), made);
        },
        Initialised(qlite_calibrator_options_init), true);
    CheckSizes<qlite_quantizer_options>(
        [&](const auto* o) {
          qlite_quantizer* made = nullptr;
          return discard(qlite_quantizer_create(h.context.get(), o, &made), made);
        },
        Initialised(qlite_quantizer_options_init, kFirstQuantizerOptions), true, kFirstQuantizerOptions);
    qlite_export_options exporting = Initialised(qlite_export_options_init, kFirstExportOptions);
    exporting.format = QLITE_FORMAT_QLITE;
    CheckSizes<qlite_export_options>(
        [&](const auto* o) {
          qlite_bytes* made = nullptr;
          return discard(qlite_graph_serialize(h.graph.get(), o, &made), made);
        },
        exporting, true, kFirstExportOptions);
    CheckSizes<qlite_session_options>(
        [&](const auto* o) {
          qlite_session* made = nullptr;
          return discard(qlite_session_create(h.context.get(), h.graph.get(), o, &made), made);
        },
        Initialised(qlite_session_options_init, kFirstSessionOptions), true, kFirstSessionOptions);
    CheckSizes<qlite_load_options>(
        [&](const auto* o) {
          qlite_graph* made = nullptr;
          return discard(qlite_graph_load_with(h.context.get(), DemoPath("model.onnx").c_str(), o, &made), made);
        },
        Initialised(qlite_load_options_init), true);
    CheckSizes<qlite_weight_quantizer_options>(
        [&](const auto* o) {
          qlite_quantization_result* made = nullptr;
          return discard(qlite_weight_quantize(h.context.get(), h.graph.get(), o, nullptr, &made), made);
        },
        Initialised(qlite_weight_quantizer_options_init, kFirstWeightOptions), true, kFirstWeightOptions);
    CheckSizes<qlite_loss_target>(
        [&](const auto* t) {
          qlite_quantization_result* made = nullptr;
          return discard(
              qlite_weight_quantize_to_target(h.context.get(), h.graph.get(), nullptr, h.data.get(), t, &made), made);
        },
        Initialised(qlite_loss_target_init), true);
    CheckSizes<qlite_report_options>(
        [&](const auto* o) {
          qlite_report* made = nullptr;
          return discard(qlite_report_create(h.context.get(), h.graph.get(), h.graph.get(), h.data.get(), o, &made),
                         made);
        },
        Initialised(qlite_report_options_init, kFirstReportOptions), true, kFirstReportOptions);
    qlite_image_options images = Initialised(qlite_image_options_init);
    images.resize_width = images.resize_height = 48;
    const auto model = LoadDemo(h.context.get());
    const qlite_data_target target = TargetOf(model.get());
    CheckSizes<qlite_image_options>(
        [&](const auto* o) {
          qlite_data_set* made = nullptr;
          return discard(qlite_data_set_open_images(&target, DemoPath("calib").c_str(), 1, o, &made), made);
        },
        images, true);
  }
  SECTION("what the host describes") {
    const float samples[4] = {1, 2, 3, 4};
    const void* const inputs[] = {samples};
    const size_t sizes[] = {sizeof(samples)};
    CheckSizes<qlite_data_target>(
        [&](const auto* t) {
          qlite_data_set* made = nullptr;
          return discard(qlite_data_set_from_memory(t, inputs, sizes, 1, nullptr, nullptr, &made), made);
        },
        TargetOf(h.graph.get()), true);
    const qlite_data_target target = TargetOf(h.graph.get());
    qlite_sample_source source = {};
    source.size = 1;
    source.read = [](void*, int64_t, const qlite_sample_buffer*, size_t) { return qlite_status{QLITE_OK}; };
    CheckSizes<qlite_sample_source>(
        [&](const auto* s) {
          qlite_data_set* made = nullptr;
          return discard(qlite_data_set_from_source(&target, s, &made), made);
        },
        source, true);
    qlite_executor executor = {};
    executor.parallel_for = [](void*, int64_t units, qlite_work_function work, void* state) {
      work(state, 0, units, 0);
    };
    executor.concurrency = 1;
    CheckSizes<qlite_executor>(
        [&](const auto* e) {
          qlite_context* made = nullptr;
          return discard(qlite_context_with_executor(h.context.get(), e, &made), made);
        },
        executor, true);
    qlite_observer_type observer = {};
    observer.create = [](void*, void**) { return qlite_status{QLITE_OK}; };
    observer.destroy = [](void*) {};
    observer.observe = [](void*, const float*, size_t, float, float) { return qlite_status{QLITE_OK}; };
    observer.merge = [](void*, const void*) { return qlite_status{QLITE_OK}; };
    observer.save = [](const void*, qlite_write_function, void*) { return qlite_status{QLITE_OK}; };
    observer.load = [](void*, const void*, size_t) { return qlite_status{QLITE_OK}; };
    observer.compute = [](const void*, int32_t, float*, float*) { return qlite_status{QLITE_OK}; };
    CheckSizes<qlite_observer_type>(
        [&](const auto* t) { return qlite_context_register_observer(MakeContext().get(), "OWN", t); }, observer, true);
    qlite_preprocessor_type step = {};
    step.create = observer.create;
    step.destroy = observer.destroy;
    step.apply = [](const void*, const qlite_sample_buffer*, size_t) { return qlite_status{QLITE_OK}; };
    step.save = observer.save;
    step.load = observer.load;
    CheckSizes<qlite_preprocessor_type>(
        [&](const auto* t) { return qlite_context_register_preprocessor(MakeContext().get(), "OWN", t); }, step, true);
    int32_t x = -1, made = -1;
    REQUIRE(qlite_graph_builder_find_value(h.builder.get(), "x", &x) == QLITE_OK);
    const char* const name = "another";
    qlite_new_node node = {};
    node.op = "Relu";
    node.inputs = &x;
    node.input_count = node.output_count = 1;
    node.output_names = &name;
    CheckSizes<qlite_new_node>([&](const auto* n) { return qlite_graph_builder_add_node(h.builder.get(), n, &made); },
                               node, true);
    const float scale = 1;
    const int32_t zero_point = 0;
    qlite_quant_params params = {};
    params.scales = &scale;
    params.zero_points = &zero_point;
    params.count = 1;
    params.axis = -1;
    params.bits = 8;
    CheckSizes<qlite_quant_params>(
        [&](const auto* q) { return qlite_graph_builder_set_quant_params(h.builder.get(), x, q); }, params, true,
        offsetof(qlite_quant_params, variance_ratios));
    const int64_t dims[] = {4};
    qlite_tapped_value value = {};
    value.dims = dims;
    value.rank = 1;
    value.data = samples;
    value.elements = 4;
    value.type = QLITE_FLOAT32;
    float copy[4] = {};
    CheckSizes<qlite_tapped_value>([&](const auto* v) { return qlite_tapped_value_copy(v, nullptr, copy, 4); }, value,
                                   true);
  }
  SECTION("results") {
    CheckSizes<qlite_graph_info>([&](auto* i) { return qlite_graph_get_info(h.graph.get(), i); }, {}, false);
    CheckSizes<qlite_value_info>([&](auto* i) { return qlite_graph_get_value(h.graph.get(), 0, i); }, {}, false);
    CheckSizes<qlite_node_info>([&](auto* i) { return qlite_graph_get_node(h.graph.get(), 0, i); }, {}, false);
    CheckSizes<qlite_calibration_info>([&](auto* i) { return qlite_calibration_table_get_info(h.table.get(), i); }, {},
                                       false);
    CheckSizes<qlite_tensor_calibration>([&](auto* i) { return qlite_calibration_table_get(h.table.get(), 0, 8, i); },
                                         {}, false, offsetof(qlite_tensor_calibration, channel_elements));
    CheckSizes<qlite_quantization_info>([&](auto* i) { return qlite_quantization_result_get_info(h.result.get(), i); },
                                        {}, false, offsetof(qlite_quantization_info, weight_count));
    CheckSizes<qlite_node_outcome>([&](auto* i) { return qlite_quantization_result_get_node(h.result.get(), 0, i); },
                                   {}, false);
    CheckSizes<qlite_session_info>([&](auto* i) { return qlite_session_get_info(h.session.get(), i); }, {}, false,
                                   offsetof(qlite_session_info, float16));
    CheckSizes<qlite_report_info>([&](auto* i) { return qlite_report_get_info(h.report.get(), i); }, {}, false,
                                  offsetof(qlite_report_info, layer_count));
    CheckSizes<qlite_tensor_report>([&](auto* i) { return qlite_report_get_tensor(h.report.get(), 0, 0, i); }, {},
                                    false);
    const auto model = LoadDemo(h.context.get());
    const auto simplified =
        MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_simplify(model.get(), g, nullptr); });
    const auto weights = WeightQuantized(h.context.get(), model.get());
    CheckSizes<qlite_weight_outcome>([&](auto* i) { return qlite_quantization_result_get_weight(weights.get(), 0, i); },
                                     {}, false);
    const auto quantized = GraphOf(weights.get());
    CheckSizes<qlite_quant_params>([&](auto* i) { return ParamsOfFirst(quantized.get(), i); }, {}, false,
                                   offsetof(qlite_quant_params, variance_ratios));
    const auto pictures = DemoPictures(model.get(), 1);
    const auto compared = MakeHandle<qlite_report>([&](auto** r) {
      return qlite_report_create(h.context.get(), simplified.get(), quantized.get(), pictures.get(), nullptr, r);
    });
    CheckSizes<qlite_parameter_report>([&](auto* i) { return qlite_report_get_parameter(compared.get(), 0, i); }, {},
                                       false);
    CheckSizes<qlite_layer_report>([&](auto* i) { return qlite_report_get_layer(compared.get(), 0, i); }, {}, false);
    CheckSizes<qlite_tensor_summary>(
        [&](auto* i) { return qlite_report_get_layer_activation(compared.get(), 0, 0, i); }, {}, false);
    const auto targeted = MakeHandle<qlite_quantization_result>([&](auto** r) {
      return qlite_weight_quantize_to_target(h.context.get(), h.graph.get(), nullptr, h.data.get(), nullptr, r);
    });
    CheckSizes<qlite_target_outcome>([&](auto* i) { return qlite_quantization_result_get_target(targeted.get(), i); },
                                     {}, false);
    const auto layers = MakeHandle<qlite_sensitivity>([&](auto** s) {
      return qlite_measure_weight_sensitivity(h.context.get(), model.get(), nullptr, pictures.get(), 1, s);
    });
    CheckSizes<qlite_layer_sensitivity>([&](auto* i) { return qlite_sensitivity_get(layers.get(), 0, i); }, {}, false);
    const auto coarse = CoarselyQuantized(h.context.get(), model.get());
    const auto found = MakeHandle<qlite_report>([&](auto** r) {
      return qlite_report_create(h.context.get(), simplified.get(), GraphOf(coarse.get()).get(), pictures.get(),
                                 nullptr, r);
    });
    CheckSizes<qlite_finding>([&](auto* i) { return qlite_report_get_finding(found.get(), 0, i); }, {}, false);
    CheckSizes<qlite_error_info>([&](auto* i) { return qlite_error_get(h.error.get(), i); }, {}, false);
  }
}

TEST_CASE("a host that is older than a field has the field's default, and its memory is left alone") {
  qlite_context_options options;
  options.max_tensors = 7;
  REQUIRE(qlite_context_options_init(&options, offsetof(qlite_context_options, max_tensors)) == QLITE_OK);
  CHECK(options.max_tensors == 7);
  options.max_tensors = 0;  // as a limit it would refuse every graph
  const auto context = MakeHandle<qlite_context>(
      [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
  LoadDemo(context.get());
}

TEST_CASE("what a structure has grown by is not written to where an older host has other things") {
  const Handles h;
  qlite_session_info info;
  info.float16 = 77;
  info.struct_size = offsetof(qlite_session_info, float16);
  REQUIRE(qlite_session_get_info(h.session.get(), &info) == QLITE_OK);
  CHECK(info.input_count == 1);
  CHECK(info.float16 == 77);
}

TEST_CASE("an allocator comes before every handle, whole or not at all") {
  qlite_allocator allocator = {};
  allocator.struct_size = sizeof(allocator);
  CHECK(qlite_set_allocator(&allocator) == QLITE_INVALID_ARGUMENT);
  allocator.allocate = [](void*, size_t, size_t) -> void* { return nullptr; };
  CHECK(qlite_set_allocator(&allocator) == QLITE_INVALID_ARGUMENT);
  allocator.deallocate = [](void*, void*, size_t) {};
  allocator.struct_size = sizeof(allocator) - 1;
  CHECK(qlite_set_allocator(&allocator) == QLITE_INVALID_ARGUMENT);
  allocator.struct_size = sizeof(allocator);
  const auto context = MakeContext();
  CHECK(qlite_set_allocator(&allocator) == QLITE_FAILED_PRECONDITION);
}

TEST_CASE("numbers beyond the end are out of range") {
  const Handles h;
  qlite_value_info value = {};
  value.struct_size = sizeof(value);
  for (const int32_t number : {-1, 2, INT32_MAX, INT32_MIN}) {
    CHECK(qlite_graph_get_value(h.graph.get(), number, &value) == QLITE_OUT_OF_RANGE);
  }
  qlite_sample_buffer buffer;
  CHECK(qlite_session_get_input(h.session.get(), 1, &buffer) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_session_get_output(h.session.get(), SIZE_MAX, &buffer) == QLITE_OUT_OF_RANGE);
  float data[4] = {};
  CHECK(qlite_session_set_input(h.session.get(), 0, data, sizeof(data) - 1) == QLITE_INVALID_ARGUMENT);
  CHECK(qlite_session_set_input(h.session.get(), 0, data, sizeof(data)) == QLITE_OK);
  void* const memory[] = {data};
  const size_t sizes[] = {sizeof(data)};
  CHECK(qlite_data_set_read(h.data.get(), 2, memory, sizes, 1) == QLITE_OUT_OF_RANGE);
  qlite_tensor_report tensor = {};
  tensor.struct_size = sizeof(tensor);
  CHECK(qlite_report_get_tensor(h.report.get(), 2, 0, &tensor) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_report_get_tensor(h.report.get(), 0, 2, &tensor) == QLITE_OUT_OF_RANGE);
  const char* name = nullptr;
  double cosine = 0;
  CHECK(qlite_report_get_output(h.report.get(), 0, 1, &name, &cosine) == QLITE_OUT_OF_RANGE);
  qlite_parameter_report parameter = {};
  parameter.struct_size = sizeof(parameter);
  CHECK(qlite_report_get_parameter(h.report.get(), 0, &parameter) == QLITE_OUT_OF_RANGE);  // both are float
  qlite_weight_outcome weight = {};
  weight.struct_size = sizeof(weight);
  CHECK(qlite_quantization_result_get_weight(h.result.get(), 0, &weight) == QLITE_OUT_OF_RANGE);
  qlite_layer_report layer = {};
  layer.struct_size = sizeof(layer);
  CHECK(qlite_report_get_layer(h.report.get(), 2, &layer) == QLITE_OUT_OF_RANGE);  // the input and Relu
  qlite_tensor_summary summary = {};
  summary.struct_size = sizeof(summary);
  CHECK(qlite_report_get_layer_weight(h.report.get(), 1, 0, &summary) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_report_get_layer_activation(h.report.get(), 1, 1, &summary) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_report_get_layer_activation(h.report.get(), 2, 0, &summary) == QLITE_OUT_OF_RANGE);
  qlite_finding finding = {};
  finding.struct_size = sizeof(finding);
  CHECK(qlite_report_get_finding(h.report.get(), 0, &finding) == QLITE_OUT_OF_RANGE);
  CHECK(qlite_report_get_finding_number(h.report.get(), 0, 0, &name, &cosine) == QLITE_OUT_OF_RANGE);
  qlite_layer_sensitivity sensitivity = {};
  sensitivity.struct_size = sizeof(sensitivity);
  CHECK(qlite_sensitivity_get(h.sensitivity.get(), 0, &sensitivity) == QLITE_OUT_OF_RANGE);
  CHECK(std::string(qlite_loss_cause_name(QLITE_CAUSE_UNLIKE_SAMPLES + 1)).empty());
  CHECK(std::string(qlite_remedy_text(-1)).empty());
  CHECK(qlite_context_parallel_for(
            h.context.get(), -1, [](void*, int64_t, int64_t, int32_t) {}, nullptr) == QLITE_INVALID_ARGUMENT);
  CHECK(qlite_context_log(h.context.get(), 4, "message") == QLITE_INVALID_ARGUMENT);
  CHECK(qlite_data_set_read(h.data.get(), 1, memory, sizes, 1) == QLITE_OK);
  CHECK(data[3] == 8);
}

}  // namespace
}  // namespace qlite::testing
