#include "qlite/data_set.h"

#include <algorithm>

#include "capi/bodies.h"
#include "capi/sample_buffer.h"
#include "qlite/random_data_set.h"

namespace qlite::capi {
namespace {

// A target as C++ knows it: the graph and the inputs that samples are made for.
struct Target {
  std::shared_ptr<GraphBody> graph;
  std::vector<InputSpec> inputs;

  const Limits& limits() const { return graph->context->context.limits(); }
};

Target ReadTarget(const qlite_data_target* host) {
  const qlite_data_target read = ReadStruct(host, qlite_data_target{}, "the target");
  Target target{Needed<GraphBody>(read.graph, "the target's graph"), {}};
  target.inputs = Take(InputSpecs(target.graph->graph, ReadShapes(read.shapes, read.shape_count)));
  if (read.input == nullptr) return target;
  const std::string name = read.input;
  std::erase_if(target.inputs, [&](const InputSpec& input) { return input.name != name; });
  if (target.inputs.empty()) throw Failure(AtValue(absl::NotFoundError("the graph has no input '" + name + "'"), name));
  return target;
}

const InputSpec& OneInput(const Target& target) {
  if (target.inputs.size() == 1) return target.inputs.front();
  Refuse("pictures and tokens feed one input, but the target has " + std::to_string(target.inputs.size()) +
         "; name one of them and combine the data sets");
}

qlite_image_options DefaultImage() {
  return {.struct_size = sizeof(qlite_image_options), .order = QLITE_BGR, .resize_method = QLITE_RESIZE_LINEAR};
}

ImageOptions ReadImageOptions(const qlite_image_options* host) {
  const qlite_image_options read = ReadOptions(host, DefaultImage(), "the image options");
  if (read.order < QLITE_RGB || read.order > QLITE_GRAY) Refuse("the colour order is unknown");
  if (read.resize_method < QLITE_RESIZE_LINEAR || read.resize_method > QLITE_RESIZE_CUBIC)
    Refuse("the resize method is unknown");
  constexpr size_t kMaxChannels = 4;
  if (read.channels > kMaxChannels) Refuse("a picture has at most 4 channels");
  ImageOptions options;
  options.order = static_cast<ColorOrder>(read.order);
  options.resize_method = static_cast<ResizeMethod>(read.resize_method);
  if (read.mean != nullptr) options.mean.assign(read.mean, read.mean + read.channels);
  if (read.std != nullptr) options.std.assign(read.std, read.std + read.channels);
  options.resize_width = read.resize_width;
  options.resize_height = read.resize_height;
  options.resize_shorter_side = read.resize_shorter_side;
  options.crop_width = read.crop_width;
  options.crop_height = read.crop_height;
  return options;
}

std::shared_ptr<DataSetBody> NewDataSet(const Target& target, std::unique_ptr<DataSet> data) {
  return std::make_shared<DataSetBody>(target.graph->context, target.inputs, std::move(data));
}

// Samples that the host makes.
class HostDataSet : public DataSet {
 public:
  HostDataSet(const qlite_sample_source& source, std::vector<InputSpec> inputs, std::shared_ptr<void> loan)
      : source_(source), inputs_(std::move(inputs)), loan_(std::move(loan)) {}

  int64_t size() const override { return source_.size; }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index < 0 || index >= source_.size) return absl::OutOfRangeError("no sample " + std::to_string(index));
    if (inputs.size() != inputs_.size()) {
      return absl::InvalidArgumentError("the sample source feeds " + std::to_string(inputs_.size()) +
                                        " inputs, but the model takes " + std::to_string(inputs.size()));
    }
    std::vector<qlite_sample_buffer> buffers;
    for (size_t i = 0; i < inputs.size(); ++i) buffers.push_back(AsHostBuffer(inputs_[i].name.c_str(), inputs[i]));
    const qlite_status status = source_.read(source_.user, index, buffers.data(), buffers.size());
    if (status == QLITE_OK) return absl::OkStatus();
    return CallbackStatus(status, "read of sample " + std::to_string(index));
  }

  std::string Describe(int64_t index) const override {
    const char* const text = source_.describe == nullptr ? nullptr : source_.describe(source_.user, index);
    return text == nullptr ? "of the host, number " + std::to_string(index) : std::string(text);
  }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    if (source_.fingerprint_given != 0) return source_.fingerprint;
    return FingerprintSamples(*this, inputs_);
  }

 private:
  qlite_sample_source source_;
  std::vector<InputSpec> inputs_;
  std::shared_ptr<void> loan_;
};

