// Quantizes an ONNX classifier and prints what that costs: top-1, agreement with the float model and signal-to-noise
// ratio of the logits on labelled pictures.
//
//   qlite_quantizer_accuracy model.onnx CALIBRATION_DIR LABELS ROOT MATCH PREPROCESSING METHOD [option...]
//
// PREPROCESSING: tf224, caffe227 or cifar32. Options: per_layer, no_correction, no_equalization, threads=N, limit=N,
// skip=NODE, dump (prints the quantized graph), write=FILE (writes it as ONNX).
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

#include "qlite/calibrator.h"
#include "qlite/data_set.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"
#include "qlite/session.h"

namespace {

using namespace qlite;

template <class T>
T Take(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  std::exit(1);
}

ImageOptions Preprocessing(const std::string& name) {
  ImageOptions options;
  if (name == "tf224") {
    options.order = ColorOrder::kRgb;
    options.mean = {127.5f, 127.5f, 127.5f}, options.std = {127.5f, 127.5f, 127.5f};
    options.resize_shorter_side = 256, options.crop_width = options.crop_height = 224;
  } else if (name == "caffe227") {
    options.order = ColorOrder::kBgr;
    options.mean = {104, 117, 123};
    options.resize_shorter_side = 256, options.crop_width = options.crop_height = 227;
  } else {
    options.order = ColorOrder::kRgb;
    options.mean = {0.485f * 255, 0.456f * 255, 0.406f * 255};
    options.std = {0.229f * 255, 0.224f * 255, 0.225f * 255};
  }
  return options;
}

// Logits are what a final Softmax reads.
void CutSoftmax(Graph& graph) {
  const NodeId producer = graph.value(graph.outputs()[0]).producer;
  if (graph.node(producer).op != OpType::kSoftmax) return;
  graph.SetOutputs({graph.node(producer).inputs[0]});
  graph.RemoveNode(producer);
}

std::vector<float> Infer(Session& session, const DataSet& data, int64_t index) {
  const std::vector<MutableTensorView> inputs = {session.input(0)};
  for (const absl::Status& status : {data.Read(index, inputs), session.Run()}) {
    if (status.ok()) continue;
    std::cerr << status << "\n";
    std::exit(1);
  }
  const auto output = session.output(0).as<float>();
  return {output.begin(), output.end()};
}

struct Account {
  double right_float = 0, right_integer = 0, agree = 0, signal = 0, noise = 0;

  void Add(const std::vector<float>& reference, const std::vector<float>& result, int64_t label) {
    const auto first = [](const std::vector<float>& v) { return std::max_element(v.begin(), v.end()) - v.begin(); };
    right_float += first(reference) == label;
    right_integer += first(result) == label;
    agree += first(reference) == first(result);
    for (size_t i = 0; i < reference.size(); ++i) {
      const double error = static_cast<double>(result[i]) - static_cast<double>(reference[i]);
      signal += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
      noise += error * error;
    }
  }
};

}  // namespace

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
  const auto labels = Take(ReadLabels(args[2], args[3], args[5] == "tf224" ? 1 : 0));
  std::vector<std::string> files;
  std::vector<int64_t> classes;
  for (size_t i = 0; i < labels.files.size() && files.size() < limit; ++i) {
    if (labels.files[i].find(args[4]) == std::string::npos) continue;
    files.push_back(labels.files[i]);
    classes.push_back(labels.labels[i]);
  }
  const auto pictures = Take(MakeImageDataSet(spec, files, images));

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
  for (int64_t i = 0; i < pictures->size(); ++i) {
    const std::vector<float> expected = Infer(*reference, *pictures, i);
    account.Add(expected, Infer(*integer, *pictures, i), classes[static_cast<size_t>(i)]);
  }
  const double count = static_cast<double>(pictures->size());
  std::printf("float %.2f  int8 %.2f  agree %.2f  SQNR %.2f dB\n", 100 * account.right_float / count,
              100 * account.right_integer / count, 100 * account.agree / count,
              10 * std::log10(account.signal / account.noise));
  return 0;
}
