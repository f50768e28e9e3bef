// Small networks and samples for the tests of what quantization costs.
#ifndef QLITE_TESTS_TUNING_TUNING_TEST_UTIL_H_
#define QLITE_TESTS_TUNING_TUNING_TEST_UTIL_H_

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "passes/graph_maker.h"
#include "qlite/calibrator.h"
#include "qlite/data_set.h"

namespace qlite::testing {

// `count` samples of the graph's inputs, float32, uniform within +-`magnitude(sample)`.
inline std::unique_ptr<DataSet> RandomSamples(
    const Graph& graph, int64_t count, uint32_t seed = 7,
    const std::function<float(int64_t)>& magnitude = [](int64_t) { return 1.0f; }) {
  const std::vector<InputSpec> inputs = *InputSpecs(graph);
  std::mt19937 random(seed);
  std::vector<Buffer> buffers;
  for (const InputSpec& input : inputs) {
    std::vector<float> values;
    for (int64_t sample = 0; sample < count; ++sample) {
      for (int64_t i = 0; i < *ElementCount(input.dims); ++i) {
        values.push_back((static_cast<float>(random() >> 8) * 0x1p-23f - 1) * magnitude(sample));
      }
    }
    buffers.push_back(Buffer::Own(std::move(values)));
  }
  return *MakeMemoryDataSet(inputs, std::move(buffers));
}

// Multiplies channel `channel` (first dimension) of a constant.
inline Tensor ScaleChannel(const Tensor& tensor, int64_t channel, float factor) {
  std::vector<float> values(tensor.data<float>().begin(), tensor.data<float>().end());
  const size_t each = values.size() / static_cast<size_t>(tensor.dims()[0]);
  for (size_t i = 0; i < each; ++i) values[static_cast<size_t>(channel) * each + i] *= factor;
  return Tensor::Of<float>(tensor.dims(), std::move(values));
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_TUNING_TUNING_TEST_UTIL_H_
