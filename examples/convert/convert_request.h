// What one run of qlite_convert is to do, gathered from the command line and the configuration file.
#ifndef QLITE_EXAMPLES_CONVERT_CONVERT_REQUEST_H_
#define QLITE_EXAMPLES_CONVERT_CONVERT_REQUEST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/data_request.h"
#include "qlite/loss_target.h"
#include "qlite/model_io.h"
#include "qlite/quantizer.h"
#include "qlite/weight_quantizer.h"

namespace qlite::cli {

enum class QuantType { kNone, kFull, kWeight };

struct ConvertRequest {
  std::string model_file;
  ModelFormat model_format = ModelFormat::kOnnx;
  std::string output_file;  // with its extension
  ModelFormat output_format = ModelFormat::kQlite;
  std::map<std::string, std::vector<int64_t>> input_shapes;
  bool simplify = true;
  bool run_once = false;

  QuantType quant_type = QuantType::kNone;
  QuantizerOptions quantizer;                         // kFull
  WeightQuantizerOptions weights;                     // kWeight
  bool encode_weights = true;                         // kWeight: in the smallest form that there is
  ElementType float_storage = ElementType::kFloat32;  // of float constants that are left: or float16, bfloat16
  bool on_the_fly = false;                            // integer weights are stored to be decoded inside the products
  DataRequest data;
  bool uint8_activations = true;

  int64_t num_threads = 0;
  int64_t memory_limit_mb = 0;
  std::string calibration_file;  // read where it is there, written at the end and on interruption

  std::string report_folder;  // for what qlite/report.h writes; empty: none
  bool report_times = false;  // with the time of every layer, which makes it differ from run to run
  bool sensitivity = false;   // measure and list what each layer costs
  std::optional<LossTarget> max_loss;
  bool auto_fix = false;  // with max_loss: try remedies first

  std::vector<std::string> notices;  // what was accepted and has no effect
};

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_CONVERT_REQUEST_H_
