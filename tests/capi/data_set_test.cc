// Samples from folders, memory and the host, calibration over them, and the plug-ins of a host.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "capi/capi_test_util.h"

namespace qlite::testing {
namespace {

using ::Catch::Contains;

// All samples of a data set for one float input.
std::vector<float> AllSamples(const qlite_data_set* data) {
  int64_t size = 0;
  REQUIRE(qlite_data_set_size(data, &size) == QLITE_OK);
  qlite_sample_buffer input;
  REQUIRE(qlite_data_set_get_input(data, 0, &input) == QLITE_OK);
  std::vector<float> samples(static_cast<size_t>(size) * input.size / sizeof(float));
  for (int64_t i = 0; i < size; ++i) {
    void* const memory[] = {samples.data() + static_cast<size_t>(i) * input.size / sizeof(float)};
    REQUIRE(qlite_data_set_read(data, i, memory, &input.size, 1) == QLITE_OK);
  }
  return samples;
}

std::string Calibrated(const qlite_context* context, const qlite_graph* graph, const qlite_data_set* data) {
  const auto calibrator =
      MakeHandle<qlite_calibrator>([&](auto** c) { return qlite_calibrator_create(context, graph, nullptr, c); });
  const auto table = MakeHandle<qlite_calibration_table>(
      [&](auto** t) { return qlite_calibrator_run(calibrator.get(), data, nullptr, t); });
  qlite_calibration_info info = {};
  info.struct_size = sizeof(info);
  REQUIRE(qlite_calibration_table_get_info(table.get(), &info) == QLITE_OK);
  std::string text;
  for (size_t i = 0; i < info.tensor_count; ++i) {
    qlite_tensor_calibration tensor = {};
    tensor.struct_size = sizeof(tensor);
    REQUIRE(qlite_calibration_table_get(table.get(), i, 8, &tensor) == QLITE_OK);
    text += std::string(tensor.name) + " " + std::to_string(tensor.min) + " " + std::to_string(tensor.max) + "\n";
    CHECK(tensor.channel_count > 0);
  }
  return text;
}

struct Fixture {
  Owned<qlite_context> context = MakeContext(2);
  Owned<qlite_graph> graph = LoadDemo(context.get());
  Owned<qlite_data_set> pictures = DemoPictures(graph.get(), 5);
  std::vector<float> samples = AllSamples(pictures.get());
  qlite_data_target target = TargetOf(graph.get());
};

TEST_CASE_METHOD(Fixture, "samples in memory calibrate as those of a folder") {
  const void* const inputs[] = {samples.data()};
  const size_t sizes[] = {samples.size() * sizeof(float)};
  int released = 0;
  {
    const auto lent = MakeHandle<qlite_data_set>([&](auto** d) {
      return qlite_data_set_from_memory(
          &target, inputs, sizes, 1, [](void* user) { ++*static_cast<int*>(user); }, &released, d);
    });
    CHECK(AllSamples(lent.get()) == samples);
    CHECK(Calibrated(context.get(), graph.get(), lent.get()) == Calibrated(context.get(), graph.get(), pictures.get()));
  }
  CHECK(released == 1);
  const size_t uneven[] = {sizes[0] - 4};
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_from_memory(&target, inputs, uneven, 1, nullptr, nullptr, &none) == QLITE_INVALID_ARGUMENT);
  CHECK(LastErrorOf(context.get()).value == "input");
}

TEST_CASE_METHOD(Fixture, "raw files calibrate as the samples that they hold") {
  const TemporaryFolder folder;
  const size_t elements = samples.size() / 5;
  for (size_t i = 0; i < 5; ++i) {
    std::ofstream file(folder.File(std::to_string(i) + ".bin"), std::ios::binary);
    file.write(reinterpret_cast<const char*>(samples.data() + i * elements),
               static_cast<std::streamsize>(elements * sizeof(float)));
  }
  const std::string path = folder.path();
  const char* const folders[] = {path.c_str()};
  const auto raw =
      MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_open_raw(&target, folders, 1, 0, d); });
  CHECK(AllSamples(raw.get()) == samples);
  const auto text = MakeHandle<qlite_bytes>([&](auto** b) { return qlite_data_set_describe(raw.get(), 0, b); });
  CHECK_THAT(TextOf(text.get()), Contains("0.bin"));
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_open_raw(&target, folders, 1, 6, &none) != QLITE_OK);
  CHECK_THAT(LastErrorOf(context.get()).file, Contains(path));
}