// One of several owners of a data set, where C++ asks for the only one.
class SharedDataSet : public DataSet {
 public:
  explicit SharedDataSet(std::shared_ptr<const DataSet> data) : data_(std::move(data)) {}
  int64_t size() const override { return data_->size(); }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    return data_->Read(index, inputs);
  }
  std::string Describe(int64_t index) const override { return data_->Describe(index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return data_->Fingerprint(); }

 private:
  std::shared_ptr<const DataSet> data_;
};

// The host's memory for one sample, checked against what the inputs take.
std::vector<MutableTensorView> ReadViews(const DataSetBody& body, void* const* inputs, const size_t* sizes,
                                         size_t count) {
  if (count != body.inputs.size()) {
    Refuse("the data set feeds " + std::to_string(body.inputs.size()) + " inputs, found memory for " +
           std::to_string(count));
  }
  Needed(inputs, "inputs"), Needed(sizes, "sizes");
  std::vector<MutableTensorView> views;
  for (size_t i = 0; i < count; ++i) {
    const InputSpec& input = body.inputs[i];
    const size_t expected =
        static_cast<size_t>(Take(ElementCount(input.dims, ElementSize(input.type)))) * ElementSize(input.type);
    if (sizes[i] != expected) {
      RefuseValue(input.name, "input '" + input.name + "' takes " + std::to_string(expected) + " bytes, found " +
                                  std::to_string(sizes[i]));
    }
    views.push_back({input.type, input.dims, Needed(inputs[i], "the memory of an input"), sizes[i]});
  }
  return views;
}

// Runs work(target) and keeps failures in the context of the target's graph.
template <class Work>
qlite_status ForTarget(const qlite_data_target* host, qlite_data_set** data_set, Work&& work) noexcept {
  if (data_set != nullptr) *data_set = nullptr;
  const bool readable = host != nullptr && host->struct_size >= kFirstSize<qlite_data_target>;
  return Make<GraphBody>(readable ? host->graph : nullptr, data_set,
                         [&](GraphBody&) { return work(ReadTarget(host)); });
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_image_options_init(qlite_image_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultImage());
}

qlite_status qlite_data_set_open_images(const qlite_data_target* target, const char* folder, int64_t count,
                                        const qlite_image_options* options, qlite_data_set** data_set) {
  return ForTarget(target, data_set, [&](const Target& t) {
    return NewDataSet(t, Take(qlite::OpenImageDataSet(OneInput(t), Needed(folder, "folder"), count,
                                                      ReadImageOptions(options), t.limits())));
  });
}

qlite_status qlite_data_set_from_image_files(const qlite_data_target* target, const char* const* files, size_t count,
                                             const qlite_image_options* options, qlite_data_set** data_set) {
  return ForTarget(target, data_set, [&](const Target& t) {
    return NewDataSet(t, Take(qlite::MakeImageDataSet(OneInput(t), ReadNames(files, count, "files"),
                                                      ReadImageOptions(options), t.limits())));
  });
}

qlite_status qlite_data_set_open_raw(const qlite_data_target* target, const char* const* folders, size_t folder_count,
                                     int64_t count, qlite_data_set** data_set) {
  return ForTarget(target, data_set, [&](const Target& t) {
    return NewDataSet(t, Take(qlite::OpenRawDataSet(t.inputs, ReadNames(folders, folder_count, "folders"), count)));
  });
}

qlite_status qlite_data_set_from_memory(const qlite_data_target* target, const void* const* inputs, const size_t* sizes,
                                        size_t input_count, qlite_release_function release, void* user,
                                        qlite_data_set** data_set) {
  return WithLoan(user, release, [&](std::shared_ptr<void> loan) {
    return ForTarget(target, data_set, [&](const Target& t) {
      if (input_count > 0) Needed(inputs, "inputs"), Needed(sizes, "sizes");
      std::vector<qlite::Buffer> buffers;
      for (size_t i = 0; i < input_count; ++i) {
        if (sizes[i] > 0) Needed(inputs[i], "the samples of an input");
        buffers.push_back(loan == nullptr ? qlite::Buffer::Copy(inputs[i], sizes[i])
                                          : qlite::Buffer{static_cast<const std::byte*>(inputs[i]), sizes[i], loan});
      }
      return NewDataSet(t, Take(qlite::MakeMemoryDataSet(t.inputs, std::move(buffers))));
    });
  });
}

