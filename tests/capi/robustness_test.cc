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
  Owned<qlite_bytes> bytes = MakeHandle<qlite_bytes>([this](auto** b) { return qlite_graph_dump(graph.get(), 0, b); });
  Owned<qlite_error> error = SomeError(context.get());

  std::vector<void*> All() const {
    return {context.get(), graph.get(),     pool.get(),   builder.get(), data.get(),  labels.get(), calibrator.get(),
            table.get(),   quantizer.get(), result.get(), session.get(), bytes.get(), error.get()};
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
                         std::is_same_v<T, qlite_tap_function>) {
      return nullptr;
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
  return (function == "qlite_calibrator_run" && argument == 2) || (function == "qlite_quantizer_run" && argument == 3);
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

TEST_CASE("structures of wrong sizes are refused, larger ones taken as far as they are known") {
  const Handles h;
  const auto discard = [](qlite_status status, auto* handle) {
    if (status == QLITE_OK) ReleaseHandle(handle);
    return status;
  };
  SECTION("options") {
    constexpr size_t kFirstContextOptions = offsetof(qlite_context_options, max_tensors);
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
        Initialised(qlite_quantizer_options_init), true);
    qlite_export_options exporting = Initialised(qlite_export_options_init);
    exporting.format = QLITE_FORMAT_QLITE;
    CheckSizes<qlite_export_options>(
        [&](const auto* o) {
          qlite_bytes* made = nullptr;
          return discard(qlite_graph_serialize(h.graph.get(), o, &made), made);
        },
        exporting, true);
    CheckSizes<qlite_session_options>(
        [&](const auto* o) {
          qlite_session* made = nullptr;
          return discard(qlite_session_create(h.context.get(), h.graph.get(), o, &made), made);
        },
        Initialised(qlite_session_options_init), true);
    Initialised(qlite_image_options_init);
  }
  SECTION("results") {
    CheckSizes<qlite_graph_info>([&](auto* i) { return qlite_graph_get_info(h.graph.get(), i); }, {}, false);
    CheckSizes<qlite_value_info>([&](auto* i) { return qlite_graph_get_value(h.graph.get(), 0, i); }, {}, false);
    CheckSizes<qlite_node_info>([&](auto* i) { return qlite_graph_get_node(h.graph.get(), 0, i); }, {}, false);
    CheckSizes<qlite_calibration_info>([&](auto* i) { return qlite_calibration_table_get_info(h.table.get(), i); }, {},
                                       false);
    CheckSizes<qlite_tensor_calibration>([&](auto* i) { return qlite_calibration_table_get(h.table.get(), 0, 8, i); },
                                         {}, false);
    CheckSizes<qlite_quantization_info>([&](auto* i) { return qlite_quantization_result_get_info(h.result.get(), i); },
                                        {}, false);
    CheckSizes<qlite_node_outcome>([&](auto* i) { return qlite_quantization_result_get_node(h.result.get(), 0, i); },
                                   {}, false);
    CheckSizes<qlite_session_info>([&](auto* i) { return qlite_session_get_info(h.session.get(), i); }, {}, false);
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
  CHECK(qlite_data_set_read(h.data.get(), 1, memory, sizes, 1) == QLITE_OK);
  CHECK(data[3] == 8);
}

}  // namespace
}  // namespace qlite::testing
