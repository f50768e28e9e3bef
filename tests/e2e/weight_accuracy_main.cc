// Quantizes an ONNX classifier's weights in several ways and prints what each costs: top-1, agreement with the float
// model, signal-to-noise ratio and mean cosine of the logits on labelled pictures, and the size of the .qlite file
// against the ONNX file.
//
//   qlite_weight_accuracy model.onnx CALIBRATION_DIR LABELS ROOT MATCH PREPROCESSING LIMIT SETTING...
//
// PREPROCESSING: tf224, caffe227 or cifar32. LIMIT: pictures at most. A SETTING is a width, and what follows it after
// commas: block=N, gptq, nearest, search, no_search, samples (of the calibration pictures, to weigh errors with),
// symmetric, per_layer, no_correction, error=X (width 0), cosine=X (width 0, auto_tune), write=FILE (as ONNX).
// "4,block=32,gptq".
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "e2e/picture_accuracy.h"
#include "qlite/calibrator.h"
#include "qlite/model_io.h"
#include "qlite/weight_quantizer.h"

using namespace qlite;
using namespace qlite::testing;

namespace {

struct Setting {
  std::string text;
  WeightQuantizerOptions options;
  bool samples = false;
  std::string write;
};

Setting Parse(const std::string& text) {
  Setting setting;
  setting.text = text;
  WeightQuantizerOptions& options = setting.options;
  std::istringstream words(text);
  std::string word;
  std::getline(words, word, ',');
  options.bits = std::atoi(word.c_str());
  while (std::getline(words, word, ',')) {
    const std::string value = word.substr(std::min(word.size(), word.find('=') + 1));
    if (word.starts_with("block=")) options.block_size = std::atoi(value.c_str());
    if (word == "gptq") options.rounding = WeightRounding::kGptq, setting.samples = true;
    if (word == "nearest") options.rounding = WeightRounding::kNearest;
    if (word == "samples") setting.samples = true;
    if (word == "search" || word == "no_search") options.range_search = word == "search";
    if (word == "symmetric") options.scheme = QuantScheme::kSymmetric;
    if (word == "per_layer") options.per_channel = false;
    if (word == "no_correction") options.bias_correction = false;
    if (word.starts_with("error=")) options.mixed_error = std::atof(value.c_str());
    if (word.starts_with("cosine=")) {
      options.auto_tune = true, options.cosine_target = std::atof(value.c_str()), setting.samples = true;
    }
    if (word.starts_with("write=")) setting.write = value;
  }
  return setting;
}

double CosineOf(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, norm_a = 0, norm_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y, norm_a += x * x, norm_b += y * y;
  }
  return dot / std::sqrt(norm_a * norm_b);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 9) return 2;
  const std::vector<std::string> args(argv + 1, argv + argc);
  ContextOptions context_options;
  context_options.num_threads = 2;
  const Context context = Take(Context::Create(context_options));
  Graph graph = Take(LoadModel(context, args[0]));
  CutSoftmax(graph);
  const InputSpec spec = Take(InputSpecs(graph))[0];
  const ImageOptions images = Preprocessing(args[5]);
  const auto calibration = Take(OpenImageDataSet(spec, args[1], 64, images));
  const Pictures pictures = OpenPictures(spec, images, args[2], args[3], args[4], args[5] == "tf224" ? 1 : 0,
                                         static_cast<size_t>(std::atoi(args[6].c_str())));
  const auto count = static_cast<double>(pictures.data->size());
  std::vector<std::vector<float>> expected;
  const auto reference = Take(Session::Create(context, graph));
  for (int64_t i = 0; i < pictures.data->size(); ++i) expected.push_back(Infer(*reference, *pictures.data, i));

  for (size_t k = 7; k < args.size(); ++k) {
    const Setting setting = Parse(args[k]);
    const QuantizationResult result =
        Take(WeightQuantize(context, graph, setting.options, setting.samples ? calibration.get() : nullptr));
    ExportOptions exporting;
    exporting.encode_weights = true;
    const auto size = static_cast<double>(Take(SerializeModel(result.graph, exporting)).size());
    if (!setting.write.empty()) {
      exporting.format = ModelFormat::kOnnx;
      std::ofstream(setting.write, std::ios::binary) << Take(SerializeModel(result.graph, exporting));
    }
    const auto quantized = Take(Session::Create(context, result.graph));
    Account account;
    double cosine = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const std::vector<float> found = Infer(*quantized, *pictures.data, static_cast<int64_t>(i));
      account.Add(expected[i], found, pictures.classes[i]);
      cosine += CosineOf(expected[i], found);
    }
    std::printf("%-24s file %.4f  float %.2f  top-1 %.2f (%+.2f)  agree %.2f  SQNR %.2f dB  cosine %.5f\n",
                setting.text.c_str(), size / static_cast<double>(std::filesystem::file_size(args[0])),
                100 * account.right_float / count, 100 * account.right_integer / count,
                100 * (account.right_integer - account.right_float) / count, 100 * account.agree / count,
                10 * std::log10(account.signal / account.noise), cosine / count);
    for (const std::string& step : result.steps) {
      if (step.find("weights") != std::string::npos || step.find("searched") != std::string::npos) {
        std::printf("    %s\n", step.c_str());
      }
    }
    std::fflush(stdout);
  }
  return 0;
}