qlite_status qlite_data_set_from_source(const qlite_data_target* target, const qlite_sample_source* source,
                                        qlite_data_set** data_set) {
  return WithLoanOf(source, [&](std::shared_ptr<void> loan) {
    return ForTarget(target, data_set, [&](const Target& t) {
      const qlite_sample_source read = ReadStruct(source, qlite_sample_source{}, "the sample source");
      Needed(read.read, "read");
      if (read.size < 0) Refuse("the number of samples is negative");
      return NewDataSet(t, std::make_unique<HostDataSet>(read, t.inputs, std::move(loan)));
    });
  });
}

qlite_status qlite_data_set_open_tokens(const qlite_data_target* target, const char* file, int64_t first_line,
                                        int64_t count, qlite_data_set** data_set) {
  return ForTarget(target, data_set, [&](const Target& t) {
    return NewDataSet(t, Take(qlite::OpenTokenDataSet(OneInput(t), Needed(file, "file"), first_line, count)));
  });
}

qlite_status qlite_data_set_make_random(const qlite_data_target* target, int64_t count, qlite_data_set** data_set) {
  return ForTarget(target, data_set, [&](const Target& t) {
    if (count < 0) Refuse("the number of samples is negative");
    return NewDataSet(t, qlite::MakeRandomDataSet(t.inputs, count));
  });
}

qlite_status qlite_data_set_combine(const qlite_data_set* const* parts, size_t count, qlite_data_set** data_set) {
  if (data_set != nullptr) *data_set = nullptr;
  const qlite_data_set* const first = parts != nullptr && count > 0 ? parts[0] : nullptr;
  return Make<DataSetBody>(first, data_set, [&](DataSetBody& body) {
    std::vector<qlite::InputSpec> inputs;
    std::vector<std::unique_ptr<qlite::DataSet>> shared;
    for (size_t i = 0; i < count; ++i) {
      const std::shared_ptr<DataSetBody> part = Needed<DataSetBody>(parts[i], "a part");
      if (part->inputs.size() != 1) Refuse("part " + std::to_string(i) + " feeds more than one input");
      inputs.push_back(part->inputs.front());
      shared.push_back(std::make_unique<SharedDataSet>(part->data));
    }
    return std::make_shared<DataSetBody>(body.context, std::move(inputs),
                                         Take(qlite::CombineDataSets(std::move(shared))));
  });
}

qlite_status qlite_data_set_release(qlite_data_set* data_set) { return Release<DataSetBody>(data_set); }

qlite_status qlite_data_set_size(const qlite_data_set* data_set, int64_t* size) {
  return Call<DataSetBody>(data_set, [&](DataSetBody& body) { *Needed(size, "size") = body.data->size(); });
}

qlite_status qlite_data_set_fingerprint(const qlite_data_set* data_set, uint64_t* fingerprint) {
  return Call<DataSetBody>(
      data_set, [&](DataSetBody& body) { *Needed(fingerprint, "fingerprint") = Take(body.data->Fingerprint()); });
}

qlite_status qlite_data_set_describe(const qlite_data_set* data_set, int64_t index, qlite_bytes** text) {
  return Make<DataSetBody>(data_set, text, [&](DataSetBody& body) {
    Checked(index, static_cast<size_t>(body.data->size()), "sample");
    return MakeBytes(body.data->Describe(index));
  });
}

qlite_status qlite_data_set_get_input(const qlite_data_set* data_set, size_t index, qlite_sample_buffer* buffer) {
  return Call<DataSetBody>(data_set, [&](DataSetBody& body) {
    const qlite::InputSpec& input = body.inputs[Checked(index, body.inputs.size(), "input")];
    const int64_t elements = Take(qlite::ElementCount(input.dims, qlite::ElementSize(input.type)));
    *Needed(buffer, "buffer") =
        AsHostBuffer(input.name.c_str(),
                     {input.type, input.dims, nullptr, static_cast<size_t>(elements) * qlite::ElementSize(input.type)});
  });
}

qlite_status qlite_data_set_read(const qlite_data_set* data_set, int64_t index, void* const* inputs,
                                 const size_t* sizes, size_t count) {
  return Call<DataSetBody>(data_set, [&](DataSetBody& body) {
    const std::vector<qlite::MutableTensorView> views = ReadViews(body, inputs, sizes, count);
    Check(body.data->Read(index, views));
  });
}
