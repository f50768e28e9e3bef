// Quantizes an ONNX classifier and prints what that costs: top-1, agreement with the float model and signal-to-noise
// ratio of the logits on labelled pictures.
//
//   qlite_quantizer_accuracy model.onnx CALIBRATION_DIR LABELS ROOT MATCH PREPROCESSING METHOD [option...]
//
// PREPROCESSING: tf224, caffe227 or cifar32. Options: per_layer, no_correction, no_equalization, threads=N, limit=N,
// skip=NODE, dump (prints the quantized graph), write=FILE (writes it as ONNX).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "e2e/picture_accuracy.h"
#include "qlite/calibrator.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"

using namespace qlite;
using namespace qlite::testing;

int main(int argc, char** argv) {
  if (argc < 8) return 2;
  const std::vector<std::string> args(argv + 1, argv + argc);
  QuantizerOptions options;
  options.activation_method = args[6];
  int threads = 2;
  size_t limit = 1 << 20;
  bool dump = false;
  std::string write;
  for (size_t i = 7; i < args.size(); ++i) {
    if (args[i] == "per_layer") options.per_channel = false;
    if (args[i] == "no_correction") options.bias_correction = false;
    if (args[i] == "no_equalization") options.equalization = false;
    if (args[i].starts_with("threads=")) threads = std::atoi(args[i].c_str() + 8);
    if (args[i].starts_with("limit=")) limit = static_cast<size_t>(std::atoi(args[i].c_str() + 6));
    if (args[i].starts_with("skip=")) options.skip_nodes.push_back(args[i].substr(5));
    if (args[i] == "dump") dump = true;
    if (args[i].starts_with("write=")) write = args[i].substr(6);
  }
  ContextOptions context_options;
  context_options.num_threads = threads;
  const Context context = Take(Context::Create(context_options));
  Graph graph = Take(LoadModel(context, args[0]));
  CutSoftmax(graph);
  const InputSpec spec = Take(InputSpecs(graph))[0];
  const ImageOptions images = Preprocessing(args[5]);
  const auto calibration = Take(OpenImageDataSet(spec, args[1], 100, images));
  const Pictures pictures = OpenPictures(spec, images, args[2], args[3], args[4], args[5] == "tf224" ? 1 : 0, limit);

  const QuantizationResult result = Take(Quantizer(context, options).FullQuantize(graph, *calibration));
  for (const std::string& step : result.steps) std::cout << "  " << step << "\n";
  for (const NodeOutcome& node : result.nodes) {
    if (!node.integer) std::cout << "  float: " << node.name << " (" << node.op << "): " << node.reason << "\n";
  }
  for (const auto& [stage, seconds] : result.seconds) std::printf("  %-14s %.2f s\n", stage.c_str(), seconds);
  if (dump) std::cout << result.graph.Dump();
  if (!write.empty()) {
    ExportOptions export_options;
    export_options.format = ModelFormat::kOnnx;
    std::ofstream(write, std::ios::binary) << Take(SerializeModel(result.graph, export_options));
  }

  const auto reference = Take(Session::Create(context, graph));
  const auto integer = Take(Session::Create(context, result.graph));
  Account account;
  for (int64_t i = 0; i < pictures.data->size(); ++i) {
    const std::vector<float> expected = Infer(*reference, *pictures.data, i);
    account.Add(expected, Infer(*integer, *pictures.data, i), pictures.classes[static_cast<size_t>(i)]);
  }
  const double count = static_cast<double>(pictures.data->size());
  std::printf("float %.2f  int8 %.2f  agree %.2f  SQNR %.2f dB\n", 100 * account.right_float / count,
              100 * account.right_integer / count, 100 * account.agree / count,
              10 * std::log10(account.signal / account.noise));
  return 0;
}
