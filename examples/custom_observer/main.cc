// Quantizes a classifier of pictures with an observer that the library does not know.
//
//   custom_observer model.onnx folder-of-pictures output.qlite|output.onnx
//
// Pictures are resized so that the shorter side fits, cropped to the input's size, in RGB, as x / 127.5 - 1.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "mean_extremes.h"
#include "qlite/calibrator.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"

namespace {

absl::StatusOr<std::unique_ptr<qlite::DataSet>> OpenPictures(const qlite::Graph& graph, const std::string& folder) {
  const absl::StatusOr<std::vector<qlite::InputSpec>> inputs = qlite::InputSpecs(graph);
  if (!inputs.ok()) return inputs.status();
  if (inputs->size() != 1 || inputs->front().dims.size() != 4) {
    return absl::InvalidArgumentError("this program is for models with one picture as input");
  }
  const qlite::InputSpec& input = inputs->front();
  const bool channels_last = input.dims[3] == 3;
  qlite::ImageOptions options;
  options.order = qlite::ColorOrder::kRgb;
  options.mean = options.std = {127.5f, 127.5f, 127.5f};
  options.crop_height = input.dims[channels_last ? 1 : 2];
  options.crop_width = input.dims[channels_last ? 2 : 3];
  options.resize_shorter_side = std::max(options.crop_height, options.crop_width);
  return qlite::OpenImageDataSet(input, folder, 0, options);
}

absl::Status Quantize(const std::string& model, const std::string& folder, const std::string& output) {
  const std::optional<qlite::ModelFormat> format = qlite::ModelFormatOfPath(output);
  if (!format) return absl::InvalidArgumentError(output + ": the extension names no known format");
  const absl::StatusOr<qlite::Context> context =
      qlite::Context::Create({.num_threads = 0, .log = qlite::MakeStderrLogSink(qlite::LogLevel::kWarning)});
  if (!context.ok()) return context.status();
  const absl::StatusOr<qlite::Graph> graph = qlite::LoadModel(*context, model);
  if (!graph.ok()) return graph.status();
  const absl::StatusOr<std::unique_ptr<qlite::DataSet>> pictures = OpenPictures(*graph, folder);
  if (!pictures.ok()) return pictures.status();

  // All it takes: a name, and a function that makes the observer.
  qlite::ObserverRegistry registry = qlite::ObserverRegistry::Default();
  if (absl::Status status = registry.Register("MEAN_EXTREMES", [] { return std::make_unique<MeanExtremes>(); });
      !status.ok()) {
    return status;
  }
  qlite::QuantizerOptions options;
  options.activation_method = "MEAN_EXTREMES";
  options.registry = &registry;
  const absl::StatusOr<qlite::QuantizationResult> result =
      qlite::Quantizer(*context, options).FullQuantize(*graph, **pictures);
  if (!result.ok()) return result.status();
  for (const std::string& step : result->steps) std::printf("%s\n", step.c_str());

  qlite::ExportOptions export_options;
  export_options.format = *format;
  export_options.check_data = pictures->get();
  return qlite::ExportModel(*context, result->graph, output, export_options);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s model.onnx folder-of-pictures output.qlite|output.onnx\n", argv[0]);
    return 1;
  }
  if (const absl::Status status = Quantize(argv[1], argv[2], argv[3]); !status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return 1;
  }
  std::printf("wrote %s\n", argv[3]);
  return 0;
}
