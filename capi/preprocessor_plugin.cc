// Preprocessing steps that the host wrote in C, and the functions for steps of any kind.
#include <memory>
#include <string>

#include "capi/bodies.h"
#include "capi/plugin.h"
#include "capi/sample_buffer.h"
#include "qlite/preprocessor.h"

namespace qlite::capi {
namespace {

using PreprocessorType = PluginType<qlite_preprocessor_type>;

class HostPreprocessor : public Preprocessor {
 public:
  explicit HostPreprocessor(std::shared_ptr<const PreprocessorType> type) : state_(std::move(type)) {}

  absl::Status Apply(std::span<const MutableTensorView> inputs) const override {
    const std::vector<qlite_sample_buffer> buffers = AsHostBuffers(inputs);
    return state_.Status(state_.host().apply(state_.get(), buffers.data(), buffers.size()), "apply");
  }

  std::string Save() const override { return state_.Save(); }

  absl::Status Load(std::string_view bytes) override { return state_.Load(bytes); }

  absl::Status Observe(std::span<const MutableTensorView> inputs) override {
    if (state_.host().observe == nullptr) return Preprocessor::Observe(inputs);
    const std::vector<qlite_sample_buffer> buffers = AsHostBuffers(inputs);
    return state_.Status(state_.host().observe(state_.get(), buffers.data(), buffers.size()), "observe");
  }

  absl::Status Merge(const Preprocessor& other) override {
    if (state_.host().merge == nullptr) return Preprocessor::Merge(other);
    const auto* same = dynamic_cast<const HostPreprocessor*>(&other);
    if (same == nullptr) return absl::InvalidArgumentError("preprocessing steps of different kinds cannot be merged");
    return state_.Merge(same->state_);
  }

 private:
  PluginState<qlite_preprocessor_type> state_;
};

std::string_view Given(const void* data, size_t size) {
  if (size > 0) Needed(data, "the state of the step");
  return {static_cast<const char*>(data), size};
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_context_register_preprocessor(const qlite_context* context, const char* name,
                                                 const qlite_preprocessor_type* type) {
  return WithLoanOf(type, [&](std::shared_ptr<void> loan) {
    return Call<ContextBody>(context, [&](ContextBody& body) {
      const qlite_preprocessor_type host = ReadStruct(type, qlite_preprocessor_type{}, "the preprocessor type");
      Needed(name, "name");
      Needed(host.create, "create"), Needed(host.destroy, "destroy"), Needed(host.apply, "apply");
      Needed(host.save, "save"), Needed(host.load, "load");
      if ((host.observe == nullptr) != (host.merge == nullptr)) Refuse("observe and merge go together");
      auto shared = std::make_shared<const PreprocessorType>(
          PreprocessorType{host, std::string("preprocessing step ") + name, std::move(loan)});
      const std::lock_guard lock(body.registry_mutex);
      Check(body.preprocessors.Register(name, [shared] { return std::make_unique<HostPreprocessor>(shared); }));
    });
  });
}

qlite_status qlite_preprocessor_fit(const qlite_context* context, const char* name, const qlite_data_set* data_set,
                                    qlite_bytes** state) {
  return Make<ContextBody>(context, state, [&](ContextBody& body) {
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const std::unique_ptr<qlite::Preprocessor> step = Take(
        qlite::FitPreprocessor(body.context, body.Preprocessors(), Needed(name, "name"), *data->data, data->inputs));
    return MakeBytes(step->Save());
  });
}

qlite_status qlite_preprocessor_merge(const qlite_context* context, const char* name, const void* a, size_t a_size,
                                      const void* b, size_t b_size, qlite_bytes** merged) {
  return Make<ContextBody>(context, merged, [&](ContextBody& body) {
    const qlite::PreprocessorRegistry registry = body.Preprocessors();
    const std::unique_ptr<qlite::Preprocessor> into = Take(registry.Make(Needed(name, "name")));
    const std::unique_ptr<qlite::Preprocessor> from = Take(registry.Make(name));
    Check(into->Load(Given(a, a_size)));
    Check(from->Load(Given(b, b_size)));
    Check(into->Merge(*from));
    return MakeBytes(into->Save());
  });
}

qlite_status qlite_data_set_preprocess(const qlite_data_set* source, const char* name, const void* settings,
                                       size_t size, qlite_data_set** data_set) {
  return Make<DataSetBody>(source, data_set, [&](DataSetBody& body) {
    std::shared_ptr<qlite::Preprocessor> step = Take(body.context->Preprocessors().Make(Needed(name, "name")));
    if (size > 0) Check(step->Load(Given(settings, size)));
    return std::make_shared<DataSetBody>(body.context, body.inputs,
                                         Take(qlite::PreprocessDataSet(body.data, name, std::move(step))));
  });
}