TEST_CASE("lines of tokens are samples") {
  const auto context = MakeContext();
  const auto builder =
      MakeHandle<qlite_graph_builder>([&](auto** b) { return qlite_graph_builder_create(context.get(), nullptr, b); });
  const int64_t dims[] = {1, 3};
  int32_t tokens = -1;
  REQUIRE(qlite_graph_builder_add_input(builder.get(), "tokens", QLITE_INT64, dims, 2, &tokens) == QLITE_OK);
  REQUIRE(qlite_graph_builder_set_outputs(builder.get(), &tokens, 1) == QLITE_OK);
  const auto graph = MakeHandle<qlite_graph>([&](auto** g) { return qlite_graph_builder_build(builder.get(), g); });
  const TemporaryFolder folder;
  const std::string path = folder.Write("tokens.txt", "1 2 3 4\n5 6 7\n8 9\n");
  const qlite_data_target target = TargetOf(graph.get());
  const auto data =
      MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_open_tokens(&target, path.c_str(), 2, 1, d); });
  int64_t size = 0, sample[3] = {};
  REQUIRE(qlite_data_set_size(data.get(), &size) == QLITE_OK);
  CHECK(size == 1);
  void* const memory[] = {sample};
  const size_t sizes[] = {sizeof(sample)};
  REQUIRE(qlite_data_set_read(data.get(), 0, memory, sizes, 1) == QLITE_OK);
  CHECK(sample[0] == 5);
  CHECK(sample[2] == 7);
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_open_tokens(&target, path.c_str(), 1, 0, &none) != QLITE_OK);
  CHECK(LastErrorOf(context.get()).file == path);
}

struct Source {
  const std::vector<float>* samples;
  int64_t fails = -1;
  int released = 0;
  bool says = false;  // what the failure is
};

qlite_sample_source SourceOf(Source& source) {
  qlite_sample_source s = {};
  s.struct_size = sizeof(s);
  s.user = &source;
  s.size = 5;
  s.read = [](void* user, int64_t index, const qlite_sample_buffer* inputs, size_t count) -> qlite_status {
    const Source& from = *static_cast<Source*>(user);
    if (index == from.fails) {
      if (from.says) qlite_describe_failure("three bytes are missing", "samples.tar", nullptr, "input");
      return QLITE_DATA_LOSS;
    }
    if (count != 1 || std::string(inputs[0].name) != "input") return QLITE_INTERNAL;
    std::memcpy(inputs[0].data, from.samples->data() + static_cast<size_t>(index) * inputs[0].size / sizeof(float),
                inputs[0].size);
    return QLITE_OK;
  };
  s.describe = [](void*, int64_t) { return "made by the host"; };
  s.release = [](void* user) { ++static_cast<Source*>(user)->released; };
  return s;
}

TEST_CASE_METHOD(Fixture, "the host makes samples when asked") {
  Source source{&samples};
  const qlite_sample_source host = SourceOf(source);
  {
    const auto made =
        MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_from_source(&target, &host, d); });
    CHECK(Calibrated(context.get(), graph.get(), made.get()) == Calibrated(context.get(), graph.get(), pictures.get()));
    source.fails = 3;
    const auto quantizer =
        MakeHandle<qlite_quantizer>([&](auto** q) { return qlite_quantizer_create(context.get(), nullptr, q); });
    qlite_quantization_result* none = nullptr;
    CHECK(qlite_quantizer_run(quantizer.get(), graph.get(), made.get(), nullptr, &none) == QLITE_DATA_LOSS);
    CHECK_THAT(LastErrorOf(context.get()).message, Contains("read of sample 3"));
    CHECK(LastErrorOf(context.get()).file.empty());
    source.says = true;
    CHECK(qlite_quantizer_run(quantizer.get(), graph.get(), made.get(), nullptr, &none) == QLITE_DATA_LOSS);
    const ErrorText said = LastErrorOf(context.get());
    CHECK_THAT(said.message, Contains("read of sample 3") && Contains("three bytes are missing"));
    CHECK(said.file == "samples.tar");
    CHECK(said.node.empty());
    CHECK(said.value == "input");
    source.says = false;  // and what was said once is not said again
    CHECK(qlite_quantizer_run(quantizer.get(), graph.get(), made.get(), nullptr, &none) == QLITE_DATA_LOSS);
    CHECK_THAT(LastErrorOf(context.get()).message, !Contains("missing"));
  }
  CHECK(source.released == 1);
  qlite_sample_source broken = host;
  broken.read = nullptr;
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_from_source(&target, &broken, &none) == QLITE_INVALID_ARGUMENT);
  CHECK(source.released == 2);
}

