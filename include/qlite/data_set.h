// Samples for calibration, accuracy and comparison: folders of raw tensors or of pictures, or the host's own source.
#ifndef QLITE_DATA_SET_H_
#define QLITE_DATA_SET_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/tensor.h"
#include "qlite/types.h"

namespace qlite {

// A model input that samples are made for. shape: as the model declares it, batch first where there is one.
struct InputSpec {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> dims;  // static, batch 1
};

// An ordered, finite source of samples. Const functions are safe from any thread, so that samples are prepared on all.
class DataSet {
 public:
  virtual ~DataSet() = default;
  virtual int64_t size() const = 0;
  // Writes sample `index` into one buffer per model input, in the order of the InputSpecs it was made for.
  virtual absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const = 0;
  // For messages: the file or files that sample comes from.
  virtual std::string Describe(int64_t index) const = 0;
  // A hash of names, sizes and contents of what is read; equal for equal data wherever they lie.
  virtual absl::StatusOr<uint64_t> Fingerprint() const = 0;
};

// --- raw tensors: for each input a folder; regular files sorted by name (bytewise), cut to `count`; file i of every
// folder makes sample i; each file's size is exactly the input's (kInvalidArgument says both sizes). `count` 0: all.
// Fewer files than `count` is an error.
absl::StatusOr<std::unique_ptr<DataSet>> OpenRawDataSet(const std::vector<InputSpec>& inputs,
                                                        const std::vector<std::string>& folders, int64_t count);

enum class ColorOrder : uint8_t { kRgb, kBgr, kGray };
enum class ResizeMethod : uint8_t { kLinear, kNearest, kCubic };  // pixel positions of OpenCV's INTER_LINEAR, ...

// decode (8 bit) -> colour order -> (x - mean) / std in float32 -> resize -> centre crop -> layout.
// 0 means "not asked for". Resizing happens with resize_width and resize_height, or with resize_shorter_side, which
// keeps the aspect ratio (the longer side is rounded half to even); the two forms exclude each other.
struct ImageOptions {
  ColorOrder order = ColorOrder::kBgr;
  std::vector<float> mean, std;  // as many as channels, or empty for 0 and 1
  int64_t resize_width = 0, resize_height = 0, resize_shorter_side = 0;
  ResizeMethod resize_method = ResizeMethod::kLinear;
  int64_t crop_width = 0, crop_height = 0;  // larger than the picture: an error that names the file
};

// --- pictures (JPEG, PNG, BMP by content) of a folder, sorted by name, cut to `count` as above. A model input of 4
// dimensions whose second extent is the channel count is NCHW, whose last is NHWC; neither or both: kInvalidArgument.
absl::StatusOr<std::unique_ptr<DataSet>> OpenImageDataSet(const InputSpec& input, const std::string& folder,
                                                          int64_t count, const ImageOptions& options,
                                                          const Limits& limits = {});
// The same over listed files.
absl::StatusOr<std::unique_ptr<DataSet>> MakeImageDataSet(const InputSpec& input, std::vector<std::string> files,
                                                          const ImageOptions& options, const Limits& limits = {});

// --- samples in memory: for each input one buffer with all samples one after the other, as many for each.
absl::StatusOr<std::unique_ptr<DataSet>> MakeMemoryDataSet(const std::vector<InputSpec>& inputs,
                                                           std::vector<Buffer> samples);

// --- lines of token numbers, as a language model reads them: one sample a line of `file`, from line `first_line`
// (counted from 1) on, cut to `count` (0: all); empty lines are skipped. Of each line the first numbers are taken, as
// many as the input has elements, which is int64 or int32; a line with fewer, or with something else than integers, is
// an error that names file and line.
absl::StatusOr<std::unique_ptr<DataSet>> OpenTokenDataSet(const InputSpec& input, const std::string& file,
                                                          int64_t first_line, int64_t count);

// A fingerprint for data sets of the host that know no better one: reads every sample and hashes the contents.
absl::StatusOr<uint64_t> FingerprintSamples(const DataSet& data, const std::vector<InputSpec>& inputs);

// --- several inputs, one data set each, of equal size.
absl::StatusOr<std::unique_ptr<DataSet>> CombineDataSets(std::vector<std::unique_ptr<DataSet>> per_input);

// A list of labelled pictures: lines "path<TAB>class index[<TAB>anything]", paths relative to `root`. `offset` is added
// to every index. Empty lines are skipped; a malformed line is an error that names file and line.
struct LabelledImages {
  std::vector<std::string> files;
  std::vector<int64_t> labels;
};
absl::StatusOr<LabelledImages> ReadLabels(const std::string& label_file, const std::string& root, int64_t offset);

}  // namespace qlite

#endif  // QLITE_DATA_SET_H_
