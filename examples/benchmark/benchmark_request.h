// What one run of qlite_benchmark is to do.
#ifndef QLITE_EXAMPLES_BENCHMARK_BENCHMARK_REQUEST_H_
#define QLITE_EXAMPLES_BENCHMARK_BENCHMARK_REQUEST_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/data_request.h"
#include "qlite/session.h"

namespace qlite::cli {

struct BenchmarkRequest {
  std::string model_file;
  std::vector<std::string> input_files;  // empty: seeded random inputs
  std::map<std::string, std::vector<int64_t>> input_shapes;
  std::vector<std::vector<int64_t>> positional_shapes;  // the deprecated form, by input position
  int64_t loop_count = 10, warm_up_count = 3, num_threads = 2;
  bool float16 = false;                                           // of the model, not of the one it is compared with
  WeightDecoding weight_decoding = WeightDecoding::kAsModelSays;  // the same; the other's are decoded at load
  bool time_profiling = false;
  int64_t cpu_bind_mode = 0;   // 0 not bound, 1 the first cores, 2 the last ones
  std::vector<int> cpu_cores;  // bound to these, where given
  int64_t memory_limit_mb = 0;

  std::string golden_file;  // non-empty: compare with it instead of measuring time
  double accuracy_threshold_percent = 0.5;
  double cosine_threshold = -1.1;

  std::string compare_model;  // non-empty: the other model, run on the same inputs
  bool logits = false;        // take the value before a final Softmax as the output

  std::string image_folder, label_file;  // non-empty: accuracy over labelled pictures
  int64_t label_offset = 0;
  int64_t image_count = 0;  // 0: all
  DataRequest data;         // preprocessing, from the config file

  // What is asked of the other model.
  BenchmarkRequest ForOther() const {
    BenchmarkRequest other = *this;
    other.float16 = false;
    other.weight_decoding = WeightDecoding::kAtLoad;
    return other;
  }

  std::string json;  // "-": on stdout instead of text; else a file; empty: none
};

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_BENCHMARK_REQUEST_H_
