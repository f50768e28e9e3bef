// A host in C++ that links the installed package: from a model and a folder of pictures to an int8 file, which it then
// runs on the first picture.
//
//   cxx_host MODEL FOLDER OUTPUT WIDTH HEIGHT [COUNT]
//
// Pictures are taken as RGB, x / 127.5 - 1, resized to WIDTH x HEIGHT. With the same settings the file has the same
// bytes as that of qlite_convert.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "qlite/calibrator.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"
#include "qlite/session.h"

namespace {

std::string Hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, number);
  return text;
}

std::map<std::string, std::string> Manifest(const qlite::Graph& model, const qlite::CalibrationTable& table) {
  return {{"model_hash", Hex(qlite::GraphFingerprint(model))},
          {"quantization", "FULL_QUANT"},
          {"activation_quant_method", table.method},
          {"per_channel", "true"},
          {"bias_correction", "true"},
          {"equalization", "true"},
          {"calibration_samples", std::to_string(table.samples_done)},
          {"data_hash", Hex(table.data_fingerprint)}};
}

absl::Status RunFirst(const qlite::Context& context, const std::string& path, const qlite::DataSet& data) {
  const absl::StatusOr<qlite::Graph> graph = qlite::LoadModel(context, path);
  if (!graph.ok()) return graph.status();
  const absl::StatusOr<std::unique_ptr<qlite::Session>> session = qlite::Session::Create(context, *graph);
  if (!session.ok()) return session.status();
  const qlite::MutableTensorView inputs[] = {(*session)->input(0)};
  if (absl::Status status = data.Read(0, inputs); !status.ok()) return status;
  if (absl::Status status = (*session)->Run(); !status.ok()) return status;
  const std::span<const float> scores = (*session)->output(0).as<float>();
  const auto best = std::max_element(scores.begin(), scores.end());
  std::printf("first picture: class %td with %g\n", best - scores.begin(), static_cast<double>(*best));
  return absl::OkStatus();
}

absl::Status Convert(const std::string& model, const std::string& folder, const std::string& output,
                     const qlite::ImageOptions& images, int64_t count) {
  const std::optional<qlite::ModelFormat> format = qlite::ModelFormatOfPath(output);
  if (!format) return absl::InvalidArgumentError(output + ": the extension names no known format");
  const absl::StatusOr<qlite::Context> context = qlite::Context::Create({.num_threads = 0});
  if (!context.ok()) return context.status();
  const absl::StatusOr<qlite::Graph> graph = qlite::LoadModel(*context, model);
  if (!graph.ok()) return graph.status();
  const absl::StatusOr<std::vector<qlite::InputSpec>> inputs = qlite::InputSpecs(*graph);
  if (!inputs.ok()) return inputs.status();
  const auto data = qlite::OpenImageDataSet(inputs->front(), folder, count, images);
  if (!data.ok()) return data.status();
  const auto result = qlite::Quantizer(*context, {}).FullQuantize(*graph, **data);
  if (!result.ok()) return result.status();
  qlite::ExportOptions options;
  options.format = *format;
  options.manifest = Manifest(*graph, result->table);
  options.check_data = data->get();
  if (absl::Status status = qlite::ExportModel(*context, result->graph, output, options); !status.ok()) return status;
  return RunFirst(*context, output, **data);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s MODEL FOLDER OUTPUT WIDTH HEIGHT [COUNT]\n", argv[0]);
    return 2;
  }
  qlite::ImageOptions images;
  images.order = qlite::ColorOrder::kRgb;
  images.mean = images.std = {127.5f, 127.5f, 127.5f};
  images.resize_width = std::atoll(argv[4]);
  images.resize_height = std::atoll(argv[5]);
  const absl::Status status = Convert(argv[1], argv[2], argv[3], images, argc > 6 ? std::atoll(argv[6]) : 0);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
