#include <utility>

#include "absl/strings/str_join.h"
#include "calib/files.h"
#include "calib/fingerprint.h"
#include "calib/image_decode.h"
#include "calib/image_transform.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"

namespace qlite {
namespace {

class ImageDataSet : public DataSet {
 public:
  ImageDataSet(std::vector<std::string> files, const ImageOptions& options, const calib::ImageLayout& layout,
               const Limits& limits)
      : files_(std::move(files)), options_(options), layout_(layout), limits_(limits), transform_(options, layout) {}

  int64_t size() const override { return static_cast<int64_t>(files_.size()); }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index < 0 || index >= size()) return absl::OutOfRangeError(StrCat("sample ", index, " of ", size()));
    const size_t elements = static_cast<size_t>(layout_.height * layout_.width * layout_.channels);
    if (inputs.size() != 1 || inputs[0].type != ElementType::kFloat32 || inputs[0].bytes != elements * sizeof(float)) {
      return absl::InvalidArgumentError(
          StrCat("the pictures fill one float32 input of ", elements, " elements; the buffers given differ"));
    }
    const std::string& path = files_[static_cast<size_t>(index)];
    absl::StatusOr<std::string> bytes = calib::ReadWholeFile(path, limits_.max_file_bytes);
    if (!bytes.ok()) return bytes.status();
    absl::StatusOr<calib::Picture> picture =
        calib::DecodePicture(*bytes, path, transform_.decode_order(), limits_.max_image_pixels);
    if (!picture.ok()) return AtFile(picture.status(), path);
    return AtFile(transform_.Apply(*std::move(picture), path, inputs[0].as<float>()), path);
  }

  std::string Describe(int64_t index) const override { return files_[static_cast<size_t>(index)]; }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    calib::Fingerprinter fingerprint;
    AddOptions(&fingerprint);
    for (const std::string& path : files_) {
      absl::StatusOr<std::string> bytes = calib::ReadWholeFile(path, limits_.max_file_bytes);
      if (!bytes.ok()) return bytes.status();
      fingerprint.AddBytes(calib::BaseName(path));
      fingerprint.AddBytes(*bytes);
    }
    return fingerprint.Value();
  }

 private:
  // The same files under other options are other data.
  void AddOptions(calib::Fingerprinter* fingerprint) const {
    for (int64_t value : {layout_.height, layout_.width, layout_.channels, int64_t{layout_.channels_last},
                          static_cast<int64_t>(options_.order), options_.resize_width, options_.resize_height,
                          options_.resize_shorter_side, static_cast<int64_t>(options_.resize_method),
                          options_.crop_width, options_.crop_height, size()}) {
      fingerprint->AddInteger(value);
    }
    fingerprint->AddValues(std::span<const float>(options_.mean));
    fingerprint->AddValues(std::span<const float>(options_.std));
  }

  std::vector<std::string> files_;
  ImageOptions options_;
  calib::ImageLayout layout_;
  Limits limits_;
  calib::ImageTransform transform_;
};

absl::StatusOr<calib::ImageLayout> LayoutOf(const InputSpec& input, const ImageOptions& options) {
  const int64_t channels = options.order == ColorOrder::kGray ? 1 : 3;
  const std::string described =
      StrCat("input '", input.name, "' (", ElementTypeName(input.type), "[", absl::StrJoin(input.dims, ","), "])");
  const auto refuse = [&](std::string_view why) {
    return AtValue(absl::InvalidArgumentError(StrCat(described, why)), input.name);
  };
  if (input.type != ElementType::kFloat32) {
    return refuse(" cannot take pictures: it is not float32");
  }
  if (input.dims.size() != 4 || input.dims[0] != 1) {
    return refuse(" cannot take pictures: it needs four dimensions, the first of extent 1");
  }
  const bool first = input.dims[1] == channels, last = input.dims[3] == channels;
  if (first == last) {
    return refuse(
        StrCat(" cannot take pictures of ", channels, " channels: ",
               first ? "its layout may be NCHW or NHWC" : "neither its second nor its last extent is that number"));
  }
  for (int64_t dim : input.dims) {
    if (dim <= 0) return refuse(" is empty");
  }
  calib::ImageLayout layout;
  layout.channels = channels;
  layout.channels_last = last;
  layout.height = last ? input.dims[1] : input.dims[2];
  layout.width = last ? input.dims[2] : input.dims[3];
  return layout;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> MakeImageDataSet(const InputSpec& input, std::vector<std::string> files,
                                                          const ImageOptions& options, const Limits& limits) {
  if (files.empty()) return absl::InvalidArgumentError("the list of pictures is empty");
  if (absl::Status status = calib::ValidateImageOptions(options); !status.ok()) return status;
  absl::StatusOr<calib::ImageLayout> layout = LayoutOf(input, options);
  if (!layout.ok()) return layout.status();
  return std::make_unique<ImageDataSet>(std::move(files), options, *layout, limits);
}

absl::StatusOr<std::unique_ptr<DataSet>> OpenImageDataSet(const InputSpec& input, const std::string& folder,
                                                          int64_t count, const ImageOptions& options,
                                                          const Limits& limits) {
  absl::StatusOr<std::vector<std::string>> files = calib::ListFiles(folder);
  if (files.ok()) files = calib::TakeFirst(*std::move(files), count, folder);
  if (!files.ok()) return files.status();
  return MakeImageDataSet(input, *std::move(files), options, limits);
}

}  // namespace qlite