TEST_CASE_METHOD(Fixture, "fingerprints tell data apart") {
  Source source{&samples};
  qlite_sample_source host = SourceOf(source);
  const auto fingerprint = [&] {
    const auto made =
        MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_from_source(&target, &host, d); });
    uint64_t value = 0;
    REQUIRE(qlite_data_set_fingerprint(made.get(), &value) == QLITE_OK);
    return value;
  };
  const uint64_t before = fingerprint();
  CHECK(fingerprint() == before);
  samples[7] += 1;
  CHECK(fingerprint() != before);
  host.fingerprint = 42;
  host.fingerprint_given = 1;
  CHECK(fingerprint() == 42);
}

TEST_CASE_METHOD(Fixture, "data sets of one input are combined") {
  const qlite_data_set* const parts[] = {pictures.get()};
  const auto combined = MakeHandle<qlite_data_set>([&](auto** d) { return qlite_data_set_combine(parts, 1, d); });
  pictures.reset();  // the whole keeps what it needs
  CHECK(AllSamples(combined.get()) == samples);
}

TEST_CASE_METHOD(Fixture, "tables are saved, read back, merged and resumed") {
  const auto calibrator = MakeHandle<qlite_calibrator>(
      [&](auto** c) { return qlite_calibrator_create(context.get(), graph.get(), nullptr, c); });
  const auto run = [&](const qlite_data_set* data, const qlite_calibration_table* resume) {
    return MakeHandle<qlite_calibration_table>(
        [&](auto** t) { return qlite_calibrator_run(calibrator.get(), data, resume, t); });
  };
  const auto bytes = [](const qlite_calibration_table* table) {
    return TextOf(MakeHandle<qlite_bytes>([&](auto** b) { return qlite_calibration_table_serialize(table, b); }).get());
  };
  const auto part = [&](size_t first, size_t count) {
    const size_t elements = samples.size() / 5;
    const void* const inputs[] = {samples.data() + first * elements};
    const size_t sizes[] = {count * elements * sizeof(float)};
    return MakeHandle<qlite_data_set>(
        [&](auto** d) { return qlite_data_set_from_memory(&target, inputs, sizes, 1, nullptr, nullptr, d); });
  };
  const auto whole = run(part(0, 5).get(), nullptr);
  const auto a = run(part(0, 2).get(), nullptr), b = run(part(2, 3).get(), nullptr);
  const auto merge = [&](const qlite_calibration_table* x, const qlite_calibration_table* y) {
    return MakeHandle<qlite_calibration_table>([&](auto** t) { return qlite_calibration_table_merge(x, y, t); });
  };
  CHECK(bytes(merge(a.get(), b.get()).get()) == bytes(merge(b.get(), a.get()).get()));
  float min = 0, max = 0, merged_min = 0, merged_max = 0;
  REQUIRE(qlite_calibration_table_range(whole.get(), "input", 8, &min, &max) == QLITE_OK);
  REQUIRE(qlite_calibration_table_range(merge(a.get(), b.get()).get(), "input", 8, &merged_min, &merged_max) ==
          QLITE_OK);
  CHECK(min == merged_min);
  CHECK(max == merged_max);

  const TemporaryFolder folder;
  const std::string path = folder.File("table");
  REQUIRE(qlite_calibration_table_save(whole.get(), path.c_str()) == QLITE_OK);
  const auto loaded = MakeHandle<qlite_calibration_table>(
      [&](auto** t) { return qlite_calibration_table_load(context.get(), path.c_str(), t); });
  CHECK(bytes(loaded.get()) == bytes(whole.get()));
  const std::string text = bytes(whole.get());
  qlite_calibration_table* none = nullptr;
  for (const size_t cut : {size_t{0}, size_t{10}, text.size() - 1}) {
    CHECK(qlite_calibration_table_parse(context.get(), text.data(), cut, &none) != QLITE_OK);
  }
  // All of its samples are in: nothing is left to do.
  CHECK(bytes(run(part(0, 5).get(), loaded.get()).get()) == text);
  CHECK(qlite_calibrator_run(calibrator.get(), part(0, 4).get(), loaded.get(), &none) == QLITE_INVALID_ARGUMENT);
}

