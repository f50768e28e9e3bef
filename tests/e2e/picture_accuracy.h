// Classifiers over labelled pictures, for the programs that measure what quantization costs.
#ifndef QLITE_TESTS_E2E_PICTURE_ACCURACY_H_
#define QLITE_TESTS_E2E_PICTURE_ACCURACY_H_

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qlite/data_set.h"
#include "qlite/graph.h"
#include "qlite/session.h"

namespace qlite::testing {

// The value, or the end of the program.
template <class T>
T Take(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  std::exit(1);
}

inline ImageOptions Preprocessing(const std::string& name) {
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
inline void CutSoftmax(Graph& graph) {
  const NodeId producer = graph.value(graph.outputs()[0]).producer;
  if (graph.node(producer).op != OpType::kSoftmax) return;
  graph.SetOutputs({graph.node(producer).inputs[0]});
  graph.RemoveNode(producer);
}

inline std::vector<float> Infer(Session& session, const DataSet& data, int64_t index) {
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

struct Pictures {
  std::unique_ptr<DataSet> data;
  std::vector<int64_t> classes;
};

// The listed pictures whose path holds `match`, at most `limit`.
inline Pictures OpenPictures(const InputSpec& spec, const ImageOptions& images, const std::string& list,
                             const std::string& root, const std::string& match, int64_t offset, size_t limit) {
  const LabelledImages labels = Take(ReadLabels(list, root, offset));
  Pictures pictures;
  std::vector<std::string> files;
  for (size_t i = 0; i < labels.files.size() && files.size() < limit; ++i) {
    if (labels.files[i].find(match) == std::string::npos) continue;
    files.push_back(labels.files[i]);
    pictures.classes.push_back(labels.labels[i]);
  }
  pictures.data = Take(MakeImageDataSet(spec, files, images));
  return pictures;
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_E2E_PICTURE_ACCURACY_H_