// --- an observer: the largest magnitude, times a factor that the type's user points to.

struct Peak {
  float value = 0;
  double factor = 1;
};

qlite_observer_type PeakType(const double* factor) {
  qlite_observer_type type = {};
  type.struct_size = sizeof(type);
  type.user = const_cast<double*>(factor);
  type.create = [](void* user, void** state) -> qlite_status {
    *state = new Peak{0, *static_cast<const double*>(user)};
    return QLITE_OK;
  };
  type.destroy = [](void* state) { delete static_cast<Peak*>(state); };
  type.observe = [](void* state, const float* values, size_t count, float min, float max) -> qlite_status {
    float& peak = static_cast<Peak*>(state)->value;
    float greatest = values[0];
    for (size_t i = 0; i < count; ++i) {
      peak = std::max(peak, std::abs(values[i]));
      greatest = std::max(greatest, values[i]);
    }
    return greatest == max && min <= max ? QLITE_OK : QLITE_INTERNAL;
  };
  type.merge = [](void* state, const void* other) -> qlite_status {
    static_cast<Peak*>(state)->value =
        std::max(static_cast<Peak*>(state)->value, static_cast<const Peak*>(other)->value);
    return QLITE_OK;
  };
  type.save = [](const void* state, qlite_write_function write, void* sink) {
    return write(sink, &static_cast<const Peak*>(state)->value, sizeof(float));
  };
  type.load = [](void* state, const void* data, size_t size) -> qlite_status {
    if (size != sizeof(float)) return QLITE_DATA_LOSS;
    std::memcpy(&static_cast<Peak*>(state)->value, data, size);
    return QLITE_OK;
  };
  type.compute = [](const void* state, int32_t, float* min, float* max) -> qlite_status {
    const auto* peak = static_cast<const Peak*>(state);
    *max = static_cast<float>(peak->value * peak->factor);
    *min = -*max;
    return QLITE_OK;
  };
  return type;
}

TEST_CASE_METHOD(Fixture, "an observer of the host is used as the library's own") {
  const double factor = 1;
  const qlite_observer_type type = PeakType(&factor);
  REQUIRE(qlite_context_register_observer(context.get(), "PEAK", &type) == QLITE_OK);
  CHECK(qlite_context_register_observer(context.get(), "PEAK", &type) == QLITE_ALREADY_EXISTS);
  CHECK(qlite_context_register_observer(context.get(), "KL", &type) == QLITE_ALREADY_EXISTS);
  const auto names = MakeHandle<qlite_bytes>(
      [&](auto** b) { return qlite_context_names(context.get(), QLITE_REGISTRY_OBSERVERS, b); });
  CHECK(TextOf(names.get()) == "KL\nMAX_MIN\nPEAK\nREMOVAL_OUTLIER\nRemovalOutlier\n");

  const auto result = Quantize(context.get(), graph.get(), pictures.get(), "PEAK");
  const auto table = TableOf(result.get());
  float min = 0, max = 0;
  REQUIRE(qlite_calibration_table_range(table.get(), "input", 8, &min, &max) == QLITE_OK);
  CHECK(min == -max);
  // Saved and merged through the host's functions.
  const auto merged = MakeHandle<qlite_calibration_table>(
      [&](auto** t) { return qlite_calibration_table_merge(table.get(), table.get(), t); });
  float again = 0;
  REQUIRE(qlite_calibration_table_range(merged.get(), "input", 8, &min, &again) == QLITE_OK);
  CHECK(again == max);
  // A context that does not know the method cannot read the table.
  const auto bytes =
      MakeHandle<qlite_bytes>([&](auto** b) { return qlite_calibration_table_serialize(table.get(), b); });
  const std::string text = TextOf(bytes.get());
  qlite_calibration_table* none = nullptr;
  CHECK(qlite_calibration_table_parse(MakeContext().get(), text.data(), text.size(), &none) == QLITE_NOT_FOUND);
}

TEST_CASE_METHOD(Fixture, "failures of an observer reach the host") {
  const double factor = 1;
  qlite_observer_type type = PeakType(&factor);
  std::string expected;
  qlite_status status = QLITE_OK;
  SECTION("create") {
    type.create = [](void*, void**) { return qlite_status{QLITE_UNAVAILABLE}; };
    expected = "create of observer PEAK", status = QLITE_UNAVAILABLE;
  }
  SECTION("create without memory") {
    type.create = [](void*, void**) { return qlite_status{QLITE_OUT_OF_MEMORY}; };
    expected = "out of memory", status = QLITE_OUT_OF_MEMORY;
  }
  SECTION("observe") {
    type.observe = [](void*, const float*, size_t, float, float) { return qlite_status{QLITE_ABORTED}; };
    expected = "observe of observer PEAK", status = QLITE_ABORTED;
  }
  SECTION("compute") {
    type.compute = [](const void*, int32_t, float* min, float* max) -> qlite_status {
      *min = NAN, *max = 0;
      return QLITE_OK;
    };
    expected = "observer PEAK computed the range", status = QLITE_FAILED_PRECONDITION;
  }
  REQUIRE(qlite_context_register_observer(context.get(), "PEAK", &type) == QLITE_OK);
  qlite_quantizer_options options;
  REQUIRE(qlite_quantizer_options_init(&options, sizeof(options)) == QLITE_OK);
  options.activation_method = "PEAK";
  qlite_quantizer* quantizer = nullptr;
  qlite_status found = qlite_quantizer_create(context.get(), &options, &quantizer);
  const Owned<qlite_quantizer> owned(quantizer);
  qlite_quantization_result* none = nullptr;
  if (found == QLITE_OK) found = qlite_quantizer_run(quantizer, graph.get(), pictures.get(), nullptr, &none);
  CHECK(found == status);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains(expected));
}

TEST_CASE_METHOD(Fixture, "a failing merge or save of an observer reaches the host") {
  const double factor = 1;
  qlite_observer_type type = PeakType(&factor);
  SECTION("merge") {
    type.merge = [](void*, const void*) { return qlite_status{12345}; };
  }
  SECTION("save") {
    type.save = [](const void*, qlite_write_function, void*) { return qlite_status{12345}; };
  }
  context = MakeContext(1);
  REQUIRE(qlite_context_register_observer(context.get(), "PEAK", &type) == QLITE_OK);
  const auto table = TableOf(Quantize(context.get(), graph.get(), pictures.get(), "PEAK").get());
  qlite_calibration_table* none = nullptr;
  CHECK(qlite_calibration_table_merge(table.get(), table.get(), &none) == QLITE_UNKNOWN);
  CHECK(none == nullptr);
}

// --- a preprocessing step: adds a number, 1 unless told; learns the largest value.

struct Shift {
  float amount = 1;
};

qlite_preprocessor_type ShiftType() {
  qlite_preprocessor_type type = {};
  type.struct_size = sizeof(type);
  type.create = [](void*, void** state) -> qlite_status {
    *state = new Shift;
    return QLITE_OK;
  };
  type.destroy = [](void* state) { delete static_cast<Shift*>(state); };
  type.apply = [](const void* state, const qlite_sample_buffer* inputs, size_t) -> qlite_status {
    auto* values = static_cast<float*>(inputs[0].data);
    for (size_t i = 0; i < inputs[0].size / sizeof(float); ++i) values[i] += static_cast<const Shift*>(state)->amount;
    return QLITE_OK;
  };
  type.save = [](const void* state, qlite_write_function write, void* sink) {
    return write(sink, state, sizeof(Shift));
  };
  type.load = [](void* state, const void* data, size_t size) -> qlite_status {
    if (size != sizeof(Shift)) return QLITE_DATA_LOSS;
    std::memcpy(state, data, size);
    return QLITE_OK;
  };
  type.observe = [](void* state, const qlite_sample_buffer* inputs, size_t) -> qlite_status {
    const auto* values = static_cast<const float*>(inputs[0].data);
    const float largest = *std::max_element(values, values + inputs[0].size / sizeof(float));
    static_cast<Shift*>(state)->amount = std::max(static_cast<Shift*>(state)->amount, largest);
    return QLITE_OK;
  };
  type.merge = [](void* state, const void* other) -> qlite_status {
    static_cast<Shift*>(state)->amount =
        std::max(static_cast<Shift*>(state)->amount, static_cast<const Shift*>(other)->amount);
    return QLITE_OK;
  };
  return type;
}

TEST_CASE_METHOD(Fixture, "a preprocessing step of the host changes samples, is saved, merged and learns") {
  qlite_preprocessor_type type = ShiftType();
  REQUIRE(qlite_context_register_preprocessor(context.get(), "SHIFT", &type) == QLITE_OK);
  CHECK(qlite_context_register_preprocessor(context.get(), "STANDARDIZE", &type) == QLITE_ALREADY_EXISTS);
  const auto apply = [&](const void* settings, size_t size) {
    return MakeHandle<qlite_data_set>(
        [&](auto** d) { return qlite_data_set_preprocess(pictures.get(), "SHIFT", settings, size, d); });
  };
  CHECK(AllSamples(apply(nullptr, 0).get())[0] == samples[0] + 1);
  const Shift two{2}, three{3};
  CHECK(AllSamples(apply(&two, sizeof(two)).get())[0] == samples[0] + 2);
  uint64_t a = 0, b = 0;
  REQUIRE(qlite_data_set_fingerprint(apply(&two, sizeof(two)).get(), &a) == QLITE_OK);
  REQUIRE(qlite_data_set_fingerprint(apply(&three, sizeof(three)).get(), &b) == QLITE_OK);
  CHECK(a != b);
  qlite_data_set* none = nullptr;
  CHECK(qlite_data_set_preprocess(pictures.get(), "SHIFT", &two, 1, &none) == QLITE_DATA_LOSS);
  CHECK(qlite_data_set_preprocess(pictures.get(), "SHIFTY", nullptr, 0, &none) == QLITE_NOT_FOUND);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("'SHIFT'"));

  const auto merged = MakeHandle<qlite_bytes>([&](auto** m) {
    return qlite_preprocessor_merge(context.get(), "SHIFT", &two, sizeof(two), &three, sizeof(three), m);
  });
  CHECK(TextOf(merged.get()) == std::string(reinterpret_cast<const char*>(&three), sizeof(three)));
  const auto learnt = MakeHandle<qlite_bytes>(
      [&](auto** s) { return qlite_preprocessor_fit(context.get(), "SHIFT", pictures.get(), s); });
  float largest = 0;
  std::memcpy(&largest, TextOf(learnt.get()).data(), sizeof(largest));
  CHECK(largest == std::max(1.0f, *std::max_element(samples.begin(), samples.end())));

  type.observe = nullptr;
  CHECK(qlite_context_register_preprocessor(context.get(), "HALF", &type) == QLITE_INVALID_ARGUMENT);
  type.merge = nullptr;
  REQUIRE(qlite_context_register_preprocessor(context.get(), "FIXED", &type) == QLITE_OK);
  qlite_bytes* no_state = nullptr;
  CHECK(qlite_preprocessor_fit(context.get(), "FIXED", pictures.get(), &no_state) == QLITE_UNIMPLEMENTED);
}

TEST_CASE_METHOD(Fixture, "STANDARDIZE makes mean and deviation of each channel 0 and 1, whatever the threads") {
  const auto fit = [&](int32_t threads) {
    return TextOf(MakeHandle<qlite_bytes>([&](auto** s) {
                    return qlite_preprocessor_fit(MakeContext(threads).get(), "STANDARDIZE", pictures.get(), s);
                  }).get());
  };
  const std::string state = fit(1);
  CHECK(fit(4) == state);
  const auto standard = MakeHandle<qlite_data_set>([&](auto** d) {
    return qlite_data_set_preprocess(pictures.get(), "STANDARDIZE", state.data(), state.size(), d);
  });
  const std::vector<float> values = AllSamples(standard.get());
  constexpr size_t kPixels = 48 * 48;
  for (size_t channel = 0; channel < 3; ++channel) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i / kPixels % 3 != channel) continue;
      sum += values[i];
      squares += static_cast<double>(values[i]) * values[i];
    }
    CHECK(sum / (5 * kPixels) == Approx(0).margin(1e-4));
    CHECK(squares / (5 * kPixels) == Approx(1).margin(1e-3));
  }
  qlite_data_set* none = nullptr;
  for (size_t cut = 0; cut + 1 < state.size(); cut += 37) {
    const qlite_status status = qlite_data_set_preprocess(pictures.get(), "STANDARDIZE", state.data(), cut, &none);
    CHECK((cut == 0 ? status == QLITE_OK : status == QLITE_DATA_LOSS));
    const Owned<qlite_data_set> owned(none);
  }
}

}  // namespace
}  // namespace qlite::testing
